"""The drawings of docs/findings.md."""

import math
from pathlib import Path

from matplotlib.figure import Figure
from matplotlib.ticker import LogLocator, MaxNLocator, NullLocator, ScalarFormatter

from wae_rnf.evaluation.columns import MODELS, Row

from .drawings import NARROWEST, bar_labels

DPI = 120
HIGHEST = 20  # nats above the lowest bound, which the first epochs would squeeze
USE = (("mutual information, nats", "mutual_information", 2), ("active units", "active_units", 0))


def draw_protocol(found, path):
    """A panel a corpus: the paper's protocol, the ELBO and the importance-weighted bound of each system."""
    lines = math.ceil(len(found) / 2)
    figure = Figure(figsize=(10, 3.2 * lines + 0.4), layout="constrained")
    panels = figure.subplots(lines, 2, squeeze=False).flat
    for axes in panels[len(found) :]:
        axes.remove()
    for axes, (name, rows) in zip(panels[: len(found)], found.items(), strict=True):
        for place, metrics in enumerate(rows.values()):
            reading = metrics["reading"]
            protocol = metrics["paper_protocol"]["nll"]
            bounds = [metrics[reading][kind]["nll"] for kind in ("iwae", "elbo")]
            axes.plot([protocol, max(bounds)], [place, place], color="0.8", zorder=1)
            axes.scatter(protocol, place, facecolors="none", edgecolors="tab:red", label="paper's protocol")
            axes.scatter(bounds[0], place, color="tab:blue", label="IWAE")
            axes.scatter(bounds[1], place, color="tab:blue", marker="|", label="ELBO")
        if (entropy := next(iter(rows.values())).get("entropy")) is not None:
            axes.axvline(entropy, color="black", linestyle=":", label="entropy of the corpus")
        axes.set(yticks=range(len(rows)), yticklabels=list(rows), xlabel="nats per sentence", title=name)
        axes.invert_yaxis()
    handles = {}
    for axes in figure.axes:
        handles |= {name: handle for handle, name in zip(*axes.get_legend_handles_labels(), strict=True)}
    figure.legend(handles.values(), handles.keys(), loc="outside lower center", ncols=len(handles))
    figure.savefig(path, dpi=DPI)


def draw_ablation(found, path):
    """Both generative models' likelihoods, above the entropy where it is known, and latent usage, of each row."""
    rows = next(iter(found.values()))
    entropy = next(iter(rows.values())).get("entropy", 0.0)
    figure = Figure(figsize=(11, 0.3 * len(rows) + 1.6), layout="constrained")
    bounds, *panels = figure.subplots(1, 3, sharey=True)
    for reading, filled in {"pushforward": "tab:blue", "flow_posterior": "none"}.items():
        values = [metrics[reading]["iwae"]["nll"] - entropy for metrics in rows.values()]
        bounds.scatter(values, list(rows), facecolors=filled, edgecolors="tab:blue", label=MODELS[reading])
    bounds.set(xscale="log", xlabel="nats above the entropy" if entropy else "nats", title="IWAE")
    bounds.xaxis.set_major_locator(LogLocator(subs=(1, 2, 5)))
    bounds.xaxis.set_major_formatter(ScalarFormatter())
    bounds.xaxis.set_minor_locator(NullLocator())
    bounds.grid(axis="x", alpha=0.3)
    bounds.legend()
    for axes, (title, name, digits) in zip(panels, USE, strict=True):
        values = [round(metrics[name], digits) + 0.0 for metrics in rows.values()]  # no -0.00
        labels = bar_labels(values, rows.values(), digits)
        axes.bar_label(axes.barh(list(rows), values, color="tab:blue"), labels, padding=2)
        axes.set(title=title, xlim=(min(0.0, *values), 1.25 * max(NARROWEST, *values)))
    bounds.invert_yaxis()
    figure.savefig(path, dpi=DPI)


def draw_exploration(rows: list[Row], path: Path) -> None:
    """The validation bound of each row over epochs, with its name at the end of its curve.

    Args:
        rows: whose runs have a history of validations; language models are dashed.
        path: of the PNG.
    """
    figure = Figure(figsize=(9, 5), layout="constrained")
    axes = figure.subplots()
    ends = {}
    for row in rows:
        metrics = row.runs[0]
        epochs, bounds = zip(*((past["epoch"], past["bound"]) for past in metrics["training"]["history"]), strict=True)
        (line,) = axes.plot(epochs, bounds, linestyle="-" if metrics["has_latents"] else "--")
        axes.plot(epochs[-1], bounds[-1], "o", color=line.get_color(), markersize=5)
        ends[row.name] = epochs[-1], bounds[-1], line.get_color()
    lowest = min(bound for _, bound, _ in ends.values())
    axes.set(xlabel="epoch", ylabel="validation bound, nats per sentence", ylim=(lowest - 1, lowest + HIGHEST))
    axes.xaxis.set_major_locator(MaxNLocator(integer=True))
    axes.spines[["top", "right"]].set_visible(False)
    axes.grid(alpha=0.3)
    write_names(axes, ends)
    figure.savefig(path, dpi=DPI)


def write_names(axes, ends):
    """Writes each name where its curve ends; of a curve that ends early, above it with a line between them."""
    last = max(epoch for epoch, _, _ in ends.values())
    early = [name for name, (epoch, _, _) in ends.items() if epoch < last]
    column = max((ends[name][0] for name in early), default=last) + 1.5  # epochs
    height, floors = 0.045 * (axes.get_ylim()[1] - axes.get_ylim()[0]), {True: -math.inf, False: -math.inf}
    if early:
        floors[True] = max(ends[name][1] for name in early) + 2 * height
    for name, (epoch, bound, color) in sorted(ends.items(), key=lambda item: item[1][1]):
        is_early = name in early
        place = max(bound, floors[is_early])
        floors[is_early] = place + height
        line = {"arrowstyle": "-", "color": color, "linewidth": 0.7, "relpos": (0, 0.5)} if is_early else None
        at = column if is_early else epoch + 0.4
        axes.annotate(
            name, (epoch, bound), (at, place), color=color, va="center", arrowprops=line, annotation_clip=False
        )
