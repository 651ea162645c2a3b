"""The drawings of docs/geometry.md: `make figures`."""

import argparse
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from matplotlib import colormaps
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from modeling_wae_rnf.geodesics import curve_length, shortest_curves
from modeling_wae_rnf.riemannian_metric import straight_line
from wae_rnf.evaluation.json_files import read_json

from .latent_plane import PLANE
from .surface_with_a_hole import OUTER, FittedSurface, observations

DOCS = Path("docs")
DPI = 110
STEPS = 61
ENDS = [[-1.1, 0.25]], [[1.1, -0.1]]
PATHS: dict[str, dict[str, Any]] = {
    "straight": {"color": "black", "linestyle": "--"},
    "geodesic": {"color": "tab:red", "linestyle": "-"},
}


def draw_hole(path: Path) -> None:
    """The latent space with a hole, coloured by log volume, and the surface: a straight line and the geodesic."""
    z, x = observations()
    surface = FittedSurface(z, x)
    a, b = (torch.tensor(end, dtype=torch.float64) for end in ENDS)
    curves = {"straight": straight_line(a, b, STEPS), "geodesic": shortest_curves(surface, a, b, STEPS).points}
    figure = Figure(figsize=(10, 4.4), layout="constrained")
    plane, space = figure.add_subplot(1, 2, 1), figure.add_subplot(1, 2, 2, projection="3d")
    axis = torch.linspace(-1.15 * OUTER, 1.15 * OUTER, 161, dtype=torch.float64)
    grid = torch.cartesian_prod(axis, axis)
    volume = torch.linalg.det(surface.tensor(grid)).clamp_min(1e-12).log().view(161, 161) / 2
    show_volume(figure, plane, axis.numpy(), volume.numpy())
    plane.scatter(*z.T, s=3, color="white", linewidths=0, label="observed")
    space.scatter(*x.T, s=3, color="0.6", linewidths=0)
    for name, points in curves.items():
        length = curve_length(surface, points).item()
        plane.plot(*points[0].T, **PATHS[name], linewidth=2, label=f"{name}, length {length:.1f}")
        space.plot(*surface.mean(points[0]).T, **PATHS[name], linewidth=2, zorder=9)
    plane.set(title="latent space", aspect="equal", xlabel="$z_1$", ylabel="$z_2$")
    plane.legend(loc="lower right", fontsize="small", framealpha=0.9, facecolor="0.6", markerscale=3)
    space.set(title="what the decoder makes of it", xlabel="$x_1$", ylabel="$x_2$", zlabel="$x_3$")
    space.view_init(elev=42, azim=-75)
    figure.savefig(path, dpi=DPI)


def draw_plane(found: dict, path: Path) -> None:
    """The map of a model of two dimensions three times: by topic, by sentiment, by log volume.

    Args:
        found: what `latent_plane.measure_plane` gives.
        path: of the PNG.
    """
    figure = Figure(figsize=(11.5, 5.8), layout="constrained")
    topics, sentiment, volume = figure.subplots(1, 3, sharex=True, sharey=True)
    means = np.array(found["means"])
    for axes, title, labels in (
        (topics, "by topic", found["topics"]),
        (sentiment, "by sentiment", found["polarities"]),
    ):
        show_classes(axes, means, labels)
        axes.set(title=title, aspect="equal", xlabel="$z_1$")
    show_volume(figure, volume, found["axis"], np.array(found["log_volume"]))
    for name, curve in found["paths"].items():
        for axes in (topics, sentiment, volume):
            axes.plot(*np.array(curve["points"]).T, **PATHS[name], linewidth=2, label=f"{name}, {curve['length']:.1f}")
    volume.legend(loc="lower right", fontsize="small", title="length", facecolor="0.75")
    volume.set(title="by log volume of the decoder's metric", aspect="equal", xlabel="$z_1$")
    topics.set(ylabel="$z_2$", xlim=(found["axis"][0], found["axis"][-1]), ylim=(found["axis"][0], found["axis"][-1]))
    figure.savefig(path, dpi=DPI)


def show_classes(axes: Axes, means: np.ndarray, labels: Sequence[str]) -> None:
    """Points in a colour for each label, the most frequent label first, and a legend below."""
    names = sorted(set(labels), key=lambda name: (-labels.count(name), name))
    for number, name in enumerate(names):
        chosen = means[[label == name for label in labels]]
        axes.scatter(*chosen.T, s=9, linewidths=0, alpha=0.8, color=colormaps["tab10"](number), label=name)
    axes.legend(loc="upper center", bbox_to_anchor=(0.5, -0.16), ncols=3, markerscale=2, columnspacing=1)


def show_volume(figure: Figure, axes: Axes, axis: np.ndarray, values: np.ndarray) -> None:
    """Values (first coordinate, second coordinate) as colours."""
    image = axes.pcolormesh(axis, axis, values.T, cmap="viridis", shading="nearest", rasterized=True)
    figure.colorbar(image, ax=axes, label="log volume, nats", shrink=0.85)


def main(argv: list[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--output", type=Path, default=DOCS, help="folder of the drawings")
    output = parser.parse_args(argv).output
    output.mkdir(parents=True, exist_ok=True)
    draw_hole(output / "latent_hole.png")
    draw_plane(read_json(PLANE), output / "latent_plane.png")


if __name__ == "__main__":
    main()
