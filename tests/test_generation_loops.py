"""generate(): logits processors, stopping criteria, and which of them this package's loop takes."""

import pytest
import torch
from transformers import (
    AutoTokenizer,
    GenerationConfig,
    LogitsProcessor,
    StoppingCriteria,
    SynthIDTextWatermarkingConfig,
    TemperatureLogitsWarper,
    WatermarkingConfig,
)

from modeling_wae_rnf import loops
from modeling_wae_rnf.recurrent_cache import RecurrentCache

from .small_generation import GOLDEN, greedy, padded, seeded, with_memory


@pytest.fixture
def model(tiny_model):
    return with_memory(tiny_model)


@pytest.fixture
def z(model):
    return model.sample_prior(6, seeded())


def planned(row):
    """A sentence for each row, of its own word and length."""
    return [1] + [3 + row % 9] * (row % 4 + 1) + [2]


class Plan(LogitsProcessor):
    """Writes the planned sentences; remembers how many words it has seen, and knows rows by their number."""

    def __init__(self):
        self.seen = 0

    def __call__(self, input_ids, scores):
        self.seen += 1
        chosen = torch.full_like(scores, -torch.inf)
        for row in range(len(scores)):
            chosen[row, (planned(row) + [0] * 9)[self.seen]] = 0.0
        return chosen


class StopAt(StoppingCriteria):
    """Ends each row at a length of its own."""

    def __init__(self, lengths):
        self.lengths = torch.tensor(lengths)

    def __call__(self, input_ids, scores, **kwargs):
        return input_ids.shape[1] >= self.lengths


@pytest.mark.parametrize("do_sample", [True, False])
def test_rows_are_known_by_their_number(model, do_sample):
    expected = padded([planned(row) for row in range(16)])
    options = {"num_samples": 16, "do_sample": do_sample, "max_new_tokens": 9}
    allowed = lambda row, ids: [(planned(row) + [0] * 9)[len(ids)]]  # noqa: E731
    assert torch.equal(model.generate(prefix_allowed_tokens_fn=allowed, suppress_tokens=None, **options), expected)
    assert torch.equal(model.generate(logits_processor=[Plan()], suppress_tokens=None, **options), expected)


def test_stopping_criterion_by_row(model, z):
    lengths = [3, 7, 4, 9, 5, 6]
    found = model.generate(latents=z, do_sample=False, stopping_criteria=[StopAt(lengths)], max_new_tokens=10)
    rows = [greedy(model, [1], code, length - 1) for code, length in zip(z, lengths, strict=True)]
    assert torch.equal(found, padded(rows))


def test_encoder_repetition_penalty(model, z):
    prompts = torch.tensor([[1, 5, 6], [1, 7, 0]]).repeat(3, 1)
    ends = [2, 3, 4, 8, 9, 10]  # many, so that rows end at different words
    options = {"do_sample": False, "encoder_repetition_penalty": 4.0, "max_new_tokens": 7}
    found = model.generate(prompts, latents=z, eos_token_id=ends, **options)
    for row, code in enumerate(z):
        prompt = [word for word in prompts[row].tolist() if word]
        read = torch.tensor([*prompt, *([0] if len(prompt) == 2 else [])])  # padding is part of what is read

        def change(scores, read=read):
            loud = scores[read]
            return scores.index_put((read,), torch.where(loud < 0, loud / 4, loud * 4))

        words = greedy(model, prompt, code, 7, ends, change=change)
        assert [word for word in found[row].tolist() if word] == words


def test_repetition_penalty_with_padded_prompts(model, z):
    """The library counts a prompt's padding by row; rows end at different words."""
    prompts = torch.tensor([[1, 5, 6], [0, 1, 7]]).repeat(3, 1)
    options = {"latents": z, "do_sample": False, "repetition_penalty": 1.3, "max_new_tokens": 8}
    stops = [StopAt([4, 9, 5, 9, 6, 9])]
    found = model.generate(prompts, stopping_criteria=stops, **options)
    ends = {}

    def own_rows(row):
        def change(scores):
            seen = torch.tensor(sorted(set(ends["words"])))
            loud = scores[seen]
            return scores.index_put((seen,), torch.where(loud < 0, loud * 1.3, loud / 1.3))

        words = [word for word in prompts[row].tolist() if word]
        for _ in range(stops[0].lengths[row] - 3):
            ends["words"] = words
            words = greedy(model, words, z[row], 1, change=change)
            if words[-1] == 2:
                break
        return words

    for row in range(6):
        assert [word for word in found[row].tolist() if word] == own_rows(row)


@pytest.mark.parametrize(
    "watermark",
    [SynthIDTextWatermarkingConfig(keys=[3, 1, 4], ngram_len=2), WatermarkingConfig(bias=4.0)],
)
def test_watermarks_are_the_librarys(model, z, watermark):
    options = {"latents": z, "watermarking_config": watermark, "max_new_tokens": 12}
    found = model.generate(generator=seeded(), **options)
    theirs = model.generate(generator=seeded(), return_dict_in_generate=True, **options).sequences
    assert torch.equal(found, theirs)
    plain = model.generate(latents=z, generator=seeded(), max_new_tokens=12, return_dict_in_generate=True).sequences
    assert found.shape != plain.shape or not torch.equal(found, plain)


@pytest.fixture
def own_loop(monkeypatch):
    """How often this package's loop has run."""
    calls = []
    draw = loops.draw_words
    monkeypatch.setattr(loops, "draw_words", lambda *args, **kwargs: calls.append(1) or draw(*args, **kwargs))
    return calls


@pytest.mark.parametrize(
    "options",
    [
        {},
        {"do_sample": False},
        {"temperature": 0.7, "top_k": 5, "top_p": 0.9, "min_p": 0.01, "typical_p": 0.9},
        {"repetition_penalty": 1.2, "no_repeat_ngram_size": 2, "bad_words_ids": [[5]], "max_time": 60.0},
        {"logits_processor": [TemperatureLogitsWarper(0.5)]},
        {"eos_token_id": None},
        {"num_return_sequences": 3},
    ],
)
def test_common_options_keep_the_fast_loop(model, own_loop, options):
    model.generate(num_samples=4, max_new_tokens=5, **options)
    assert own_loop


class Colder(TemperatureLogitsWarper):
    pass


@pytest.mark.parametrize(
    "options",
    [
        {"logits_processor": [Colder(0.5)]},
        {"stopping_criteria": [StopAt([3] * 4)]},
        {"return_dict_in_generate": True},
        {"cache": RecurrentCache()},
        {"prefill_chunk_size": 2},
        {"num_beams": 2},
    ],
)
def test_what_is_not_known_goes_to_the_librarys_loop(model, own_loop, options):
    model.generate(num_samples=4, max_new_tokens=5, **options)
    assert not own_loop


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"penalty_alpha": 0.6, "top_k": 4, "do_sample": False}, "Contrastive Search requires"),
        ({"dola_layers": "low", "do_sample": False}, "Dola Generation requires"),
        ({"num_beams": 4, "num_beam_groups": 2, "diversity_penalty": 1.0}, "Group Beam Search requires"),
        ({"num_beams": 2, "force_words_ids": [[5]]}, "Constrained Beam Search requires"),
        ({"prompt_lookup_num_tokens": 2}, "not supported with stateful models"),
        ({"assistant_model": "itself"}, "not supported with stateful models"),
        ({"do_sample": False, "num_return_sequences": 2}, "do not support `num_return_sequences`"),
        ({"stop_strings": "the"}, "could not locate a tokenizer"),
        ({"temperature": -1.0}, "must be a positive number, not -1.0; the likeliest words come with do_sample=False"),
        ({"temperature": float("nan")}, "temperature must be a positive number, not nan"),
        ({"temperature": float("inf")}, "temperature must be a positive number, not inf"),
        ({"temperature": 0}, "must be a positive number, not 0"),
        ({"temperature": "high"}, "strictly positive float"),
        ({"num_beams": 0}, "num_beams must be at least 1, not 0"),
        ({"num_return_sequences": -1}, "num_return_sequences must be at least 1, not -1"),
        ({"token_healing": True}, "generate takes no token_healing: tokens are whole words"),
        ({"inputs": torch.ones(1, 2).long(), "cache_implementation": "paged"}, "continuous batching is of models"),
        ({"pad_token_id": -100}, r"pad_token_id must lie in 0 … 12, the vocabulary, not -100"),
        ({"bos_token_id": 13}, r"bos_token_id must lie in 0 … 12"),
        ({"suppress_tokens": list(range(13))}, "every word is excluded"),
        ({"generator": 3}, "generator must be a torch.Generator, not 3"),
        ({"inputs": "the cat"}, r"are a str; the tokenizer makes them, to be given as generate\(\*\*batch\)"),
        ({"top_k": -1}, "strictly positive integer"),
        ({"max_new_tokens": 0}, "greater than 0"),
        ({"max_length": 1}, "leaves none of the 0 to be written"),
        ({"max_length": -3}, "leaves none of the 0 to be written"),
        ({"guidance_scale": 2.0}, "generate takes no guidance_scale"),
        ({"generation_config": GenerationConfig(guidance_scale=2.0)}, "generate takes no guidance_scale"),
        ({"inputs_embeds": torch.zeros(1, 2, 6)}, "generate takes no inputs_embeds: prompts are token ids"),
        ({"token_type_ids": torch.zeros(1, 2).long()}, "generate takes no token_type_ids"),
        ({"sample": False}, "words are drawn with do_sample=True"),
        ({"return_dict": True}, "it is called return_dict_in_generate"),
        ({"num_sample": 3}, "not used by the model: \\['num_sample'\\]"),
        ({"num_samples": 2.5}, "a whole number, not 2.5"),
        ({"inputs": [[1, 5]]}, "prompts must be token ids of shape"),
        ({"inputs": torch.tensor([1, 5])}, r"of shape \(batch, length\), but are torch.int64 of shape \(2,\)"),
        ({"inputs": torch.tensor([[1.0, 5.0]])}, "prompts must be token ids"),
        ({"inputs": torch.ones(1, 2).long(), "input_ids": torch.ones(1, 2).long()}, "not as both"),
        ({"inputs": torch.tensor([[1, 13]])}, "must lie in 0 … 12"),
        ({"inputs": torch.tensor([[1, -1]])}, "must lie in 0 … 12"),
        ({"inputs": torch.empty(0, 3).long()}, "the batch has 0 rows"),
        ({"inputs": torch.ones(2, 3).long(), "attention_mask": torch.ones(2, 4)}, "attention_mask must have"),
        ({"attention_mask": torch.ones(2, 4)}, "needs the prompts"),
        ({"bos_token_id": None}, "without a bos_token_id"),
        ({"latents": torch.zeros(0, 4)}, "0 rows"),
        ({"latents": torch.full((1, 4), torch.nan)}, "latents must be finite"),
        ({"latents": [[0.0] * 4]}, r"latents must have shape \(batch, 4\), not a list"),
        ({"cache": ((torch.zeros(1, 8),) * 2,)}, "must be a RecurrentCache, not a tuple"),
    ],
)
def test_refused_in_a_sentence(model, options, message):
    if options.get("assistant_model"):
        options = {"assistant_model": model}
    with pytest.raises(ValueError, match=message):
        model.generate(**options)


def test_a_loop_of_the_callers_own(model, own_loop):
    seen = {}

    def count(model, input_ids, logits_processor, stopping_criteria, generation_config, **model_kwargs):
        seen.update(model_kwargs, length=generation_config.max_length)
        return "anything"

    assert model.generate(num_samples=3, max_new_tokens=4, custom_generate=count) == "anything"
    assert seen["z_prime"].shape == (3, 4)
    assert seen["length"] == 5
    assert not own_loop


@pytest.mark.parametrize("options", [{}, {"return_dict_in_generate": True}, {"num_beams": 2}])
def test_stop_strings(tiny_model, options):
    """Words that are forced; the strings reach over one word, several, and a part of one."""
    tokenizer = AutoTokenizer.from_pretrained(GOLDEN / "wae-rnf")
    model = tiny_model(vocab_size=len(tokenizer), max_words=20).eval()
    sentence = tokenizer("the cat sat on the mat .", add_special_tokens=False).input_ids
    allowed = lambda row, ids: [sentence[len(ids) - 1]] if len(ids) <= len(sentence) else [2]  # noqa: E731
    for strings, expected in (("sat on", "the cat sat on"), (["mat", "a"], "the cat"), (["zebra"], None)):
        found = model.generate(
            num_samples=2,
            do_sample=False,
            stop_strings=strings,
            tokenizer=tokenizer,
            prefix_allowed_tokens_fn=allowed,
            max_new_tokens=12,
            **options,
        )
        found = found if isinstance(found, torch.Tensor) else found.sequences
        words = sentence if expected is None else tokenizer(expected, add_special_tokens=False).input_ids
        for row in found.tolist():
            assert [word for word in row if word not in (0, 1, 2)] == words


def test_stop_strings_in_the_fast_loop(tiny_model, own_loop):
    tokenizer = AutoTokenizer.from_pretrained(GOLDEN / "wae-rnf")
    model = tiny_model(vocab_size=len(tokenizer)).eval()
    options = {"stop_strings": ["a"], "tokenizer": tokenizer, "max_new_tokens": 15}
    found = model.generate(num_samples=40, generator=seeded(), **options)
    assert own_loop
    for row in found.tolist():
        words = [word for word in row if word != 0]
        texts = [tokenizer.decode(words[: end + 1]) for end in range(1, len(words))]
        assert not any("a" in text for text in texts[:-1])
    with pytest.raises(ValueError, match="none of them empty"):
        model.generate(stop_strings=["a", ""], tokenizer=tokenizer)
