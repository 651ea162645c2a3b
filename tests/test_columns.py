"""Columns of metrics.json: figures with their errors, and what says nothing left out."""

import statistics

import pytest

from wae_rnf.evaluation.columns import COLUMNS, Row, WordColumn, cells, columns, listed, markdown_table


def metrics(nll=3.0, latents=True, flow=False, **others):
    bound = {"nll": nll, "ppl": 2.0, "standard_error": 0.25, "monte_carlo_error": 0.0123}
    model = {
        "elbo": bound | {"reconstruction": 1.0, "kl": 2.0},
        "iwae": bound | {"samples": 5, "proposal": "posterior"},
    }
    other = {"elbo": model["elbo"], "iwae": model["iwae"] | {"nll": nll + 10}}
    return {
        "has_latents": latents,
        "has_flow": flow,
        "generative_model": "pushforward",
        "pushforward": model,
        "flow_posterior": other,
        "mutual_information": 1.5,
        "mutual_information_standard_error": None,
        "active_units": 3,
        "paper_protocol": {"nll": 0.5, "log_abs_det": 4.0},
    } | others


def cell(name, *runs, generative_model="pushforward"):
    return COLUMNS[name].cell(Row("row", runs, generative_model))


def test_a_single_run_has_the_error_over_sentences_and_that_over_samples():
    assert cell("iwae", metrics()) == "3.00 ± 0.25 (0.012)"
    assert cell("elbo", metrics()) == "3.00"
    assert cell("mutual_information", metrics()) == "1.50"
    assert cell("mutual_information", metrics(mutual_information_standard_error=0.1)) == "1.50 ± 0.10"


def test_several_seeds_have_their_mean_and_standard_deviation():
    values = [3.0, 4.0, 6.5]
    expected = f"{sum(values) / 3:.2f} ± {statistics.stdev(values):.2f} (0.012)"
    assert cell("iwae", *map(metrics, values)) == expected
    assert cell("active_units", metrics(), metrics(active_units=5)) == "4 ± 1"


def test_the_generative_model_of_the_row_is_read():
    assert cell("iwae", metrics(flow=True), generative_model="flow_posterior").startswith("13.00")
    assert cell("model", metrics(flow=True), generative_model="flow_posterior") == "prior on z'"
    assert cell("model", metrics()) == "–"
    fixed = COLUMNS["iwae"].of("flow_posterior")
    assert fixed.heading == "IWAE, prior on z'"
    assert fixed.cell(Row.own("row", [metrics(flow=True)])).startswith("13.00 ±")
    assert fixed.cell(Row.own("row", [metrics()])) == "–"


@pytest.mark.parametrize("name", ["kl", "kl_of_z", "mutual_information", "active_units", "mmd", "bleu"])
def test_a_language_model_has_no_latent_variable(name):
    assert cell(name, metrics(latents=False, mmd=0.1)) == "–"


def test_flow_terms_without_a_flow_say_nothing():
    assert cell("log_abs_det", metrics()) == "–"
    assert cell("log_abs_det", metrics(flow=True)) == "4.00"


def test_what_is_not_known_of_one_seed_is_not_known():
    assert cell("above_entropy", metrics()) == "–"
    assert cell("forward_ppl", metrics()) == "–"
    perplexities = {"reproduction": {"perplexities": {"forward_ppl": 7.0}}}
    assert cell("forward_ppl", metrics(**perplexities)) == "7.0"
    assert cell("forward_ppl", metrics(**perplexities), metrics()) == "–"


def test_a_difference_has_its_sign_and_its_error_none():
    found = {"above_language_model": {"pushforward": {"iwae": {"mean": 0.5, "standard_error": 0.25}}}}
    assert cell("above_language_model", metrics(reproduction=found)) == "+0.50 ± 0.25"


def test_the_samples_of_a_mixture():
    run = metrics()
    assert cell("k", run) == "5"
    run["pushforward"]["iwae"]["proposal"] = "mixture"
    assert cell("k", run) == "5 of a mixture"


def test_columns_that_say_nothing_of_any_row_are_left_out():
    language_model, vae = Row.own("lstm-lm", [metrics(latents=False)]), Row.own("vae", [metrics()])
    shown = [*columns("elbo", "kl", "log_abs_det", "above_entropy"), WordColumn("remark", lambda row: "")]
    assert cells([language_model], shown) == (["system", "ELBO"], [["lstm-lm", "3.00"]])
    assert cells([language_model, vae], shown, first="row") == (
        ["row", "ELBO", "KL"],
        [["lstm-lm", "3.00", "–"], ["vae", "3.00", "2.00"]],
    )
    assert markdown_table([vae], columns("kl")) == "| system | KL |\n| --- | --- |\n| vae | 2.00 |"


def test_two_columns_of_one_heading_are_both_kept():
    header, ((_, *texts),) = cells([Row.own("vae", [metrics(nll=4.0)])], columns("kl", "kl_of_z"))
    assert (header, texts) == (["system", "KL", "KL"], ["2.00", "2.00"])


def test_a_list_of_figures():
    lines = listed(Row.own("vae", [metrics()]), columns("elbo", "log_abs_det", "ppl"))
    assert lines == [("ELBO", "3.00", "nats per sentence"), ("  perplexity", "2.0", "per token")]


def test_a_figure_that_says_nothing_of_a_row_is_not_read():
    """Whatever the file holds: a language model's I(z; x) is 0 by definition, and no result."""
    assert COLUMNS["mutual_information"].read(metrics(latents=False), "pushforward") is None
