"""Sentences mean the same wherever they stand in their rows, with or without beginning-of-sentence."""

import pytest
import torch

from modeling_wae_rnf.alignment import align

SENTENCES = [[1, 5, 6, 7, 2], [1, 4, 2], [1, 9, 8, 7, 6, 5, 2], [1, 12, 10, 2]]
CONFIGS = {
    "wae-rnf": {"eval_latents": "mean"},
    "authors": {"objective": "authors", "posterior_head": "linear", "eval_latents": "mean"},
    "lstm-lm": {"num_flows": 0, "flow_kernel": None, "mmd_weight": 0.0, "latent_size": 0},
    "z at every step": {"latents_at_every_step": True, "eval_latents": "mean"},
}
# Where each token of a sentence of n goes in a row of 9.
PLACES = {
    "right": lambda n: list(range(n)),
    "left": lambda n: list(range(9 - n, 9)),
    "both": lambda n: list(range(1, n + 1)),
    "holes": lambda n: [0, *range(10 - n, 9)],
}


@pytest.fixture(params=CONFIGS.values(), ids=CONFIGS.keys())
def model(request, tiny_model):
    return tiny_model(**request.param).eval()


def rows(place, sentences=SENTENCES, junk=11):
    """A batch of the sentences, each token in its place, and the places; what is masked is no padding."""
    input_ids, mask = torch.full((len(sentences), 9), junk), torch.zeros(len(sentences), 9, dtype=torch.long)
    places = [PLACES[place](len(sentence)) for sentence in sentences]
    for row, (sentence, columns) in enumerate(zip(sentences, places, strict=True)):
        input_ids[row, columns], mask[row, columns] = torch.tensor(sentence), 1
    return {"input_ids": input_ids, "attention_mask": mask}, places


def one_by_one(model, **options):
    return [model(torch.tensor([sentence]), **options) for sentence in SENTENCES]


@pytest.mark.parametrize("place", PLACES)
def test_every_value_is_that_of_the_sentence_alone(model, place):
    batch, places = rows(place)
    found, expected = model(**batch, output_hidden_states=True), one_by_one(model, output_hidden_states=True)
    z_prime = model.push(model.encode(**batch).mean)[0]
    scores = model.score(**batch, z_prime=z_prime)
    for row, (alone, columns) in enumerate(zip(expected, places, strict=True)):
        torch.testing.assert_close(found.reconstruction[row], alone.reconstruction[0])
        torch.testing.assert_close(scores[row], alone.reconstruction[0])
        torch.testing.assert_close(found.kl[row], alone.kl[0])
        torch.testing.assert_close(found.logits[row, columns], alone.logits[0])
        torch.testing.assert_close(found.last_hidden_state[row, columns], alone.last_hidden_state[0])
        for values, of_alone in zip(found.hidden_states, alone.hidden_states, strict=True):
            torch.testing.assert_close(values[row, columns], of_alone[0])
        if model.config.latent_size:
            torch.testing.assert_close(model.embed(**batch)[row], alone.latents[0])


@pytest.mark.parametrize("place", PLACES)
def test_the_decoder_alone_too(model, place):
    batch, places = rows(place)
    z = torch.randn(len(SENTENCES), model.config.latent_size)
    found = model(**batch, latents=z, labels=batch["input_ids"])
    for row, (sentence, columns) in enumerate(zip(SENTENCES, places, strict=True)):
        ids = torch.tensor([sentence])
        alone = model(ids, latents=z[row : row + 1], labels=ids)
        torch.testing.assert_close(found.logits[row, columns], alone.logits[0])
        torch.testing.assert_close(found.reconstruction[row], alone.reconstruction[0])


@pytest.mark.parametrize("place", ["right", "left"])
def test_padding_is_found_without_a_mask(model, place):
    batch, _ = rows(place, junk=0)
    torch.testing.assert_close(model(batch["input_ids"]).logits, model(**batch).logits)
    torch.testing.assert_close(model(batch["input_ids"]).loss, model(**batch).loss)


@pytest.mark.parametrize("place", ["right", "left", "holes"])
def test_a_beginning_that_is_left_out_is_put_there(model, place):
    with_it, _ = rows(place)
    shorter = [sentence[1:] if row % 2 else sentence for row, sentence in enumerate(SENTENCES)]
    without, places = rows(place, shorter)
    found, expected = model(**without, labels=without["input_ids"]), one_by_one(model)
    torch.testing.assert_close(found.reconstruction, model(**with_it).reconstruction)
    torch.testing.assert_close(found.loss, model(**with_it).loss)
    z = torch.randn(len(SENTENCES), model.config.latent_size)
    decoded, of_whole = model(**without, latents=z), model(**with_it, latents=z)
    for row, (alone, columns) in enumerate(zip(expected, places, strict=True)):
        torch.testing.assert_close(found.logits[row, columns], alone.logits[0, row % 2 :])
        whole = of_whole.logits[row, PLACES[place](len(SENTENCES[row]))]
        torch.testing.assert_close(decoded.logits[row, columns], whole[row % 2 :])


@pytest.mark.parametrize("place", ["left", "holes"])
def test_labels_move_along(model, place):
    sentences = [sentence[1:] if row == 2 else sentence for row, sentence in enumerate(SENTENCES)]
    batch, places = rows(place, sentences)
    labels = batch["input_ids"].masked_fill(batch["attention_mask"].eq(0), -100)
    whole = model(**batch, labels=labels).reconstruction
    torch.testing.assert_close(whole, model(**batch).reconstruction)
    labels[2, places[2][0]] = -100  # the first word after the beginning
    partial = model(**batch, labels=labels)
    alone = model(torch.tensor([SENTENCES[2]]), labels=torch.tensor([[1, -100, *SENTENCES[2][2:]]]))
    torch.testing.assert_close(partial.reconstruction[2], alone.reconstruction[0])
    assert partial.reconstruction[2] < whole[2]
    torch.testing.assert_close(partial.reconstruction[:2], whole[:2])


def test_one_column_is_a_sentence(model):
    expected = model(torch.tensor([[1, 0]])).logits[:, :1]
    found = model(torch.tensor([[1], [1]]))
    torch.testing.assert_close(found.logits, expected.expand(2, -1, -1))
    assert found.reconstruction.tolist() == [0, 0]
    word, whole = model(torch.tensor([[6]]), labels=torch.tensor([[6]])), model(torch.tensor([[1, 6]]))
    torch.testing.assert_close(word.logits, whole.logits[:, 1:])
    torch.testing.assert_close(word.reconstruction, whole.reconstruction)


def test_reconstruction_and_interpolation_of_a_left_padded_batch(tiny_model):
    model = tiny_model(max_words=8).eval()
    right, left = rows("right", junk=0)[0], rows("left", junk=0)[0]
    assert torch.equal(model.reconstruct(left), model.reconstruct(right))
    assert torch.equal(model.interpolate(left, left), model.interpolate(right, right))
    assert torch.equal(model.analogy(left, right, left), model.analogy(right, right, right))


def test_training_is_the_same_on_either_side(tiny_model):
    gradients = []
    for place in ("right", "left"):
        model = tiny_model(dropout=0.0, batch_norm=False).train()
        batch, _ = rows(place, junk=0)
        torch.manual_seed(0)
        model(**batch).loss.backward()
        gradients.append({name: parameter.grad for name, parameter in model.named_parameters()})
    for name, gradient in gradients[0].items():
        torch.testing.assert_close(gradients[1][name], gradient, msg=name)


def test_what_is_padded_on_the_right_is_not_touched(tiny_model, batch):
    aligned = align(**batch, config=tiny_model().config)
    assert aligned.input_ids is batch["input_ids"]
    assert aligned.restore(batch["input_ids"]) is batch["input_ids"]


def test_compiling_moves_without_looking(tiny_model, monkeypatch):
    """What compiling and accelerators do, on the processor: the values are the same."""
    model = tiny_model(eval_latents="mean").eval()
    batches = [rows(place)[0] for place in PLACES]
    expected = [model(**batch) for batch in batches]
    monkeypatch.setattr(torch.compiler, "is_compiling", lambda: True)
    for batch, of_batch in zip(batches, expected, strict=True):
        found = model(**batch)
        torch.testing.assert_close(found.loss, of_batch.loss)
        kept = batch["attention_mask"].bool()
        torch.testing.assert_close(found.logits[kept], of_batch.logits[kept])


@pytest.mark.parametrize("shape", [(0, 4), (2, 0), (4,), (2, 3, 4)])
def test_what_is_no_batch_is_refused(tiny_model, shape):
    model, input_ids = tiny_model().eval(), torch.ones(shape, dtype=torch.long)
    z = torch.zeros(shape[0], 4)
    for call in (model, model.encode, model.embed, lambda ids: model.score(ids, None, z_prime=z)):
        with pytest.raises(ValueError, match=r"input_ids must have shape \(batch, length\), of one sentence and one"):
            call(input_ids)
    with pytest.raises(ValueError, match="input_ids must have shape"):
        model(input_ids, latents=z)


def test_a_mask_of_another_shape_is_refused(tiny_model, batch):
    for mask in (batch["attention_mask"][:1], batch["attention_mask"][:, 1:]):
        with pytest.raises(ValueError, match=r"attention_mask must have the shape of input_ids, \(4, 7\)"):
            tiny_model()(batch["input_ids"], attention_mask=mask)
