"""docs/findings.md shows what results/ holds, and its sums are right."""

from pathlib import Path

import pytest

from wae_rnf.evaluation.metrics_files import read_metrics
from wae_rnf.reproduction.findings import findings, left_out, reaches, verdict
from wae_rnf.reproduction.intervals import Difference

ROOT = Path(__file__).parent.parent
PATHS = sorted((ROOT / "results").glob("*/*.json"))


def test_the_page_is_up_to_date():
    text = (ROOT / "docs" / "findings.md").read_text()
    assert findings() == text, "run `make findings`"
    for line in text.splitlines():
        if line.startswith("!["):
            name = line.partition("](")[2].rstrip(")")
            assert (ROOT / "docs" / name).read_bytes().startswith(b"\x89PNG"), name


@pytest.mark.parametrize("metrics", [read_metrics(path) for path in PATHS if path.parent.name != "benchmarks"])
def test_what_is_left_out_is_the_sum_of_its_parts(metrics):
    parts = left_out(metrics)
    assert parts["reconstruction"] + parts["latent"] == pytest.approx(parts["elbo"], abs=1e-6)
    assert parts["iwae"] <= parts["elbo"] + 1e-9


@pytest.mark.parametrize(
    ("information", "mean", "high", "seeds", "reached"),
    [
        (5.0, -1.0, -0.1, (3, 3), True),
        (4.9, -1.0, -0.1, (3, 3), False),
        (5.0, -0.9, -0.1, (3, 3), False),
        (5.0, -1.1, 0.1, (3, 3), False),
        (5.0, -9.0, -8.0, (1, 3), None),
        (5.0, -9.0, -8.0, (3, 1), None),
    ],
)
def test_the_aim(information, mean, high, seeds, reached):
    assert reaches(information, Difference(mean, 2 * mean - high, high, seeds)) is reached
    assert reaches(information, None) is None


def test_no_claim_without_an_interval_over_seeds():
    run = {"reading": "pushforward", "mutual_information": 6.0}
    rows = {"good": [run] * 3, "single": [run]}
    above = {("good", "pushforward"): Difference(-1.2, -1.5, -0.9, (3, 3))}
    above["single", "pushforward"] = Difference(-5.0, -6.0, -4.0, (1, 3))
    said = verdict(rows, above)
    assert said.startswith("It is reached by good. Nothing is claimed of single:")
    above["good", "flow_posterior"], above["good", "pushforward"] = above["good", "pushforward"], None
    assert "reached" not in verdict(rows, above)  # the other reading's does not count
