"""The report fits a terminal and shows the figures of metrics.json."""

import io

import pytest
from datasets import Dataset
from rich.console import Console

from training_wae_rnf.evaluation import evaluate
from training_wae_rnf.report import print_report


@pytest.fixture
def metrics(tiny_model):
    rows = [[1, 5, 6, 7, 2], [1, 4, 2], [1, 9, 8, 2]]
    columns = {"input_ids": rows, "length": [len(row) - 1 for row in rows], "log_prob": [-4.0, -1.0, -3.0]}
    metrics = evaluate(tiny_model(), Dataset.from_dict(columns), samples=3)
    return metrics | {"system": "wae-rnf", "dataset": "toy", "split": "test", "samples": ["a [b] c", "d"]}


def printed(metrics, width=80):
    console = Console(file=io.StringIO(), width=width)
    print_report(metrics, console)
    return console.file.getvalue()


def test_figures_are_shown(metrics):
    text = printed(metrics)
    assert max(map(len, text.splitlines())) <= 80
    for figure in (
        metrics["entropy"],
        metrics["pushforward"]["elbo"]["nll"],
        metrics["flow_posterior"]["iwae"]["ppl"],
        metrics["flow_posterior"]["elbo"]["kl"],
        metrics["published"]["nll"],
        metrics["mutual_information"],
    ):
        assert f"{figure:.2f}" in text
    assert "3 sentences, 9 tokens" in text
    assert "  1  a [b] c\n" in text


def test_what_is_not_known_is_left_out(metrics):
    for name in ("entropy", "entropy_standard_error", "samples"):
        del metrics[name]
    for reading in ("pushforward", "flow_posterior"):
        for bound in ("elbo", "iwae"):
            del metrics[reading][bound]["above_entropy"]
    text = printed(metrics)
    assert "corpus entropy" not in text
    assert "Samples" not in text


def test_warnings_are_whole_and_fit(metrics):
    warning = "the latent variable has collapsed: [0 of 32] units. To try: " + "--preset recipe, " * 9
    assert "Warning" not in printed(metrics)
    text = printed(metrics | {"warnings": [warning]})
    assert max(map(len, text.splitlines())) <= 80
    assert f"Warning: {warning}".split() == text[text.index("Warning") :].split()[: len(warning.split()) + 1]


@pytest.mark.parametrize("width", [20, 40, 70])
def test_figures_are_never_cut(metrics, width):
    """In a narrow terminal the table is wider than it."""
    metrics["pushforward"]["iwae"] |= {"nll": 41481.25, "standard_error": 123.45, "ppl": 123456.78}
    text = printed(metrics, width)
    assert "…" not in text
    for figure in ("41481.25", "123.45", "123456.78"):
        assert f" {figure} " in text
    rows = [line for line in text.splitlines() if "│" in line]
    assert len({len(line) for line in rows}) == 1
    assert len(rows[0]) > width
