"""Sampled sentences are whole, and their perplexity is that of their tokens."""

import math

import pytest
import torch
from datasets import Dataset

from wae_rnf.reproduction.sample_perplexity import forward_perplexity, sample_sentences

LANGUAGE_MODEL = {"num_flows": 0, "flow_kernel": None, "mmd_weight": 0.0, "latent_size": 0}


def test_samples_are_whole_sentences(tiny_model):
    model = tiny_model(max_words=6).eval()
    samples = sample_sentences(model, 50, seed=1)
    assert samples["input_ids"] == sample_sentences(model, 50, seed=1)["input_ids"]
    assert samples["input_ids"] != sample_sentences(model, 50, seed=2)["input_ids"]
    for row, length in zip(samples["input_ids"], samples["length"], strict=True):
        assert (row[0], row[-1]) == (1, 2)
        assert 0 < len(row) - 2 <= 6
        assert not {0, 1, 2} & set(row[1:-1])
        assert length == len(row) - 1


def test_forward_perplexity_is_that_of_the_tokens(tiny_model):
    model = tiny_model(**LANGUAGE_MODEL).eval()
    rows = [[1, 5, 6, 2], [1, 7, 2]]
    samples = Dataset.from_dict({"input_ids": rows, "length": [3, 2]})
    nats = 0.0
    for row in rows:
        logits = model(torch.tensor([row]), latents=torch.zeros(1, 0)).logits[0]
        nats -= sum(logits[t].log_softmax(-1)[word].item() for t, word in enumerate(row[1:]))
    assert forward_perplexity(model, samples) == pytest.approx(math.exp(nats / 5), rel=1e-5)
