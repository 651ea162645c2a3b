"""Bounds and mutual information against golden values, closed forms, quadrature and loops."""

import math

import pytest
import torch
from torch.distributions import MultivariateNormal, Normal

from modeling_wae_rnf import GaussianPosterior, PlanarFlow
from modeling_wae_rnf.priors import StandardNormal
from wae_rnf.evaluation.estimators import (
    active_units,
    importance_weighted_nll,
    latent_usage,
    log_aggregate_posterior,
    log_importance_weights,
    mutual_information,
    paper_protocol_kl,
)

from .test_flows import golden_flows
from .test_gaussian import golden_posterior

NORMAL = StandardNormal()


def test_golden_bound(golden):
    posterior, bound = golden_posterior(golden), golden["bound"]
    z = posterior.mean + posterior.stddev * torch.tensor(bound["eps"], dtype=torch.float64)
    torch.testing.assert_close(z, torch.tensor(bound["z0"], dtype=torch.float64), rtol=0, atol=1e-9)
    z_prime, log_abs_det, _ = golden_flows(golden)(z)
    torch.testing.assert_close(z_prime, torch.tensor(bound["z_K"], dtype=torch.float64), rtol=0, atol=1e-9)
    samples = (z[None], z_prime[None], log_abs_det[None])
    log_weights = log_importance_weights(posterior, *samples, torch.zeros(1, 6), NORMAL)
    expected = torch.tensor(bound["one_sample_kl_flow_posterior"], dtype=torch.float64)
    torch.testing.assert_close(-log_weights["flow_posterior"][0], expected, rtol=0, atol=1e-9)


def test_golden_published_protocol(golden):
    posterior = golden_posterior(golden)
    z_prime, log_abs_det, _ = golden_flows(golden)(posterior.mean)
    expected = torch.tensor(golden["bound"]["published_protocol_latent_term_at_posterior_mean"], dtype=torch.float64)
    torch.testing.assert_close(
        paper_protocol_kl(posterior, z_prime, NORMAL) - log_abs_det, expected, rtol=0, atol=1e-9
    )


def test_golden_mutual_information(golden):
    posterior, expected = golden_posterior(golden), golden["mutual_information"]
    z = torch.tensor(golden["bound"]["z0"], dtype=torch.float64)
    log_aggregate = log_aggregate_posterior(posterior, z, chunk_size=4)
    values = torch.tensor(expected["log_aggregate_posterior"], dtype=torch.float64)
    torch.testing.assert_close(log_aggregate, values, rtol=0, atol=1e-9)
    value = mutual_information(posterior.log_prob(z), log_aggregate).item()
    assert value == pytest.approx(expected["mc_estimate"], abs=1e-9)


def linear_gaussian(num_points):
    """x = W z + noise, with orthogonal columns of W, so that the exact posterior is diagonal."""
    torch.manual_seed(0)
    weight = torch.linalg.qr(torch.randn(5, 3, dtype=torch.float64))[0] * torch.tensor([0.5, 1.0, 2.0]).double()
    noise, x = 0.7, torch.randn(num_points, 5, dtype=torch.float64) * 1.5
    variance = 1 / (1 + weight.square().sum(0) / noise**2)
    posterior = GaussianPosterior(x @ weight / noise**2 * variance, variance.sqrt().expand(num_points, 3))
    covariance = weight @ weight.T + noise**2 * torch.eye(5, dtype=torch.float64)
    nll = -MultivariateNormal(torch.zeros(5, dtype=torch.float64), covariance).log_prob(x)

    def reconstruction(z):
        return -Normal(z @ weight.T, noise).log_prob(x).sum(-1)

    return posterior, reconstruction, nll


def test_exact_posterior_makes_every_bound_exact():
    posterior, reconstruction, nll = linear_gaussian(4)
    z = posterior.rsample((3,))
    log_weights = log_importance_weights(posterior, z, z, torch.zeros(3, 4), reconstruction(z), NORMAL)
    for weights in log_weights.values():  # without a flow the two generative models are one
        torch.testing.assert_close(-weights, nll.expand(3, 4), rtol=0, atol=1e-9)
        torch.testing.assert_close(importance_weighted_nll(weights), nll, rtol=0, atol=1e-9)


def test_iwae_closes_the_gap_of_a_wrong_posterior():
    exact, reconstruction, nll = linear_gaussian(200)
    posterior = GaussianPosterior(exact.mean + 0.3, exact.stddev * 1.3)
    torch.manual_seed(0)
    z = posterior.rsample((2000,))
    weights = log_importance_weights(posterior, z, z, torch.zeros(2000, 200), reconstruction(z), NORMAL)["pushforward"]
    elbo, iwae = -weights.mean(0), importance_weighted_nll(weights)
    gap = torch.distributions.kl_divergence(posterior.base_dist, exact.base_dist).sum(-1)
    torch.testing.assert_close(elbo - nll, gap, rtol=0.2, atol=0.1)
    assert (gap > 0.3).all()
    torch.testing.assert_close(iwae, nll, rtol=0, atol=0.15)
    assert importance_weighted_nll(weights[:10]).mean() > iwae.mean() - 0.01  # fewer samples, a looser bound


def test_both_generative_models_of_a_flow_against_quadrature():
    """d = 1, x ~ N(z', s²): one generative model has a closed form, the other an integral over z."""
    torch.manual_seed(1)
    flow = PlanarFlow(1).double()
    flow.u.data, flow.w.data, flow.b.data = (torch.tensor([v], dtype=torch.float64) for v in (1.5, 1.2, 0.4))
    x, s = torch.tensor([0.3, -1.0, 2.0], dtype=torch.float64), 0.8
    grid = torch.linspace(-10, 10, 20_001, dtype=torch.float64).unsqueeze(-1)
    z_prime, _ = flow(grid)
    joint = Normal(0.0, 1.0).log_prob(grid) + Normal(z_prime, s).log_prob(x)  # (grid, 3)
    nll = {
        "pushforward": -(joint.logsumexp(0) + math.log(20 / 20_000)),
        "flow_posterior": -Normal(0.0, math.sqrt(1 + s**2)).log_prob(x),
    }
    posterior = GaussianPosterior(torch.zeros(3, 1).double(), torch.full((3, 1), 1.2).double())
    z = posterior.rsample((200_000,))
    z_prime, log_abs_det = flow(z)
    reconstruction = -Normal(z_prime.squeeze(-1), s).log_prob(x)
    weights = log_importance_weights(posterior, z, z_prime, log_abs_det, reconstruction, NORMAL)
    for generative_model, expected in nll.items():
        torch.testing.assert_close(importance_weighted_nll(weights[generative_model]), expected, rtol=0, atol=0.02)
        assert (-weights[generative_model].mean(0) > expected).all()
    assert (nll["pushforward"] - nll["flow_posterior"]).abs().min() > 0.05  # the two models are not one


def test_published_protocol_lies_half_a_dimension_under_the_elbo():
    d = 32
    posterior = GaussianPosterior(torch.zeros(1, d), torch.ones(1, d))
    found = paper_protocol_kl(posterior, posterior.mean, NORMAL).item()  # the true KL is 0
    assert found == pytest.approx(-d / 2, abs=1e-5)


def test_mutual_information_in_known_cases():
    torch.manual_seed(0)
    n, d = 64, 4
    equal = GaussianPosterior(torch.zeros(n, d).double(), torch.ones(n, d).double())
    apart = GaussianPosterior(100 * torch.randn(n, d).double(), torch.full((n, d), 0.1).double())
    for posterior, expected in ((equal, 0.0), (apart, math.log(n))):
        z = posterior.rsample()
        log_aggregate = log_aggregate_posterior(posterior, z)
        assert mutual_information(posterior.log_prob(z), log_aggregate).item() == pytest.approx(expected, abs=1e-3)


def test_log_aggregate_posterior_is_the_loop():
    torch.manual_seed(0)
    mean, stddev, z = torch.randn(6, 3), torch.rand(6, 3) + 0.2, torch.randn(6, 3)
    values = log_aggregate_posterior(GaussianPosterior(mean, stddev), z, chunk_size=2)
    for i in range(6):
        densities = [Normal(mean[j], stddev[j]).log_prob(z[i]).sum().exp() for j in range(6)]
        assert values[i].item() == pytest.approx(math.log(sum(densities) / 6), abs=1e-4)


def test_a_code_of_no_dimensions_says_nothing():
    nothing = GaussianPosterior(torch.zeros(5, 0).double(), torch.zeros(5, 0).double())
    assert latent_usage(nothing) == {"mutual_information": pytest.approx(0, abs=1e-12), "active_units": 0}


def test_active_units():
    mean = torch.zeros(100, 3)
    mean[:, 1] = torch.randn(100)
    mean[:, 2] = 0.05 * torch.randn(100)  # variance 0.0025 is under the threshold
    assert active_units(mean) == 1
