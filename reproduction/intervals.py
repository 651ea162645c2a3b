"""How much better one row is than another: a paired difference, with an interval over seeds and sentences."""

from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike

RESAMPLES = 4000
LEVEL = 0.95
AT_ONCE = 500  # resamples, whose counts of sentences are in memory together


class Difference(NamedTuple):
    """Of two rows' bounds: nats per sentence, under 0 where the first is better."""

    mean: float
    low: float  # the interval's ends
    high: float
    seeds: tuple[int, int]  # trainings of each row; with one of a row the interval is not over its seeds

    @property
    def over_seeds(self) -> bool:
        """Whether the interval is over the seeds of both rows, as a claim needs it."""
        return min(self.seeds) > 1

    def __str__(self) -> str:
        return f"{self.mean:+.2f} [{self.low:+.2f}, {self.high:+.2f}]"


def paired_difference(
    ours: ArrayLike, theirs: ArrayLike, resamples: int = RESAMPLES, level: float = LEVEL, seed: int = 0
) -> Difference:
    """The mean of ours - theirs over seeds and sentences, and its interval by a bootstrap of two levels.

    A resample draws seeds of each row, and then sentences, the same for both rows and all their seeds. Of n it draws
    n - 1 seeds: the variance of their mean is then that of n (McCarthy & Snowden 1985), where n draws would have
    (n - 1)/n of it. With one seed of a row, its sentences alone are resampled. The interval is the mean and
    Student's t times the resamples' standard deviation, at the degrees of freedom that seeds and sentences have
    together (Satterthwaite 1946): the percentiles of two or three seeds would be their extremes, and too narrow.

    Args:
        ours, theirs: (seeds, sentences), nats of the same sentences.
        resamples: their number.
        level: of the interval.
        seed: of the resamples.

    Examples:
        >>> exact = np.array([[3.0, 4.0, 5.0]])
        >>> print(paired_difference(exact + 0.5, exact))
        +0.50 [+0.50, +0.50]
    """
    ours, theirs = (np.atleast_2d(np.asarray(values, dtype=float)) for values in (ours, theirs))
    if ours.shape[1] != theirs.shape[1]:
        raise ValueError(f"the rows are of {ours.shape[1]} and {theirs.shape[1]} sentences; pairs need the same ones")
    rng = np.random.default_rng(seed)
    means = np.concatenate(
        [_resampled(ours, theirs, min(AT_ONCE, resamples - done), rng) for done in range(0, resamples, AT_ONCE)]
    )
    mean = ours.mean() - theirs.mean()
    half = student(degrees_of_freedom(ours, theirs), level) * means.std()
    return Difference(float(mean), float(mean - half), float(mean + half), (len(ours), len(theirs)))


def _resampled(ours: np.ndarray, theirs: np.ndarray, resamples: int, rng: np.random.Generator) -> np.ndarray:
    """The difference of each resample: (resamples,)."""
    sentences = ours.shape[1]
    drawn = rng.integers(sentences, size=(resamples, sentences)) + sentences * np.arange(resamples)[:, None]
    counts = np.bincount(drawn.ravel(), minlength=resamples * sentences).reshape(resamples, sentences) / sentences
    one, other = (
        (_seed_weights(len(values), resamples, rng) * (counts @ values.T)).sum(1) for values in (ours, theirs)
    )
    return one - other


def _seed_weights(seeds: int, resamples: int, rng: np.random.Generator) -> np.ndarray:
    """The share of each seed in each resample: (resamples, seeds)."""
    drawn = max(1, seeds - 1)
    return rng.multinomial(drawn, np.full(seeds, 1 / seeds), size=resamples) / drawn


def degrees_of_freedom(ours: np.ndarray, theirs: np.ndarray) -> float:
    """Of the difference's variance, of which the seeds of each row and the sentences have a part: Satterthwaite's."""
    sentences = ours.mean(0) - theirs.mean(0)
    parts = [(values.mean(1), len(values)) for values in (ours, theirs)] + [(sentences, len(sentences))]
    parts = [(values.var(ddof=1) / number, number - 1) for values, number in parts if number > 1]
    variance = sum(part for part, _ in parts)
    return variance**2 / sum(part**2 / degrees for part, degrees in parts) if variance else np.inf


def student(freedom: float, level: float) -> float:
    """Student's t, so many times whose standard error an interval of this level goes to either side."""
    from scipy.stats import t  # takes its time to import

    return float(t.ppf((1 + level) / 2, freedom))
