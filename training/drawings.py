"""Drawings of how much the latent code is used."""

import math

from matplotlib import colormaps
from matplotlib.figure import Figure

CURVES = {"kl": "KL, nats", "mutual_information": "mutual information, nats", "active_units": "active units"}
HEIGHT = 3.2  # inches


def draw_mutual_information(runs, path):
    """Bars: mutual information of z and x on the test split, of each system; the first seed.

    Args:
        runs: {system: [metrics of each seed]}.
        path: of the PNG.
    """
    figure = Figure(figsize=(max(7, 0.8 * len(runs)), HEIGHT), layout="constrained")
    axes = figure.subplots()
    values = [several[0]["mutual_information"] for several in runs.values()]
    bars = axes.bar(list(runs), values, color="tab:blue")
    axes.bar_label(bars, [f"{value:.2f}" for value in values], padding=2)
    highest = math.log(next(iter(runs.values()))[0]["num_sentences"])
    axes.set(ylabel="I(z; x), nats per sentence", title=f"at most log(sentences) = {highest:.1f}")
    axes.margins(y=0.15)
    axes.tick_params(axis="x", rotation=20)
    figure.savefig(path, dpi=120)


def draw_collapse(runs, path):
    """Curves over the epochs of training: KL, mutual information and active units on validation, of each system."""
    figure = Figure(figsize=(10, HEIGHT), layout="constrained")
    panels = figure.subplots(1, len(CURVES))
    for axes, (name, label) in zip(panels, CURVES.items(), strict=True):
        axes.set_prop_cycle(color=colormaps["tab20" if len(runs) > 10 else "tab10"].colors)
        for system, several in runs.items():
            history = several[0]["training"]["history"]
            axes.plot([past["epoch"] for past in history], [past[name] for past in history], marker=".", label=system)
        axes.set(xlabel="epoch", title=label)
        axes.grid(alpha=0.3)
    handles, labels = panels[0].get_legend_handles_labels()
    figure.legend(handles, labels, loc="outside lower center", ncols=min(len(labels), 8))
    figure.savefig(path, dpi=120)
