"""The Gaussian posterior against the golden values and torch's own divergence."""

import pytest
import torch
from torch.distributions import Normal, kl_divergence

from modeling_wae_rnf import GaussianPosterior
from modeling_wae_rnf.posteriors import BatchNorm, standard_normal_log_prob


def golden_posterior(golden):
    mean, log_var = (torch.tensor(golden["bound"][name], dtype=torch.float64) for name in ("mean", "log_var"))
    return GaussianPosterior(mean, (0.5 * log_var).exp())


def test_golden_values(golden):
    posterior, bound = golden_posterior(golden), golden["bound"]
    z = torch.tensor(bound["z0"], dtype=torch.float64)
    expected = {
        "kl_closed_form_q0_vs_standard_normal": posterior.kl_divergence(),
        "log_q0_z0": posterior.log_prob(z),
        "log_prior_z0": standard_normal_log_prob(z),
        "log_prior_zK": standard_normal_log_prob(torch.tensor(bound["z_K"], dtype=torch.float64)),
    }
    for name, value in expected.items():
        torch.testing.assert_close(value, torch.tensor(bound[name], dtype=torch.float64), rtol=0, atol=1e-9)


def test_kl_is_torchs(golden):
    posterior = golden_posterior(golden)
    expected = kl_divergence(Normal(posterior.mean, posterior.stddev), Normal(0.0, 1.0)).sum(-1)
    torch.testing.assert_close(posterior.kl_divergence(), expected, rtol=0, atol=1e-12)


def test_samples_have_the_posteriors_moments():
    posterior = GaussianPosterior(torch.tensor([[1.0, -2.0]]), torch.tensor([[0.5, 3.0]]))
    z = posterior.rsample((40_000,), generator=torch.Generator().manual_seed(0))
    assert z.shape == (40_000, 1, 2)
    torch.testing.assert_close(z.mean(0), posterior.mean, rtol=0, atol=4 * 3 / 200)
    torch.testing.assert_close(z.std(0), posterior.stddev, rtol=0.03, atol=0)


def test_samples_are_differentiable():
    mean, stddev = torch.zeros(2, 3, requires_grad=True), torch.ones(2, 3, requires_grad=True)
    torch.manual_seed(0)
    z = GaussianPosterior(mean, stddev).rsample()
    z.sum().backward()
    assert torch.equal(mean.grad, torch.ones(2, 3))
    torch.testing.assert_close(stddev.grad, z.detach())


def test_batch_norm_of_one_sentence_uses_running_statistics():
    norm = BatchNorm(3)
    norm(torch.randn(50, 3) * 2 + 1)
    one = torch.randn(1, 3)
    expected = (one - norm.running_mean) / (norm.running_var + norm.eps).sqrt()
    torch.testing.assert_close(norm(one), expected)
    with pytest.raises(ValueError, match="more than 1 value"):  # what torch's own does
        torch.nn.BatchNorm1d(3)(one)
