"""A surface in space that was observed everywhere but around its middle, and the metric of a decoder fitted to it.

The decoder is x = μ(z) + σ(z) ε with ε ~ N(0, I): its mean a regression on radial functions, its precision a sum of
them, so that the standard deviation is small near the data and large where nothing was observed. The metric is the
expected pull-back, G = JμᵀJμ + 3 ∇σ ∇σᵀ (Arvanitidis et al. 2018, arXiv 1710.11379, eq. 9).
"""

import torch
from torch import Tensor

from modeling_wae_rnf.riemannian_metric import Metric

INNER, OUTER = 0.7, 1.5  # radii between which there are observations
BEND = 0.4  # of the surface, x_3 = BEND |z|²
OF_MEAN, OF_PRECISION = 0.5, 0.15  # widths of the radial functions
NOISE, DOUBT = 0.05, 1.5  # standard deviation at the data, and far from it
RIDGE = 1e-3


def observations(number: int = 600, seed: int = 0) -> tuple[torch.Tensor, torch.Tensor]:
    """Latents (number, 2), uniform in the ring, and observed points (number, 3) of the surface."""
    generator = torch.Generator().manual_seed(seed)
    share, turn = torch.rand(2, number, generator=generator, dtype=torch.float64)
    radius = (INNER**2 + (OUTER**2 - INNER**2) * share).sqrt()
    z = radius.unsqueeze(-1) * torch.stack([(2 * torch.pi * turn).cos(), (2 * torch.pi * turn).sin()], dim=-1)
    noise = NOISE * torch.randn(number, 3, generator=generator, dtype=torch.float64)
    return z, torch.cat([z, BEND * z.square().sum(-1, keepdim=True)], dim=-1) + noise


class FittedSurface(Metric):
    """The decoder and its metric.

    Args:
        z: (n, 2), latents; x: (n, 3), what was observed there.
    """

    def __init__(self, z: Tensor, x: Tensor) -> None:
        self.places = z[:: max(1, len(z) // 150)]
        features = self.features(z, OF_MEAN)
        ridge = RIDGE * torch.eye(len(self.places), dtype=z.dtype)
        self.weights = torch.linalg.solve(features.T @ features + ridge, features.T @ x)
        self.precision = (NOISE**-2 - DOUBT**-2) / self.features(z, OF_PRECISION).sum(-1).mean()

    def features(self, z: Tensor, width: float) -> Tensor:
        """exp(-|z - c|² / 2 width²): (..., 2) -> (..., places)."""
        return (-(z.unsqueeze(-2) - self.places).square().sum(-1) / (2 * width**2)).exp()

    def slopes(self, z: Tensor, width: float) -> Tensor:
        """Their derivatives: (..., 2) -> (..., places, 2)."""
        return -self.features(z, width).unsqueeze(-1) * (z.unsqueeze(-2) - self.places) / width**2

    def mean(self, z: Tensor) -> Tensor:
        """μ: (..., 2) -> (..., 3)."""
        return self.features(z, OF_MEAN) @ self.weights

    def deviation(self, z: Tensor) -> Tensor:
        """σ: (..., 2) -> (...)."""
        return (self.precision * self.features(z, OF_PRECISION).sum(-1) + DOUBT**-2).rsqrt()

    def tensor(self, z: Tensor) -> Tensor:
        of_mean = self.slopes(z, OF_MEAN).mT @ self.weights  # (..., 2, 3), the transpose of Jμ
        change = self.precision * self.slopes(z, OF_PRECISION).sum(-2)
        of_deviation = -0.5 * self.deviation(z).pow(3).unsqueeze(-1) * change
        return of_mean @ of_mean.mT + 3 * of_deviation.unsqueeze(-1) * of_deviation.unsqueeze(-2)
