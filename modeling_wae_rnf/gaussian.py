"""q(z | x): the Gaussian posterior, and the heads that compute it from the encoder's last state."""

import math

import torch
import torch.nn.functional as F
from torch import nn
from torch.distributions import Independent, Normal

from .distributed import batch_mean, count_rows, num_processes
from .precision import full_precision
from .von_mises_fisher import VonMisesFisherPosterior

HALF = (torch.float16, torch.bfloat16)


def standard_normal_log_prob(z):
    """log N(z; 0, I), summed over the last dimension."""
    return Normal(0.0, 1.0, validate_args=False).log_prob(z).sum(-1)


class GaussianPosterior(Independent):
    """q(z | x) = N(mean, diag(stddev²)), one row a sentence. Its natural prior is N(0, I).

    Example:
        >>> posterior = GaussianPosterior(torch.zeros(2, 3), torch.ones(2, 3))
        >>> posterior.kl_divergence()
        tensor([0., 0.])
    """

    def __init__(self, mean, stddev):
        super().__init__(Normal(mean, stddev, validate_args=False), 1, validate_args=False)

    @classmethod
    def concatenate(cls, posteriors, order):
        """The rows of many posteriors as one in double precision on the CPU, in an order of their numbers."""
        mean, stddev = ([getattr(part, name).cpu().double() for part in posteriors] for name in ("mean", "stddev"))
        return cls(torch.cat(mean)[order], torch.cat(stddev)[order])

    def rsample(self, sample_shape=(), generator=None):
        """z = mean + stddev · noise, of shape (*sample_shape, batch, latent_size), differentiable."""
        shape = (*sample_shape, *self.mean.shape)
        options = {} if generator is None else {"generator": generator}  # torch.compile refuses None at any batch size
        noise = torch.randn(shape, dtype=self.mean.dtype, device=self.mean.device, **options)
        return self.mean + self.stddev * noise

    def detach(self):
        """The same distribution, whose parameters are constants."""
        return type(self)(self.mean.detach(), self.stddev.detach())

    def kl_per_dimension(self):
        """KL(q(z_i | x) || N(0, 1)) in closed form: (batch, latent_size), nats."""
        variance = self.variance
        return 0.5 * (self.mean.square() + variance - 1 - variance.log())

    def kl_divergence(self):
        """KL(q(z | x) || N(0, I)) in closed form: (batch,), nats per sentence."""
        return self.kl_per_dimension().sum(-1)

    def log_prob_of_each(self, z):
        """log q(z_i | x_j) of every pair: (n, latent_size) -> (n, batch)."""
        # by matrix products: (n, batch) memory, never (n, batch, latent_size)
        mean, precision = self.mean, self.variance.reciprocal()
        offset = -0.5 * (mean.square() * precision - precision.log() + math.log(2 * math.pi)).sum(-1)
        return offset + z @ (mean * precision).T - 0.5 * z.square() @ precision.T

    prior_log_prob = staticmethod(standard_normal_log_prob)

    @staticmethod
    def sample_prior(shape, **options):
        """Samples of N(0, I) of a shape (..., latent_size); options as for `torch.randn`."""
        return torch.randn(shape, **options)


class BatchNorm(nn.BatchNorm1d):
    """Batch normalization over the rows of all processes; a batch of one sentence takes the running statistics.

    Those stay in single precision in a model of half precision, where a small variance would be 0.

    Args:
        size: features.
        gamma: scale that is kept, not learned; None learns it.
        eps: added to the variance.
    """

    def __init__(self, size, gamma=None, eps=1e-5):
        super().__init__(size, eps=eps)
        if self.running_var.dtype in HALF:  # a model that is made in half precision, which loses a small variance
            self.running_mean, self.running_var = self.running_mean.float(), self.running_var.float()
        self.gamma = gamma
        if gamma is not None:
            self.weight.requires_grad_(False).fill_(gamma)

    def _apply(self, fn, recurse=True):
        before = {"running_mean": self.running_mean, "running_var": self.running_var}
        super()._apply(fn, recurse)
        for name, statistics in before.items():
            moved = getattr(self, name)
            if moved.dtype in HALF:
                setattr(self, name, statistics.to(moved.device))
        return self

    def forward(self, x):
        if self.running_var.dtype != x.dtype:
            return self._normalize(x.to(self.running_var.dtype)).to(x.dtype)
        if self.training and (num_processes() > 1 or len(x) == 1):
            return self._normalize(x)
        return super().forward(x)

    def _normalize(self, x):
        count = count_rows(x).sum()
        if not self.training or count == 1:
            return (x - self.running_mean) * (self.running_var + self.eps).rsqrt() * self.weight + self.bias
        mean = batch_mean(x)
        variance = batch_mean((x - mean).square())
        with torch.no_grad():
            self.num_batches_tracked += 1
            rate = 1 / self.num_batches_tracked if self.momentum is None else self.momentum
            self.running_mean.lerp_(mean, rate)
            self.running_var.lerp_(variance * count / (count - 1), rate)
        return (x - mean) * (variance + self.eps).rsqrt() * self.weight + self.bias


def projection(config, bias):
    """From the encoder's last state to the latent code's size: "mlp", two layers on h_n (paper 5.2), or "linear",
    one layer on (h_n, c_n), as in the authors' code."""
    if config.posterior_head == "linear":
        return nn.Sequential(nn.Linear(2 * config.hidden_size, config.latent_size, bias=bias))
    return nn.Sequential(
        nn.Linear(config.hidden_size, config.hidden_size),
        nn.ReLU(),
        nn.Linear(config.hidden_size, config.latent_size, bias=bias),
    )


class GaussianHead(nn.Module):
    """Mean and log variance from the encoder's last state, with `batch_norm` each batch-normalized (paper 5.2).

    With `mean_gamma`, the scale of the mean's batch normalization is fixed, which bounds the divergence from below
    (BN-VAE, Zhu et al. 2020, arXiv 2004.12585).
    """

    def __init__(self, config):
        super().__init__()
        # no bias where batch normalization would take it out again
        self.mean, self.log_variance = (projection(config, bias=not config.batch_norm) for _ in range(2))
        if config.batch_norm:
            self.mean.append(BatchNorm(config.latent_size, config.mean_gamma, config.batch_norm_eps))
            self.log_variance.append(BatchNorm(config.latent_size, eps=config.batch_norm_eps))

    @full_precision
    def forward(self, state):  # (batch, state_size) -> GaussianPosterior
        return GaussianPosterior(self.mean(state), (0.5 * self.log_variance(state)).exp())


class VonMisesFisherHead(nn.Module):
    """The mean direction from the encoder's last state; the concentration is the configuration's."""

    def __init__(self, config):
        super().__init__()
        self.kappa = config.kappa
        self.mean = projection(config, bias=True)

    @full_precision
    def forward(self, state):  # (batch, state_size) -> VonMisesFisherPosterior
        return VonMisesFisherPosterior(F.normalize(self.mean(state), dim=-1), self.kappa)


HEADS = {"gaussian": GaussianHead, "vmf": VonMisesFisherHead}
