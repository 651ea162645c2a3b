"""The hybrid decoder beside its equations, position by position and gate by gate, and at the longest sentence."""

import pytest
import torch
import torch.nn.functional as F
from torch import nn

from modeling_wae_rnf.strided_layers import StridedLayer, needed
from wae_rnf.training.systems import SYSTEMS

from .test_components import padded, refusal


@pytest.fixture
def model(tiny_model):
    return hybrid(tiny_model)


def hybrid(tiny_model, **fields):
    """A small one, with room for 12 tokens, whose batch normalizations have statistics and weights of all kinds."""
    kwargs = {name: {"channels": [5, 7]} for name in ("encoder_kwargs", "decoder_kwargs")}
    model = tiny_model(**SYSTEMS["hybrid-vae"].config | {"dropout": 0.0, "max_words": 9} | kwargs | fields)
    with torch.no_grad():
        for norm in norms_of(model):
            for values in (norm.running_mean, norm.running_var, norm.weight, norm.bias):
                values.uniform_(0.3, 1.5)
    return model


def norms_of(model):
    return [part.norm for part in model.modules() if isinstance(part, StridedLayer)]


def normalized(norm, rows, training):
    """ReLU of a list of (positions, channels), one for each sentence; over all of their positions while training."""
    every = torch.cat(rows)
    mean, variance = (every.mean(0), every.var(0, correction=0)) if training else (norm.running_mean, norm.running_var)
    return [F.relu((x - mean) / (variance + 1e-5).sqrt() * norm.weight + norm.bias) for x in rows]


def features_by_hand(decoder, z_prime, lengths, training):
    """The feature of each position of each sentence: position 2i comes from i, and 2i + 1 from i and i + 1."""
    start, (first, second) = decoder.deconvolution.start, decoder.deconvolution.layers
    rows = [F.relu(start.weight @ z + start.bias).view(-1, 7) for z in z_prime]
    for layer, read in ((first, [length // 2 + 1 for length in lengths]), (second, lengths)):
        of_next, of_own, of_odd = layer.convolution.weight.unbind(-1)  # (channels, size) each
        grown = []
        for x, number in zip(rows, read, strict=True):
            after = torch.cat([x[1:], torch.zeros_like(x[:1])])
            both = torch.stack([x @ of_own, x @ of_odd + after @ of_next], dim=1).flatten(0, 1)
            grown.append(both[:number])
        rows = normalized(layer.norm, grown, training)
    return rows


def logits_by_hand(model, sentences, z_prime, training):
    """Scores of each sentence's next tokens, by the LSTM's equations from a state of zeros."""
    decoder, lstm = model.decoder, model.decoder.lstm
    features = features_by_hand(decoder, z_prime, [len(ids) - 1 for ids in sentences], training)
    scores = []
    for ids, of_positions in zip(sentences, features, strict=True):
        hidden = cell = torch.zeros(8)
        states = []
        for token, feature in zip(ids[:-1], of_positions, strict=True):
            inputs = torch.cat([model.embedding.weight[token], feature])
            gates = lstm.weight_ih_l0 @ inputs + lstm.bias_ih_l0 + lstm.weight_hh_l0 @ hidden + lstm.bias_hh_l0
            entry, kept, new, shown = gates.chunk(4)
            cell = kept.sigmoid() * cell + entry.sigmoid() * new.tanh()
            hidden = shown.sigmoid() * cell.tanh()
            states.append(hidden)
        scores.append(decoder.projection(torch.stack(states)))
    return scores


@pytest.mark.parametrize("training", [True, False])
def test_loss_by_hand_on_two_sentences(model, batch, training):
    """Reconstruction + 0.2 · the loss of tokens by position, which evaluation leaves out."""
    model.train(training)
    inputs = {name: ids[1:3] for name, ids in batch.items()}
    output = model(**inputs, kl_weight=0.0)
    sentences = [ids[ids > 0] for ids in inputs["input_ids"]]
    targets = [ids[1:] for ids in sentences]
    scores = logits_by_hand(model, sentences, output.latents, training)
    expected = torch.stack([F.cross_entropy(*pair, reduction="sum") for pair in zip(scores, targets, strict=True)])
    torch.testing.assert_close(output.reconstruction, expected, rtol=1e-5, atol=1e-5)
    if not training:
        assert output.auxiliary is None
        torch.testing.assert_close(output.loss, expected.mean(), rtol=1e-5, atol=1e-5)
        return
    projection = model.auxiliary_losses["position_tokens"].projection
    features = features_by_hand(model.decoder, output.latents, [len(ids) for ids in targets], training)
    by_position = torch.stack([
        -sum((x @ projection.weight.T + projection.bias).log_softmax(-1)[t, token] for t, token in enumerate(ids))
        for x, ids in zip(features, targets, strict=True)
    ])  # fmt: skip
    torch.testing.assert_close(output.auxiliary["position_tokens"], by_position, rtol=1e-5, atol=1e-5)
    torch.testing.assert_close(output.loss, (expected + 0.2 * by_position).mean(), rtol=1e-5, atol=1e-5)


def test_needed_positions_by_gradients(model):
    """Of the first ones after two doublings: each needed one has a gradient, and none behind them."""
    first, second = (layer.convolution for layer in model.decoder.deconvolution.layers)
    for width in range(1, 13):
        x = torch.ones(1, 7, 3, requires_grad=True)
        second(first(x))[:, :, :width].sum().backward()
        seen = x.grad[0].abs().sum(0) > 0
        assert int(seen.sum()) == min(needed(width, 2), 3)
        assert seen[: needed(width, 2)].all()


@torch.no_grad()
def test_features_do_not_depend_on_the_width_that_is_asked_for(model):
    model.eval()
    z = torch.randn(2, 4)
    whole = model.decoder.position_features(z, torch.tensor([12, 12]), 12)
    for width in range(1, 15):
        lengths = torch.tensor([min(width, 12), 1])
        found = model.decoder.position_features(z, lengths, width)
        torch.testing.assert_close(found[0, : lengths[0]], whole[0, : lengths[0]])
        torch.testing.assert_close(found[1, :1], whole[1, :1])
        assert not found[0, lengths[0] :].any()
        assert not found[1, 1:].any()


@torch.no_grad()
@pytest.mark.parametrize("options", [{"do_sample": False}, {"num_beams": 3}, {"do_sample": True}])
def test_what_is_written_is_deconvolved_once(model, options):
    calls = []
    model.eval().decoder.deconvolution.register_forward_hook(lambda *_: calls.append(1))
    written = model.generate(num_samples=5, eos_token_id=None, **options)
    assert written.shape == (5, 10)
    assert len(calls) == 1


@torch.no_grad()
def test_the_longest_sentence_and_what_is_longer(model):
    """Nine words and both marks fill 11 of 12 positions; padding is no position."""
    model.eval()
    assert model.encoder.longest == model.decoder.longest == 12
    ids, z = torch.tensor([[1, *range(4, 13), 2]]), torch.randn(1, 4)
    whole = model(ids, latents=z)
    assert whole.logits.shape == (1, 11, 13)
    wide = padded({"input_ids": ids}, left=7, right=4)["input_ids"]
    mask = wide.ne(0).long()
    torch.testing.assert_close(model(wide, mask, latents=z).logits[:, 7:18], whole.logits)
    torch.testing.assert_close(model.encode(wide).mean, model.encode(ids).mean)
    torch.testing.assert_close(model.score(wide, None, z), model.score(ids, None, z))
    assert model.generate(latents=z, max_new_tokens=12, eos_token_id=None).shape == (1, 13)

    long = torch.tensor([[1, *range(4, 13), *range(4, 13), 2]])
    message = (
        "a sentence of 19 tokens is longer than the model's 12 positions; cut it, or train with a larger max_words"
    )
    for read in (lambda: model.encode(long), lambda: model.score(long, None, z)):
        with pytest.raises(ValueError, match=f"^{message}$"):
            read()
    with pytest.raises(ValueError, match=r"^a sentence of 20 tokens is longer"):
        model(long, latents=z)
    with pytest.raises(
        ValueError, match=r"^13 tokens are more than the 12 that this decoder has positions for; lower"
    ):
        model.generate(latents=z, max_new_tokens=13)
    with pytest.raises(ValueError, match=r"^29 tokens are more than the 12"):
        model.generate(latents=z, max_length=30)


@torch.no_grad()
def test_a_step_beyond_the_last_position_is_refused(model):
    model.eval()
    z, cache = torch.randn(2, 4), model.decoder.new_cache()
    word = torch.tensor([[1], [0]])
    for position in range(13):
        mask = torch.tensor([[1], [0]])  # one of two sentences goes on
        if position == 12:
            with pytest.raises(ValueError, match=r"^a sentence of 13 tokens is longer than the model's 12 positions"):
                model(word, mask, latents=z, cache=cache)
        else:
            model(word, mask, latents=z, cache=cache)


def test_without_latents_it_is_a_language_model(tiny_model, batch):
    model = hybrid(tiny_model, latent_size=0, auxiliary_losses={})
    assert model.decoder.deconvolution is None
    assert isinstance(model.decoder.lstm, nn.LSTM)
    assert model.decoder.lstm.input_size == 6
    model.eval()
    whole = model.decoder(model.embedding(batch["input_ids"]), torch.empty(4, 0), batch["attention_mask"].sum(1))
    found = model(**batch, latents=torch.empty(4, 0)).logits
    real = batch["attention_mask"].bool()
    torch.testing.assert_close(found[real], model.decoder.logits(whole)[real])
    assert model.generate(num_samples=2, max_new_tokens=30).shape[0] == 2


def test_a_geodesic_by_the_decoder_s_metric_in_single_precision(model):
    """Whose search takes forward derivatives, which a CPU's own LSTM has none of."""
    a, b = torch.zeros(1, 4), torch.ones(1, 4)
    points = model.eval().geodesic(a, b, steps=3, metric="decoder", num_samples=2)
    assert points.dtype == torch.float32
    torch.testing.assert_close(points[:, [0, -1]], torch.stack([a, b], dim=1))


@pytest.mark.parametrize("channels", [[], 8, "wide", [4, 0], [4, 2.5]])
def test_refusals(channels):
    for part, name in (("encoder", "cnn"), ("decoder", "hybrid")):
        message = refusal(**{f"{part}_type": name, f"{part}_kwargs": {"channels": channels}})
        expected = f"channels must be a list of whole numbers from 1 on, but is {channels!r}"
        assert message == f"{part}_kwargs: {expected}"
