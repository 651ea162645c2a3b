"""Plots of latent usage: KL, mutual information, active units.

Scales begin at zero and are never narrower than a nat, so that noise about zero looks like zero; what says next to
nothing about a sentence is called collapsed on the figure.
"""

import math
from collections.abc import Iterable
from pathlib import Path

from matplotlib import colormaps
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from wae_rnf.evaluation.metrics import AnyMetrics

from .results_folder import Runs

VALIDATION_CURVES = {
    "kl": "KL, nats",
    "mutual_information": "mutual information, nats",
    "active_units": "active units",
}
LINES, MARKERS = ("-", "--", "-.", ":"), "osD^vPX*"  # beside colours, for those who see or print few of them
HEIGHT = 3.0  # inches
LEGEND = 110  # letters that fit beside each other
COLLAPSED = 0.1  # nats of mutual information, under which the latent variable is as good as unused
NARROWEST = 1.0  # nats a scale spans at least


def collapsed(metrics: AnyMetrics) -> bool:
    """Whether a model has a latent variable that says next to nothing about a sentence."""
    return metrics["has_latents"] and metrics["mutual_information"] < COLLAPSED


def remark(metrics: AnyMetrics) -> str:
    """What a figure says beside a system's name or value; empty where the latent variable is used.

    Examples:
        >>> remark({"has_latents": True, "mutual_information": 0.02})
        'collapsed'
    """
    if not metrics["has_latents"]:
        return "no latents"
    return "collapsed" if collapsed(metrics) else ""


def bar_labels(values: Iterable[float], rows: Iterable[AnyMetrics], digits: int) -> list[str]:
    """The value of each bar in figures, with the remark on its row."""
    texts = (f"{value:.{digits}f}" for value in values)
    return [", ".join(filter(None, (text, remark(row)))) for text, row in zip(texts, rows, strict=True)]


def draw_mutual_information(runs: Runs, path: Path) -> None:
    """Bars: mutual information of z and x on the test split, of each system; the first seed.

    Args:
        runs: {system: [metrics of each seed]}.
        path: of the PNG.
    """
    figure = Figure(figsize=(7, 0.28 * len(runs) + 1), layout="constrained")
    axes = figure.subplots()
    rows = [seeds[0] for seeds in runs.values()]
    values = [round(metrics["mutual_information"], 2) + 0.0 for metrics in rows]  # no -0.00
    axes.bar_label(axes.barh(list(runs), values, color="tab:blue"), bar_labels(values, rows, 2), padding=2)
    highest = math.log(rows[0]["num_sentences"])
    axes.set(xlabel=f"I(z; x), nats per sentence, at most log(sentences) = {highest:.1f}")
    axes.set_xlim(min(0.0, *values), 1.25 * max(NARROWEST, *values))
    axes.invert_yaxis()
    figure.savefig(path, dpi=120)


def draw_collapse(runs: Runs, path: Path) -> None:
    """Curves over the epochs of training: KL, mutual information and active units on validation, of each system."""
    names = {system: " ".join(filter(None, (system, in_brackets(seeds[0])))) for system, seeds in runs.items()}
    columns = min(len(runs), max(1, LEGEND // (max(map(len, names.values())) + 6)))
    legend = 0.22 * math.ceil(len(runs) / columns)  # inches
    figure = Figure(figsize=(10, HEIGHT + legend), layout="constrained")
    panels = figure.subplots(1, len(VALIDATION_CURVES))
    colors = colormaps["tab20" if len(runs) > 10 else "tab10"]
    for axes, (name, label) in zip(panels, VALIDATION_CURVES.items(), strict=True):
        for number, (system, seeds) in enumerate(runs.items()):
            history = seeds[0]["training"]["history"]
            style = {
                "color": colors(number % colors.N),
                "linestyle": LINES[number % len(LINES)],
                "marker": MARKERS[number % len(MARKERS)],
            }
            epochs, values = ([past[key] for past in history] for key in ("epoch", name))
            axes.plot(epochs, values, markersize=4, alpha=0.8, label=names[system], **style)
        axes.set(xlabel="epoch", title=label)
        axes.xaxis.set_major_locator(MaxNLocator(integer=True))
        top = max(highest_unit(runs) if name == "active_units" else NARROWEST, axes.get_ylim()[1])
        axes.set_ylim(-0.04 * top, 1.04 * top)  # zero is at the same height in all three
        axes.grid(alpha=0.3)
    handles, labels = panels[0].get_legend_handles_labels()
    figure.legend(handles, labels, loc="outside lower center", ncols=columns, handlelength=3)
    figure.savefig(path, dpi=120)


def draw_bound_over_k(runs: Runs, path: Path) -> None:
    """The importance-weighted bound over the number of samples, each row's of the model that it was trained as.

    Args:
        runs: {row: [metrics of each seed]}; those without the bound over k are left out; the first seed.
        path: of the PNG.
    """
    figure = Figure(figsize=(7, 4), layout="constrained")
    axes = figure.subplots()
    for number, (row, metrics) in enumerate(bounds_over_k(runs).items()):
        curve, marker, line = metrics["bound_over_k"], MARKERS[number % len(MARKERS)], LINES[number % len(LINES)]
        axes.plot(
            curve["k"], curve[metrics["generative_model"]], line, marker=marker, markersize=4, label=row, alpha=0.8
        )
    whole = {m["bound_over_k"]["num_sentences"] == m["num_sentences"] for m in bounds_over_k(runs).values()}
    if (entropy := next(iter(runs.values()))[0].get("entropy")) is not None and whole == {True}:  # of these sentences
        axes.axhline(entropy, color="black", linestyle=":", label="entropy of the corpus")
    axes.set(xscale="log", xlabel="k, importance samples a sentence", ylabel="IWAE-k, nats per sentence")
    axes.grid(alpha=0.3)
    axes.legend()
    figure.savefig(path, dpi=120)


def draw_tradeoff(runs: Runs, path: Path) -> None:
    """BLEU of reconstructions against the perplexity of samples, a point a row; the first seed.

    Rows of one system that differ in their KL weight are joined, in its order. A dashed line is the language model's.

    Args:
        runs: {row: [metrics of each seed]}; those whose samples were not judged are left out.
        path: of the PNG.
    """
    judged = judged_samples(runs)
    figure = Figure(figsize=(7, 4), layout="constrained")
    axes = figure.subplots()
    curves: dict[str, list[tuple[float, float, float]]] = {}  # {system: (KL weight, BLEU, perplexity) of each row}
    for row, metrics in judged.items():
        perplexity = metrics["reproduction"]["perplexities"]["forward_ppl"]
        if not metrics["has_latents"]:
            axes.axhline(perplexity, color="black", linestyle="--", label=f"samples of {row}")
            continue
        point = metrics["text"]["reconstructions"]["bleu"], perplexity
        axes.annotate(row, point, (4, 4), textcoords="offset points", fontsize=8)
        curves.setdefault(metrics["system"], []).append((metrics["options"]["kl_weight"], *point))
    for number, (system, points) in enumerate(curves.items()):
        _, bleu, perplexities = zip(*sorted(points), strict=True)
        axes.plot(bleu, perplexities, marker=MARKERS[number % len(MARKERS)], alpha=0.8, label=system)
    axes.set(xlabel="BLEU of reconstructions", ylabel="forward perplexity of samples", yscale="log")
    axes.grid(alpha=0.3)
    axes.legend()
    figure.savefig(path, dpi=120)


def judged_samples(runs: Runs) -> dict[str, AnyMetrics]:
    """{row: metrics of the first seed} of the rows whose samples a language model has judged."""
    firsts = {row: seeds[0] for row, seeds in runs.items()}
    return {row: metrics for row, metrics in firsts.items() if "perplexities" in metrics.get("reproduction", {})}


def bounds_over_k(runs: Runs) -> dict[str, AnyMetrics]:
    """{row: metrics of the first seed} of the rows whose bound is known at seeds k."""
    firsts = {row: seeds[0] for row, seeds in runs.items()}
    return {row: metrics for row, metrics in firsts.items() if len(metrics.get("bound_over_k", {}).get("k", [])) > 1}


def in_brackets(metrics: AnyMetrics) -> str:
    return f"({remark(metrics)})" if remark(metrics) else ""


def highest_unit(runs: Runs) -> int:
    """The largest latent size of the systems: as many units can be active."""
    return max(seeds[0]["options"]["latent_size"] for seeds in runs.values())
