"""Text of a model: what is judged is what the model writes."""

import pytest
import torch
from datasets import Dataset

from wae_rnf.evaluation.text_quality import judge_text, reconstruction_quality, sample_quality
from wae_rnf.tokenization.tokenizer import build_tokenizer

SPECIAL = ["<pad>", "<bos>", "<eos>", "<unk>"]
ROWS = [[1, 5, 6, 7, 2], [1, 4, 2], [1, 9, 8, 7, 6, 5, 2], [1, 12, 10, 2]]


@pytest.fixture
def tokenizer():
    return build_tokenizer({word: number for number, word in enumerate([*SPECIAL, *"abcdefghi"])}, max_words=9)


@pytest.fixture
def sentences():
    return Dataset.from_dict({"input_ids": ROWS, "length": [len(row) - 1 for row in ROWS]})


def test_reconstructions_are_compared_with_their_own_sentences(tiny_model, tokenizer, sentences):
    model = tiny_model(max_words=9).eval()
    found = judge_text(model, tokenizer, sentences, count=3)["reconstructions"]
    inputs, outputs = [], []
    for row in sentences["input_ids"][:3]:
        inputs.append(tokenizer.decode(row[1:-1]))
        z = model.encode(torch.tensor([row])).mean
        outputs.append(tokenizer.decode(model.generate(latents=z, do_sample=False)[0], skip_special_tokens=True))
    assert inputs == ["b c d", "a", "f e d c b"]
    examples = [list(pair) for pair in zip(inputs, outputs, strict=True)]
    assert found == reconstruction_quality(outputs, inputs) | {"examples": examples}


def test_samples_are_the_models(tiny_model, tokenizer, sentences):
    model = tiny_model(max_words=9).eval()
    found = judge_text(model, tokenizer, sentences, count=40, seed=3)["samples"]
    assert found["num_sentences"] == 40
    assert found == judge_text(model, tokenizer, sentences, count=40, seed=3)["samples"]
    assert found != judge_text(model, tokenizer, sentences, count=40, seed=4)["samples"]
    assert found.keys() == sample_quality(["a b", "c"]).keys()


def test_a_language_model_reconstructs_nothing(tiny_model, tokenizer, sentences):
    model = tiny_model(num_flows=0, flow_kernel=None, mmd_weight=0.0, latent_size=0).eval()
    assert "reconstructions" not in judge_text(model, tokenizer, sentences, count=5)
