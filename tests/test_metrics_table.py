"""The report fits a terminal and shows the figures of metrics.json."""

import io

import pytest
from datasets import Dataset
from rich.console import Console

from wae_rnf.evaluation.evaluate_split import evaluate
from wae_rnf.evaluation.metrics_table import print_report


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
        metrics["paper_protocol"]["nll"],
        metrics["mutual_information"],
    ):
        assert f"{figure:.2f}" in text
    assert "3 sentences, 9 tokens" in text
    assert "  1  a [b] c\n" in text


def test_errors_and_units(metrics):
    text = printed(metrics)
    assert max(map(len, text.splitlines())) <= 80
    one, other = (metrics[reading] for reading in ("pushforward", "flow_posterior"))
    errors = [bound["monte_carlo_error"] for each in (one, other) for bound in (each["elbo"], each["iwae"])]
    flat = " ".join(text.split())
    assert (
        "Monte-Carlo error of ELBO, IWAE: pushforward {:.3f}, {:.3f}; flow posterior {:.3f}, {:.3f}".format(*errors)
        in flat
    )
    first, last = metrics["bound_over_k"]["flow_posterior"][0], other["iwae"]["nll"]
    assert f"bound over k, flow posterior: {first:.2f} (1), {last:.2f} (3)" in flat
    over = metrics["units_over_0.05"]
    units = f"{metrics['active_units']} active units ({metrics['active_units_0.1']} at 0.1, {over} with KL > 0.05)"
    assert units in flat
    assert f"± {metrics['mutual_information_standard_error']:.2f} (Monte Carlo" in flat
    assert "mixture" not in flat
    metrics["pushforward"]["iwae"]["proposal"] = "mixture"
    assert "(q(z|x) + p(z)) / 2" in printed(metrics)


def test_metrics_of_an_earlier_format(metrics):
    earlier = {name: value for name, value in metrics.items() if not name.startswith("mutual_information_")}
    for name in ("bound_over_k", "active_units_0.1", "units_over_0.05", "kl_of_units"):
        del earlier[name]
    for reading in ("pushforward", "flow_posterior"):
        for bound in ("elbo", "iwae"):
            del earlier[reading][bound]["monte_carlo_error"]
    text = printed(earlier)
    assert "Monte" not in text
    assert f"{earlier['active_units']} active units," in " ".join(text.split())


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


def test_reconstructions_and_the_grammar_are_shown(metrics):
    kept = {"topic": 0.9, "form": 0.8}
    toy = {"grammatical_samples": 0.4, "grammatical_reconstructions": 0.7, "kept": kept}
    samples = {"num_sentences": 2, "distinct_1": 1.0, "distinct_2": 1.0, "distinct_3": None, "self_bleu": 3.0}
    reconstructions = {"bleu": 12.0, "examples": [["a [b] c .", "d e ."]]}
    text = printed(metrics | {"text": {"samples": samples, "reconstructions": reconstructions, "toy": toy}})
    assert "Reconstructions from the posterior mean\n     a [b] c .\n  →  d e .\n" in text
    words = " ".join(text.split())
    assert "40% of the samples are sentences" in words
    assert "70% of the reconstructions; these keep topic 90%, form 80%" in words
    assert max(map(len, text.splitlines())) <= 80
