"""A map of the latent space in two dimensions: posterior means, the volume of a metric, the cluster centres."""

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from datasets import Dataset
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.image import imsave
from sklearn.decomposition import PCA

from modeling_wae_rnf import WaeRnfModel

from .encode_split import encode_split
from .estimators import latent_usage
from .latent_use import LatentUse
from .latent_volume import log_volumes

MAX_SENTENCES = 2000
SIDE = 101  # points of a side of the background
SIDES = {"conformal": 41, "decoder": 21}  # the same, of metrics whose tensors take longer
SHOWN = 0.02, 0.98  # quantiles of a volume between which the colours run
SIZE, DPI = (7.0, 5.6), 100  # inches, points an inch
NARROWEST = 1.0  # half a side, at least: the prior's standard deviation
NARROWEST_COLOURS = 1.0  # nats between the first and the last colour, at least


class LatentMap:
    """The plane of the two largest principal components of a split's posterior means.

    Args:
        model: a `WaeRnfModel` with a latent variable.
        sentences: prepared rows; the first 2,000 are drawn.

    Raises:
        ValueError: a language model, which has no latent variable; or fewer than two sentences.
    """

    def __init__(self, model: WaeRnfModel, sentences: Dataset) -> None:
        if model.config.latent_size < 2:
            raise ValueError("a map needs a latent variable of at least two dimensions")
        if len(sentences) < 2:
            raise ValueError("a map needs at least two sentences")
        self.model = model
        drawn = sentences.select(range(min(len(sentences), MAX_SENTENCES)))
        posterior = encode_split(model, drawn)
        means, generator = posterior.mean, torch.Generator().manual_seed(0)
        self.use = LatentUse.of_posterior(
            posterior, latent_usage(posterior, generator)["mutual_information"], model.prior
        )
        self.plane = PCA(n_components=2, random_state=0).fit(means.numpy())
        self.points = self.plane.transform(means.numpy())
        with torch.no_grad():
            self.log_abs_det = model.push(means.to(model.device, model.dtype))[1].float().cpu().numpy()
        has_metric = model.config.flow_kernel is not None
        self.centres = self.plane.transform(model.centres.float().cpu().numpy()) if has_metric else np.empty((0, 2))
        # the same for every drawing, whatever is marked on it, and for both axes
        self.half_side = 1.05 * max(NARROWEST, np.abs(self.points).max(), *np.abs(self.centres).ravel())
        self.max_words = max(drawn["length"])  # of a sentence of the decoder's metric
        self._volumes: dict[str, np.ndarray] = {}

    @torch.no_grad()
    def volume(self, metric: str = "flow") -> np.ndarray:
        """log √det G on a grid of the plane, (side, side), rows from below; that of the flow is log|det J|.

        It is computed once. Of the decoder's metric it takes a while.
        """
        if metric not in self._volumes:
            side = SIDES.get(metric, SIDE)
            axis = np.linspace(-self.half_side, self.half_side, side)
            places = np.stack(np.meshgrid(axis, axis), axis=-1).reshape(-1, 2)
            z = torch.tensor(self.plane.inverse_transform(places), dtype=self.model.dtype, device=self.model.device)
            values = self.model.push(z)[1] if metric == "flow" else log_volumes(self.model, z, metric, self.max_words)
            self._volumes[metric] = values.float().cpu().numpy().reshape(side, side)
        return self._volumes[metric]

    def _range(self, metric: str) -> dict[str, float]:
        """The values of the first and the last colour: about the sentences' volumes, or about those of the plane."""
        if metric == "flow":
            middle, spread = self.log_abs_det.mean(), np.ptp(self.log_abs_det)
        else:
            low, high = np.quantile(self.volume(metric), SHOWN)
            middle, spread = (low + high) / 2, high - low
        half = max(spread, NARROWEST_COLOURS) / 2
        return {"vmin": middle - half, "vmax": middle + half}

    def latents(self, position: tuple[float, float]) -> torch.Tensor:
        """z (1, latent_size) at a place (x, y) of the plane."""
        z = self.plane.inverse_transform(np.asarray([position], dtype=np.float64))
        return torch.tensor(z, dtype=self.model.dtype, device=self.model.device)

    def project(self, z: torch.Tensor) -> np.ndarray:
        """Places (n, 2) on the plane of points (n, latent_size)."""
        return self.plane.transform(z.cpu().double().numpy())

    def save(self, path: str | Path, metric: str = "flow") -> None:
        """The map as a PNG."""
        imsave(path, self.draw(metric=metric)[0])

    def draw(
        self,
        marked: Sequence[tuple[float, float]] = (),
        paths: Mapping[str, np.ndarray] | None = None,
        metric: str = "flow",
    ) -> tuple[np.ndarray, Callable[[tuple[float, float]], tuple[float, float] | None]]:
        """The map as an image, and the way back from its pixels.

        Args:
            marked: places (x, y) to mark.
            paths: {name: places (n, 2)} of curves.
            metric: whose log volume is the background.

        Returns:
            image (height, width, 3) of bytes, and a function from a pixel (column, row) to a place (x, y), or to None
            for one outside the axes.
        """
        figure = Figure(figsize=SIZE, dpi=DPI, layout="constrained")
        canvas, axes = FigureCanvasAgg(figure), figure.subplots()
        values = self.volume(metric)
        colours: dict[str, Any] = {"cmap": "viridis", **self._range(metric)}
        axis = np.linspace(-self.half_side, self.half_side, len(values))
        background = axes.pcolormesh(axis, axis, values, shading="nearest", rasterized=True, **colours)
        own: dict[str, Any] = {"c": self.log_abs_det, **colours} if metric == "flow" else {"c": "0.2"}
        axes.scatter(*self.points.T, s=9, linewidths=0.3, edgecolors="white", **own)
        figure.colorbar(background, ax=axes, extend="both", label=f"log √det G of the {metric} metric, nats")
        if len(self.centres):
            axes.scatter(*self.centres.T, marker="x", color="tab:red", label="centres")
        for (name, places), style in zip((paths or {}).items(), ("--", "-"), strict=False):
            axes.plot(*places.T, style, color="black" if style == "--" else "tab:red", linewidth=2, label=name)
        if len(marked):
            axes.scatter(
                *np.transpose(marked), marker="*", s=160, color="tab:orange", edgecolors="black", label="chosen"
            )
        if self.use.collapsed:
            axes.set_title(f"collapsed: {self.use.figures}", fontsize="small")
        if axes.get_legend_handles_labels()[0]:
            axes.legend(loc="upper right")
        first, second = 100 * self.plane.explained_variance_ratio_
        axes.set(xlabel=f"first component, {first:.0f}% of the variance", ylabel=f"second component, {second:.0f}%")
        axes.set(xlim=(-self.half_side, self.half_side), ylim=(-self.half_side, self.half_side))
        canvas.draw()
        image = np.asarray(canvas.buffer_rgba())[..., :3].copy()
        to_place, frame = axes.transData.inverted(), axes.get_window_extent()

        def place(pixel: tuple[float, float]) -> tuple[float, float] | None:
            column, row = pixel
            point = (column, len(image) - row)
            x, y = to_place.transform(point)
            return (float(x), float(y)) if frame.contains(*point) else None

        return image, place
