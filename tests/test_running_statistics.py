"""Decoders with batch normalization: what its statistics are of, and where the running ones take their place."""

import pytest
import torch
from torch import nn

from wae_rnf.training.systems import SYSTEMS

from .test_components import learned_loss, padded


def norms_of(model):
    return [part for part in model.decoder.modules() if isinstance(part, nn.BatchNorm1d)]


@pytest.fixture(params=["cnn-vae", "hybrid-vae"])
def model(request, tiny_model):
    """Its batch normalizations have statistics and weights of all kinds."""
    model = tiny_model(**SYSTEMS[request.param].config, dropout=0.0, max_words=20)
    assert norms_of(model)
    with torch.no_grad():
        for norm in norms_of(model):
            for values in (norm.running_mean, norm.running_var, norm.weight, norm.bias):
                values.uniform_(0.3, 1.5)
    return model


@torch.no_grad()
def test_no_padding_in_the_statistics(model, batch):
    statistics = []
    for inputs in (batch, padded(batch, right=9)):
        for norm in norms_of(model):
            norm.reset_running_stats()
        loss = learned_loss(model, inputs)
        statistics.append([loss, *(norm.running_mean.clone() for norm in norms_of(model))])
    torch.testing.assert_close(*statistics)


@torch.no_grad()
def test_word_by_word_takes_the_running_statistics_in_training_too(model):
    before = [norm.running_mean.clone() for norm in norms_of(model)]
    ids, z = torch.tensor([[1, 5, 6], [1, 7, 8]]), torch.randn(2, 4)
    logits = [model.train(training)(ids, latents=z).logits for training in (True, False)]
    torch.testing.assert_close(*logits)
    assert all(torch.equal(norm.running_mean, mean) for norm, mean in zip(norms_of(model), before, strict=True))
    model.train()(ids, latents=z)
    assert all(norm.training for norm in norms_of(model))
