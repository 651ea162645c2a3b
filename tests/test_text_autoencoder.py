"""Text in, text out: one row for one text, in their order, against single sentences and plain formulas."""

import math
import re
import warnings
from pathlib import Path

import numpy as np
import pytest
import torch

import wae_rnf
from wae_rnf.text import UnreadTextWarning, load, text_autoencoder
from wae_rnf.text.neighbours import Neighbour

MODELS = Path(__file__).parent / "golden" / "models"
TEXTS = ["the cat sat on the mat .", "", "zebra giraffe", "the cat", "a dog ran", "the cat", " \t"]
UNREAD = "ignore::wae_rnf.text.text_input.UnreadTextWarning"


@pytest.fixture(scope="module", params=["vae", "wae-rnf", "vmf-vae"])
def text(request):
    return load(MODELS / request.param, "cpu")


@pytest.fixture(scope="module")
def vae():
    return load(MODELS / "vae", "cpu")


@pytest.fixture(autouse=True)
def small_batches(monkeypatch):
    monkeypatch.setattr(text_autoencoder, "BATCH_SIZE", 2)


@torch.no_grad()
def mean_of(text, sentence):
    """Of one sentence, by itself."""
    return text.model.encode(**text.tokenizer([sentence], return_tensors="pt")).mean[0]


def decoded(text, z):
    ids = text.model.generate(latents=z[None], do_sample=False)
    return text.tokenizer.decode(ids[0], skip_special_tokens=True)


def test_it_is_public():
    assert wae_rnf.load is load
    assert isinstance(wae_rnf.load(str(MODELS / "vae"), "cpu"), wae_rnf.TextAutoencoder)
    with pytest.raises(ValueError, match="nowhere is not a model directory"):
        wae_rnf.load("nowhere")


@pytest.mark.filterwarnings(UNREAD)
def test_one_row_for_one_text_in_their_order(text):
    latents = text.encode(TEXTS)
    expected = torch.stack([mean_of(text, sentence) for sentence in TEXTS])
    torch.testing.assert_close(latents, expected, atol=1e-5, rtol=1e-4)
    sentences = [decoded(text, z) for z in latents]
    assert text.decode(latents) == text.decode(latents.numpy()) == text.decode(latents.tolist()) == sentences
    assert text.reconstruct(TEXTS) == sentences
    for row in (text.nll(TEXTS, samples=2).nll, text.surprisal(TEXTS, samples=2)):
        assert len(row) == len(TEXTS)


def test_no_texts_are_no_rows(text):
    assert text.encode([]).shape == (0, text.latent_size)
    assert text.reconstruct([]) == text.decode(torch.empty(0, text.latent_size)) == []
    assert text.nearest([], ["the cat"], k=1) == []


def test_decoding_takes_options_of_generate(vae):
    z = torch.randn(3, vae.latent_size, generator=torch.Generator().manual_seed(0))
    short = vae.decode(z, max_new_tokens=1)
    assert all(len(sentence.split()) <= 1 for sentence in short)
    with pytest.raises(ValueError, match="gives strings alone; leave return_dict_in_generate out"):
        vae.decode(z, return_dict_in_generate=True)


def test_samples(text):
    first = text.sample(5, seed=3)
    assert len(first) == 5
    assert text.sample(5, seed=3) == first
    assert text.sample(5, seed=4) != first
    generator = torch.Generator().manual_seed(3)
    parts = [text.sample(2, seed=generator), text.sample(2, seed=generator), text.sample(1, seed=generator)]
    assert [sentence for part in parts for sentence in part] == first
    assert all(sentence.startswith("the cat") for sentence in text.sample(3, prompt="the cat", temperature=0.5))
    assert text.sample(4, greedy=True, seed=0) == text.sample(4, temperature=1e-5, seed=0)


@pytest.mark.parametrize(
    ("options", "message"),
    [({"n": 0}, "n must be at least 1"), ({"n": 1, "temperature": 0}, "temperature must be positive"),
     ({"n": 1, "top_p": 0}, "top_p must lie in"), ({"n": 1, "top_k": -1}, "top_k must not be negative"),
     ({"n": 1, "prior": "vae"}, "prior must be"), ({"n": 1, "prompt": "the " * 300}, "the longest prompt has")],
)  # fmt: skip
def test_samples_of_bad_options(vae, options, message):
    with pytest.raises(ValueError, match=message):
        vae.sample(**options)


def test_interpolation_goes_from_one_end_to_the_other(text):
    a, b = "the cat sat on the mat .", "a dog ran"
    ends = text.reconstruct([a, b])
    for options in ({}, {"path": "spherical"}, {"path": "geodesic", "metric": "flow"}, {"space": "z_prime"}):
        way = text.interpolate(a, b, steps=4, **options)
        assert len(way) == 4
        assert [way[0], way[-1]] == ends
    with pytest.raises(ValueError, match="steps must be at least 2, not 1"):
        text.interpolate(a, b, steps=1)


def test_an_edit_is_vector_arithmetic(text):
    bad, good = ["the cat sat", "the cat"], ["a dog ran", "on the mat .", "the dog"]
    direction = text.direction(bad, good)
    means = [torch.stack([mean_of(text, sentence) for sentence in part]).mean(0) for part in (bad, good)]
    torch.testing.assert_close(direction, means[1] - means[0], atol=1e-5, rtol=1e-4)
    torch.testing.assert_close(text.direction(good, bad), -direction)
    sentences = ["the cat sat", "a dog ran"]
    expected = []
    for z in text.encode(sentences):
        moved = z + 1.5 * direction
        expected.append(decoded(text, moved / moved.norm() if text.model.config.posterior == "vmf" else moved))
    assert text.edit(sentences, direction, 1.5) == expected
    assert text.edit(sentences, direction.tolist(), 0) == text.reconstruct(sentences)


def test_neighbours_against_a_loop(text):
    corpus = ["the cat", "a dog ran", "the cat sat on the mat .", "on the mat .", "the dog", "a cat ran"]
    queries = ["the cat", "the dog sat"]
    latents = text.encode(queries).double().numpy(), text.encode(corpus).double().numpy()
    for metric in ("cosine", "euclidean"):
        found = text.nearest(queries, corpus, k=3, metric=metric)
        for query, row in zip(latents[0], found, strict=True):
            values = [
                query @ z / math.sqrt(query @ query * (z @ z)) if metric == "cosine" else math.dist(query, z)
                for z in latents[1]
            ]
            order = np.argsort(values)[:: -1 if metric == "cosine" else 1][:3]
            assert [(n.text, n.position) for n in row] == [(corpus[i], i) for i in order]
            assert [n.value for n in row] == pytest.approx([values[i] for i in order], abs=1e-6)
        assert found[0][0].text == "the cat"
    assert isinstance(found[0][0], Neighbour)
    for options, message in (({"k": 7}, "k must lie in 1 to 6"), ({"metric": "l1"}, "metric must be one of cosine")):
        with pytest.raises(ValueError, match=message):
            text.nearest(queries, corpus, **options)


def test_what_is_not_read_is_told(vae):
    limit = vae.tokenizer.model_max_length - 2
    with pytest.warns(UnreadTextWarning) as told:
        vae.encode(["the zebra", "the " * (limit + 1), "the cat"])
    assert [str(warning.message) for warning in told] == [
        "unknown words in 1 of 3 sentences: zebra", f"words beyond the first {limit} are not read in 1 of 3 sentences"
    ]  # fmt: skip
    assert {warning.filename for warning in told} == {__file__}
    for call in (vae.nll, vae.surprisal, vae.reconstruct, lambda texts: vae.sample(1, prompt=texts[0])):
        with pytest.warns(UnreadTextWarning, match="zebra"):
            call(["the zebra"])
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        vae.reconstruct(["the cat"])


@pytest.mark.parametrize("texts", ["the cat", ["the cat", None], [b"the cat"], [["the cat"]]])
def test_texts_are_a_list_of_strings(vae, texts):
    for call in (vae.encode, vae.reconstruct, vae.nll, vae.surprisal, lambda given: vae.nearest(["the"], given, k=1)):
        with pytest.raises(ValueError, match=r"texts must be (a list of )?strings"):
            call(texts)


def test_bad_latents_and_directions(vae):
    size = vae.latent_size
    calls = {
        f"latents must have shape (batch, {size})": lambda: vae.decode(torch.zeros(2, size + 1)),
        "latents must be finite": lambda: vae.decode([[math.nan] * size]),
        f"the direction must have shape ({size},)": lambda: vae.edit(["the cat"], torch.zeros(1, size)),
        "strength must be finite": lambda: vae.edit(["the cat"], torch.zeros(size), math.inf),
        "a direction needs at least one text on each side": lambda: vae.direction(["the cat"], []),
    }
    for message, call in calls.items():
        with pytest.raises(ValueError, match=re.escape(message)):
            call()


def test_a_language_model_encodes_nothing():
    text = load(MODELS / "lstm-lm", "cpu")
    calls = (
        lambda: text.encode(["the zebra"]), lambda: text.decode(torch.empty(1, 0)), lambda: text.reconstruct(["the"]),
        lambda: text.interpolate("the", "a"), lambda: text.direction(["the"], ["a"]),
        lambda: text.edit(["the"], torch.empty(0)), lambda: text.nearest(["the"], ["a"], k=1),
    )  # fmt: skip
    for call in calls:
        with pytest.raises(ValueError, match="a language model has no latent variable: it encodes no sentence"):
            call()
    assert len(text.sample(2, seed=0)) == 2


def test_a_bar_for_many_texts(vae, monkeypatch, capsys):
    monkeypatch.setattr("sys.stderr.isatty", lambda: True, raising=False)
    vae.encode(["the cat"] * 4)
    assert capsys.readouterr().err == ""
    vae.progress = True
    try:
        vae.reconstruct(["the cat"] * 4)
    finally:
        vae.progress = None
    told = capsys.readouterr().err
    assert "encode" in told
    assert "decode" in told
