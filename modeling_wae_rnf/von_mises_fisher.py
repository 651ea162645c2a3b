"""The von Mises-Fisher distribution on the unit sphere, of a fixed concentration, and the head that gives it."""

import math
from collections.abc import Sequence
from functools import lru_cache
from typing import TYPE_CHECKING, Any, Self

import torch
import torch.nn.functional as F

from .posterior_head import PosteriorHead, projection
from .precision import full_precision

if TYPE_CHECKING:
    from .configuration_wae_rnf import WaeRnfConfig

# Angles to the mean direction at which the distribution function is tabulated, between 0 and pi.
GRID = 2**16


def log_bessel(order: float, x: float) -> float:
    """log I_order(x), the modified Bessel function of the first kind, for x > 0 and order >= 0.

    I_v(x) = Σ_m (x/2)^(2m + v) / (m! Γ(m + v + 1)). All terms are positive, so that their logarithms can be added up
    where I, and its exponentially scaled form too, are beyond the range of the machine's numbers.

    Examples:
        >>> round(log_bessel(0.5, 1.0), 6)  # sqrt(2 / pi) sinh(1)
        -0.064352
    """
    m = torch.arange(int(x) + 200, dtype=torch.float64)  # the largest term stands before x / 2
    terms = (2 * m + order) * math.log(x / 2) - torch.lgamma(m + 1) - torch.lgamma(m + order + 1)
    return terms.logsumexp(0).item()


@lru_cache
def log_normalizer(size: int, kappa: float) -> float:
    """log C of the density C exp(kappa muᵀz) on the unit sphere of R^size: nats."""
    order = size / 2 - 1
    return order * math.log(kappa) - size / 2 * math.log(2 * math.pi) - log_bessel(order, kappa)


@lru_cache
def mean_resultant_length(size: int, kappa: float) -> float:
    """A = I_{d/2}(kappa) / I_{d/2 - 1}(kappa), the length of E[z] = A mu."""
    return math.exp(log_bessel(size / 2, kappa) - log_bessel(size / 2 - 1, kappa))


@lru_cache
def log_area(size: int) -> float:
    """log of the surface of the unit sphere of R^size; minus it is the log density of the uniform distribution."""
    return math.log(2) + size / 2 * math.log(math.pi) - math.lgamma(size / 2)


@lru_cache
def angle_distribution(size: int, kappa: float) -> tuple[torch.Tensor, torch.Tensor]:
    """Angles to the mean direction and their distribution function, (GRID,) each.

    The angle's density is proportional to sin(angle)^(size - 2) exp(kappa cos(angle)).
    """
    angle = torch.linspace(0, math.pi, GRID, dtype=torch.float64)
    middle = (angle[1:] + angle[:-1]) / 2
    log_density = (size - 2) * middle.sin().log() + kappa * middle.cos()
    cumulative = (log_density - log_density.max()).exp().cumsum(0)
    return angle, torch.cat([cumulative.new_zeros(1), cumulative / cumulative[-1]])


class VonMisesFisherPosterior:
    """q(z | x) ∝ exp(kappa meanᵀz) on the unit sphere, one row a sentence (Xu & Durrett 2018, arXiv 1808.10805).

    Its natural prior is the uniform distribution on the sphere. kappa is the same for all sentences, so that the
    divergence is a constant, and cannot collapse.

    Args:
        mean: (batch, latent_size), the mean directions, of length 1.
        kappa: the concentration, positive.

    Examples:
        >>> posterior = VonMisesFisherPosterior(torch.tensor([[0.0, 1.0, 0.0]]), kappa=2.0)
        >>> posterior.kl_divergence()
        tensor([0.4794])
    """

    def __init__(self, mean: torch.Tensor, kappa: float) -> None:
        self.mean, self.kappa = mean, kappa

    @classmethod
    def concatenate(cls, posteriors: Sequence[Self], order: torch.Tensor) -> Self:
        """The rows of many posteriors as one in double precision on the CPU, in an order of their numbers."""
        return cls(torch.cat([part.mean.cpu().double() for part in posteriors])[order], posteriors[0].kappa)

    def rsample(self, sample_shape: Sequence[int] = (), generator: torch.Generator | None = None) -> torch.Tensor:
        """z of shape (*sample_shape, batch, latent_size), differentiable in the mean direction.

        The angle to the mean direction is drawn by inverting its distribution function, which is tabulated: one
        uniform number, nothing is rejected. The direction around it is uniform.
        """
        mean = self.mean
        shape = (*sample_shape, *mean.shape)
        options: dict[str, Any] = {"dtype": mean.dtype, "device": mean.device}
        if generator is not None:  # torch.compile refuses None at any batch size
            options["generator"] = generator
        uniform = torch.rand((*shape[:-1], 1), **options)
        angle = self._quantile(uniform.double()).to(mean.dtype)
        around = torch.randn(shape, **options)
        around = F.normalize(around - (around * mean).sum(-1, keepdim=True) * mean, dim=-1)
        return angle.cos() * mean + angle.sin() * around

    def detach(self) -> Self:
        """The same distribution, whose mean direction is a constant."""
        return type(self)(self.mean.detach(), self.kappa)

    def _quantile(self, probability: torch.Tensor) -> torch.Tensor:
        angle, cumulative = (table.to(probability.device) for table in angle_distribution(self._size, self.kappa))
        right = torch.searchsorted(cumulative, probability, right=True).clamp(1, GRID - 1)
        below, above = cumulative[right - 1], cumulative[right]
        return angle[right - 1] + (probability - below) / (above - below) * (angle[right] - angle[right - 1])

    @property
    def _size(self) -> int:
        return self.mean.shape[-1]

    def log_prob(self, z: torch.Tensor) -> torch.Tensor:
        """log q(z | x): (..., batch, latent_size) -> (..., batch), nats."""
        return self.kappa * (z * self.mean).sum(-1) + log_normalizer(self._size, self.kappa)

    def log_prob_of_each(self, z: torch.Tensor) -> torch.Tensor:
        """log q(z_i | x_j) of every pair: (n, latent_size) -> (n, batch)."""
        return self.kappa * z @ self.mean.T + log_normalizer(self._size, self.kappa)

    def entropy(self) -> torch.Tensor:
        """H(q(z | x)): (batch,), nats."""
        expected = self.kappa * mean_resultant_length(self._size, self.kappa)
        return self.mean.new_full(self.mean.shape[:-1], -expected - log_normalizer(self._size, self.kappa))

    def kl_per_dimension(self) -> None:
        """None: the divergence is no sum over the dimensions."""

    def kl_divergence(self) -> torch.Tensor:
        """KL(q(z | x) || uniform) = log area - H(q): (batch,), nats per sentence."""
        return log_area(self._size) - self.entropy()


class VonMisesFisherHead(PosteriorHead):
    """The mean direction from the encoder's last state; the concentration is the configuration's."""

    space, natural_prior = "sphere", "uniform_sphere"

    def __init__(self, config: "WaeRnfConfig", state_size: int) -> None:
        super().__init__(config, state_size)
        self.kappa = config.kappa
        self.mean = projection(config, state_size, bias=True)

    @classmethod
    def check(cls, config: "WaeRnfConfig") -> None:
        if config.latent_size < 2:
            raise ValueError(f"on the sphere, latent_size must be at least 2, not {config.latent_size}")

    @full_precision
    def forward(
        self, state: torch.Tensor
    ) -> VonMisesFisherPosterior:  # (batch, state_size) -> VonMisesFisherPosterior
        return VonMisesFisherPosterior(F.normalize(self.mean(state), dim=-1), self.kappa)
