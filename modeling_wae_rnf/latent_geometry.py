"""The latent space as a Riemannian manifold: lengths, energies, geodesics, distances by a metric's name."""

import warnings
from collections.abc import Callable
from typing import TYPE_CHECKING

import torch
from torch import Tensor

from .geodesics import Geodesics, curve_energy, curve_length, shortest_curves
from .metric_tensor import metric_of
from .riemannian_metric import Metric

if TYPE_CHECKING:
    from .modeling_wae_rnf import WaeRnfModel

NODES = 20  # segments, at least, of a curve that is solved for; those asked for are picked from it


class LatentGeometry:
    """Metrics of z, the base space: "euclidean", "flow", "conformal" and "decoder", see `metric_tensor.py`.

    All of it is computed in double precision. A von Mises-Fisher model's z lies on a sphere, and its metrics here are
    those of the space around. A model with topics has none of them.
    """

    @torch.no_grad()
    def metric_tensor(
        self: "WaeRnfModel", z: Tensor, metric: str = "flow", num_samples: int = 2, max_words: int | None = None
    ) -> Tensor:
        """G(z), the squared length of a small step from z, dzᵀ G dz.

        Args:
            z: (..., latent_size).
            metric: "euclidean", "flow", "conformal" or "decoder".
            num_samples: sentences that are drawn from p(x|z) at each z, for "decoder": a mean over them stands for the
                expectation.
            max_words: after which such a sentence is cut, with a warning that counts them; the configuration's by
                default. Sentences that never end make the metric slow.

        Returns:
            (..., latent_size, latent_size)

        Raises:
            ValueError: an unknown metric, z of another size, "conformal" without a kernel, a language model.

        Example:
            >>> from .configuration_wae_rnf import WaeRnfConfig
            >>> from .modeling_wae_rnf import WaeRnfModel
            >>> model = WaeRnfModel(WaeRnfConfig(vocab_size=20, hidden_size=8, latent_size=4))
            >>> model.metric_tensor(torch.zeros(3, 4), metric="flow").shape
            torch.Size([3, 4, 4])
        """
        self._check_latents(z)
        rows = z.reshape(-1, z.shape[-1]).to(self.device, torch.float64)
        tensor = metric_of(self, metric, rows.unsqueeze(1), num_samples, max_words).tensor(rows.unsqueeze(1))
        return tensor.view(*z.shape, -1).to(z)

    def curve_length(
        self: "WaeRnfModel", points: Tensor, metric: str = "flow", num_samples: int = 2, max_words: int | None = None
    ) -> Tensor:
        """L = ∫ ||γ'||_G dt of a curve (eq. 3), the sum of its segments' lengths.

        Args:
            points: (..., steps, latent_size).
            metric, num_samples, max_words: as for `metric_tensor`; sentences are drawn at both ends, and are
                the same all along.

        Returns:
            (...)
        """
        return self._measure(curve_length, points, metric, num_samples, max_words)

    def curve_energy(
        self: "WaeRnfModel", points: Tensor, metric: str = "flow", num_samples: int = 2, max_words: int | None = None
    ) -> Tensor:
        """E = ½ ∫ ||γ'||²_G dt of a curve, t in [0, 1], at least L²/2, and no more at constant speed.

        Args, returns: as for `curve_length`.
        """
        return self._measure(curve_energy, points, metric, num_samples, max_words)

    @torch.no_grad()
    def geodesic(
        self: "WaeRnfModel",
        a: Tensor,
        b: Tensor,
        steps: int = 21,
        metric: str = "flow",
        num_samples: int = 2,
        starts: int = 3,
        max_words: int | None = None,
    ) -> Tensor:
        """Shortest curves from a to b, at constant speed (eq. 5 and 6).

        Those of "euclidean" and "flow" are known in closed form. The others are minimized over discrete curves, see
        [`shortest_curves`]: a shorter one that no start leads to is not found.

        Args:
            a, b: (batch, latent_size).
            steps: points of each curve, its ends included.
            metric, num_samples, max_words: as for `curve_length`.
            starts: initial curves, of which the best end counts.

        Returns:
            (batch, steps, latent_size). A warning says how many curves did not converge.

        Raises:
            ValueError: fewer than two steps, shapes that do not fit; and as for `metric_tensor`.
        """
        found = self.shortest_curves(a, b, steps, metric, num_samples, starts, max_words)
        if missed := int((~found.converged).sum()):
            warnings.warn(f"{missed} of {len(a)} geodesics did not converge: take them as curves", stacklevel=3)
        return found.points.to(a)

    @torch.no_grad()
    def latent_distance(
        self: "WaeRnfModel",
        a: Tensor,
        b: Tensor,
        metric: str = "flow",
        num_samples: int = 2,
        starts: int = 3,
        max_words: int | None = None,
    ) -> Tensor:
        """The length of the shortest curve between a and b, both (batch, latent_size): (batch,)."""
        points = self.geodesic(a, b, NODES + 1, metric, num_samples, starts, max_words)
        return self.curve_length(points, metric, num_samples, max_words)

    @torch.no_grad()
    def shortest_curves(
        self: "WaeRnfModel",
        a: Tensor,
        b: Tensor,
        steps: int = 21,
        metric: str = "flow",
        num_samples: int = 2,
        starts: int = 3,
        max_words: int | None = None,
    ) -> Geodesics:
        """As `geodesic`, and what the solver says of each curve.

        Returns:
            [`Geodesics`]: the points, in double precision, their energy, whether they converged, and after how many
            iterations; those of a closed form converge after none.
        """
        self._check_ends(a, b, steps, starts)
        a, b = (z.to(self.device, torch.float64) for z in (a, b))
        table = metric_of(self, metric, torch.stack([a, b], dim=1), num_samples, max_words)
        points = table.geodesic(a, b, steps)
        if points is not None:
            iterations = torch.zeros(len(a), dtype=torch.long, device=a.device)
            return Geodesics(points, curve_energy(table, points), iterations == 0, iterations)
        finer = -(-NODES // (steps - 1))
        nodes = (steps - 1) * finer + 1
        parts = torch.arange(len(a), device=a.device).split(max(1, table.points_at_once() // nodes))
        parts_found = [shortest_curves(table.of_pairs(rows), a[rows], b[rows], nodes, starts) for rows in parts]
        found = Geodesics(*map(torch.cat, zip(*parts_found, strict=True)))
        return found._replace(points=found.points[:, ::finer])

    def _check_ends(self: "WaeRnfModel", a: Tensor, b: Tensor, steps: int, starts: int) -> None:
        if a.dim() != 2 or a.shape != b.shape:
            raise ValueError(
                f"a and b must both have shape (batch, latent_size), not {tuple(a.shape)} and {tuple(b.shape)}"
            )
        for name, value, least in (("steps", steps, 2), ("starts", starts, 1)):
            if value < least:
                raise ValueError(f"{name} must be at least {least}, not {value}")
        self._check_latents(a)
        self._check_latents(b)

    def _measure(
        self: "WaeRnfModel",
        measure: Callable[[Metric, Tensor], Tensor],
        points: Tensor,
        metric: str,
        num_samples: int,
        max_words: int | None,
    ) -> Tensor:
        self._check_latents(points)
        if points.dim() < 2 or points.shape[-2] < 2:
            raise ValueError(f"a curve has at least two points, (..., steps, latent_size), not {tuple(points.shape)}")
        curves = points.reshape(-1, *points.shape[-2:]).to(self.device, torch.float64)
        table = metric_of(self, metric, curves[:, [0, -1]], num_samples, max_words)
        return measure(table, curves).view(points.shape[:-2]).to(points)

    def _check_latents(self: "WaeRnfModel", z: Tensor) -> None:
        size = self.config.latent_size
        if not self.config.has_latents:
            raise ValueError("a language model has no latent variable, and so no geometry of a latent space")
        if self.prior.space == "simplex":
            raise ValueError("proportions of topics lie on a simplex, for which there is no metric here")
        if z.dim() == 0 or z.shape[-1] != size:
            raise ValueError(f"points of the latent space have shape (..., {size}), not {tuple(z.shape)}")
        if not z.isfinite().all():
            raise ValueError("points of the latent space must be finite numbers")
