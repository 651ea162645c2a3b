"""README.md shows what results/*.json hold, and nothing else."""

import runpy
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent


@pytest.fixture(scope="module")
def tables():
    return runpy.run_path(str(ROOT / "results" / "tables.py"))


def test_readme_is_up_to_date(tables):
    text = (ROOT / "README.md").read_text()
    assert tables["with_results"](text) == text, "run `make readme`"


def test_every_result_says_where_it_comes_from(tables):
    results = tables["read_results"]()
    assert results
    for name, metrics in results:
        for origin in (metrics, metrics["training"]):
            assert {"command", "commit", "seed", "versions", "device", "seconds"} <= origin.keys(), name
            assert origin["commit"], name
        row = tables["run_row"](name, metrics)
        assert (metrics["options"]["num_epochs"] < 48) == ("shortened" in row)


def test_missing_marks_are_told(tables):
    with pytest.raises(ValueError, match="needs the lines"):
        tables["with_results"]("# nothing")
