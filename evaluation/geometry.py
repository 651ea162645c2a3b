"""The geometry of a model's latent space in figures: lengths, neighbours, volumes, and text along paths.

Sentences of a split are drawn as groups of a query and its candidates. A pair is a query and one of its candidates, so
that the geodesics between pairs say both how much longer straight lines are and which candidate is nearest.
"""

import warnings
from dataclasses import asdict, dataclass, replace
from itertools import combinations
from typing import Any

import numpy as np
import torch
from torch import Tensor
from tqdm.auto import tqdm

from modeling_wae_rnf.decoder_metric import draw_sentences, endless
from modeling_wae_rnf.geodesics import Geodesics
from modeling_wae_rnf.latent_operations import spherical
from modeling_wae_rnf.metric_tensor import METRICS, in_double
from modeling_wae_rnf.riemannian_metric import straight_line

from .bootstrap import Interval, bootstrap
from .encode_split import encode_split
from .latent_volume import FAR, far_points, log_volumes
from .path_text import Fluency, decode, path_figures

CANDIDATES = 4  # of each query
AT_ONCE = 20  # pairs between two movements of the progress bar
SENTENCES = 2  # that the decoder's metric draws at each end of a pair
QUARTILES = (0.25, 0.5, 0.75)
TEXT_FIGURES = ("nats_per_token", "mean_edits", "largest_edit", "new_sentences")


@dataclass(frozen=True)
class GeometryOptions:
    """What is measured, and on what.

    Args:
        dataset: as in train.
        split: train, validation or test.
        pairs: of sentences, a multiple of 4.
        steps: points of a curve, its ends included.
        metrics: their names.
        seed: of the sentences that are drawn.
        max_words: after which a sentence of the decoder's metric is cut; by default the split's longest.
    """

    dataset: str
    split: str
    pairs: int
    steps: int
    metrics: tuple[str, ...]
    seed: int
    max_words: int | None = None


def metrics_of(model: Any) -> tuple[str, ...]:
    """The metrics that a model has; none on the simplex, where proportions of topics lie."""
    config = model.config
    if model.prior.space == "simplex":
        return ()
    has = {"flow": config.num_flows > 0, "conformal": config.num_flows > 0 and config.flow_kernel is not None}
    return tuple(name for name in METRICS if has.get(name, True))


def measure_geometry(
    model: Any, tokenizer: Any, sentences: Any, options: GeometryOptions, fluency: Fluency | None = None
) -> dict[str, Any]:
    """All figures of a model's geometry, as geometry.json has them.

    Args:
        model: a `WaeRnfModel` with a latent variable, in evaluation mode.
        sentences: the split's prepared rows.
        fluency: judges text; None leaves that figure out.

    Returns:
        {"lengths": {metric: …}, "neighbours": …, "volumes": {metric: …}, "text": {path: …}, "of_pairs": each pair's
        figures, …}; see docs/geometry.md.

    Raises:
        ValueError: fewer sentences than the pairs need, or a metric that the model has not.
    """
    options = replace(options, max_words=options.max_words or max(sentences["length"]))
    queries, candidates, drawn = draw_pairs(model, sentences, options)
    lines = straight_line(queries, candidates, options.steps)
    curves, lengths, of_pairs = {}, {}, {}
    for metric in options.metrics:
        found, straight, geodesic = solve(model, queries, candidates, options, metric)
        curves[metric] = found.points
        lengths[metric] = length_figures(straight, geodesic, found, options)
        of_pairs[metric] = {"straight": straight.tolist(), "geodesic": geodesic.tolist(),
                            "converged": found.converged.tolist()}  # fmt: skip
    paths = {"straight": lines, "spherical": spherical_lines(queries, candidates, options.steps)}
    paths |= {f"geodesic, {metric}": points for metric, points in curves.items() if metric != "euclidean"}
    text, text_of_pairs, unknown = text_figures(model, tokenizer, paths, fluency, options.seed)
    return {
        "options": asdict(options) | {"metrics": list(options.metrics), "candidates": CANDIDATES, "far": FAR},
        "sentences": drawn,
        "sentences_cut": cut_sentences(model, queries, candidates, options),
        "lengths": lengths,
        "neighbours": neighbour_figures({name: rows["geodesic"] for name, rows in of_pairs.items()}, options.seed),
        "volumes": volume_figures(model, queries, options),
        "text": text,
        "unknown_words": unknown,
        "of_pairs": of_pairs | {"text": text_of_pairs},
    }


def draw_pairs(model: Any, sentences: Any, options: GeometryOptions) -> tuple[Tensor, Tensor, list[list[int]]]:
    """Posterior means of queries and candidates, (pairs, d) each, in double precision, and their sentences."""
    number = options.pairs // CANDIDATES
    needed = number * (1 + CANDIDATES)
    if len(sentences) < needed:
        raise ValueError(
            f"{options.pairs} pairs need {needed} sentences, but the split {options.split} has {len(sentences)}; "
            "name fewer --pairs"
        )
    rows = np.random.default_rng(options.seed).choice(len(sentences), size=(number, 1 + CANDIDATES), replace=False)
    means = encode_split(model, sentences.select(rows.ravel())).mean.to(model.device)
    means = means.unflatten(0, rows.shape)
    return means[:, :1].expand(-1, CANDIDATES, -1).flatten(0, 1), means[:, 1:].flatten(0, 1), rows.tolist()


def solve(
    model: Any, queries: Tensor, candidates: Tensor, options: GeometryOptions, metric: str
) -> tuple[Geodesics, Tensor, Tensor]:
    """The geodesics of all pairs, and the lengths of straight lines and geodesics (pairs,); with a progress bar."""
    parts, given = [], {"metric": metric, "num_samples": SENTENCES, "max_words": options.max_words}
    with (
        warnings.catch_warnings(),
        tqdm(total=len(queries), desc=f"geodesics, {metric}", unit="pair", leave=False, disable=None) as bar,
    ):
        warnings.simplefilter("ignore")  # what is cut is counted once for all pairs
        for a, b in zip(queries.split(AT_ONCE), candidates.split(AT_ONCE), strict=True):
            found = model.shortest_curves(a, b, options.steps, **given)
            curves = (straight_line(a, b, options.steps), found.points)
            parts.append((found, *(model.curve_length(points, **given).cpu() for points in curves)))
            bar.update(len(a))
    found, straight, geodesic = zip(*parts, strict=True)
    return Geodesics(*map(torch.cat, zip(*found, strict=True))), torch.cat(straight), torch.cat(geodesic)


def cut_sentences(model: Any, queries: Tensor, candidates: Tensor, options: GeometryOptions) -> dict[str, int]:
    """How many sentences the decoder's metric drew at the ends of the pairs, and how many had no end and were cut."""
    if "decoder" not in options.metrics:
        return {"drawn": 0, "cut": 0}
    parts = in_double(model.flow), in_double(model.decoder), in_double(model.embedding)
    ends = torch.cat([queries, candidates])
    without = endless(*draw_sentences(*parts, model.config, ends, SENTENCES, options.max_words), model.config)
    return {"drawn": without.numel(), "cut": int(without.sum())}


def length_figures(straight: Tensor, geodesic: Tensor, found: Geodesics, options: GeometryOptions) -> dict[str, Any]:
    """Straight over geodesic length: quartiles, and the median's interval over queries; and how the solver fared."""
    ratio = in_groups(straight / geodesic)
    quartiles = np.quantile(ratio, QUARTILES)
    return {
        "ratio": bootstrap(ratio, np.median, options.seed),
        "quartiles": [float(value) for value in quartiles],
        "geodesic": float(geodesic.mean()),
        "unconverged": int((~found.converged).sum()),
        "iterations": float(found.iterations.double().mean()),
    }


def in_groups(values: Any) -> np.ndarray:
    """Figures of pairs (pairs,) by query, (queries, candidates)."""
    return np.asarray(values, dtype=float).reshape(-1, CANDIDATES)


def neighbour_figures(lengths: dict[str, list[float]], seed: int) -> dict[str, Interval]:
    """How often two metrics have the same of a query's candidates as the nearest: {"one, other": interval}."""
    nearest = {metric: in_groups(values).argmin(1) for metric, values in lengths.items()}
    return {
        f"{one}, {other}": bootstrap((nearest[one] == nearest[other])[:, None], np.mean, seed)
        for one, other in combinations(nearest, 2)
    }


def volume_figures(model: Any, queries: Tensor, options: GeometryOptions) -> dict[str, dict[str, Interval]]:
    """Median log √det G at the queries and far from them, and the median difference with its interval."""
    near = queries[::CANDIDATES].cpu()
    far = far_points(near, options.seed)
    figures = {}
    for metric in options.metrics:
        if metric == "euclidean":
            continue
        inside, outside = (
            log_volumes(model, points.to(model.device), metric, options.max_words).numpy() for points in (near, far)
        )
        figures[metric] = {
            "near": bootstrap(inside[:, None], np.median, options.seed),
            "far": bootstrap(outside[:, None], np.median, options.seed),
            "near_minus_far": bootstrap((inside - outside)[:, None], np.median, options.seed),
        }
    return figures


def spherical_lines(a: Tensor, b: Tensor, steps: int) -> Tensor:
    """(pairs, steps, d)"""
    return torch.stack([spherical(a, b, position) for position in torch.linspace(0, 1, steps).tolist()], dim=1)


def text_figures(
    model: Any, tokenizer: Any, paths: dict[str, Tensor], fluency: Fluency | None, seed: int
) -> tuple[dict[str, dict[str, Interval]], dict[str, dict[str, list[float]]], int]:
    """Means over the paths with their intervals, and each path's figures: {path: {figure: …}} twice; unknown words."""
    means: dict[str, dict[str, Interval]] = {}
    of_pairs: dict[str, dict[str, list[float]]] = {}
    unknown = 0
    for name, points in paths.items():
        texts = decode(model, tokenizer, points)
        rows = [path_figures(path) for path in texts]
        if fluency is not None:
            inside = [text for path in texts for text in path[1:-1]]
            inner, unknown = fluency(inside), unknown + fluency.unknown(inside)
            size = points.shape[1] - 2
            for number, row in enumerate(rows):
                row["nats_per_token"] = float(np.mean(inner[number * size : (number + 1) * size]))
        of_pairs[name] = {figure: [row[figure] for row in rows] for figure in TEXT_FIGURES if figure in rows[0]}
        means[name] = {
            figure: bootstrap(in_groups(values), np.mean, seed) for figure, values in of_pairs[name].items()
        }
    return means, of_pairs, unknown
