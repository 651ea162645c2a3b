"""q(z | x): the Gaussian posterior, and the heads that compute it from the encoder's last state."""

import torch
from torch import nn
from torch.distributions import Independent, Normal


class GaussianPosterior(Independent):
    """q(z | x) = N(mean, diag(stddev²)), one row a sentence.

    Example:
        >>> posterior = GaussianPosterior(torch.zeros(2, 3), torch.ones(2, 3))
        >>> posterior.kl_divergence()
        tensor([0., 0.])
    """

    def __init__(self, mean, stddev):
        super().__init__(Normal(mean, stddev, validate_args=False), 1, validate_args=False)

    def rsample(self, sample_shape=(), generator=None):
        """z = mean + stddev · noise, of shape (*sample_shape, batch, latent_size), differentiable."""
        shape = (*sample_shape, *self.mean.shape)
        noise = torch.randn(shape, dtype=self.mean.dtype, device=self.mean.device, generator=generator)
        return self.mean + self.stddev * noise

    def kl_divergence(self):
        """KL(q(z | x) || N(0, I)) in closed form: (batch,), nats per sentence."""
        variance = self.variance
        return 0.5 * (self.mean.square() + variance - 1 - variance.log()).sum(-1)


class BatchNorm(nn.BatchNorm1d):
    """Batch normalization that falls back on its running statistics for a batch of one sentence."""

    def forward(self, x):
        if self.training and len(x) == 1:
            return nn.functional.batch_norm(
                x, self.running_mean, self.running_var, self.weight, self.bias, eps=self.eps
            )
        return super().forward(x)


class GaussianHead(nn.Module):
    """Mean and log variance from the encoder's last state, each batch-normalized (paper 5.2).

    `posterior_head="mlp"`: two layers on h_n. "linear": one layer on (h_n, c_n), as in the authors' code.
    """

    def __init__(self, config):
        super().__init__()
        self.mean = self._projection(config)
        self.log_variance = self._projection(config)

    @staticmethod
    def _projection(config):
        # no bias where batch normalization would take it out again
        if config.posterior_head == "linear":
            layers = [nn.Linear(2 * config.hidden_size, config.latent_size, bias=False)]
        else:
            layers = [
                nn.Linear(config.hidden_size, config.hidden_size),
                nn.ReLU(),
                nn.Linear(config.hidden_size, config.latent_size, bias=False),
            ]
        return nn.Sequential(*layers, BatchNorm(config.latent_size))

    def forward(self, state):  # (batch, state_size) -> GaussianPosterior
        return GaussianPosterior(self.mean(state), (0.5 * self.log_variance(state)).exp())
