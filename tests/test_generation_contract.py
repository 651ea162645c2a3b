"""generate() as the library's users know it: saved defaults, special tokens, prompts, caches, outputs."""

import json

import pytest
import torch
from transformers import (
    GenerationConfig,
)

from modeling_wae_rnf.recurrent_cache import RecurrentCache

from .small_generation import LANGUAGE_MODEL, greedy, padded, seeded, with_memory


@pytest.fixture
def model(tiny_model):
    return with_memory(tiny_model)


@pytest.fixture
def z(model):
    return model.sample_prior(6, seeded())


def test_a_greedy_configuration_is_saved(model, tmp_path):
    model.generation_config.do_sample = False
    model.save_pretrained(tmp_path)
    loaded = type(model).from_pretrained(tmp_path).eval()
    assert loaded.generation_config.do_sample is False
    z = model.sample_prior(3, seeded())
    found = loaded.generate(latents=z, max_new_tokens=6)
    assert torch.equal(found, padded([greedy(model, [1], code, 6) for code in z]))


def saved_by_an_earlier_version(model, folder):
    model.save_pretrained(folder)
    path = folder / "generation_config.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | {"top_k": 0}))


@pytest.mark.parametrize("source", ["new", "earlier", "no file", "a configuration"])
def test_every_word_is_drawn_by_default(tiny_model, tmp_path, source):
    """The library's own default are the 50 likeliest. Here all of 77 are as likely."""
    model = tiny_model(vocab_size=79, max_words=10).eval()
    with torch.no_grad():
        model.decoder.projection.weight.zero_()
        model.decoder.projection.bias.zero_()
    saved_by_an_earlier_version(model, tmp_path) if source == "earlier" else model.save_pretrained(tmp_path)
    if source == "no file":
        (tmp_path / "generation_config.json").unlink()
    loaded = type(model).from_pretrained(tmp_path).eval()
    options = {"generation_config": GenerationConfig(temperature=0.9)} if source == "a configuration" else {}
    words = loaded.generate(num_samples=400, generator=seeded(), **options)[:, 1:]
    assert set(range(2, 79)) <= set(words.flatten().tolist())
    loaded.generation_config.do_sample = False
    loaded.save_pretrained(tmp_path / "again")
    assert loaded.generation_config.top_k is None


def test_top_k_of_a_configuration_holds(model):
    for options in ({"generation_config": GenerationConfig(top_k=1)}, {"top_k": 1}):
        found = model.generate(latents=torch.zeros(5, 4), max_new_tokens=6, **options)
        assert torch.equal(found, found[:1].expand(5, -1))
    model.generation_config.top_k = 1
    found = model.generate(latents=torch.zeros(5, 4), max_new_tokens=6)
    assert torch.equal(found, found[:1].expand(5, -1))


def test_the_models_configuration_holds_where_the_calls_is_silent(model, z):
    model.generation_config.update(do_sample=False, max_length=4)
    found = model.generate(latents=z, generation_config=GenerationConfig(repetition_penalty=1.0))
    assert torch.equal(found, padded([greedy(model, [1], code, 3) for code in z]))
    whole = model.generate(latents=z, generation_config=GenerationConfig(use_cache=False))
    assert torch.equal(found, whole)


@pytest.mark.parametrize("by", ["call", "configuration", "model"])
@pytest.mark.parametrize(
    ("tokens", "ends", "pad"),
    [
        ({"eos_token_id": [2, 5, 7]}, (2, 5, 7), 0),
        ({"eos_token_id": 9}, (9,), 0),
        ({"eos_token_id": 9, "pad_token_id": 12}, (9,), 12),
        ({"eos_token_id": torch.tensor([9, 2]), "pad_token_id": None}, (9, 2), None),
        ({"eos_token_id": None}, (), 0),
        ({"eos_token_id": None, "pad_token_id": None}, (), 0),
    ],
)
def test_special_tokens_of_the_generation_configuration(model, z, by, tokens, ends, pad):
    options, z = {}, z[:3]
    if by == "call":
        options = tokens
    elif by == "configuration":
        options = {"generation_config": GenerationConfig(**tokens)}
        if None in tokens.values():
            pytest.skip("None in a configuration leaves the model's own")
    else:
        for name, value in tokens.items():
            value = value.tolist() if isinstance(value, torch.Tensor) else value
            setattr(model.generation_config, name, value)
    pad = ends[0] if pad is None else pad  # the library takes the first end
    expected = padded([greedy(model, [1], code, 8, ends) for code in z], pad)
    for loop in ({}, {"return_dict_in_generate": True}):
        found = model.generate(latents=z, do_sample=False, max_new_tokens=8, **options, **loop)
        assert torch.equal(found if isinstance(found, torch.Tensor) else found.sequences, expected)
    beams = model.generate(latents=z, do_sample=False, max_new_tokens=8, num_beams=2, **options)
    for row in beams[:, 1:].tolist():
        first = min((row.index(end) for end in ends if end in row), default=len(row))
        assert set(row[first + 1 :]) <= {pad}


def test_ends_inside_a_prompt_stay(model, z):
    prompts = torch.tensor([[1, 5, 2, 6, 2, 0], [0, 0, 1, 7, 2, 2]])
    found = model.generate(prompts, latents=z[:2], do_sample=False, max_new_tokens=3)
    assert [word for word in found[0].tolist() if word] == greedy(model, [1, 5, 2, 6], z[0], 3)
    assert [word for word in found[1].tolist() if word] == greedy(model, [1, 7], z[1], 3)


def test_ends_that_are_padding_too(model, z):
    prompts = torch.tensor([[5, 6, 7], [5, 2, 2]])
    found = model.generate(prompts, latents=z[:2], do_sample=False, pad_token_id=2, max_new_tokens=3)
    for row, prompt in enumerate(([1, 5, 6, 7], [1, 5])):
        expected = greedy(model, prompt, z[row], 3)
        words = found[row].tolist()
        words = words[words.index(1) :]
        assert words[: len(expected)] == expected
        assert set(words[len(expected) :]) <= {2}


@pytest.mark.parametrize("prompts", [torch.empty(3, 0).long(), torch.zeros(3, 2).long(), torch.ones(3, 1).long()])
def test_empty_prompts(model, z, prompts):
    found = model.generate(prompts, latents=z[:3], do_sample=False, max_new_tokens=5)
    for row in range(3):
        assert [word for word in found[row].tolist() if word] == greedy(model, [1], z[row], 5)
    assert len(model.generate(prompts, max_new_tokens=3)) == 3


def test_beginning_of_sentence_of_the_call(model, z):
    found = model.generate(torch.tensor([[5, 6]]), latents=z[:1], do_sample=False, bos_token_id=None, max_new_tokens=3)
    assert found[0].tolist() == greedy(model, [5, 6], z[0], 3)
    found = model.generate(latents=z[:1], do_sample=False, bos_token_id=4, max_new_tokens=3)
    assert found[0].tolist() == greedy(model, [4], z[0], 3)


@pytest.mark.parametrize("name", ["cache", "past_key_values"])
@pytest.mark.parametrize("fields", [{}, {"latents_at_every_step": True}, LANGUAGE_MODEL])
def test_going_on_from_a_cache(tiny_model, fields, name):
    model = tiny_model(**fields).eval()
    z, prompts = model.sample_prior(2, seeded()), torch.tensor([[1, 5, 6], [0, 1, 7]])
    options = {"latents": z, "do_sample": False, "eos_token_id": None, "return_dict_in_generate": True}
    whole = model.generate(prompts, max_new_tokens=7, **options)
    part = model.generate(prompts, max_new_tokens=3, **options)
    mask = part.sequences.ne(0).long()
    state = getattr(part, "cache", None) or part.past_key_values
    assert state.get_seq_length() == 5  # the last word is written, not read
    rest = model.generate(part.sequences, attention_mask=mask, max_new_tokens=4, **{name: state}, **options)
    assert torch.equal(rest.sequences, whole.sequences)
    with pytest.raises(ValueError, match="the cache has seen 9 tokens"):
        model.generate(part.sequences, attention_mask=mask, max_new_tokens=4, **{name: state}, **options)


def test_a_cache_without_its_latents(model):
    part = model.generate(num_samples=2, max_new_tokens=3, return_dict_in_generate=True)
    state = getattr(part, "cache", None) or part.past_key_values
    with pytest.raises(ValueError, match="give the latents or z_prime that its sentences began with"):
        model.generate(part.sequences, cache=state, max_new_tokens=4)


def test_a_given_configuration_is_left_alone(model):
    given = GenerationConfig(temperature=0.5)
    before = given.to_dict()
    model.generate(num_samples=2, generation_config=given, max_new_tokens=2)
    assert given.to_dict() == before


def test_logits_are_returned_as_they_are(model, z):
    found = model.generate(
        latents=z, do_sample=False, max_new_tokens=3, return_dict_in_generate=True, output_logits=True
    )
    first = model(torch.ones(6, 1).long(), latents=z).logits[:, 0]
    torch.testing.assert_close(found.logits[0], first, rtol=0, atol=1e-6)
    assert all(step.isfinite().all() for step in found.logits)


def test_a_prompt_in_chunks(model, z):
    prompts = torch.tensor([[1, 5, 6, 7, 8, 9]])
    found = model.generate(prompts, latents=z, do_sample=False, max_new_tokens=4, prefill_chunk_size=2)
    assert torch.equal(found, model.generate(prompts, latents=z, do_sample=False, max_new_tokens=4))


@pytest.mark.parametrize("options", [{}, {"num_beams": 3}])
def test_latents_of_another_precision(model, z, options):
    expected = model.generate(latents=z, do_sample=False, max_new_tokens=5, **options)
    found = model.generate(latents=z.double(), do_sample=False, max_new_tokens=5, **options)
    assert torch.equal(found, expected)
    z_prime = model.push(z)[0]
    assert torch.equal(
        model.generate(z_prime=z_prime.double(), do_sample=False, max_new_tokens=5, **options), expected
    )


@pytest.mark.parametrize("options", [{}, {"num_beams": 3}])
def test_samples_times_sequences(model, options):
    assert len(model.generate(num_samples=4, num_return_sequences=3, max_new_tokens=4, **options)) == 12


def test_tokens_outside_the_vocabulary_that_have_no_effect(model, z):
    expected = model.generate(latents=z, do_sample=False, eos_token_id=None, max_new_tokens=4)
    for tokens in ({"eos_token_id": -1, "pad_token_id": -1}, {"eos_token_id": 99}):
        assert torch.equal(model.generate(latents=z, do_sample=False, max_new_tokens=4, **tokens), expected)
    prompts = torch.tensor([[1, 5, 6], [1, 7, 0]])
    found = model.generate(prompts, latents=z[:2], do_sample=False, eos_token_id=-1, pad_token_id=-1, max_new_tokens=4)
    assert found[1, 1:].tolist() == greedy(model, [1, 7], z[1], 4, ends=())
    found = model.generate(latents=z, do_sample=False, max_new_tokens=4, suppress_tokens=[0, 1, 99])
    assert torch.equal(found, model.generate(latents=z, do_sample=False, max_new_tokens=4))


@pytest.mark.parametrize(
    ("options", "rows", "running"),
    [
        ({"do_sample": False}, 3, 3),
        ({"do_sample": True, "num_return_sequences": 2}, 6, 6),
        ({"do_sample": False, "num_beams": 2}, 3, 6),
        ({"do_sample": True, "num_beams": 2}, 3, 6),
    ],
)
@pytest.mark.parametrize("use_cache", [True, False])
def test_outputs_of_every_mode(model, z, options, rows, running, use_cache):
    """What the library's own tests ask of a model that generates: one score a step, and the cache if it was used."""
    prompts = torch.tensor([[1, 5, 6]] * 3)
    kept = {"return_dict_in_generate": True, "output_scores": True, "output_logits": True, "use_cache": use_cache}
    found = model.generate(prompts, latents=z[:3], max_new_tokens=4, eos_token_id=None, **kept, **options)
    assert found.sequences.shape == (rows, 7)
    assert torch.equal(found.sequences[:, :3], prompts[:1].expand(rows, -1))
    for steps in (found.scores, found.logits):
        assert [step.shape for step in steps] == [(running, 13)] * 4
    state = getattr(found, "cache", None) or getattr(found, "past_key_values", None)
    if use_cache:
        assert isinstance(state, RecurrentCache)
        assert [part.shape for part in state.state] == [(running, 8)] * 2
        assert state.get_seq_length() == 6
    else:
        assert state is None


def test_continuous_batching_is_refused(model):
    with pytest.raises(ValueError, match="continuous batching is of models with attention"):
        model.generate_batch([[1, 5, 6]], max_new_tokens=3)


def test_padding_is_asked_for_by_no_tokens_at_all(tiny_model):
    model = tiny_model(max_words=6).eval()
    found = model.generate(num_samples=5, eos_token_id=None, pad_token_id=None, generator=seeded())
    assert found.shape == (5, 7)
