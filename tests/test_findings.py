"""docs/findings.md shows what results/ holds, and its sums are right."""

import json
from pathlib import Path

import pytest

from results.findings import findings, left_out, reaches

ROOT = Path(__file__).parent.parent
PATHS = sorted((ROOT / "results").glob("*/*.json"))


def test_the_page_is_up_to_date():
    text = (ROOT / "docs" / "findings.md").read_text()
    assert findings() == text, "run `make findings`"
    for line in text.splitlines():
        if line.startswith("!["):
            name = line.partition("](")[2].rstrip(")")
            assert (ROOT / "docs" / name).read_bytes().startswith(b"\x89PNG"), name


@pytest.mark.parametrize(
    "metrics", [json.loads(path.read_text()) for path in PATHS if path.parent.name != "benchmarks"]
)
def test_what_is_left_out_is_the_sum_of_its_parts(metrics):
    parts = left_out(metrics)
    assert parts["reconstruction"] + parts["latent"] == pytest.approx(parts["elbo"], abs=1e-6)
    assert parts["iwae"] <= parts["elbo"] + 1e-9


@pytest.mark.parametrize(
    ("information", "units", "nll", "reached"),
    [(5.0, 32, 9.9, True), (4.9, 32, 9.9, False), (5.0, 31, 9.9, False), (5.0, 32, 10.0, False)],
)
def test_the_aim(information, units, nll, reached):
    bounds = {"elbo": {"nll": 11.0}, "iwae": {"nll": nll}}
    metrics = {"pushforward": bounds, "flow_posterior": {"elbo": {"nll": 50.0}, "iwae": {"nll": 40.0}}}
    metrics |= {"mutual_information": information, "active_units": units, "options": {"latent_size": 32}}
    assert reaches(metrics, {"pushforward": {"elbo": {"nll": 10.0}}}) == reached
