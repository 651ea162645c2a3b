"""Jeffreys' divergence of neighbours against its formula and autograd; the decoder under several latents at once."""

import pytest
import torch
from torch.nn import functional as F

from modeling_wae_rnf import jeffreys
from modeling_wae_rnf.decoder import Decoder
from modeling_wae_rnf.decoder_metric import fisher


def drawn(*shape, seed=0):
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


def by_definition(states, weight, bias):
    """KL(π_i || π_i+1) + KL(π_i+1 || π_i), all scores at once."""
    log_probs = F.linear(states, weight, bias).log_softmax(-1)
    one, other = log_probs[:, :-1], log_probs[:, 1:]
    there, back = (F.kl_div(q, p, reduction="none", log_target=True).sum(-1) for p, q in ((one, other), (other, one)))
    return there + back


@pytest.mark.parametrize("weights", ["equal", "different"])
@pytest.mark.parametrize("at_once", [1, 2**18])
def test_values_and_gradient(weights, at_once, monkeypatch):
    monkeypatch.setattr(jeffreys, "SCORES_AT_ONCE", at_once)
    states, weight, bias = drawn(7, 5, 3).requires_grad_(), drawn(11, 3, seed=1), drawn(11, seed=2)
    found = jeffreys.neighbour_divergences(states, lambda part: F.linear(part, weight, bias), 11)
    expected = by_definition(states, weight, bias)
    torch.testing.assert_close(found, expected)
    given = drawn(7, 1, seed=3).expand(-1, 4) if weights == "equal" else drawn(7, 4, seed=3)
    gradients = [torch.autograd.grad((given * values).sum(), states)[0] for values in (found, expected)]
    torch.testing.assert_close(*gradients)


def test_without_a_gradient():
    states = drawn(2, 4, 3)
    assert not jeffreys.neighbour_divergences(states, torch.nn.Identity(), 3).requires_grad


def test_the_fisher_information_of_words(tiny_model, monkeypatch):
    decoder = tiny_model().decoder.double().eval()
    states, slopes = drawn(3, 2, 8), drawn(3, 2, 8, 4, seed=1)
    probs = decoder.logits(states).softmax(-1)
    jacobian = decoder.projection.weight @ slopes
    expected = jacobian.mT @ (torch.diag_embed(probs) - probs[..., :, None] * probs[..., None, :]) @ jacobian
    for at_once in (1, 2**20):
        monkeypatch.setattr("modeling_wae_rnf.decoder_metric.SLOPES_AT_ONCE", at_once)
        torch.testing.assert_close(fisher(states, slopes, decoder), expected)


@pytest.mark.parametrize("fields", [{}, {"latents_at_every_step": True}, {"decoder_type": "hybrid"}])
def test_the_same_words_under_several_latents(tiny_model, fields):
    decoder = tiny_model(**fields).decoder.double().eval()
    words, z_prime, lengths = drawn(4, 6, 6), drawn(4, 3, 4, seed=1).requires_grad_(), torch.tensor([2, 6, 1, 4])
    found, expected = (
        kind.under_each(decoder, words, z_prime, lengths) * (torch.arange(6) < lengths[:, None])[:, None, :, None]
        for kind in (type(decoder), Decoder)
    )
    torch.testing.assert_close(found, expected)
    assert type(decoder).under_each is not Decoder.under_each
    gradients = [torch.autograd.grad(states.square().sum(), z_prime)[0] for states in (found, expected)]
    torch.testing.assert_close(*gradients)
