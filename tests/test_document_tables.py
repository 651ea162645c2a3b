"""README.md and docs/ show what results/ and the code hold, and nothing else."""

import re
from pathlib import Path

import pytest

from wae_rnf.reproduction import document_tables

ROOT = Path(__file__).parent.parent


@pytest.mark.parametrize("page", document_tables.SECTIONS)
def test_pages_are_up_to_date(page):
    text = (ROOT / page).read_text(encoding="utf-8")
    assert document_tables.with_sections(text, document_tables.SECTIONS[page]) == text, "run `make readme`"


def test_readme_is_short():
    """Under 900 words; the bars and dashes of its tables are none."""
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    assert sum(bool(re.search(r"\w", word)) for word in text.split()) < 900


def test_every_file_is_in_the_architecture_page():
    """Found by looking, not by what the table's program looks for."""
    text = (ROOT / "docs" / "architecture.md").read_text(encoding="utf-8")
    for package in (
        "modeling_wae_rnf",
        "tokenization",
        "evaluation",
        "training",
        "text",
        "sharing",
        "reproduction",
        "commands",
    ):
        section = text.partition(f"### {package}/")[2].partition("### ")[0]
        for path in (ROOT / package).rglob("*.py"):
            assert path.name in (*section.replace("/", "`").split("`"), "__init__.py"), path


def test_every_result_says_where_it_comes_from():
    results = {"example": document_tables.read_example()}
    for corpus, runs in document_tables.reproductions().items():
        found = {f"{corpus}/{row}-{seed}": metrics for row, each in runs.items() for seed, metrics in enumerate(each)}
        shortened = any(metrics["options"]["num_epochs"] < 48 for metrics in found.values())
        assert shortened == ("shortened" in document_tables.corpus_section(corpus, runs))
        results |= found
    assert len(results) > 1
    for name, metrics in results.items():
        for origin in (metrics, metrics["training"]):
            assert {"command", "commit", "seed", "versions", "device", "seconds"} <= origin.keys(), name
            assert origin["commit"], name


def test_missing_marks_are_told():
    with pytest.raises(ValueError, match="needs the lines"):
        document_tables.with_sections("# nothing", document_tables.SECTIONS["README.md"])


def test_a_module_without_a_docstring_is_named(tmp_path):
    module = tmp_path / "module.py"
    module.write_text("\n", encoding="utf-8")
    with pytest.raises(ValueError, match=r"module.py needs a docstring, whose first line"):
        document_tables.first_line(module)
