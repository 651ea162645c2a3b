"""A map of the latent space in two dimensions: posterior means, the volume of the flow, the cluster centres."""

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

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

MAX_SENTENCES = 2000
SIDE = 101  # points of a side of the background
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
        posterior = encode_split(model, sentences.select(range(min(len(sentences), MAX_SENTENCES))))
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
        self.volume = self._volume()

    @torch.no_grad()
    def _volume(self) -> np.ndarray:
        """log|det J| on a grid of the plane, (SIDE, SIDE), rows from below."""
        axis = np.linspace(-self.half_side, self.half_side, SIDE)
        places = np.stack(np.meshgrid(axis, axis), axis=-1).reshape(-1, 2)
        z = torch.tensor(self.plane.inverse_transform(places), dtype=self.model.dtype, device=self.model.device)
        return self.model.push(z)[1].float().cpu().numpy().reshape(SIDE, SIDE)

    def latents(self, position: tuple[float, float]) -> torch.Tensor:
        """z (1, latent_size) at a place (x, y) of the plane."""
        z = self.plane.inverse_transform(np.asarray([position], dtype=np.float64))
        return torch.tensor(z, dtype=self.model.dtype, device=self.model.device)

    def project(self, z: torch.Tensor) -> np.ndarray:
        """Places (n, 2) on the plane of points (n, latent_size)."""
        return self.plane.transform(z.cpu().double().numpy())

    def save(self, path: str | Path) -> None:
        """The map as a PNG."""
        imsave(path, self.draw()[0])

    def draw(
        self, marked: Sequence[tuple[float, float]] = (), paths: Mapping[str, np.ndarray] | None = None
    ) -> tuple[np.ndarray, Callable[[tuple[float, float]], tuple[float, float] | None]]:
        """The map as an image, and the way back from its pixels.

        Args:
            marked: places (x, y) to mark.
            paths: {name: places (n, 2)} of curves.

        Returns:
            image (height, width, 3) of bytes, and a function from a pixel (column, row) to a place (x, y), or to None
            for one outside the axes.
        """
        figure = Figure(figsize=SIZE, dpi=DPI, layout="constrained")
        canvas, axes = FigureCanvasAgg(figure), figure.subplots()
        middle, spread = self.log_abs_det.mean(), max(np.ptp(self.log_abs_det), NARROWEST_COLOURS)
        colours = {"cmap": "viridis", "vmin": middle - spread / 2, "vmax": middle + spread / 2}
        axis = np.linspace(-self.half_side, self.half_side, SIDE)
        background = axes.pcolormesh(axis, axis, self.volume, shading="nearest", rasterized=True, **colours)
        axes.scatter(*self.points.T, c=self.log_abs_det, s=9, linewidths=0.3, edgecolors="white", **colours)
        figure.colorbar(background, ax=axes, label="log|det J| of the flow, nats")
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
