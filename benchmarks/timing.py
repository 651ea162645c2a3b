"""Seconds of alternatives, measured by turns, so that a busy moment of the machine falls on all of them."""

import statistics
import time

from tqdm.auto import tqdm


def alternate(alternatives, rounds):
    """Median seconds of each alternative: {name: seconds}.

    Args:
        alternatives: {name: function}; each is called once before it is timed.
        rounds: how often every one of them is timed.
    """
    for run in alternatives.values():
        run()
    seconds = {name: [] for name in alternatives}
    for _ in tqdm(range(rounds), " / ".join(alternatives), leave=False, disable=None):
        for name, run in alternatives.items():
            seconds[name].append(timed(run))
    return {name: statistics.median(values) for name, values in seconds.items()}


def timed(run):
    start = time.perf_counter()
    run()
    return time.perf_counter() - start
