"""The section of docs/geometry.md on what was measured: tables of results/geometry, and whether the kernel helps."""

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

import numpy as np

from wae_rnf.evaluation.geometry import CANDIDATES
from wae_rnf.evaluation.geometry_table import TEXT_HEADINGS, interval
from wae_rnf.evaluation.json_files import read_json
from wae_rnf.evaluation.markdown import table

from .intervals import Difference, paired_difference

Runs = Mapping[str, Sequence[dict]]  # {row: [geometry of each seed]}
WITH, WITHOUT = "wae-rnf", "wae-nf"
# what a better latent space has more of (+1) or less of (-1), by its place in a file's `of_pairs`
FIGURES = {
    "straight over geodesic length, decoder's metric": (-1, "decoder", None),
    "NLL per token along straight lines": (-1, "straight", "nats_per_token"),
    "mean edit along straight lines": (-1, "straight", "mean_edits"),
    "new sentences along straight lines": (+1, "straight", "new_sentences"),
    "NLL per token along the decoder's geodesics": (-1, "geodesic, decoder", "nats_per_token"),
}


def read_geometries(folder: Path) -> dict[str, dict[str, list[dict]]]:
    """{corpus: {row: [geometry of each seed]}} of the files CORPUS/ROW.json and CORPUS/ROW-seed_N.json."""
    found: dict[str, dict[str, list[dict]]] = {}
    for path in sorted(folder.glob("*/*.json")):
        found.setdefault(path.parent.name, {}).setdefault(path.stem.partition("-seed_")[0], []).append(read_json(path))
    return found


def geometry_section(folder: Path) -> list[str]:
    """Tables of each corpus, and what follows from them."""
    parts = []
    for corpus, runs in read_geometries(folder).items():
        first = next(iter(runs.values()))[0]
        parts.append(
            f"**{corpus}**, {first['options']['split']} split, {first['options']['pairs']} pairs of sentences, curves "
            f"of {first['options']['steps']} points; the first seed of each row; 95% intervals of a bootstrap over "
            "queries in brackets:"
        )
        parts += [lengths_table(runs), neighbours_table(runs), volumes_table(runs), text_table(runs)]
        parts += comparison(runs)
    return parts


def firsts(runs: Runs) -> Iterator[tuple[str, dict]]:
    return ((row, seeds[0]) for row, seeds in runs.items())


def lengths_table(runs: Runs) -> str:
    rows = [
        [row, metric, interval(one["ratio"]), *(f"{one['quartiles'][place]:.2f}" for place in (0, 2)),
         str(one["unconverged"])]
        for row, found in firsts(runs)
        for metric, one in found["lengths"].items()
        if metric != "euclidean"
    ]  # fmt: skip
    header = ["row", "metric", "straight over geodesic, median", "lower quartile", "upper quartile", "unconverged"]
    return table(header, rows)


def neighbours_table(runs: Runs) -> str:
    rows = [[row, names, interval(one)] for row, found in firsts(runs) for names, one in found["neighbours"].items()]
    return table(["row", "metrics", f"same nearest of {CANDIDATES} candidates (by chance {1 / CANDIDATES:g})"], rows)


def volumes_table(runs: Runs) -> str:
    rows = [
        [row, metric, *(interval(one[name]) for name in ("near", "far", "near_minus_far"))]
        for row, found in firsts(runs)
        for metric, one in found["volumes"].items()
    ]
    return table(["row", "metric", "log volume near the data", "far from it", "difference"], rows)


def text_table(runs: Runs) -> str:
    rows = [
        [row, path, *(interval(one[name]) if name in one else "–" for name in TEXT_HEADINGS)]
        for row, found in firsts(runs)
        for path, one in found["text"].items()
    ]
    return table(["row", "path", "NLL per token", "mean edit", "largest edit", "new sentences"], rows)


def by_query(found: dict, group: str, figure: str | None) -> np.ndarray | None:
    """A figure of each pair, averaged over a query's candidates, (queries,); None where it was not measured."""
    pairs = found["of_pairs"]
    if figure is None:
        values = pairs.get(group) and np.divide(pairs[group]["straight"], pairs[group]["geodesic"])
    else:
        values = pairs["text"].get(group, {}).get(figure)
    return None if values is None else np.asarray(values, dtype=float).reshape(-1, CANDIDATES).mean(1)


def differences(runs: Runs) -> dict[str, Difference]:
    """With the kernel less without, of each figure that all runs of both rows have, over the same sentences."""
    ours, theirs = runs.get(WITH, ()), runs.get(WITHOUT, ())
    if not ours or not theirs or any(one["sentences"] != ours[0]["sentences"] for one in (*ours, *theirs)):
        return {}
    found = {}
    for name, (_, group, figure) in FIGURES.items():
        of_rows = []
        for runs_of_row in (ours, theirs):
            values = [by_query(one, group, figure) for one in runs_of_row]
            of_rows.append([one for one in values if one is not None])
        if len(of_rows[0]) == len(ours) and len(of_rows[1]) == len(theirs):
            found[name] = paired_difference(np.stack(of_rows[0]), np.stack(of_rows[1]))
    return found


def comparison(runs: Runs) -> list[str]:
    """Whether the latent space with the kernel is better than without it, as far as the figures say."""
    found = differences(runs)
    if not found:
        return []
    rows = [[name, {-1: "less", 1: "more"}[FIGURES[name][0]], str(difference), verdict(name, difference)]
            for name, difference in found.items()]  # fmt: skip
    seeds = next(iter(found.values())).seeds
    over = "over seeds and queries" if min(seeds) > 1 else "over queries alone: of other seeds they say nothing"
    return [
        f"Is the latent space that the kernel makes better than without it? {WITH} less {WITHOUT}, by {seeds[0]} and "
        f"{seeds[1]} trainings, paired by sentences, with 95% intervals {over}:",
        table(["figure", "better is", "difference", "with the kernel"], rows),
    ]


def verdict(name: str, difference: Difference) -> str:
    """Better, worse, or no difference that the interval shows.

    Examples:
        >>> verdict("new sentences along straight lines", Difference(1.0, 0.5, 1.5, (3, 3)))
        'better'
    """
    if difference.low <= 0 <= difference.high:
        return "no difference shown"
    return "better" if difference.mean * FIGURES[name][0] > 0 else "worse"
