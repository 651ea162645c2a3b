"""Seconds of alternatives, measured by turns, so that a busy moment of the machine falls on all of them."""

import statistics
import time
from collections.abc import Callable, Mapping
from typing import Any

from tqdm.auto import tqdm

Ways = Mapping[str, Callable[[], object]]  # {way: what is timed}
Figures = dict[str, Any]  # of a part, as its JSON file has them


def alternate(alternatives: Ways, rounds: int) -> dict[str, float]:
    """Median seconds of each alternative: {name: seconds}.

    Args:
        alternatives: {name: function}; each is called once before it is timed.
        rounds: how often every one of them is timed.
    """
    for run in alternatives.values():
        run()
    seconds: dict[str, list[float]] = {name: [] for name in alternatives}
    for _ in tqdm(range(rounds), " / ".join(alternatives), leave=False, disable=None):
        for name, run in alternatives.items():
            seconds[name].append(timed(run))
    return {name: statistics.median(values) for name, values in seconds.items()}


def timed(run: Callable[[], object]) -> float:
    start = time.perf_counter()
    run()
    return time.perf_counter() - start
