"""docs/findings.md shows what results/ holds, and its sums are right."""

from pathlib import Path

import numpy as np
import pytest
import yaml

from wae_rnf.evaluation.metrics_files import read_metrics
from wae_rnf.reproduction.findings import findings
from wae_rnf.reproduction.findings_ablation import ADDITIONS
from wae_rnf.reproduction.findings_aim import reaches, verdict
from wae_rnf.reproduction.findings_protocol import left_out
from wae_rnf.reproduction.intervals import Difference

ROOT = Path(__file__).parent.parent
PATHS = sorted(
    path
    for folder in ("ablation/toy", "plain/ptb", "ptb", "recipe/ptb", "toy", "yahoo_20k", "yelp_short")
    for path in (ROOT / "results" / folder).glob("*.json")
)
assert len(PATHS) > 30


def test_the_page_is_up_to_date():
    text = (ROOT / "docs" / "findings.md").read_text()
    assert findings() == text, "run `make findings`"
    for line in text.splitlines():
        if line.startswith("!["):
            name = line.partition("](")[2].rstrip(")")
            assert (ROOT / "docs" / name).read_bytes().startswith(b"\x89PNG"), name


@pytest.mark.parametrize("path", PATHS, ids=lambda path: f"{path.parent.name}/{path.stem}")
def test_what_is_left_out_is_the_sum_of_its_parts(path):
    parts = left_out(read_metrics(path))
    assert parts["reconstruction"] + parts["latent"] == pytest.approx(parts["elbo"], abs=1e-5)
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
    run = {"generative_model": "pushforward", "mutual_information": 6.0}
    rows = {"good": [run] * 3, "single": [run]}
    above = {("good", "pushforward"): Difference(-1.2, -1.5, -0.9, (3, 3))}
    above["single", "pushforward"] = Difference(-5.0, -6.0, -4.0, (1, 3))
    said = verdict(rows, above)
    assert said.startswith("It is reached by good. Nothing is claimed of single:")
    above["good", "flow_posterior"], above["good", "pushforward"] = above["good", "pushforward"], None
    assert "reached" not in verdict(rows, above)  # the other generative model's does not count


def test_what_is_added_are_rows_of_the_ablation():
    rows = yaml.safe_load((ROOT / "examples" / "ablation.yaml").read_text())
    assert {row for added in ADDITIONS for row in (added.without, added.with_it)} <= rows.keys()


def section(title):
    return (ROOT / "docs" / "findings.md").read_text().partition(f"## {title}\n")[2].partition("\n## ")[0]


def test_rows_of_the_recipe_are_those_of_its_sentences():
    """Means, seeds and paired differences of the page, from the bounds of each sentence by hand."""
    folder = ROOT / "results" / "recipe" / "ptb"
    text = section("A latent variable that is used, and the language model")
    lines = {line.split(" | ")[0].strip("| "): line for line in text.partition("[results/recipe")[2].splitlines()}
    bounds = {}
    for path in sorted(folder.glob("*.tsv")):
        names, *values = (line.split("\t") for line in path.read_text().splitlines())
        column = names.index("pushforward_iwae")
        bounds.setdefault(path.stem.rpartition("-")[0], []).append([float(row[column]) for row in values])
    language_model = np.mean(bounds["lstm-lm"])
    assert {row: len(seeds) for row, seeds in bounds.items() if len(seeds) > 1} == {"lstm-lm": 3, "mixture": 3}
    for row, seeds in bounds.items():
        assert f" | {len(seeds)} | " in lines[row]
        assert f" | {np.mean(seeds):.2f} " in lines[row]
        if row != "lstm-lm":
            assert f" | {np.mean(seeds) - language_model:+.2f} [" in lines[row]
