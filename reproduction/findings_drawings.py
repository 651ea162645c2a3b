"""The drawings of docs/findings.md."""

import math
from collections.abc import Mapping
from pathlib import Path

from matplotlib.artist import Artist
from matplotlib.figure import Figure
from matplotlib.ticker import LogLocator, NullLocator, ScalarFormatter

from wae_rnf.evaluation.columns import MODELS
from wae_rnf.evaluation.metrics import AnyMetrics

from .drawings import NARROWEST, bar_labels

DPI = 120
USE = (("mutual information, nats", "mutual_information", 2), ("active units", "active_units", 0))


def draw_protocol(found: Mapping[str, Mapping[str, AnyMetrics]], path: Path) -> None:
    """A panel a corpus: the paper's protocol, the ELBO and the importance-weighted bound of each system."""
    lines = math.ceil(len(found) / 2)
    figure = Figure(figsize=(10, 3.2 * lines + 0.4), layout="constrained")
    panels = figure.subplots(lines, 2, squeeze=False).flat
    for axes in panels[len(found) :]:
        axes.remove()
    for axes, (name, rows) in zip(panels[: len(found)], found.items(), strict=True):
        for place, metrics in enumerate(rows.values()):
            generative_model = metrics["generative_model"]
            protocol = metrics["paper_protocol"]["nll"]
            bounds = [metrics[generative_model][kind]["nll"] for kind in ("iwae", "elbo")]
            axes.plot([protocol, max(bounds)], [place, place], color="0.8", zorder=1)
            axes.scatter(protocol, place, facecolors="none", edgecolors="tab:red", label="paper's protocol")
            axes.scatter(bounds[0], place, color="tab:blue", label="IWAE")
            axes.scatter(bounds[1], place, color="tab:blue", marker="|", label="ELBO")
        if (entropy := next(iter(rows.values())).get("entropy")) is not None:
            axes.axvline(entropy, color="black", linestyle=":", label="entropy of the corpus")
        axes.set(yticks=range(len(rows)), yticklabels=list(rows), xlabel="nats per sentence", title=name)
        axes.invert_yaxis()
    handles: dict[str, Artist] = {}
    for axes in figure.axes:
        handles |= {name: handle for handle, name in zip(*axes.get_legend_handles_labels(), strict=True)}
    figure.legend([*handles.values()], [*handles], loc="outside lower center", ncols=len(handles))
    figure.savefig(path, dpi=DPI)


def draw_ablation(found: Mapping[str, Mapping[str, AnyMetrics]], path: Path) -> None:
    """Both generative models' likelihoods, above the entropy where it is known, and latent usage, of each row."""
    rows = next(iter(found.values()))
    entropy = next(iter(rows.values())).get("entropy", 0.0)
    figure = Figure(figsize=(11, 0.3 * len(rows) + 1.6), layout="constrained")
    bounds, *panels = figure.subplots(1, 3, sharey=True)
    for generative_model, filled in {"pushforward": "tab:blue", "flow_posterior": "none"}.items():
        values = [metrics[generative_model]["iwae"]["nll"] - entropy for metrics in rows.values()]
        bounds.scatter(values, list(rows), facecolors=filled, edgecolors="tab:blue", label=MODELS[generative_model])
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
