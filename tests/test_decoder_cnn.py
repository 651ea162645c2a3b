"""The dilated CNN decoder beside convolutions of PyTorch over one sentence after the other."""

import pytest
import torch
import torch.nn.functional as F
from datasets import Dataset
from torch import nn

from modeling_wae_rnf import WaeRnfConfig
from modeling_wae_rnf.decoder_cnn import DILATIONS, CNNDecoder
from wae_rnf.training.batch_norm_statistics import estimate_batch_norm
from wae_rnf.training.systems import SYSTEMS

from .test_components import refusal

FIELDS = {"small": 15, "medium": 63, "large": 125, "very_large": 187}  # of the paper's four


@pytest.fixture
def model(tiny_model):
    model = tiny_model(**SYSTEMS["cnn-vae"].config, dropout=0.0)
    with torch.no_grad():
        for norm in norms_of(model):
            for values in (norm.running_mean, norm.running_var, norm.weight, norm.bias):
                values.uniform_(0.3, 1.5)
    return model


def norms_of(model):
    return [part for part in model.decoder.modules() if isinstance(part, nn.BatchNorm1d)]


def decoder_of(size, width=16):
    torch.manual_seed(0)
    config = WaeRnfConfig(vocab_size=9, embedding_size=5, hidden_size=width, latent_size=4, dropout=0.0)
    return CNNDecoder(config, size=size, inner_size=7).eval()


def logits_by_hand(model, sentences, z_prime, training):
    """Scores of each sentence, by `conv1d` over it alone; normalized over all of their words while training."""
    decoder = model.decoder

    def normalized(norm, rows):  # a list of (words, width), one for each sentence
        every = torch.cat(rows)
        mean, variance = (
            (every.mean(0), every.var(0, correction=0)) if training else (norm.running_mean, norm.running_var)
        )
        return [(x - mean) / (variance + 1e-5).sqrt() * norm.weight + norm.bias for x in rows]

    features = normalized(decoder.feature[1], list((z_prime @ decoder.feature[0].weight.T).split(1)))
    rows = [
        decoder.inputs(torch.cat([model.embedding(ids[:-1]), feature.relu().expand(len(ids) - 1, -1)], dim=1))
        for ids, feature in zip(sentences, features, strict=True)
    ]
    for block, dilation in zip(decoder.blocks, (1, 2, 4), strict=True):
        inner = [x.relu() for x in normalized(block.narrow_norm, [x @ block.narrow.weight.T for x in rows])]
        kernel = block.convolution.weight.unflatten(1, (3, -1)).mT
        inner = [F.conv1d(F.pad(x.T, (2 * dilation, 0))[None], kernel, dilation=dilation)[0].T for x in inner]
        inner = [x.relu() for x in normalized(block.convolution_norm, inner)]
        added = normalized(block.widen_norm, [x @ block.widen.weight.T for x in inner])
        rows = [(x + b).relu() for x, b in zip(rows, added, strict=True)]
    return [decoder.projection(x) for x in rows]


@pytest.mark.parametrize("training", [True, False])
def test_loss_by_hand_on_two_sentences(model, batch, training):
    model.train(training)
    inputs = {name: ids[1:3] for name, ids in batch.items()}
    output = model(**inputs, kl_weight=0.0)
    sentences = [ids[ids > 0] for ids in inputs["input_ids"]]
    scores = logits_by_hand(model, sentences, output.latents, training)
    expected = [F.cross_entropy(x, ids[1:], reduction="sum") for x, ids in zip(scores, sentences, strict=True)]
    torch.testing.assert_close(output.reconstruction, torch.stack(expected), rtol=1e-5, atol=1e-5)
    torch.testing.assert_close(output.loss, sum(expected) / 2, rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize("size", FIELDS)
def test_the_field_of_view_by_gradients(size):
    decoder, last = decoder_of(size).double(), 199
    assert decoder.field_of_view == FIELDS[size]
    embeddings = torch.randn(1, last + 2, 5, dtype=torch.float64, requires_grad=True)
    states = decoder(embeddings, torch.zeros(1, 4, dtype=torch.float64), torch.tensor([last + 2]))
    states[0, last].sum().backward()
    seen = embeddings.grad[0].abs().sum(-1) > 0
    first = last + 1 - FIELDS[size]
    assert not seen[:first].any()
    assert seen[first : last + 1].all()
    assert not seen[last + 1 :].any()


@torch.no_grad()
@pytest.mark.parametrize("size", DILATIONS)
def test_word_by_word_as_at_once_also_beyond_the_field_of_view(size):
    decoder = decoder_of(size)
    embeddings, z = torch.randn(2, 200, 5), torch.randn(2, 4)
    lengths = torch.tensor([200, 190])
    whole, cache = decoder(embeddings, z, lengths), decoder.new_cache()
    sizes = []
    for start, end in ((0, 1), (1, 3), *((word, word + 1) for word in range(3, 200))):
        mask = torch.arange(start, end) < lengths.unsqueeze(1)
        found = decoder.extend(embeddings[:, start:end], z, cache, mask)
        cache.count(end - start)
        torch.testing.assert_close(found[mask], whole[:, start:end][mask], rtol=1e-5, atol=1e-5)
        sizes.append(sum(part.numel() for part in cache.state))
    assert set(sizes) == {sizes[0]}  # it does not grow
    torch.testing.assert_close(found[1, 0], whole[1, 189], rtol=1e-5, atol=1e-5)  # at padding that of the word before


@torch.no_grad()
def test_statistics_of_the_corpus(model):
    """Those of the first layers by hand, from all words of the sentences; and every norm has some."""
    torch.manual_seed(0)
    rows = [[1, *torch.randint(4, 13, (1 + number % 7,)).tolist(), 2] for number in range(50)]
    estimate_batch_norm(model, Dataset.from_dict({"input_ids": rows, "length": [len(ids) - 1 for ids in rows]}),
                        sampled=False)  # fmt: skip
    assert not any(norm.training for norm in norms_of(model))
    z = torch.cat([model.encode(torch.tensor([ids])).mean for ids in rows])
    features, decoder = z @ model.decoder.feature[0].weight.T, model.decoder
    torch.testing.assert_close(decoder.feature[1].running_mean, features.mean(0), rtol=1e-4, atol=1e-5)
    torch.testing.assert_close(decoder.feature[1].running_var, features.var(0), rtol=1e-4, atol=1e-5)
    norm = decoder.feature[1]
    features = F.relu(F.batch_norm(features, features.mean(0), features.var(0, correction=0), norm.weight, norm.bias))
    x = torch.cat([
        decoder.inputs(torch.cat([model.embedding(torch.tensor(ids[:-1])), row.expand(len(ids) - 1, -1)], dim=1))
        for ids, row in zip(rows, features, strict=True)
    ]) @ decoder.blocks[0].narrow.weight.T  # fmt: skip
    found = decoder.blocks[0].narrow_norm
    torch.testing.assert_close(found.running_mean, x.mean(0), rtol=1e-4, atol=1e-4)
    torch.testing.assert_close(found.running_var, x.var(0), rtol=1e-4, atol=1e-4)
    assert all(norm.num_batches_tracked == 1 for norm in norms_of(model))


def test_a_batch_without_words(model):
    model.eval()
    states = model.decoder(torch.zeros(2, 3, 6), torch.zeros(2, 4), torch.tensor([0, 0]))
    assert states.shape == (2, 3, 8)
    assert not states.any()


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"size": "huge"}, "size must be one of small, medium, large, very_large, but is huge"),
        ({"inner_size": 0}, "inner_size must be a whole number from 1 on, but is 0"),
        ({"inner_size": "wide"}, "inner_size must be a whole number from 1 on, but is 'wide'"),
    ],
)
def test_refusals(options, message):
    assert refusal(decoder_type="cnn", decoder_kwargs=options) == f"decoder_kwargs: {message}"
