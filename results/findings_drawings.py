"""The drawings of docs/findings.md."""

from matplotlib.figure import Figure

from training_wae_rnf.reproduction_report import best_reading

DPI = 120


def draw_protocol(found, path):
    """A panel a corpus: the published figure, the ELBO and the importance-weighted bound of each system."""
    figure = Figure(figsize=(4.6 * len(found), 3.6), layout="constrained")
    for axes, (name, rows) in zip(figure.subplots(1, len(found), squeeze=False)[0], found.items(), strict=True):
        for place, metrics in enumerate(rows.values()):
            reading = best_reading(metrics)
            published, bounds = metrics["published"]["nll"], [metrics[reading][k]["nll"] for k in ("iwae", "elbo")]
            axes.plot([published, max(bounds)], [place, place], color="0.8", zorder=1)
            axes.scatter(published, place, facecolors="none", edgecolors="tab:red", label="published protocol")
            axes.scatter(bounds[0], place, color="tab:blue", label="IWAE")
            axes.scatter(bounds[1], place, color="tab:blue", marker="|", label="ELBO")
        if (entropy := next(iter(rows.values())).get("entropy")) is not None:
            axes.axvline(entropy, color="black", linestyle=":", label="entropy of the corpus")
        axes.set(yticks=range(len(rows)), yticklabels=list(rows), xlabel="nats per sentence", title=name)
        axes.invert_yaxis()
    handles = {label: handle for handle, label in zip(*axes.get_legend_handles_labels(), strict=True)}
    for other in figure.axes:
        handles |= {label: handle for handle, label in zip(*other.get_legend_handles_labels(), strict=True)}
    figure.legend(handles.values(), handles.keys(), loc="outside lower center", ncols=len(handles))
    figure.savefig(path, dpi=DPI)


def draw_ablation(found, path):
    """Bars of likelihood, mutual information and active units of each row of the ablation."""
    rows = next(iter(found.values()))
    figure = Figure(figsize=(11, 0.3 * len(rows) + 1.2), layout="constrained")
    panels = {
        "IWAE, pushforward, nats": [metrics["pushforward"]["iwae"]["nll"] for metrics in rows.values()],
        "mutual information, nats": [metrics["mutual_information"] for metrics in rows.values()],
        "active units": [metrics["active_units"] for metrics in rows.values()],
    }
    for axes, (title, values) in zip(figure.subplots(1, len(panels), sharey=True), panels.items(), strict=True):
        bars = axes.barh(list(rows), values, color="tab:blue")
        axes.bar_label(bars, [f"{value:.2f}" if isinstance(value, float) else value for value in values], padding=2)
        axes.set(title=title)
        axes.margins(x=0.15)
        if "nats" in title and min(values) > 10:
            axes.set_xlim(0.98 * min(values), 1.02 * max(values))
    figure.axes[0].invert_yaxis()
    figure.savefig(path, dpi=DPI)
