"""The interval of a paired difference against models whose variance components are known."""

import math

import numpy as np
import pytest

from wae_rnf.reproduction.intervals import LEVEL, Difference, degrees_of_freedom, paired_difference, student

SENTENCES = 400


def rows(rng, seeds, between_seeds, within_pairs, difference=-0.3):
    """Bounds of two rows: sentences differ widely, pairs by `within_pairs`, trainings by `between_seeds`."""
    corpus = rng.normal(100, 40, SENTENCES)
    pairs = rng.normal(0, within_pairs, SENTENCES)
    ours, theirs = (corpus + rng.normal(0, between_seeds, (number, 1)) for number in seeds)
    return ours + pairs + difference, theirs


@pytest.mark.parametrize(
    ("seeds", "between_seeds", "within_pairs"), [((3, 3), 0.12, 1.5), ((6, 2), 0.5, 1.0), ((1, 1), 0.0, 2.0)]
)
def test_the_width_is_that_of_the_variance_components(seeds, between_seeds, within_pairs):
    """Var = s² (1/A + 1/B) + d²/N, whatever the corpus's own spread; over 100 draws of the model."""
    rng = np.random.default_rng(0)
    found = []
    for number in range(100):
        one, other = rows(rng, seeds, between_seeds, within_pairs)
        difference = paired_difference(one, other, resamples=2000, seed=number)
        assert difference.mean == pytest.approx(one.mean() - other.mean())
        assert difference.seeds == seeds
        found.append((difference.high - difference.low) / 2 / student(degrees_of_freedom(one, other), LEVEL))
    expected = between_seeds**2 * (1 / seeds[0] + 1 / seeds[1]) + within_pairs**2 / SENTENCES
    assert np.mean(np.square(found)) == pytest.approx(expected, rel=0.3)


def test_the_resamples_are_the_loop():
    """Two seeds a row leave one of each in a resample: four differences, each the mean over resampled sentences."""
    ours, theirs = np.array([[1.0, 1.0], [5.0, 5.0]]), np.array([[0.0, 0.0], [2.0, 2.0]])
    difference = paired_difference(ours, theirs)  # the four are 1, -1, 5, 3, whose variance is 5
    freedom = degrees_of_freedom(ours, theirs)
    assert freedom == pytest.approx((4 + 1) ** 2 / (4**2 + 1**2))
    half = student(freedom, LEVEL) * 5**0.5
    assert difference.mean == 2
    assert difference.high - 2 == pytest.approx(half, rel=0.05)
    assert 2 - difference.low == pytest.approx(half, rel=0.05)


def test_degrees_of_freedom():
    """Three seeds a row of the same variance, and sentences without any: four. No variance at all: no end of them."""
    values = np.array([[-1.0], [0.0], [1.0]]) * np.ones((3, 50))
    assert degrees_of_freedom(values, values + 1) == pytest.approx(4)
    assert student(4, LEVEL) == pytest.approx(2.7764, rel=1e-4)
    assert degrees_of_freedom(np.zeros((1, 50)), np.ones((1, 50))) == np.inf


def test_with_one_seed_sentences_alone_are_resampled():
    rng = np.random.default_rng(0)
    pairs = rng.normal(0, 1.0, SENTENCES)
    corpus = rng.normal(100, 40, SENTENCES)
    difference = paired_difference(corpus + pairs, corpus)
    assert not difference.over_seeds
    assert Difference(0.0, -1.0, 1.0, (3, 1)).over_seeds is False
    assert Difference(0.0, -1.0, 1.0, (3, 2)).over_seeds is True
    half = 1.9659 * pairs.std(ddof=1) / math.sqrt(SENTENCES)  # Student's t of 399 degrees of freedom
    assert difference.high - difference.low == pytest.approx(2 * half, rel=0.05)
    assert difference == paired_difference(corpus + pairs, corpus)  # the same resamples again


def test_other_sentences_make_no_pairs():
    with pytest.raises(ValueError, match="the rows are of 3 and 2 sentences"):
        paired_difference(np.zeros((1, 3)), np.zeros((1, 2)))
