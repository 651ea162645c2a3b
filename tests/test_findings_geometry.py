"""The comparison of geometries: pairs of the same sentences, and no verdict that the interval does not bear."""

import numpy as np
import pytest

from wae_rnf.reproduction.findings_geometry import comparison, differences, verdict
from wae_rnf.reproduction.intervals import Difference

QUERIES = 10


def geometry(shift, sentences=((1, 2),), seed=0):
    rng = np.random.default_rng(0)
    noise = np.random.default_rng(seed).normal(scale=0.01, size=4 * QUERIES)
    values = rng.normal(size=4 * QUERIES) + noise + shift
    text = {"nats_per_token": values.tolist(), "mean_edits": values.tolist(), "new_sentences": values.tolist()}
    lengths = {"straight": (2 + values / 10).tolist(), "geodesic": [1.0] * len(values)}
    return {"sentences": sentences, "of_pairs": {"decoder": lengths, "text": {"straight": text}}}


def test_pairs_of_sentences_cancel_what_they_share():
    ours, theirs = ([geometry(shift, seed=2 * seed + shift) for seed in (1, 2)] for shift in (1, 0))
    runs = {"wae-rnf": ours, "wae-nf": theirs}
    found = differences(runs)
    assert found["NLL per token along straight lines"].mean == pytest.approx(1, abs=0.01)
    assert found["straight over geodesic length, decoder's metric"].mean == pytest.approx(0.1, abs=0.001)
    assert found["NLL per token along straight lines"].low > 0.9
    assert "NLL per token along the decoder's geodesics" not in found  # which was not measured
    text = "\n".join(comparison(runs))
    assert "| new sentences along straight lines | more | +1.00" in text
    assert text.count("| worse |") == 3
    assert text.count("| better |") == 1
    assert "over seeds and queries" in text


def test_one_seed_says_nothing_of_others():
    text = "\n".join(comparison({"wae-rnf": [geometry(0.5)], "wae-nf": [geometry(0.0, seed=2)]}))
    assert "of other seeds they say nothing" in text


def test_other_sentences_are_not_compared():
    assert comparison({"wae-rnf": [geometry(0.5)], "wae-nf": [geometry(0.0, sentences=((3, 4),))]}) == []
    assert comparison({"wae-rnf": [geometry(0.5)]}) == []


def test_an_interval_around_zero_is_no_verdict():
    name = "NLL per token along straight lines"
    assert verdict(name, Difference(-1.0, -2.0, 0.1, (3, 3))) == "no difference shown"
    assert verdict(name, Difference(-1.0, -2.0, -0.1, (3, 3))) == "better"
