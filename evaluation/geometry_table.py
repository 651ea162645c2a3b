"""The figures of a geometry in a terminal, 80 columns wide."""

from collections.abc import Mapping
from typing import Any

from rich.console import Console

from .terminal_table import print_table

TEXT_HEADINGS = {
    "nats_per_token": "NLL per token",
    "mean_edits": "mean edit",
    "largest_edit": "largest",
    "new_sentences": "new",
}


def interval(figures: Mapping[str, Any]) -> str:
    """A figure and its interval.

    Examples:
        >>> interval({"value": 1.234, "low": 1.1, "high": 1.4})
        '1.23 [1.10, 1.40]'
    """
    return f"{figures['value']:.2f} [{figures['low']:.2f}, {figures['high']:.2f}]"


def print_geometry(figures: Mapping[str, Any], console: Console | None = None) -> None:
    """Prints geometry.json as a person reads it.

    Args:
        figures: what `measure_geometry` gives, with "system".
        console: of rich; that of the process by default.
    """
    options = figures["options"]
    title = f"{figures['system']} on {options['dataset']}, {options['split']} split: {options['pairs']} pairs of "
    title += f"sentences, curves of {options['steps']} points"
    rows = [length_row(metric, found) for metric, found in figures["lengths"].items() if metric != "euclidean"]
    caption = "Median with the 95% interval of a bootstrap over queries, and quartiles."
    if (sampled := figures.get("sentences_cut", {"cut": 0}))["cut"]:
        caption += f"\n{sampled['cut']} of {sampled['drawn']} sentences of p(x|z) had no end and were cut after "
        caption += f"{options['max_words']} words."
    print_table(["metric", "straight/geodesic", "quartiles", "unconverged"], rows, title, caption, console)
    rows = [[names, interval(found)] for names, found in figures["neighbours"].items()]
    caption = f"Of {options['candidates']} random candidates; by chance 1/{options['candidates']}."
    if rows:
        print_table(["metrics", "same nearest"], rows, "\nAgreement on the nearest neighbour", caption, console)
    rows = [volume_row(metric, found) for metric, found in figures["volumes"].items()]
    caption = f"Medians, nats; far: random directions, {options['far']:g} times as far out as the data."
    if rows:
        title = "\nLog volume near the data and far from it"
        print_table(["metric", "near", "far", "near - far"], rows, title, caption, console)
    print_text(figures, console)


def length_row(metric: str, found: Mapping[str, Any]) -> list[str]:
    quartiles = f"{found['quartiles'][0]:.2f}, {found['quartiles'][2]:.2f}"
    return [metric, interval(found["ratio"]), quartiles, str(found["unconverged"])]


def volume_row(metric: str, found: Mapping[str, Any]) -> list[str]:
    return [metric, *(f"{found[name]['value']:.2f}" for name in ("near", "far")), interval(found["near_minus_far"])]


def print_text(figures: Mapping[str, Any], console: Console | None) -> None:
    """Text along paths; without a language model its column is left out, and that is said."""
    paths = figures["text"]
    names = [name for name in TEXT_HEADINGS if name in next(iter(paths.values()))]
    rows = [[path, *(plus_minus(found[name]) for name in names)] for path, found in paths.items()]
    caption = "Means over the pairs, ± half the 95% interval: words edited between neighbours\n"
    caption += "(mean, largest), new sentences on the way."
    if "nats_per_token" not in names:
        caption += " Fluency is not measured: name a --language_model."
    elif figures["unknown_words"]:
        caption += f" {figures['unknown_words']} words are unknown to the language model."
    headings = ["path", *(TEXT_HEADINGS[name] for name in names)]
    print_table(headings, rows, "\nText along the paths", caption, console)


def plus_minus(figures: Mapping[str, Any]) -> str:
    """A figure and half its interval.

    Examples:
        >>> plus_minus({"value": 1.234, "low": 1.1, "high": 1.4})
        '1.23 ± 0.15'
    """
    return f"{figures['value']:.2f} ± {(figures['high'] - figures['low']) / 2:.2f}"
