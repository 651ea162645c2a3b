"""q(z | x): the Gaussian posterior, and the head that computes it from the encoder's last state."""

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Self

import torch
from torch.distributions import Independent, Normal

from .batch_norm import BatchNorm
from .posterior_head import PosteriorHead, projection
from .precision import full_precision

if TYPE_CHECKING:
    from .configuration_wae_rnf import WaeRnfConfig


def standard_normal_log_prob(z: torch.Tensor) -> torch.Tensor:
    """log N(z; 0, I), summed over the last dimension."""
    return Normal(0.0, 1.0, validate_args=False).log_prob(z).sum(-1)


class GaussianPosterior(Independent):
    """q(z | x) = N(mean, diag(stddev²)), one row a sentence. Its natural prior is N(0, I).

    Examples:
        >>> posterior = GaussianPosterior(torch.zeros(2, 3), torch.ones(2, 3))
        >>> posterior.kl_divergence()
        tensor([0., 0.])
    """

    def __init__(self, mean: torch.Tensor, stddev: torch.Tensor) -> None:
        super().__init__(Normal(mean, stddev, validate_args=False), 1, validate_args=False)

    @classmethod
    def concatenate(cls, posteriors: Sequence[Self], order: torch.Tensor) -> Self:
        """The rows of many posteriors as one in double precision on the CPU, in an order of their numbers."""
        mean, stddev = ([getattr(part, name).cpu().double() for part in posteriors] for name in ("mean", "stddev"))
        return cls(torch.cat(mean)[order], torch.cat(stddev)[order])

    def rsample(self, sample_shape: Sequence[int] = (), generator: torch.Generator | None = None) -> torch.Tensor:
        """z = mean + stddev · noise, of shape (*sample_shape, batch, latent_size), differentiable."""
        shape = (*sample_shape, *self.mean.shape)
        # torch.compile refuses None at any batch size
        options: dict[str, Any] = {} if generator is None else {"generator": generator}
        noise = torch.randn(shape, dtype=self.mean.dtype, device=self.mean.device, **options)
        return self.mean + self.stddev * noise

    def detach(self) -> Self:
        """The same distribution, whose parameters are constants."""
        return type(self)(self.mean.detach(), self.stddev.detach())

    def kl_per_dimension(self) -> torch.Tensor:
        """KL(q(z_i | x) || N(0, 1)) in closed form: (batch, latent_size), nats."""
        variance = self.variance
        return 0.5 * (self.mean.square() + variance - 1 - variance.log())

    def kl_divergence(self) -> torch.Tensor:
        """KL(q(z | x) || N(0, I)) in closed form: (batch,), nats per sentence."""
        return self.kl_per_dimension().sum(-1)

    def log_prob_of_each(self, z: torch.Tensor) -> torch.Tensor:
        """log q(z_i | x_j) of every pair: (n, latent_size) -> (n, batch)."""
        # by matrix products: (n, batch) memory, never (n, batch, latent_size)
        mean, precision = self.mean, self.variance.reciprocal()
        offset = -0.5 * (mean.square() * precision - precision.log() + math.log(2 * math.pi)).sum(-1)
        return offset + z @ (mean * precision).T - 0.5 * z.square() @ precision.T


class GaussianHead(PosteriorHead):
    """Mean and log variance from the encoder's last state, with `batch_norm` each batch-normalized (paper 5.2).

    With `mean_gamma`, the scale of the mean's batch normalization is fixed, which bounds the divergence from below
    (BN-VAE, Zhu et al. 2020, arXiv 2004.12585).

    Args:
        size: d, where the Gaussian is a part of the latent variable alone.
    """

    def __init__(self, config: "WaeRnfConfig", state_size: int, size: int | None = None) -> None:
        super().__init__(config, state_size)
        size = config.latent_size if size is None else size
        bias = not config.batch_norm  # which would take it out again
        self.mean, self.log_variance = (projection(config, state_size, bias, size) for _ in range(2))
        if config.batch_norm:
            self.mean.append(BatchNorm(size, config.mean_gamma, config.batch_norm_eps))
            self.log_variance.append(BatchNorm(size, eps=config.batch_norm_eps))

    @full_precision
    def forward(self, state: torch.Tensor) -> GaussianPosterior:  # (batch, state_size) -> GaussianPosterior
        return GaussianPosterior(self.mean(state), (0.5 * self.log_variance(state)).exp())
