"""docs/findings.md shows what results/ holds, and its sums are right."""

import itertools
import json
from pathlib import Path

import pytest
import yaml
from matplotlib.figure import Figure

from wae_rnf.evaluation.metrics_files import read_metrics
from wae_rnf.reproduction.findings import findings
from wae_rnf.reproduction.findings_ablation import ADDITIONS
from wae_rnf.reproduction.findings_aim import reaches, verdict
from wae_rnf.reproduction.findings_drawings import draw_exploration
from wae_rnf.reproduction.findings_exploration import read_exploration
from wae_rnf.reproduction.findings_protocol import left_out
from wae_rnf.reproduction.intervals import Difference

ROOT = Path(__file__).parent.parent
PATHS = sorted(
    path
    for folder in ("ablation/toy", "ptb", "toy", "yahoo_20k", "yelp_short")
    for path in (ROOT / "results" / folder).glob("*.json")
)
assert len(PATHS) > 30
EXPLORATION = ROOT / "results" / "exploration" / "ptb.json"


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
    run = {"reading": "pushforward", "mutual_information": 6.0}
    rows = {"good": [run] * 3, "single": [run]}
    above = {("good", "pushforward"): Difference(-1.2, -1.5, -0.9, (3, 3))}
    above["single", "pushforward"] = Difference(-5.0, -6.0, -4.0, (1, 3))
    said = verdict(rows, above)
    assert said.startswith("It is reached by good. Nothing is claimed of single:")
    above["good", "flow_posterior"], above["good", "pushforward"] = above["good", "pushforward"], None
    assert "reached" not in verdict(rows, above)  # the other reading's does not count


def test_what_is_added_are_rows_of_the_ablation():
    rows = yaml.safe_load((ROOT / "examples" / "ablation.yaml").read_text())
    assert {row for added in ADDITIONS for row in (added.without, added.with_it)} <= rows.keys()


def section(title):
    return (ROOT / "docs" / "findings.md").read_text().partition(f"## {title}\n")[2].partition("\n## ")[0]


def test_the_short_runs_are_shown_as_they_are_and_at_one_epoch():
    runs = json.loads(EXPLORATION.read_text())["rows"]
    text = section("What the recipe gives so far")
    assert text.strip().startswith("**Shortened, one seed, validation split.**")
    first, second = (part.splitlines() for part in text.split("After epoch 9:"))
    lines = [
        {line.split(" | ")[0].strip("| "): line for line in part if line.startswith("| ")} for part in (first, second)
    ]
    assert lines[0].keys() - {"row", "---"} == lines[1].keys() - {"row", "---"} == runs.keys()
    for row, run in runs.items():
        history, found = run["training"]["history"], run["validation"]
        assert lines[0][row].startswith(f"| {row} | {len(history)} | {run['training']['steps']:,} |")
        bounds = history[-1]["bound"], found["pushforward"]["iwae"]["nll"]
        assert f" | {bounds[0]:.2f} | {bounds[1]:.2f} ± " in lines[0][row]
        at_nine = history[8]
        assert at_nine["epoch"] == 9
        used = f"{at_nine['mutual_information']:.2f}" if run["options"]["system"] != "lstm-lm" else "–"
        assert lines[1][row] == f"| {row} | {at_nine['bound']:.2f} | {used} |"
    assert min(len(run["training"]["history"]) for run in runs.values()) == 9


def test_each_curve_of_the_short_runs_has_its_name(monkeypatch):
    figures = []
    monkeypatch.setattr(Figure, "savefig", lambda figure, path, dpi: figures.append(figure))
    rows = read_exploration(EXPLORATION)[1]
    draw_exploration(rows, "exploration.png")
    (axes,) = figures[0].axes
    names = {text.get_text(): text for text in axes.texts}
    assert names.keys() == {row.name for row in rows}
    heights = sorted(text.xyann[1] for text in names.values() if text.xyann[0] < 20)
    assert all(other - one > 0.5 for one, other in itertools.pairwise(heights)), "names overlap"
