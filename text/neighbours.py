"""Nearest neighbours in the latent space."""

from collections.abc import Callable, Sequence
from typing import NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor

PAIRS_AT_ONCE = 2**24


class Neighbour(NamedTuple):
    """A text of a corpus, where it stands in it, and how near it is: cosine similarity, or Euclidean distance."""

    text: str
    position: int
    value: float


def cosine(queries: Tensor, latents: Tensor) -> Tensor:
    """The cosine of the angle between each pair, (n, m)."""
    return F.normalize(queries, dim=-1) @ F.normalize(latents, dim=-1).T


def negative_distance(queries: Tensor, latents: Tensor) -> Tensor:
    """Minus the Euclidean distance of each pair, (n, m)."""
    return -torch.cdist(queries, latents, compute_mode="donot_use_mm_for_euclid_dist")


# by name: what is largest for the nearest, and the sign that it is shown with
METRICS: dict[str, tuple[Callable[[Tensor, Tensor], Tensor], int]] = {
    "cosine": (cosine, 1),
    "euclidean": (negative_distance, -1),
}


def check_neighbours(k: int, size: int, metric: str) -> None:
    """Raises ValueError unless so many neighbours can be had of a corpus of this size."""
    if metric not in METRICS:
        raise ValueError(f"metric must be one of {', '.join(METRICS)}, but is {metric!r}")
    if not 1 <= k <= size:
        raise ValueError(f"k must lie in 1 to {size:,}, the sentences of the corpus, but is {k:,}")


def nearest(
    queries: Tensor, latents: Tensor, corpus: Sequence[str], k: int, metric: str = "cosine"
) -> list[list[Neighbour]]:
    """The k texts of a corpus that are nearest to each query, the nearest first.

    Args:
        queries: (n, d); latents: (m, d), of the corpus; compared in double precision.
        corpus: m texts.
        k: neighbours of each query.
        metric: "cosine", the greatest similarity, or "euclidean", the smallest distance.

    Raises:
        ValueError: an unknown metric, or more neighbours than texts.

    Examples:
        >>> latents = torch.tensor([[0.0, 1.0], [3.0, 0.0]])
        >>> nearest(torch.tensor([[2.0, 0.0]]), latents, ["up", "right"], k=1)
        [[Neighbour(text='right', position=1, value=1.0)]]
        >>> nearest(torch.tensor([[2.0, 0.0]]), latents, ["up", "right"], k=1, metric="euclidean")
        [[Neighbour(text='right', position=1, value=1.0)]]
    """
    check_neighbours(k, len(corpus), metric)
    closeness, sign = METRICS[metric]
    found = []
    for part in queries.double().split(max(1, PAIRS_AT_ONCE // len(corpus))):
        values, numbers = closeness(part, latents.double()).topk(k, dim=-1)
        pairs = zip((sign * values).tolist(), numbers.tolist(), strict=True)
        found += [[Neighbour(corpus[i], i, value) for value, i in zip(*row, strict=True)] for row in pairs]
    return found
