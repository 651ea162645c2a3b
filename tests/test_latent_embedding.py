"""The encoder as a module of sentence-transformers: alone, and in that library where it is installed."""

import json
from pathlib import Path

import numpy as np
import pytest
import torch

from wae_rnf.text import LatentEmbedding, UnreadTextWarning, load

MODELS = Path(__file__).parent / "golden" / "models"
TEXTS = ["the cat sat on the mat .", "", "the cat", "a dog ran", "the cat"] * 20


@pytest.fixture(params=["vae", "vmf-vae"])
def directory(request):
    return MODELS / request.param


def test_a_module_by_itself(directory, tmp_path):
    module = LatentEmbedding(directory)
    expected = load(str(directory), "cpu").encode(TEXTS)
    features = module(module.tokenize(TEXTS))
    torch.testing.assert_close(features["sentence_embedding"], expected, atol=1e-5, rtol=1e-4)
    assert module.get_sentence_embedding_dimension() == module.get_embedding_dimension() == expected.shape[1]
    features["sentence_embedding"].square().sum().backward()
    assert module.model.embedding.weight.grad.abs().sum() > 0
    prompted = module.preprocess(["sat"], prompt="the cat ")["input_ids"]
    assert prompted.equal(module.preprocess(["the cat sat"])["input_ids"])
    module.save(str(tmp_path / "saved"))
    again = LatentEmbedding.load(str(tmp_path), "saved")
    assert again(again.preprocess(TEXTS))["sentence_embedding"].equal(features["sentence_embedding"])


def test_what_it_refuses_and_tells(directory):
    with pytest.raises(ValueError, match="a language model has no latent variable: it encodes no sentence"):
        LatentEmbedding(MODELS / "lstm-lm")
    with pytest.warns(UnreadTextWarning, match="unknown words: zebra"):
        LatentEmbedding(directory).preprocess(["zebra"])


def test_in_sentence_transformers(directory, tmp_path):
    reason = "sentence-transformers is not installed, an extra of the package"
    library = pytest.importorskip("sentence_transformers", reason=reason)
    encoder = library.SentenceTransformer(modules=[LatentEmbedding(directory)], device="cpu")
    text = load(str(directory), "cpu")
    expected = text.encode(TEXTS).numpy()
    np.testing.assert_allclose(encoder.encode(TEXTS, batch_size=7), expected, atol=1e-5, rtol=1e-4)
    assert encoder.max_seq_length == text.tokenizer.model_max_length
    similarity = encoder.similarity(encoder.encode(TEXTS[:1]), encoder.encode(TEXTS[2:4]))
    found = {neighbour.text: neighbour.value for neighbour in text.nearest(TEXTS[:1], TEXTS[2:4], k=2)[0]}
    assert similarity[0].tolist() == pytest.approx([found[sentence] for sentence in TEXTS[2:4]], abs=1e-5)
    encoder.save(str(tmp_path / "saved"))
    (module,) = json.loads((tmp_path / "saved" / "modules.json").read_text())
    assert module["type"].endswith("LatentEmbedding")
    again = library.SentenceTransformer(str(tmp_path / "saved"), device="cpu", trust_remote_code=True)
    np.testing.assert_allclose(again.encode(TEXTS), expected, atol=1e-5, rtol=1e-4)
    assert load(str(tmp_path / "saved"), "cpu").reconstruct(["the cat"]) == text.reconstruct(["the cat"])
