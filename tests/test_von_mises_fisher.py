"""The von Mises-Fisher posterior against high-precision values, numerical integrals and its moments."""

import math

import mpmath
import pytest
import torch
import torch.nn.functional as F

from modeling_wae_rnf import VonMisesFisherPosterior, WaeRnfConfig
from modeling_wae_rnf.priors import UniformSphere
from modeling_wae_rnf.von_mises_fisher import log_area, log_bessel, log_normalizer, mean_resultant_length

SIZES = (2, 3, 32, 64, 512)
CONCENTRATIONS = (1e-6, 1.0, 7.5, 80.0, 1000.0, 10_000.0)


def precise_kl(size, kappa):
    with mpmath.workdps(60):
        order = mpmath.mpf(size) / 2 - 1
        bessel, next_bessel = mpmath.besseli(order, kappa), mpmath.besseli(order + 1, kappa)
        log_c = order * mpmath.log(kappa) - (order + 1) * mpmath.log(2 * mpmath.pi) - mpmath.log(bessel)
        area = 2 * mpmath.pi ** (order + 1) / mpmath.gamma(order + 1)
        return float(kappa * next_bessel / bessel + log_c + mpmath.log(area))


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("kappa", CONCENTRATIONS)
def test_divergence_against_high_precision(size, kappa):
    mean = F.normalize(torch.randn(2, size, dtype=torch.float64), dim=-1)
    found = VonMisesFisherPosterior(mean, kappa).kl_divergence()
    expected = precise_kl(size, kappa)
    torch.testing.assert_close(found, torch.full((2,), expected, dtype=torch.float64), rtol=0, atol=1e-7)


@pytest.mark.parametrize("size", SIZES)
def test_divergence_at_the_largest_concentration(size):
    posterior = VonMisesFisherPosterior(F.one_hot(torch.tensor([0]), size).double(), 1e5)
    assert posterior.kl_divergence().item() == pytest.approx(precise_kl(size, 1e5), abs=1e-3)


@pytest.mark.parametrize("kappa", [1e-7, 1e5 + 1, 1e8, math.inf, math.nan])
def test_concentrations_that_cannot_be_computed_are_refused(kappa):
    with pytest.raises(ValueError, match="kappa must"):
        WaeRnfConfig(posterior="vmf", num_flows=0, flow_kernel=None, mmd_weight=0.0, kappa=kappa)


@pytest.mark.parametrize("order", [0.0, 0.5, 15.0, 255.0, 256.0])
@pytest.mark.parametrize("x", CONCENTRATIONS)
def test_log_bessel_against_high_precision(order, x):
    with mpmath.workdps(60):
        expected = float(mpmath.log(mpmath.besseli(order, x)))
    assert log_bessel(order, x) == pytest.approx(expected, rel=1e-12, abs=1e-12)


@pytest.mark.parametrize("kappa", [1.0, 80.0])
def test_density_on_the_circle_integrates_to_one(kappa):
    angle = torch.linspace(-math.pi, math.pi, 100_001, dtype=torch.float64)[:-1]
    z = torch.stack([angle.cos(), angle.sin()], dim=-1)
    posterior = VonMisesFisherPosterior(torch.tensor([[0.6, 0.8]], dtype=torch.float64), kappa)
    log_q = posterior.log_prob(z)
    width = 2 * math.pi / len(angle)
    assert (log_q.exp() * width).sum().item() == pytest.approx(1, abs=1e-9)
    assert -(log_q.exp() * log_q * width).sum().item() == pytest.approx(posterior.entropy().item(), abs=1e-9)
    prior = UniformSphere().log_prob(z)
    assert (prior.exp() * width).sum().item() == pytest.approx(1, abs=1e-9)
    assert (log_q.exp() * (log_q - prior) * width).sum() == pytest.approx(posterior.kl_divergence().item(), abs=1e-9)


@pytest.mark.parametrize(("size", "kappa"), [(2, 1.0), (2, 1e4), (3, 80.0), (32, 80.0), (512, 1.0), (512, 1e4)])
def test_first_two_moments(size, kappa):
    torch.manual_seed(0)
    count = 40_000 if size < 100 else 5_000
    mean = F.normalize(torch.randn(1, size, dtype=torch.float64), dim=-1)
    z = VonMisesFisherPosterior(mean, kappa).rsample((count,))[:, 0]
    torch.testing.assert_close(z.norm(dim=-1), torch.ones(count, dtype=torch.float64))
    length = mean_resultant_length(size, kappa)
    along = z @ mean[0]
    error = along.std().item() / count**0.5
    assert along.mean().item() == pytest.approx(length, abs=4 * error)
    # E[z zᵀ] = (A / kappa) I + (1 - d A / kappa) mu muᵀ
    squared = along.square()
    second = length / kappa + 1 - size * length / kappa
    assert squared.mean().item() == pytest.approx(second, abs=4 * squared.std().item() / count**0.5)
    other = F.normalize(torch.randn(size, dtype=torch.float64), dim=0)
    other = F.normalize(other - (other @ mean[0]) * mean[0], dim=0)
    across = (z @ other).square()
    assert (z @ other).mean().item() == pytest.approx(0, abs=4 * (z @ other).std().item() / count**0.5)
    assert across.mean().item() == pytest.approx(length / kappa, abs=4 * across.std().item() / count**0.5)


def test_log_prob_of_each_pair():
    torch.manual_seed(0)
    mean, z = (F.normalize(torch.randn(n, 4, dtype=torch.float64), dim=-1) for n in (3, 5))
    pairs = VonMisesFisherPosterior(mean, 2.0).log_prob_of_each(z)
    for i in range(5):
        for j in range(3):
            expected = 2 * (z[i] @ mean[j]) + log_normalizer(4, 2.0)
            torch.testing.assert_close(pairs[i, j], expected)


def test_samples_are_differentiable_and_seeded():
    mean = F.normalize(torch.randn(3, 5, dtype=torch.float64), dim=-1)

    def draw(direction):
        generator = torch.Generator().manual_seed(1)
        return VonMisesFisherPosterior(direction, 4.0).rsample((2,), generator=generator)

    assert torch.equal(draw(mean), draw(mean))
    assert torch.autograd.gradcheck(draw, mean.clone().requires_grad_())


def test_prior_is_uniform():
    z = UniformSphere().sample((50_000, 3), generator=torch.Generator().manual_seed(0))
    torch.testing.assert_close(z.norm(dim=-1), torch.ones(50_000))
    torch.testing.assert_close(z.mean(0), torch.zeros(3), rtol=0, atol=0.011)
    torch.testing.assert_close(z.T @ z / 50_000, torch.eye(3) / 3, rtol=0, atol=0.007)
    assert math.exp(log_area(3)) == pytest.approx(4 * math.pi)
