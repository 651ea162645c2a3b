"""How much volume a metric gives to the latent space near the data and far from it."""

from typing import Any

import torch

FAR = 2.0  # how much farther out than the data, on average
AT_ONCE = 16  # points whose tensors are formed together
TINY = 1e-300  # of a determinant: where a metric vanishes, its logarithm stays a number


def far_points(means: torch.Tensor, seed: int = 0) -> torch.Tensor:
    """As many points in random directions from the middle of the means (n, d), all `FAR` times their mean distance."""
    generator = torch.Generator().manual_seed(seed)
    directions = torch.randn(means.shape, generator=generator, dtype=torch.float64)
    middle = means.mean(0)
    distance = FAR * (means - middle).norm(dim=1).mean()
    return middle + distance * torch.nn.functional.normalize(directions, dim=1)


def log_volumes(model: Any, points: torch.Tensor, metric: str, max_words: int | None = None) -> torch.Tensor:
    """log √det G at points (n, d): (n,), nats; sentences of the decoder's metric are cut after `max_words`."""
    found = [model.metric_tensor(part.double(), metric=metric, max_words=max_words) for part in points.split(AT_ONCE)]
    values = torch.linalg.eigvalsh(torch.cat(found).double()).clamp_min(TINY)
    return values.log().sum(-1).div(2).cpu()
