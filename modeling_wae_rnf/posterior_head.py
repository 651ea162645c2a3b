"""What every posterior head has in common: the encoder's vector in, q(z|x) out."""

import torch
from torch import nn

from .part import Part


class PosteriorHead(Part, nn.Module):
    """The contract: (batch, state_size) -> a posterior of batch rows, such as [`GaussianPosterior`].

    A posterior has `mean` (batch, latent_size) and the methods `rsample(sample_shape, generator)`, `log_prob(z)`,
    `log_prob_of_each(z)`, `entropy()`, `kl_divergence()` and `kl_per_dimension()` (None where it
    is no sum over the dimensions) from its natural prior, `detach()`, and
    `concatenate(posteriors, order)`.

    Attributes:
        space: where its z lie; those of the prior lie there too. Only a "euclidean" one has flows and an MMD.
        natural_prior: the name of the prior where the configuration names none.
    """

    space = "euclidean"
    natural_prior = "standard_normal"

    def __init__(self, config, state_size: int):
        super().__init__()

    def forward(self, state: torch.Tensor):
        """(batch, state_size) -> the posterior."""
        raise NotImplementedError


def projection(config, state_size: int, bias: bool) -> nn.Sequential:
    """From the encoder's vector to the latent variable's size: "mlp", two layers (paper 5.2), or "linear", one layer,
    as in the authors' code."""
    if config.posterior_head == "linear":
        return nn.Sequential(nn.Linear(state_size, config.latent_size, bias=bias))
    return nn.Sequential(
        nn.Linear(state_size, config.hidden_size),
        nn.ReLU(),
        nn.Linear(config.hidden_size, config.latent_size, bias=bias),
    )
