"""Drawings of how much the latent code is used."""

import math

from matplotlib import colormaps
from matplotlib.figure import Figure

CURVES = {"kl": "KL, nats", "mutual_information": "mutual information, nats", "active_units": "active units"}
HEIGHT = 3.0  # inches
LEGEND = 110  # letters that fit beside each other


def draw_mutual_information(runs, path):
    """Bars: mutual information of z and x on the test split, of each system; the first seed.

    Args:
        runs: {system: [metrics of each seed]}.
        path: of the PNG.
    """
    figure = Figure(figsize=(7, 0.28 * len(runs) + 1), layout="constrained")
    axes = figure.subplots()
    values = [round(several[0]["mutual_information"], 2) + 0.0 for several in runs.values()]  # no -0.00
    axes.bar_label(axes.barh(list(runs), values, color="tab:blue"), fmt="%.2f", padding=2)
    highest = math.log(next(iter(runs.values()))[0]["num_sentences"])
    axes.set(xlabel=f"I(z; x), nats per sentence, at most log(sentences) = {highest:.1f}")
    axes.margins(x=0.1)
    axes.invert_yaxis()
    figure.savefig(path, dpi=120)


def draw_collapse(runs, path):
    """Curves over the epochs of training: KL, mutual information and active units on validation, of each system."""
    columns = min(len(runs), max(1, LEGEND // (max(map(len, runs)) + 6)))
    legend = 0.22 * math.ceil(len(runs) / columns)  # inches
    figure = Figure(figsize=(10, HEIGHT + legend), layout="constrained")
    panels = figure.subplots(1, len(CURVES))
    for axes, (name, label) in zip(panels, CURVES.items(), strict=True):
        axes.set_prop_cycle(color=colormaps["tab20" if len(runs) > 10 else "tab10"].colors)
        for system, several in runs.items():
            history = several[0]["training"]["history"]
            axes.plot([past["epoch"] for past in history], [past[name] for past in history], marker=".", label=system)
        axes.set(xlabel="epoch", title=label)
        axes.grid(alpha=0.3)
    handles, labels = panels[0].get_legend_handles_labels()
    figure.legend(handles, labels, loc="outside lower center", ncols=columns)
    figure.savefig(path, dpi=120)
