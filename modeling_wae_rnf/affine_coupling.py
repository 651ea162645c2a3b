"""Affine coupling layers: a flow whose two directions are equally cheap, and exact."""

from types import ModuleType

import torch
from torch import nn

from .precision import full_precision

START = 0.01  # standard deviation of the last layer's weights: near the identity, and every parameter has a gradient


class LastLayer(nn.Linear):
    """Near zero at the start, so that what is computed from it begins near the identity."""

    def reset_parameters(self, init: ModuleType = nn.init) -> None:
        init.normal_(self.weight, std=START)
        init.zeros_(self.bias)


class AffineCoupling(nn.Module):
    """z_a = y_a, z_b = y_b · exp(tanh s(y_a)) + t(y_a) (Dinh et al. 2017, arXiv 1605.08803, eq. 4 and 5).

    Every other dimension is b: the odd ones, or the even ones where `flipped`. The tanh keeps a layer's scale between
    1/e and e.

    Args:
        latent_size: d.
        hidden_size: of the network with one hidden layer that gives s and t.

    Examples:
        >>> layer = AffineCoupling(4, 8)
        >>> z, log_abs_det = layer(torch.ones(3, 4))
        >>> torch.allclose(layer.inverse(z)[0], torch.ones(3, 4))
        True
    """

    def __init__(self, latent_size: int, hidden_size: int, flipped: bool = False) -> None:
        super().__init__()
        self.first = int(flipped)
        self.network = nn.Sequential(
            nn.Linear(latent_size, hidden_size), nn.Tanh(), LastLayer(hidden_size, 2 * latent_size)
        )

    def _scale_shift(self, z: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """log scale and shift (..., d), zero for the dimensions that they are computed from."""
        kept = torch.arange(z.shape[-1], device=z.device) % 2 == self.first
        log_scale, shift = self.network(z * kept).chunk(2, dim=-1)
        return torch.tanh(log_scale).masked_fill(kept, 0.0), shift.masked_fill(kept, 0.0)

    @full_precision
    def forward(self, y: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """y (..., d) -> z (..., d) and log|det dz/dy| (...)."""
        log_scale, shift = self._scale_shift(y)
        return y * log_scale.exp() + shift, log_scale.sum(-1)

    @full_precision
    def inverse(self, z: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """z (..., d) -> y (..., d) and log|det dz/dy| (...) there."""
        log_scale, shift = self._scale_shift(z)
        return (z - shift) * (-log_scale).exp(), log_scale.sum(-1)
