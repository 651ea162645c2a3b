"""A reproduction: every system in turn, none twice, the same after a kill; and the report's tables."""

import json
import os
import signal
import subprocess
import sys
import time
from functools import partial
from pathlib import Path

import numpy as np
import pytest

from wae_rnf.commands.main import main
from wae_rnf.evaluation.estimators import GENERATIVE_MODELS
from wae_rnf.evaluation.metrics_files import read_sentences, write_metrics, write_sentences
from wae_rnf.reproduction.arguments import ReproduceArguments
from wae_rnf.reproduction.corpus_report import write_report
from wae_rnf.reproduction.intervals import paired_difference
from wae_rnf.reproduction.reproduce import compared, reproduce
from wae_rnf.reproduction.results_folder import read_runs

WORDS = (
    "the", "a", "cat", "dog", "old", "new", "sat", "ran", "on", "in", "mat", "house", "sun", "rain", "fell", "rose",
)  # fmt: skip
SMALL = {
    "embedding_size": 12, "hidden_size": 12, "latent_size": 4, "num_centres": 3, "batch_size": 8, "inner_steps": 2,
    "save_steps": 1,
}  # fmt: skip
CHANGING = ("seconds", "command", "training", "options")  # of the machine's moment, or where the run lies


@pytest.fixture(autouse=True)
def cache(tmp_path, monkeypatch):
    monkeypatch.setenv("HF_DATASETS_CACHE", str(tmp_path / "cache"))
    monkeypatch.setattr("datasets.config.HF_DATASETS_CACHE", tmp_path / "cache")


def write_ptb(parent):
    """A folder of a few sentences by the name of the Penn Treebank, whose figures the paper has."""
    folder = parent / "ptb"
    folder.mkdir()
    for split, count in (("train", 40), ("valid", 12), ("test", 12)):
        lines = (" ".join(WORDS[(i * k) % 16] for k in range(1, 3 + i % 5)) for i in range(1, count + 1))
        (folder / f"{split}.txt").write_text("\n".join(lines) + "\n")
    return folder


def options_in(folder, corpus, **changes):
    """The options of a small reproduction of a corpus, all of whose files are in a folder."""
    fixed = {"dataset": str(corpus), "runs_dir": str(folder / "runs"), "results_dir": str(folder / "results")}
    return ReproduceArguments(**(fixed | {"max_steps": 3, "iwae_samples": 2, "num_samples": 20} | changes))


@pytest.fixture
def corpus(tmp_path):
    return write_ptb(tmp_path)


@pytest.fixture
def options(corpus, tmp_path):
    return partial(options_in, tmp_path, corpus)


def test_other_sentences_are_not_compared(tmp_path):
    bounds = {
        f"{generative_model}_{bound}": [3.0, 5.0]
        for generative_model in GENERATIVE_MODELS
        for bound in ("elbo", "iwae")
    }
    for name, lengths in {"ours": [2, 4], "same": [2, 4], "other": [4, 2]}.items():
        (tmp_path / name).mkdir()
        write_metrics(tmp_path / name / "metrics.json", {"of_sentences": {"length": lengths} | bounds})
    for language_model in ("other", "missing"):
        assert compared(tmp_path / "ours", tmp_path / language_model) == {}
    above = compared(tmp_path / "ours", tmp_path / "same")
    assert above["flow_posterior"]["elbo"] == {"mean": 0, "standard_error": 0}


def test_seeds_give_mean_and_deviation(options, tmp_path):
    report = reproduce(options(systems=["vae"], seeds=2), SMALL)
    values = [metrics["pushforward"]["elbo"]["nll"] for metrics in read_runs(tmp_path / "results" / "ptb")["vae"]]
    assert len(values) == 2
    mean, deviation = sum(values) / 2, abs(values[0] - values[1]) / 2**0.5
    assert f"{mean:.2f} ± {deviation:.2f}" in report.read_text()


def test_goes_on_after_a_kill(options, corpus, tmp_path):
    """Killed after the first system, it ends with what an uninterrupted run gives, and leaves that system alone."""
    killed, whole = ({"systems": ["vae", "wae"], "max_steps": 12} | {"runs_dir": str(tmp_path / n)} for n in "kw")
    config = tmp_path / "small.yaml"
    config.write_text("".join(f"{name}: {value}\n" for name, value in SMALL.items()))
    main = "import sys; from wae_rnf.commands.main import main; sys.exit(main(sys.argv[1:]))"
    command = [sys.executable, "-c", main, "reproduce", "--config", config]
    command += ["--dataset", corpus, "--runs_dir", killed["runs_dir"], "--results_dir", tmp_path / "results"]
    command += ["--systems", "vae", "wae", "--max_steps", "12", "--iwae_samples", "2", "--num_samples", "20"]
    first = Path(killed["runs_dir"], "ptb", "vae", "metrics.json")
    process = subprocess.Popen(list(map(str, command)), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    deadline = time.monotonic() + 300
    while not first.exists() and time.monotonic() < deadline and process.poll() is None:
        time.sleep(0.02)
    os.kill(process.pid, signal.SIGKILL)
    process.wait(timeout=20)
    assert first.exists()
    assert not Path(killed["runs_dir"], "ptb", "wae", "metrics.json").exists()
    written = first.stat().st_mtime_ns
    found = {}
    for fields in (killed, whole):
        reproduce(options(**fields), SMALL)
        found[fields["runs_dir"]] = read_runs(tmp_path / "results" / "ptb")
    assert first.stat().st_mtime_ns == written
    for system in ("vae", "wae"):
        one, other = (runs[system][0] for runs in found.values())
        assert one["training"]["history"] == other["training"]["history"]
        for name in one.keys() - set(CHANGING):
            assert one[name] == other[name], (system, name)


def test_seeds_of_both_rows_are_in_the_interval(options, tmp_path):
    small = {"systems": ["lstm-lm", "wae"], "seeds": 2, "iwae_samples": 4, "eval_proposal": "mixture"}
    text = reproduce(options(**small, bound_over_k=20, bound_sentences=5), SMALL).read_text()
    results = tmp_path / "results" / "ptb"
    bounds = {
        row: np.stack([read_sentences(results / f"{row}-{seed}.json")["pushforward_iwae"] for seed in range(2)])
        for row in ("wae", "lstm-lm")
    }
    expected = paired_difference(bounds["wae"], bounds["lstm-lm"])
    assert (expected.over_seeds, expected.seeds) == (True, (2, 2))
    assert f"| {expected} |" in text
    assert "bootstrap over seeds and sentences." in text
    runs = read_runs(results)
    assert runs["wae"][0]["evaluation"]["proposal"] == runs["wae"][0]["pushforward"]["iwae"]["proposal"] == "mixture"
    assert "| 4 of a mixture |" in text
    for metrics in runs["wae"]:
        curve = metrics["bound_over_k"]
        assert (curve["k"], curve["num_sentences"]) == ([2, 4, 10, 20], 5)
        assert len(curve["pushforward"]) == 4
    assert runs["lstm-lm"][0]["bound_over_k"]["k"] == [1]
    assert "![The importance-weighted bound over k](bound_over_k.png)" in text
    assert "Of the first 5 test sentences" in text
    assert (results / "bound_over_k.png").read_bytes().startswith(b"\x89PNG")


def test_rows_of_other_sentences_make_no_pairs(options, tmp_path):
    report = reproduce(options(systems=["lstm-lm", "vae"]), SMALL)
    results = tmp_path / "results" / "ptb"
    assert "[" in report.read_text().partition("| vae |")[2].partition("\n")[0]
    columns = read_sentences(results / "vae.json")
    write_sentences(results / "vae.tsv", columns | {"length": columns["length"] + 1})
    cells = write_report(results).read_text().partition("| vae |")[2].partition("\n")[0]
    assert "[" not in cells
    assert "±" in cells  # what the metrics have of their own seed
    for path in results.glob("*.tsv"):
        path.unlink()
    assert "[" not in write_report(results).read_text().partition("| vae |")[2].partition("\n")[0]


def test_variants_are_rows_of_their_own(options, tmp_path):
    variants = tmp_path / "variants.yaml"
    variants.write_text("wae-rnf: {}\nnarrow: {system: wae-nf, hidden_size: 8, num_epochs: 1}\nvae: {}\n")
    report = reproduce(options(variants=str(variants), num_epochs=2), SMALL)
    runs = read_runs(tmp_path / "results" / "ptb")
    assert list(runs) == ["vae", "wae-rnf", "narrow"]
    narrow = runs["narrow"][0]["options"]
    assert (narrow["system"], narrow["hidden_size"], narrow["num_epochs"]) == ("wae-nf", 8, 1)
    assert runs["vae"][0]["options"]["num_epochs"] == 2
    assert runs["wae-rnf"][0]["options"]["hidden_size"] == SMALL["hidden_size"]
    text = report.read_text()
    assert "| row | system | `hidden_size` | `num_epochs` |" in text
    assert "| narrow | wae-nf | 8 | 1 |" in text


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("- vae", "must hold lines of the form"),
        ("vae: 3", "must hold lines of the form"),
        ("vae: {", "cannot be read"),
        ("../vae: {}", "names files and directories"),
        ("vae: {hidden: 3}", "vae has the option 'hidden', which train does not have"),
    ],
)
def test_bad_variants(options, tmp_path, content, message):
    variants = tmp_path / "variants.yaml"
    variants.write_text(content)
    with pytest.raises(ValueError, match=message):
        reproduce(options(variants=str(variants)), SMALL)


def test_other_options_are_refused(options):
    reproduce(options(systems=["lstm-lm"]), SMALL)
    with pytest.raises(ValueError, match="holds a run of other options: --hidden_size was 12"):
        reproduce(options(systems=["lstm-lm"]), SMALL | {"hidden_size": 16})


def test_misuse(options, tmp_path):
    with pytest.raises(ValueError, match="unknown system 'gan'"):
        options(systems=["gan"])
    with pytest.raises(ValueError, match="--variants names the rows itself"):
        options(variants="rows.yaml", systems=["vae"])
    with pytest.raises(ValueError, match="--seeds must be at least 1"):
        options(seeds=0)
    for name, dataset in (("vae", "ptb"), ("wae", "toy")):
        (tmp_path / f"{name}.json").write_text(json.dumps({"system": name, "dataset": dataset}))
    with pytest.raises(ValueError, match="the results of one dataset, not of 2"):
        write_report(tmp_path)


def test_the_commands_one_after_the_other(corpus, monkeypatch, capsys):
    """reproduce, then evaluate of its run in another way, then reproduce again."""
    monkeypatch.chdir(corpus.parent)
    Path("small.yaml").write_text("\n".join(f"{name}: {value}" for name, value in SMALL.items()))
    again = ["reproduce", "--dataset", "./ptb", "--systems", "vae", "--config", "small.yaml", "--max_steps", "3"]
    again += ["--iwae_samples", "2", "--runs_dir", "runs", "--results_dir", "results"]
    assert main(again) == 0
    printed = capsys.readouterr().out
    assert max(map(len, printed.rpartition("ptb, test split")[2].splitlines()[:-1])) <= 80
    before = json.loads(Path("results/ptb/vae.json").read_text())
    bound = before["pushforward"]["iwae"]
    shown = f"{bound['nll']:.2f} ± {bound['standard_error']:.2f}"
    assert f"vae {shown} " in " ".join(printed.rpartition("ptb, test split")[2].split())  # the table at the end
    assert main(["evaluate", "runs/ptb/vae", "--iwae_samples", "3"]) == 0
    assert json.loads(Path("runs/ptb/vae/metrics.json").read_text())["evaluation"]["iwae_samples"] == 3
    assert main(again) == 0
    after = json.loads(Path("results/ptb/vae.json").read_text())
    assert {name: after[name] for name in GENERATIVE_MODELS} == {name: before[name] for name in GENERATIVE_MODELS}
    assert after["training"] == before["training"]  # evaluated anew, not trained


def test_sentences_of_a_bound_that_is_not_asked_for_are_refused(options):
    with pytest.raises(ValueError, match="--bound_sentences are those of --bound_over_k, which is not asked for"):
        options(bound_sentences=5)
