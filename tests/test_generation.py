"""generate() through the library: caches, prompts, beams and scores against teacher forcing; misuse."""

import pytest
import torch
from transformers import (
    GenerationConfig,
    LogitsProcessorList,
    MaxLengthCriteria,
    StoppingCriteriaList,
    TemperatureLogitsWarper,
)
from transformers.generation.streamers import BaseStreamer

from modeling_wae_rnf.sampling_loop import draw

SYSTEMS = {
    "wae-rnf": {},
    "z at every step": {"latents_at_every_step": True},
    "lstm-lm": {"num_flows": 0, "flow_kernel": None, "mmd_weight": 0.0, "latent_size": 0},
    "vmf": {"num_flows": 0, "flow_kernel": None, "mmd_weight": 0.0, "posterior": "vmf", "kappa": 3.0},
}


@pytest.fixture(params=SYSTEMS.values(), ids=SYSTEMS.keys())
def model(request, tiny_model):
    model = tiny_model(**request.param).eval()
    with torch.no_grad():  # words that depend on what came before, and on the code
        for parameter in model.decoder.parameters():
            parameter.mul_(4)
    return model


def seeded(seed=0):
    return torch.Generator().manual_seed(seed)


def codes(model, count=3):
    return model.sample_prior(count, seeded())


def log_probs(model, sentence, z):
    """log p of each next word after each prefix, from one uncached pass."""
    return model(torch.tensor([sentence]), latents=z[None]).logits[0].detach().log_softmax(-1)


def words_of(sentence):
    return [token for token in sentence.tolist() if token != 0]


def test_the_cache_goes_by_both_of_its_names(model, batch):
    z, ids = codes(model, 4), batch["input_ids"]
    expected = model(ids[:, :3], latents=z).logits[:, 2]
    for given in ("cache", "past_key_values"):
        before = model(ids[:, :2], latents=z, use_cache=True)
        after = model(ids[:, 2:3], latents=z, **{given: before.cache})
        torch.testing.assert_close(after.logits[:, 0], expected, rtol=0, atol=1e-6)
        assert after.past_key_values is after.cache is before.cache


def test_beam_scores_are_teacher_forced(model):
    z = codes(model)
    options = {"num_beams": 4, "num_return_sequences": 2, "do_sample": False, "length_penalty": 0.0}
    found = model.generate(latents=z, max_new_tokens=6, return_dict_in_generate=True, output_scores=True, **options)
    assert found.sequences.shape[0] == 6
    for number, sentence in enumerate(found.sequences):
        words = words_of(sentence)
        scores = log_probs(model, words[:-1], z[number // 2])
        expected = sum(scores[t, word] for t, word in enumerate(words[1:]))
        torch.testing.assert_close(found.sequences_scores[number], expected, rtol=0, atol=1e-5)


def test_beams_enough_for_all_find_the_likeliest_sentence(model):
    """With a beam for each first word, two words are searched exhaustively."""
    z, size, eos = codes(model), model.config.vocab_size, model.config.eos_token_id
    words = [word for word in range(size) if word not in model.generation_config.suppress_tokens]
    options = {"num_beams": size, "do_sample": False, "length_penalty": 0.0, "max_new_tokens": 2}
    found = model.generate(latents=z, return_dict_in_generate=True, output_scores=True, **options)
    for number in range(len(z)):
        first = log_probs(model, [1], z[number])[-1]
        best = first[eos]
        for word in set(words) - {eos}:
            best = torch.maximum(best, first[word] + log_probs(model, [1, word], z[number])[-1][words].max())
        torch.testing.assert_close(found.sequences_scores[number], best, rtol=0, atol=1e-5)


def test_our_loop_is_the_librarys(model):
    """Greedy by this package's loop equals greedy by the library's, which returns scores; sampled in distribution."""
    z = codes(model, 5)
    ours = model.generate(latents=z, max_new_tokens=7, do_sample=False)
    theirs = model.generate(latents=z, max_new_tokens=7, do_sample=False, return_dict_in_generate=True).sequences
    assert torch.equal(ours, theirs)
    many = z[:1].expand(4000, -1)
    options = {"max_new_tokens": 1, "top_k": 5, "temperature": 0.7}
    one = model.generate(latents=many, generator=seeded(1), **options)[:, 1]
    other = model.generate(latents=many, generator=seeded(2), return_dict_in_generate=True, **options).sequences[:, 1]
    counts = torch.stack([words.bincount(minlength=13) for words in (one, other)]) / 4000
    torch.testing.assert_close(counts[0], counts[1], rtol=0, atol=5 * 0.5 / 4000**0.5)
    assert (counts[0] > 0).sum() <= 5


@pytest.mark.parametrize(
    "options",
    [
        {"top_p": 0.6},
        {"typical_p": 0.6},
        {"min_p": 0.9},
        {"top_k": 3},
        {"repetition_penalty": 5.0, "do_sample": False},
        {"no_repeat_ngram_size": 1, "do_sample": False},
    ],
)
def test_options_of_the_library_apply(tiny_model, options):
    model = tiny_model().eval()
    z = codes(model, 40)
    plain = model.generate(latents=z, max_new_tokens=12, generator=seeded(), do_sample=options.get("do_sample", True))
    changed = model.generate(latents=z, max_new_tokens=12, generator=seeded(), **options)
    assert plain.shape != changed.shape or not torch.equal(plain, changed)
    if "no_repeat_ngram_size" in options:
        for sentence in changed:
            words = words_of(sentence)
            assert len(set(words)) == len(words)


@pytest.mark.parametrize("side", ["left", "right"])
def test_prompts_padded_on_either_side(model, side):
    prompts, z = [[1, 5, 6, 7], [1, 4], [9, 8, 2]], codes(model)
    longest = 4
    padded = [p + [0] * (longest - len(p)) if side == "right" else [0] * (longest - len(p)) + p for p in prompts]
    found = model.generate(torch.tensor(padded), latents=z, max_new_tokens=5, do_sample=False)
    for row, start in enumerate([[1, 5, 6, 7], [1, 4], [1, 9, 8]]):
        words = list(start)
        while words[-1] != 2 and len(words) < len(start) + 5:
            words.append(int(log_probs(model, words, z[row])[-1, 2:].argmax()) + 2)  # padding and beginning are none
        assert words_of(found[row]) == words
    assert found.shape[1] <= longest + 5


def test_one_prompt_many_latents(tiny_model):
    model = tiny_model().eval()
    found = model.generate(input_ids=torch.tensor([[1, 5, 6]]), num_samples=7, max_new_tokens=4)
    assert found.shape[0] == 7
    assert (found[:, :3] == torch.tensor([1, 5, 6])).all()
    assert model.generate(torch.tensor([[1, 5], [1, 6]]), max_new_tokens=3).shape[0] == 2
    assert model.generate().shape[0] == 1


def test_num_return_sequences_repeat_the_code(tiny_model):
    model = tiny_model(latents_at_every_step=True).eval()
    z = codes(model, 2)
    found = model.generate(latents=z, num_return_sequences=3, max_new_tokens=6, do_sample=False, num_beams=3)
    assert found.shape[0] == 6
    greedy = model.generate(latents=z.repeat_interleave(3, 0), max_new_tokens=6, do_sample=False)
    sampled = model.generate(latents=z, num_return_sequences=3, max_new_tokens=6, top_k=1)
    assert torch.equal(greedy, sampled)


def test_scores_and_transitions(tiny_model):
    model = tiny_model().eval()
    z = codes(model)
    found = model.generate(
        latents=z, max_new_tokens=5, generator=seeded(), return_dict_in_generate=True, output_scores=True
    )
    transitions = model.compute_transition_scores(found.sequences, found.scores, normalize_logits=True)
    for row, sentence in enumerate(found.sequences):
        words = words_of(sentence)
        scores = log_probs(model, words[:-1], z[row])
        for t, word in enumerate(words[1:]):
            expected = scores[t, word] - scores[t, 2:].logsumexp(0)
            torch.testing.assert_close(transitions[row, t], expected, rtol=0, atol=1e-5)


class Listener(BaseStreamer):
    def __init__(self):
        self.heard, self.ended = [], False

    def put(self, value):
        self.heard += value.flatten().tolist()

    def end(self):
        self.ended = True


def test_streamer_hears_every_word(tiny_model):
    model, listener = tiny_model().eval(), Listener()
    z = codes(model, 1)
    found = model.generate(latents=z, max_new_tokens=6, do_sample=False, streamer=listener)
    assert listener.heard == found[0].tolist()
    assert listener.ended


def test_stopping_criteria_and_processors_of_ones_own(tiny_model):
    model = tiny_model().eval()
    criteria = StoppingCriteriaList([MaxLengthCriteria(4)])
    processors = LogitsProcessorList([TemperatureLogitsWarper(1e-8)])  # so cold that the likeliest word comes
    z = codes(model)
    cold = model.generate(latents=z, stopping_criteria=criteria, logits_processor=processors)
    assert cold.shape[1] <= 4
    assert torch.equal(cold, model.generate(latents=z, max_new_tokens=3, do_sample=False))


def test_generator_makes_it_reproducible_and_leaves_the_global_one_alone(tiny_model):
    model = tiny_model().eval()
    torch.manual_seed(5)
    expected = torch.rand(3)
    torch.manual_seed(5)
    first = model.generate(num_samples=20, generator=seeded(1))
    assert torch.equal(torch.rand(3), expected)
    assert torch.equal(first, model.generate(num_samples=20, generator=seeded(1)))
    other = model.generate(num_samples=20, generator=seeded(2))
    assert first.shape != other.shape or not torch.equal(first, other)


def test_no_sentence_is_longer_than_the_configuration_allows(tiny_model):
    model = tiny_model(max_words=4).eval()
    sentences = model.generate(num_samples=500, generator=seeded())
    assert sentences.shape[1] == 5
    assert not (sentences[:, 1:] == 1).any()
    for sentence in sentences:
        words = sentence.tolist()
        assert 2 not in words or set(words[words.index(2) + 1 :]) <= {0}


def test_draw_follows_the_scores():
    scores = torch.tensor([0.0, 1.0, -torch.inf, 2.0]).expand(50_000, -1)
    torch.manual_seed(0)
    frequencies = draw(scores.clone()).bincount(minlength=4) / 50_000
    torch.testing.assert_close(frequencies, scores[0].softmax(-1), rtol=0, atol=0.01)


def test_defaults_are_saved_and_come_back(tiny_model, tmp_path):
    model = tiny_model(max_words=7).eval()
    model.save_pretrained(tmp_path)
    loaded = type(model).from_pretrained(tmp_path)
    for name in ("do_sample", "max_length", "suppress_tokens", "eos_token_id", "pad_token_id"):
        value = getattr(loaded.generation_config, name)
        assert value == getattr(model.generation_config, name)
        assert value is not None
    first, second = (one.generate(num_samples=9, generator=seeded()) for one in (model, loaded))
    assert torch.equal(first, second)


def test_defaults_hold_without_their_file(tiny_model, tmp_path):
    model = tiny_model(max_words=7).eval()
    model.save_pretrained(tmp_path)
    (tmp_path / "generation_config.json").unlink()
    loaded = type(model).from_pretrained(tmp_path)
    first, second = (one.generate(num_samples=9, generator=seeded()) for one in (model, loaded))
    assert torch.equal(first, second)
    cold = model.generate(num_samples=9, generator=seeded(), generation_config=GenerationConfig(temperature=0.1))
    assert cold.shape != first.shape or not torch.equal(cold, first)
    model.generation_config.do_sample = False
    assert torch.equal(model.generate(latents=codes(model)), model.generate(latents=codes(model), do_sample=False))


def latent(model, batch, rows):
    return {name: ids[rows] for name, ids in batch.items()}


def test_reconstruct_and_embed(model, batch):
    if model.config.latent_size == 0:
        for method in (model.embed, lambda **inputs: model.reconstruct(inputs)):
            with pytest.raises(ValueError, match="a language model has no latent variable"):
                method(**batch)
        return
    mean = model.encode(**batch).mean
    assert torch.equal(model.embed(**batch), mean)
    expected = model.generate(latents=mean, do_sample=False, max_new_tokens=6)
    assert torch.equal(model.reconstruct(batch, max_new_tokens=6), expected)


def test_interpolation_has_no_dictionary_to_give(model, batch):
    if model.config.latent_size:
        with pytest.raises(ValueError, match="leave return_dict_in_generate out"):
            model.interpolate(batch, batch, steps=2, return_dict_in_generate=True)


@pytest.mark.parametrize("space", ["z", "z_prime"])
@pytest.mark.parametrize("path", ["straight", "spherical"])
def test_interpolation(tiny_model, batch, path, space, monkeypatch):
    model, seen = tiny_model().eval(), {}
    generate = type(model).generate

    def remembered(self, **options):
        seen.update(options)
        return generate(self, **options)

    monkeypatch.setattr(type(model), "generate", remembered)
    a, b = latent(model, batch, slice(0, 2)), latent(model, batch, slice(2, 4))
    found = model.interpolate(a, b, steps=5, path=path, space=space, max_new_tokens=4)
    assert found.shape[:2] == (2, 5)
    ends = [model.embed(**inputs) for inputs in (a, b)]
    ends = [model.push(z)[0] for z in ends] if space == "z_prime" else ends
    points = seen["latents" if space == "z" else "z_prime"].view(2, 5, 4)
    torch.testing.assert_close(points[:, 0], ends[0], rtol=0, atol=1e-6)
    torch.testing.assert_close(points[:, -1], ends[1], rtol=0, atol=1e-6)
    if path == "straight":
        torch.testing.assert_close(points.diff(dim=1), ((ends[1] - ends[0]) / 4)[:, None].expand(-1, 4, -1))
    else:  # a and b stretched to one length: a circle's arc from one to the other, in steps of one angle
        for start, end, way in zip(*ends, points, strict=True):
            axes = torch.stack([start, end], dim=1).double()
            angle = torch.nn.functional.cosine_similarity(start.double(), end.double(), dim=0).acos()
            ends_turned = angle * torch.arange(2, dtype=torch.float64)
            circle = torch.stack([ends_turned.cos(), ends_turned.sin()])
            found = circle @ torch.linalg.lstsq(axes, way.double().T).solution
            turned = angle * torch.linspace(0, 1, 5, dtype=torch.float64)
            torch.testing.assert_close(found, torch.stack([turned.cos(), turned.sin()]), rtol=0, atol=1e-4)


def test_analogy(tiny_model, batch):
    model = tiny_model().eval()
    a, b, c = (latent(model, batch, slice(row, row + 1)) for row in range(3))
    z = model.embed(**b) - model.embed(**a) + model.embed(**c)
    expected = model.generate(latents=z, do_sample=False, max_new_tokens=5)
    assert torch.equal(model.analogy(a, b, c, max_new_tokens=5), expected)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"steps": 1}, "steps must be at least 2, not 1"),
        ({"path": "curved"}, "path must be one of straight, spherical, geodesic, not 'curved'"),
        ({"space": "x"}, "space must be"),
    ],
)
def test_misuse_of_interpolation(tiny_model, batch, options, message):
    with pytest.raises(ValueError, match=message):
        tiny_model().eval().interpolate(batch, batch, **options)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (
            {"num_samples": 1, "latents": torch.zeros(1, 4)},
            "or latents, or z_prime: one of them",
        ),
        ({"num_samples": 1, "prior": "uniform"}, "not 'uniform'"),
        ({"num_samples": 0}, "num_samples must be at least 1"),
        ({"latents": torch.zeros(2, 5)}, r"latents must have shape \(batch, 4\), not \(2, 5\)"),
        ({"latents": torch.zeros(4)}, r"latents must have shape \(batch, 4\), not \(4,\)"),
        ({"inputs": torch.ones(3, 2).long(), "latents": torch.zeros(2, 4)}, "3 prompts do not fit 2 latent variables"),
        (
            {"inputs": torch.full((1, 9), 5), "max_length": 8},
            "9 words, which leaves none of the 7",
        ),
    ],
)
def test_misuse(tiny_model, options, message):
    with pytest.raises(ValueError, match=message):
        tiny_model().generate(**options)
