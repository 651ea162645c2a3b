"""A reproduction of every system: what is kept, the page, the paired differences; a second one trains nothing."""

import statistics
from types import SimpleNamespace

import pytest

from wae_rnf.evaluation.metrics import Metrics
from wae_rnf.evaluation.metrics_files import read_sentences
from wae_rnf.evaluation.schema import unknown_keys
from wae_rnf.reproduction.intervals import paired_difference
from wae_rnf.reproduction.reproduce import reproduce
from wae_rnf.reproduction.results_folder import read_runs
from wae_rnf.training.systems import SYSTEMS

from .test_reproduce import SMALL, options_in, write_ptb


@pytest.fixture(scope="module")
def done(tmp_path_factory):
    """All systems, trained for three steps each: folders, page and metrics."""
    folder = tmp_path_factory.mktemp("reproduction")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("datasets.config.HF_DATASETS_CACHE", folder / "cache")
        corpus = write_ptb(folder)
        report = reproduce(options_in(folder, corpus, systems=list(SYSTEMS)), SMALL)
    results = folder / "results" / "ptb"
    return SimpleNamespace(
        folder=folder, corpus=corpus, results=results, report=report, text=report.read_text(), runs=read_runs(results)
    )


def test_what_is_kept_of_each_system(done):
    assert done.report == done.results / "README.md"
    assert list(done.runs) == list(SYSTEMS)
    for system, (metrics,) in done.runs.items():
        history = metrics["training"]["history"]
        assert len(history) == 1, system
        assert {"kl", "mutual_information", "active_units", "epoch"} <= history[0].keys()
        assert list(unknown_keys(metrics, Metrics)) == []
        assert metrics["reproduction"]["row"] == system
        assert metrics["reproduction"]["perplexities"].keys() == {"num_samples", "forward_ppl", "reverse_ppl"}
        assert {"distinct_1", "self_bleu"} <= metrics["text"]["samples"].keys()
        assert ("reconstructions" in metrics["text"]) == (system != "lstm-lm")
    exact = done.runs["lstm-lm"][0]["pushforward"]
    assert exact["elbo"]["nll"] == pytest.approx(exact["iwae"]["nll"], abs=1e-5)
    # a first stage that cannot collapse, of its own
    assert (done.folder / "runs" / "ptb" / "wae-rnf" / "vae").exists()


def test_the_page(done):
    assert "![Posterior means of wae-rnf](latent_map.png)" in done.text
    for name in ("latent_map.png", "mutual_information.png", "collapse.png"):
        assert (done.results / name).read_bytes().startswith(b"\x89PNG")
    assert "shortened from the paper's 48" in done.text
    assert "Perplexities are of 20 of them" in done.text
    assert "| prior on z', trained |" in done.text.partition("| vae-nf |")[2].partition("| lagging-vae |")[0]


def test_the_papers_figures_stand_beside_the_same_quantity(done):
    assert "| wae-rnf | 91.9 (15.40) 66.1 |" in done.text  # the paper's row of Table 1
    assert "| wae-nf | at the posterior mean, no bound | 92.3 | 14.3 | 14.3 | 67.3 |" in done.text
    for row, name in {"vae": "ELBO", "lstm-lm": "exact NLL"}.items():
        elbo = done.runs[row][0]["pushforward"]["elbo"]
        assert f"| {name} | {elbo['nll']:.1f} ({elbo['kl']:.1f}) {elbo['ppl']:.1f} |" in done.text
    own = done.runs["wae-rnf"][0]["paper_protocol"]
    assert f"| at the posterior mean, no bound | {own['nll']:.1f} ({own['kl']:.1f}) {own['ppl']:.1f} |" in done.text


def test_differences_are_paired_over_sentences(done):
    nll = {}
    for system in SYSTEMS:
        heading, *lines = (done.folder / "runs" / "ptb" / system / "sentences.tsv").read_text().splitlines()
        column = heading.split("\t").index("pushforward_iwae")
        nll[system] = [float(line.split("\t")[column]) for line in lines]
    for system, (metrics,) in done.runs.items():
        differences = [ours - exact for ours, exact in zip(nll[system], nll["lstm-lm"], strict=True)]
        above = metrics["reproduction"]["above_language_model"]["pushforward"]["iwae"]
        assert above["mean"] == pytest.approx(statistics.mean(differences), abs=1e-4)
        error = statistics.stdev(differences) / len(differences) ** 0.5
        assert above["standard_error"] == pytest.approx(error, abs=1e-4)
        assert metrics["pushforward"]["iwae"]["nll"] == pytest.approx(statistics.mean(nll[system]), abs=1e-4)
    kept = {row: read_sentences(done.results / f"{row}.json") for row in ("wae", "lstm-lm", "wae-nf")}
    assert kept["wae"].keys() == {"length", "pushforward_iwae"}  # without a flow the generative models are one
    assert kept["wae-nf"].keys() == {"length", "pushforward_iwae", "flow_posterior_iwae"}
    assert kept["wae"]["pushforward_iwae"] == pytest.approx(nll["wae"], abs=6e-4)
    shown = paired_difference(kept["wae"]["pushforward_iwae"], kept["lstm-lm"]["pushforward_iwae"])
    told = done.runs["wae"][0]["reproduction"]["above_language_model"]["pushforward"]["iwae"]["mean"]
    assert shown.mean == pytest.approx(told, abs=1e-3)
    assert f"| {shown} |" in done.text
    assert "over sentences alone where a row has one seed" in done.text


def test_a_second_one_trains_nothing(done):
    def times():
        return {path: path.stat().st_mtime_ns for path in (done.folder / "runs").rglob("metrics.json")}

    written = times()
    assert len(written) == len(SYSTEMS)
    reproduce(options_in(done.folder, done.corpus, systems=list(SYSTEMS)), SMALL)
    # the language model is found where it was trained
    reproduce(options_in(done.folder, done.corpus, systems=["wae"]), SMALL)
    assert times() == written
    assert read_runs(done.results) == done.runs
