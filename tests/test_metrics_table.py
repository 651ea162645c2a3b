"""The report of an evaluation in a terminal shows the figures of metrics.json, and fits."""

import copy
import io

import pytest
from rich.console import Console

from wae_rnf.evaluation.metrics_files import read_metrics
from wae_rnf.evaluation.metrics_table import print_report
from wae_rnf.evaluation.terminal_table import print_table


@pytest.fixture
def metrics(trained_directory):
    """Of a WAE-RNF, on a corpus whose entropy is known."""
    metrics = copy.deepcopy(read_metrics(trained_directory / "metrics.json"))
    for generative_model in ("pushforward", "flow_posterior"):
        for bound in metrics[generative_model].values():
            bound |= {"above_entropy": 1.25, "above_entropy_standard_error": 0.5}
    metrics["text"]["reconstructions"]["examples"] = []
    return metrics | {
        "dataset": "toy",
        "entropy": 7.75,
        "entropy_standard_error": 0.25,
        "samples": ["a [b] c", "d"],
        "warnings": [],
    }


def printed(metrics, width=80, verbose=False):
    console = Console(file=io.StringIO(), width=width)
    print_report(metrics, console, verbose=verbose)
    return console.file.getvalue()


def lines_of(text):
    """{figure: [the rest of its lines]}"""
    found = {}
    for line in text.splitlines():
        name, _, rest = line.strip().partition("  ")
        found.setdefault(name, []).append(rest.strip() + " ")
    return found


def test_the_trained_model_comes_first_and_alone(metrics):
    text = printed(metrics)
    assert max(map(len, text.splitlines())) <= 80
    own, other = metrics["pushforward"], metrics["flow_posterior"]
    lines = lines_of(text)
    assert lines["ELBO"][0].startswith(f"{own['elbo']['nll']:.2f} ")
    assert lines["reconstruction"][0].startswith(f"{own['elbo']['reconstruction']:.2f} ")
    assert lines["KL"][0].startswith(f"{own['elbo']['kl']:.2f} ")
    bound = own["iwae"]
    errors = f"± {bound['standard_error']:.2f} ({bound['monte_carlo_error']:.3f})"
    assert lines["IWAE, 3 samples"][0].startswith(f"{bound['nll']:.2f} {errors}")
    assert lines["perplexity"][0].startswith(f"{bound['ppl']:.1f} ")
    assert lines["above the corpus's entropy"][0].startswith("+1.25 ± 0.50")
    assert lines["entropy of the corpus"][0].startswith("7.75 ± 0.25")
    assert lines["mutual information"][0].startswith(f"{metrics['mutual_information']:.2f} ")
    assert lines["active units"][0].startswith(f"{metrics['active_units']} ")
    assert lines["used units"][0].startswith(f"{metrics['units_over_0.05']} ")
    assert lines["BLEU of reconstructions"][0].startswith(f"{metrics['text']['reconstructions']['bleu']:.1f} ")
    assert len(lines["ELBO"]) == 1
    assert f" {other['iwae']['nll']:.2f} " not in text
    assert "15 sentences, 75 tokens" in text
    assert "Bounds with the prior on z, z ~ N(0, I), z' = F(z)." in text
    assert "wae-rnf evaluate --verbose prints them" in text
    assert "  1  a [b] c\n" in text


def test_verbose_prints_the_rest(metrics):
    text = printed(metrics, verbose=True)
    assert max(map(len, text.splitlines())) <= 80
    other, protocol, lines = metrics["flow_posterior"], metrics["paper_protocol"], lines_of(text)
    assert lines["ELBO"][1].startswith(f"{other['elbo']['nll']:.2f} ")
    assert lines["IWAE, 3 samples"][1].startswith(f"{other['iwae']['nll']:.2f} ±")
    assert lines["paper's protocol"][0].startswith(f"{protocol['nll']:.2f} ")
    assert lines["Σ log|det|"][0].startswith(f"{protocol['log_abs_det']:.2f} ")
    assert lines["MMD to the prior"][0].startswith(f"{metrics['mmd']:.4f}")
    curve = metrics["bound_over_k"]
    for k, one, another in zip(curve["k"], curve["pushforward"], curve["flow_posterior"], strict=True):
        assert f" {k} {one:.2f} {another:.2f} " in " ".join(text.split())


def test_the_samples_of_a_mixture_are_named(metrics):
    metrics["pushforward"]["iwae"]["proposal"] = "mixture"
    assert "IWAE, 3 samples of (q(z|x) + p(z)) / 2" in printed(metrics)


def test_a_language_model_has_one_exact_figure(metrics):
    del metrics["text"]["reconstructions"]
    curve = {"num_sentences": 15, "k": [1], "pushforward": [3.0], "flow_posterior": [3.0]}
    facts = {"has_latents": False, "has_flow": False, "mmd": None, "bound_over_k": curve}
    text = printed(metrics | facts, verbose=True)
    lines = lines_of(text)
    exact = metrics["pushforward"]["elbo"]
    start = f"{exact['nll']:.2f} ± {exact['standard_error']:.2f} "
    assert lines["negative log-likelihood, exact"][0].startswith(start)
    for absent in (
        "ELBO",
        "IWAE",
        "KL",
        "mutual information",
        "active units",
        "paper's protocol",
        "prior on",
        "BLEU of",
    ):
        assert absent not in text, absent


def test_what_is_not_known_is_left_out(metrics):
    for name in ("entropy", "entropy_standard_error", "text"):
        del metrics[name]
    for generative_model in ("pushforward", "flow_posterior"):
        for bound in metrics[generative_model].values():
            del bound["above_entropy"], bound["above_entropy_standard_error"]
            bound["monte_carlo_error"] = None
    text = printed(metrics | {"samples": [], "units_over_0.05": None})
    for absent in ("entropy", "Samples", "used units", "BLEU", "None", "–"):
        assert absent not in text, absent


def test_warnings_are_whole_and_fit(metrics):
    warning = "the latent variable has collapsed: [0 of 32] units. To try: " + "--preset recipe, " * 9
    assert "Warning" not in printed(metrics)
    text = printed(metrics | {"warnings": [warning]})
    assert max(map(len, text.splitlines())) <= 80
    assert f"Warning: {warning}".split() == text[text.index("Warning") :].split()[: len(warning.split()) + 1]


@pytest.mark.parametrize("width", [20, 40, 60])
def test_figures_are_never_cut(metrics, width):
    """In a narrow terminal the table is wider than it."""
    metrics["pushforward"]["iwae"] |= {"nll": 41481.25, "standard_error": 123.45, "ppl": 123456.78}
    text = printed(metrics, width)
    assert "…" not in text
    for figure in ("41481.25 ± 123.45", "123456.8"):
        assert figure in text


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


def test_a_table_shows_brackets_as_they_are_and_is_not_cut():
    console = Console(file=io.StringIO(), width=20)
    rows = [["a[b]", "+0.50 [-0.25, +1.25]"], ["c", "–"]]
    print_table(["row", "difference"], rows, "title [of] it", "below", console)
    lines = [line.rstrip() for line in console.file.getvalue().splitlines()]
    assert lines[0] == "title [of] it"
    assert lines[-1] == "below"
    assert " a[b]   +0.50 [-0.25, +1.25]" in lines
