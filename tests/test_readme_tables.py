"""README.md shows what results/ holds, and nothing else."""

from pathlib import Path

import pytest

from wae_rnf.reproduction import readme_tables

ROOT = Path(__file__).parent.parent


def test_readme_is_up_to_date():
    text = (ROOT / "README.md").read_text()
    assert readme_tables.with_results(text) == text, "run `make readme`"


def test_every_result_says_where_it_comes_from():
    results = {"example": readme_tables.read_example()}
    for corpus, runs in readme_tables.reproductions().items():
        found = {f"{corpus}/{row}-{seed}": metrics for row, each in runs.items() for seed, metrics in enumerate(each)}
        shortened = any(metrics["options"]["num_epochs"] < 48 for metrics in found.values())
        assert shortened == ("shortened" in readme_tables.corpus_section(corpus, runs))
        results |= found
    assert len(results) > 1
    for name, metrics in results.items():
        for origin in (metrics, metrics["training"]):
            assert {"command", "commit", "seed", "versions", "device", "seconds"} <= origin.keys(), name
            assert origin["commit"], name


def test_missing_marks_are_told():
    with pytest.raises(ValueError, match="needs the lines"):
        readme_tables.with_results("# nothing")
