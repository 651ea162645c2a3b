"""Files of metrics against their schema: those in results/, those that a command writes, and older formats."""

import copy
import json
from pathlib import Path

import pytest

from wae_rnf.evaluation.metrics import FORMAT, Metrics, SplitMetrics
from wae_rnf.evaluation.metrics_files import read_metrics, write_record
from wae_rnf.evaluation.metrics_migration import migrated_split
from wae_rnf.evaluation.schema import problems, unknown_keys

RESULTS = Path(__file__).parent.parent / "results"
OTHERS = ("benchmarks", "geometry", "bfloat16.json", "text_session.json")  # no metrics.json
PATHS = sorted(path for path in RESULTS.rglob("*.json") if not set(OTHERS) & set(path.relative_to(RESULTS).parts))
assert len(PATHS) > 40
GENERATIVE_MODELS = ("pushforward", "flow_posterior")


@pytest.mark.parametrize("path", PATHS, ids=lambda path: path.relative_to(RESULTS).as_posix())
def test_every_result_fits_the_schema_and_keeps_its_figures(path):
    old, new = json.loads(path.read_text()), read_metrics(path)
    assert list(problems(new, Metrics)) == []
    assert list(unknown_keys(new, Metrics)) == []
    assert new["format"] == FORMAT
    assert new["paper_protocol"] == old.get("published", old.get("paper_protocol"))
    for generative_model in GENERATIVE_MODELS:
        for bound, figures in new[generative_model].items():
            assert {name: old[generative_model][bound].get(name, value) for name, value in figures.items()} == figures
    for name in ("options", "training", "mutual_information", "seconds", "versions"):
        assert new[name] == old[name]


def test_what_else_is_measured_fits_a_part_of_the_schema():
    for run in json.loads((RESULTS / "bfloat16.json").read_text())["runs"]:
        for precision in ("no", "bf16"):
            assert list(problems(migrated_split(run[precision]), SplitMetrics)) == []


def test_what_training_writes(trained_directory):
    content = json.loads((trained_directory / "metrics.json").read_text())
    assert content["format"] == FORMAT
    assert list(problems(content, Metrics)) == []
    assert list(unknown_keys(content, Metrics)) == []
    assert read_metrics(trained_directory / "metrics.json") == content


@pytest.fixture
def older(trained_directory, tmp_path):
    """Writes the metrics of a trained model as an earlier version did, with changes; reads them."""

    def build(**changes):
        content = json.loads((trained_directory / "metrics.json").read_text())
        content["published"] = content.pop("paper_protocol")
        content["text"]["samples"] |= {"perplexity_samples": 20, "forward_ppl": 5.0, "reverse_ppl": 6.0}
        for generative_model in GENERATIVE_MODELS:
            for bound in ("elbo", "iwae"):
                content[generative_model][bound] |= {
                    "above_language_model": 0.5,
                    "above_language_model_standard_error": 0.1,
                }
        content |= {"format": 2, "row": "narrow"} | changes
        (tmp_path / "old.json").write_text(json.dumps(content))
        return content, read_metrics(tmp_path / "old.json")

    return build


def test_format_2(older):
    old, new = older()
    assert new["reproduction"] == {
        "row": "narrow",
        "perplexities": {"num_samples": 20, "forward_ppl": 5.0, "reverse_ppl": 6.0},
        "above_language_model": {
            generative_model: {bound: {"mean": 0.5, "standard_error": 0.1} for bound in ("elbo", "iwae")}
            for generative_model in GENERATIVE_MODELS
        },
    }
    assert list(unknown_keys(new, Metrics)) == []
    assert new["paper_protocol"] == old["published"]


def test_format_1_did_not_say_what_was_trained(older, trained_directory):
    content = json.loads((trained_directory / "metrics.json").read_text())
    evaluation = {name: value for name, value in content["evaluation"].items() if name != "proposal"}
    options = content["options"] | {"objective": "authors"}
    old, _ = older(format=1, evaluation=evaluation, options=options)
    del old["generative_model"]
    _, new = older(**old)
    assert (new["evaluation"]["proposal"], new["format"]) == ("posterior", FORMAT)


def test_the_first_files():
    """Of before there was a number; facts that were not written are found."""
    found = {name: read_metrics(RESULTS / "toy" / f"{name}.json") for name in ("lstm-lm", "vae", "vmf-vae", "wae-rnf")}
    facts = {name: (m["has_latents"], m["has_flow"], m["prior"]) for name, m in found.items()}
    assert facts == {
        "lstm-lm": (False, False, "standard_normal"),
        "vae": (True, False, "standard_normal"),
        "vmf-vae": (True, False, "uniform_sphere"),
        "wae-rnf": (True, True, "standard_normal"),
    }
    assert read_metrics(RESULTS / "toy" / "vae-nf.json")["generative_model"] == "flow_posterior"
    wae_rnf = found["wae-rnf"]
    assert wae_rnf["bound_over_k"]["k"] == [wae_rnf["pushforward"]["iwae"]["samples"]]
    old, new = (
        json.loads((RESULTS / "yelp_short" / "vae.json").read_text()),
        read_metrics(RESULTS / "yelp_short" / "vae.json"),
    )
    samples, bound = old["text"]["samples"], old["pushforward"]["iwae"]
    perplexities = {"num_samples": None} | {name: samples[name] for name in ("forward_ppl", "reverse_ppl")}
    assert new["reproduction"]["perplexities"] == perplexities
    above = new["reproduction"]["above_language_model"]["pushforward"]["iwae"]
    assert above["mean"] == bound["above_language_model"]
    assert above["standard_error"] == bound["above_language_model_standard_error"]


@pytest.mark.parametrize("place", ["toy/vae.json", "recipe/ptb/normal-0.json"], ids=["no format", "format 3"])
def test_before_format_4_tokens_were_lower_case_words(place):
    new = read_metrics(RESULTS / place)
    assert new["tokenization"] == {"tokenization": "words", "lowercase": True}
    assert (new["num_words"], new["num_bytes"]) == (new["num_tokens"] - new["num_sentences"], None)
    bound = new["pushforward"]["iwae"]
    assert (bound["ppl_per_word"], bound["bits_per_byte"]) == (bound["ppl"], None)


def test_a_damaged_file_of_format_3_is_refused(tmp_path):
    content = json.loads((RESULTS / "recipe/ptb/normal-0.json").read_text())
    del content["num_tokens"]
    (tmp_path / "metrics.json").write_text(json.dumps(content))
    with pytest.raises(ValueError, match="num_tokens is missing"):
        read_metrics(tmp_path / "metrics.json")


def test_a_file_of_a_later_version_is_refused(tmp_path):
    (tmp_path / "new.json").write_text(json.dumps({"format": FORMAT + 1}))
    with pytest.raises(ValueError, match=f"is of format {FORMAT + 1}, this version reads up to {FORMAT}"):
        read_metrics(tmp_path / "new.json")


@pytest.mark.parametrize(
    ("place", "value", "problem"),
    [
        (["system"], 3, "system is 3, not text"),
        (["num_tokens"], 2.5, "num_tokens is 2.5, not a whole number"),
        (["num_tokens"], True, "num_tokens is True, not a whole number"),
        (["has_flow"], 1, "has_flow is 1, not true or false"),
        (["mutual_information"], "much", "mutual_information is 'much', not a finite number"),
        (["pushforward", "elbo", "kl"], float("inf"), "pushforward.elbo.kl is inf, not a finite number"),
        (["bound_over_k", "k"], [1, "two"], "bound_over_k.k.1 is 'two', not a whole number"),
        (["text", "samples"], [], "text.samples is [], not an object"),
        (["mmd"], None, None),
        (["training"], None, None),
        (["training", "steps"], None, "training.steps is None, not a whole number"),
        (["versions", "torch"], 2.13, "versions.torch is 2.13, not text"),
    ],
)
def test_problems_are_named(trained_directory, place, value, problem):
    content = copy.deepcopy(read_metrics(trained_directory / "metrics.json"))
    *way, last = place
    parent = content
    for name in way:
        parent = parent[name]
    parent[last] = value
    assert list(problems(content, Metrics)) == ([problem] if problem else [])


def test_unknown_keys_are_found_at_any_depth(trained_directory):
    content = copy.deepcopy(read_metrics(trained_directory / "metrics.json"))
    content["colour"] = "red"
    content["training"]["speed"] = 3
    content["flow_posterior"]["iwae"]["twice"] = 2.0
    assert set(unknown_keys(content, Metrics)) == {"colour", "training.speed", "flow_posterior.iwae.twice"}


def test_the_format_is_written(tmp_path):
    assert write_record(tmp_path / "record.json", {"format": 1, "figure": 2.0}) == {"format": FORMAT, "figure": 2.0}
    assert json.loads((tmp_path / "record.json").read_text())["format"] == FORMAT
