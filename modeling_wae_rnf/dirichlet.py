"""The Dirichlet distribution, for concentrations from 1e-3 to 1e4: in logarithms, and in double precision inside."""

import math
from collections.abc import Sequence
from typing import Self

import torch
from torch.distributions import Dirichlet as Exact
from torch.distributions import Gamma
from torch.distributions.kl import kl_divergence

from .seeding import seeded_by

# Proportions down to here have a reciprocal that single precision holds. Of a concentration of 0.1, one sample in a
# thousand is smaller, and of 0.01 every other.
FLOOR = 2.0**-100
LARGEST = 1e3  # concentration of what a network gives, and 1 over the smallest one


def concentration_of(scores: torch.Tensor) -> torch.Tensor:
    """exp(scores), bent so that it stays between 1 / LARGEST and LARGEST, where samples and densities have digits.

    Examples:
        >>> concentration_of(torch.tensor([-1e6, 0.0, 1e6]))
        tensor([1.0000e-03, 1.0000e+00, 1.0000e+03])
    """
    bound = math.log(LARGEST)
    return ((scores / bound).tanh() * bound).exp()


class Dirichlet:
    """Dir(t; a) ∝ Π_k t_k^(a_k - 1) on the simplex, one row a sentence.

    A proportion under `FLOOR` is no number of its own: it counts as the event t_k <= FLOOR, is given as FLOOR, and
    its density is the probability ∫_0^FLOOR t_k^(a_k - 1) dt_k = FLOOR^a_k / a_k. So ratios of two densities stay
    exact where single precision has no more proportions to tell apart.

    Args:
        concentration: a, (..., topics), positive.

    Examples:
        >>> uniform = Dirichlet(torch.ones(1, 3))
        >>> uniform.log_prob(torch.tensor([[0.2, 0.3, 0.5]])), uniform.kl_divergence(uniform)
        (tensor([0.6931]), tensor([0.]))
    """

    def __init__(self, concentration: torch.Tensor) -> None:
        self.concentration = concentration

    @property
    def mean(self) -> torch.Tensor:
        """E[t] = a / Σ a: (..., topics)"""
        return self.concentration / self.concentration.sum(-1, keepdim=True)

    def detach(self) -> Self:
        """The same distribution, whose parameters are constants."""
        return type(self)(self.concentration.detach())

    def rsample(self, sample_shape: Sequence[int] = (), generator: torch.Generator | None = None) -> torch.Tensor:
        """t of shape (*sample_shape, ..., topics), differentiable in the concentration.

        t = softmax(log g), g_k ~ Gamma(a_k). Of a small a nearly all g are too small for any precision, so they are
        drawn as logarithms: log g = log h + (log u) / a, h ~ Gamma(a + 1), u uniform (Marsaglia and Tsang 2000). The
        gradient of h is implicit (Figurnov et al. 2018, arXiv 1805.08498); at the floor there is none.
        """
        with seeded_by(generator, self.concentration.device):
            a = self.concentration.double().expand(*sample_shape, *self.concentration.shape)
            log_gamma = Gamma(a + 1, 1.0, validate_args=False).rsample().log() - torch.empty_like(a).exponential_() / a
        return log_gamma.softmax(-1).clamp_min(FLOOR).to(self.concentration.dtype)

    def log_prob(self, t: torch.Tensor) -> torch.Tensor:
        """log Dir(t; a): (..., topics) -> (...), nats."""
        log_t, is_floor = self._logarithms(t)
        power, at_floor, log_normalizer = self._terms()
        return (log_t * power + is_floor * at_floor).sum(-1).add(log_normalizer).to(t.dtype)

    def log_prob_of_each(self, t: torch.Tensor) -> torch.Tensor:
        """log Dir(t_i; a_j) of every pair: (n, topics) -> (n, rows)."""
        log_t, is_floor = self._logarithms(t)
        power, at_floor, log_normalizer = self._terms()
        return (log_t @ power.T + is_floor @ at_floor.T + log_normalizer).to(t.dtype)

    @staticmethod
    def _logarithms(t: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """log t, and 1 where it is that of the floor."""
        t = t.double()
        return t.clamp_min(FLOOR).log(), (t <= FLOOR).double()

    def _terms(self) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
        """What log t is multiplied with, what a proportion at the floor adds, and the logarithm of the constant."""
        a = self.concentration.double()
        return a - 1, math.log(FLOOR) - a.log(), a.sum(-1).lgamma() - a.lgamma().sum(-1)

    def entropy(self) -> torch.Tensor:
        """The differential entropy: (...), nats."""
        return self._exact().entropy().to(self.concentration.dtype)

    def kl_divergence(self, other: "Dirichlet") -> torch.Tensor:
        """KL(self || other) in closed form: (...), nats; without a floor, so at least what samples tell apart."""
        return kl_divergence(self._exact(), other._exact()).to(self.concentration.dtype)

    def _exact(self) -> Exact:
        """Torch's own distribution, in double precision."""
        return Exact(self.concentration.double(), validate_args=False)
