"""Intervals of statistics by the bootstrap, over groups of values that belong together."""

from collections.abc import Callable
from typing import TypedDict

import numpy as np

RESAMPLES = 2000
LEVEL = 0.95


class Interval(TypedDict):
    """A statistic of all values, and the ends of its 95% interval."""

    value: float
    low: float
    high: float


def bootstrap(groups: np.ndarray, statistic: Callable = np.mean, seed: int = 0) -> Interval:
    """The percentile interval of a statistic (Efron 1979), whole groups being drawn with replacement.

    Args:
        groups: (groups, …), the first axis is resampled.
        statistic: of an array (…, values), over its last axis.
        seed: of the resamples.

    Examples:
        >>> bootstrap(np.ones((5, 2)))
        {'value': 1.0, 'low': 1.0, 'high': 1.0}
    """
    groups = np.asarray(groups, dtype=float).reshape(len(groups), -1)
    drawn = np.random.default_rng(seed).integers(len(groups), size=(RESAMPLES, len(groups)))
    found = statistic(groups[drawn].reshape(RESAMPLES, -1), axis=-1)
    low, high = np.quantile(found, [(1 - LEVEL) / 2, (1 + LEVEL) / 2])
    return {"value": float(statistic(groups.ravel(), axis=-1)), "low": float(low), "high": float(high)}
