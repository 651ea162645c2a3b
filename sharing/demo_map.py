"""The demo's map: a click decodes a point, a second one shows the straight line and the geodesic between the two."""

from collections.abc import Callable, Sequence
from typing import Any

import gradio
import numpy as np
from torch import Tensor
from transformers import PreTrainedTokenizerFast

from modeling_wae_rnf import WaeRnfConfig, WaeRnfModel
from modeling_wae_rnf.riemannian_metric import straight_line
from wae_rnf.evaluation.geometry import metrics_of
from wae_rnf.evaluation.latent_map import LatentMap
from wae_rnf.evaluation.latent_use import latent_warning
from wae_rnf.evaluation.path_text import decode

STEPS = 21  # points of a curve
FIRST = "flow"  # metric of the background
SHOWN = 4  # every which of them has its sentence listed
ABOUT = (
    "Posterior means of the test split on their two principal components, over the log volume of a metric. A click "
    "decodes the point; a second one draws the straight line and the geodesic between them, and lists the sentences "
    "along both. A geodesic leaves the plane: its projection is drawn."
)


def map_tab(
    model: WaeRnfModel,
    tokenizer: PreTrainedTokenizerFast,
    latent_map: LatentMap,
    advise: Callable[[WaeRnfConfig], str],
) -> None:
    """The tab of a page.

    Args:
        latent_map: of the model.
        advise: see `build_demo`.
    """
    image, place = latent_map.draw()

    def redraw(first: Any, background: str) -> np.ndarray:
        return latent_map.draw([] if first is None else [first], metric=background)[0]

    def choose(first: Any, metric: str, background: str, event: gradio.SelectData) -> tuple:
        position = place(event.index)
        if position is None:  # beside the axes
            return (gradio.skip(),) * 5
        where = f"({position[0]:.2f}, {position[1]:.2f})"
        if first is None:
            (texts,) = decode(model, tokenizer, latent_map.latents(position).unsqueeze(1))
            return latent_map.draw([position], metric=background)[0], texts[0], where, "", position
        paths, lengths = ways(model, latent_map, first, position, metric)
        listed = "\n\n".join(
            f"{name}, length {length:.2f}\n" + "\n".join(decode(model, tokenizer, points)[0][::SHOWN])
            for (name, points), length in zip(paths.items(), lengths, strict=True)
        )
        flat = {name: latent_map.project(points[0]) for name, points in paths.items()}
        (texts,) = decode(model, tokenizer, latent_map.latents(position).unsqueeze(1))
        return latent_map.draw([first, position], flat, background)[0], texts[0], where, listed, None

    with gradio.Tab("Map"):
        gradio.Markdown(ABOUT)
        if warning := latent_warning(latent_map.use, advise(model.config)):
            gradio.Markdown(f"**Warning**: {warning}")
        names = metrics_of(model)
        with gradio.Row():
            metric = gradio.Dropdown(names, value=names[-1], label="Metric of the geodesic", elem_id="metric")
            label = "Metric of the background, log √det G (the decoder's takes a while)"
            background = gradio.Dropdown(backgrounds(names), value=FIRST, label=label, elem_id="background")
        first = gradio.State(None)
        picture = gradio.Image(image, interactive=False, show_label=False, buttons=[], elem_id="map")
        with gradio.Row():
            text = gradio.Textbox(
                middle(model, tokenizer, latent_map), label="The sentence there", scale=4, elem_id="decoded"
            )
            where = gradio.Textbox("(0.00, 0.00)", label="Place", elem_id="place")
        along = gradio.Textbox(
            label="Along the straight line and the geodesic",
            placeholder="Click on two places.",
            lines=3,
            max_lines=20,
            elem_id="along",
        )
        background.change(redraw, [first, background], picture)
        picture.select(choose, [first, metric, background], [picture, text, where, along, first])


def backgrounds(names: Sequence[str]) -> list[str]:
    """The metrics whose volume a map can show: the flow's, 0 without one, and others that are not constant.

    Examples:
        >>> backgrounds(["euclidean", "decoder"])
        ['flow', 'decoder']
    """
    return [FIRST, *(name for name in names if name not in ("euclidean", FIRST))]


def middle(model: WaeRnfModel, tokenizer: PreTrainedTokenizerFast, latent_map: LatentMap) -> str:
    """The sentence in the middle of the map, which is shown before the first click."""
    (texts,) = decode(model, tokenizer, latent_map.latents((0.0, 0.0)).unsqueeze(1))
    return texts[0]


def ways(
    model: WaeRnfModel, latent_map: LatentMap, one: Any, other: Any, metric: str
) -> tuple[dict[str, Tensor], list[float]]:
    """The straight line and the geodesic between two places, {name: (1, steps, d)}, and their lengths."""
    a, b = (latent_map.latents(position) for position in (one, other))
    found = model.shortest_curves(a, b, STEPS, metric=metric)
    name = f"geodesic, {metric}" + ("" if bool(found.converged) else ", not converged")
    paths = {"straight": straight_line(a, b, STEPS), name: found.points.to(a)}
    return paths, [model.curve_length(points, metric=metric).item() for points in paths.values()]
