"""A Riemannian metric: the contract, and what holds for each that is given by its tensor."""

import torch
from torch import Tensor

POINTS_AT_ONCE = 2**16


class Metric:
    """What a small step costs: ||dz||²_G = dzᵀ G(z) dz.

    A metric states `tensor`; where it knows better, also the length of a segment, its geodesics, or a guess of them.

    Attributes:
        tolerance: of its geodesics' energies, see `shortest_curves`.
    """

    tolerance = 1e-10

    def tensor(self, z: Tensor) -> Tensor:
        """G: (..., d) -> (..., d, d), symmetric and not negative."""
        raise NotImplementedError

    def rough(self) -> "Metric":
        """The metric where it need only be about right: to choose among starts, and to precondition the search."""
        return self

    def squared_lengths(self, points: Tensor) -> Tensor:
        """s² of the segments between neighbours: (..., steps, d) -> (..., steps - 1).

        By Simpson's rule, Δᵀ (G_i + 4 G_middle + G_i+1) / 6 Δ. The middle alone would let a curve jump over the places
        where G is large, for nothing, to where it is small.
        """
        change, middle = points.diff(dim=-2), (points[..., 1:, :] + points[..., :-1, :]) / 2
        tensor, between = self.tensor(points), self.tensor(middle)
        tensor = (tensor[..., :-1, :, :] + 4 * between + tensor[..., 1:, :, :]) / 6
        return (change.unsqueeze(-2) @ tensor @ change.unsqueeze(-1)).squeeze(-1).squeeze(-1)

    def geodesic(self, a: Tensor, b: Tensor, steps: int) -> Tensor | None:
        """The geodesics between a and b (pairs, d) in closed form, (pairs, steps, d); None where there is none."""
        return None

    def guess(self, a: Tensor, b: Tensor, steps: int) -> Tensor | None:
        """Curves (pairs, steps, d) from which to look for the geodesics, beside straight ones; None for no idea."""
        return None

    def points_at_once(self) -> int:
        """How many points may be measured at a time, for the memory that it takes."""
        return POINTS_AT_ONCE

    def for_search(self) -> "Metric":
        """The metric in a form that is quicker to look for geodesics in, and right to less than `tolerance`."""
        return self

    def of_pairs(self, pairs: Tensor) -> "Metric":
        """The metric of rows that belong to these pairs (rows,), where it differs between pairs."""
        return self


def straight_line(a: Tensor, b: Tensor, steps: int) -> Tensor:
    """(1 - t) a + t b at `steps` equal distances: (..., d) -> (..., steps, d), whose ends are a and b exactly."""
    positions = torch.linspace(0, 1, steps, dtype=a.dtype, device=a.device).unsqueeze(-1)
    return torch.lerp(a.unsqueeze(-2), b.unsqueeze(-2), positions)
