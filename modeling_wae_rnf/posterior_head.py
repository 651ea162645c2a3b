"""What every posterior head has in common: the encoder's vector in, q(z|x) out."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Protocol, Self

import torch
from torch import nn

from .part import Part

if TYPE_CHECKING:
    from .configuration_wae_rnf import WaeRnfConfig


class Posterior(Protocol):
    """The contract of q(z|x), one row a sentence, such as [`GaussianPosterior`]."""

    @property
    def mean(self) -> torch.Tensor:
        """(batch, latent_size)"""

    @classmethod
    def concatenate(cls, posteriors: Sequence[Self], order: torch.Tensor) -> Self:
        """The rows of many posteriors as one in double precision on the CPU, in an order of their numbers."""

    def detach(self) -> Self:
        """The same distribution, whose parameters are constants."""

    def rsample(self, sample_shape: Sequence[int] = (), generator: torch.Generator | None = None) -> torch.Tensor:
        """z of shape (*sample_shape, batch, latent_size), differentiable."""

    def log_prob(self, z: torch.Tensor, /) -> torch.Tensor:
        """log q(z|x): (..., batch, latent_size) -> (..., batch), nats."""

    def log_prob_of_each(self, z: torch.Tensor) -> torch.Tensor:
        """log q(z_i | x_j) of every pair: (n, latent_size) -> (n, batch)."""

    def entropy(self) -> torch.Tensor:
        """H(q(z|x)): (batch,), nats."""

    def kl_per_dimension(self) -> torch.Tensor | None:
        """From the natural prior, (batch, latent_size) nats; None where the divergence is no sum over dimensions."""

    def kl_divergence(self) -> torch.Tensor:
        """From the natural prior: (batch,), nats per sentence."""


class PosteriorHead(Part, nn.Module):
    """The contract: (batch, state_size) -> a [`Posterior`] of batch rows.

    Attributes:
        space: where its z lie; those of the prior lie there too. Only a "euclidean" one has flows and an MMD.
        natural_prior: the name of the prior where the configuration names none.
    """

    space = "euclidean"
    natural_prior = "standard_normal"

    def __init__(self, config: "WaeRnfConfig", state_size: int) -> None:
        super().__init__()

    def forward(self, state: torch.Tensor) -> Posterior:
        """(batch, state_size) -> the posterior."""
        raise NotImplementedError


def projection(config: "WaeRnfConfig", state_size: int, bias: bool, size: int | None = None) -> nn.Sequential:
    """From the encoder's vector to so many numbers, by default the latent variable's size: "mlp", two layers (paper
    5.2), or "linear", one layer, as in the authors' code."""
    size = config.latent_size if size is None else size
    if config.posterior_head == "linear":
        return nn.Sequential(nn.Linear(state_size, size, bias=bias))
    return nn.Sequential(
        nn.Linear(state_size, config.hidden_size), nn.ReLU(), nn.Linear(config.hidden_size, size, bias=bias)
    )
