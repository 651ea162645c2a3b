"""q(z, t | x): a Gaussian latent variable beside the proportions of topics, and the head that gives both."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Self

import torch

from .dirichlet import Dirichlet, concentration_of
from .gaussian import GaussianHead, GaussianPosterior
from .posterior_head import PosteriorHead, projection
from .precision import full_precision

if TYPE_CHECKING:
    from .configuration_wae_rnf import WaeRnfConfig


class GaussianDirichletPosterior:
    """q(z, t | x) = N(z; mean, diag(stddev²)) Dir(t; concentration), one row a sentence (Xiao et al. 2018, arXiv
    1811.00135). The latent variable is [z ; t], the proportions of topics last.

    Its natural prior is N(0, I) for z and uniform on the simplex for t.

    Args:
        gaussian: q(z|x).
        topics: q(t|x).

    Examples:
        >>> posterior = GaussianDirichletPosterior(
        ...     GaussianPosterior(torch.zeros(1, 2), torch.ones(1, 2)), Dirichlet(torch.ones(1, 4))
        ... )
        >>> posterior.mean, posterior.kl_divergence()
        (tensor([[0.0000, 0.0000, 0.2500, 0.2500, 0.2500, 0.2500]]), tensor([0.]))
    """

    def __init__(self, gaussian: GaussianPosterior, topics: Dirichlet) -> None:
        self.gaussian, self.topics = gaussian, topics

    @property
    def mean(self) -> torch.Tensor:
        """(batch, latent_size)"""
        return torch.cat([self.gaussian.mean, self.topics.mean], dim=-1)

    @classmethod
    def concatenate(cls, posteriors: Sequence[Self], order: torch.Tensor) -> Self:
        """The rows of many posteriors as one in double precision on the CPU, in an order of their numbers."""
        concentration = torch.cat([part.topics.concentration.cpu().double() for part in posteriors])
        gaussian = GaussianPosterior.concatenate([part.gaussian for part in posteriors], order)
        return cls(gaussian, Dirichlet(concentration[order]))

    def detach(self) -> Self:
        """The same distribution, whose parameters are constants."""
        return type(self)(self.gaussian.detach(), self.topics.detach())

    def rsample(self, sample_shape: Sequence[int] = (), generator: torch.Generator | None = None) -> torch.Tensor:
        """[z ; t] of shape (*sample_shape, batch, latent_size), differentiable."""
        parts = (self.gaussian, self.topics)
        return torch.cat([part.rsample(sample_shape, generator=generator) for part in parts], dim=-1)

    def split(self, latents: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """z and t of [z ; t]."""
        return split_topics(latents, self.topics.concentration.shape[-1])

    def log_prob(self, latents: torch.Tensor) -> torch.Tensor:
        """log q(z|x) + log q(t|x): (..., batch, latent_size) -> (..., batch), nats."""
        z, t = self.split(latents)
        return self.gaussian.log_prob(z) + self.topics.log_prob(t)

    def log_prob_of_each(self, latents: torch.Tensor) -> torch.Tensor:
        """log q(z_i, t_i | x_j) of every pair: (n, latent_size) -> (n, batch)."""
        z, t = self.split(latents)
        return self.gaussian.log_prob_of_each(z) + self.topics.log_prob_of_each(t)

    def entropy(self) -> torch.Tensor:
        """H(q(z|x)) + H(q(t|x)): (batch,), nats."""
        return self.gaussian.entropy() + self.topics.entropy()

    def kl_per_dimension(self) -> None:
        """None: the divergence of the topics is no sum over them."""

    def kl_divergence(self) -> torch.Tensor:
        """From N(0, I) and the uniform distribution on the simplex: (batch,), nats per sentence."""
        uniform = Dirichlet(torch.ones_like(self.topics.concentration))
        return self.gaussian.kl_divergence() + self.topics.kl_divergence(uniform)


def split_topics(latents: torch.Tensor, num_topics: int) -> tuple[torch.Tensor, torch.Tensor]:
    """z and t of [z ; t]: (..., latent_size) -> (..., latent_size - num_topics), (..., num_topics)."""
    return latents[..., :-num_topics], latents[..., -num_topics:]


class GaussianDirichletHead(PosteriorHead):
    """z as [`GaussianHead`] has it, and the concentrations of the topics from the same vector of the encoder.

    Args:
        num_topics: how many of the `latent_size` numbers are proportions of topics; by default half of them.
    """

    space, natural_prior = "simplex", "dirichlet"

    def __init__(self, config: "WaeRnfConfig", state_size: int, *, num_topics: int | None = None) -> None:
        super().__init__(config, state_size)
        self.num_topics = max(2, config.latent_size // 2) if num_topics is None else num_topics
        self.gaussian = GaussianHead(config, state_size, config.latent_size - self.num_topics)
        self.topics = projection(config, state_size, bias=True, size=self.num_topics)

    @classmethod
    def check(cls, config: "WaeRnfConfig") -> None:
        if config.latent_size < 3:
            raise ValueError(f"with topics, latent_size must be at least 3, not {config.latent_size}")
        number, most = config.posterior_kwargs.get("num_topics"), config.latent_size - 1
        if number is not None and not (type(number) is int and 2 <= number <= most):
            raise ValueError(f"num_topics must be a whole number from 2 to latent_size - 1 = {most}, not {number!r}")

    @full_precision
    def forward(self, state: torch.Tensor) -> GaussianDirichletPosterior:
        return GaussianDirichletPosterior(self.gaussian(state), Dirichlet(concentration_of(self.topics(state))))
