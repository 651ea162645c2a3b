"""What lies in a folder of results is looked at before anything is trained."""

import json
from pathlib import Path

import pytest

from wae_rnf.commands.main import main
from wae_rnf.reproduction.corpus_report import write_report
from wae_rnf.reproduction.results_folder import read_runs

RESULTS = Path(__file__).parent.parent / "results" / "toy"


@pytest.fixture
def folder(tmp_path):
    """Results of a system, in a folder for the corpus toy."""
    place = tmp_path / "results" / "toy"
    place.mkdir(parents=True)
    (place / "vae.json").write_bytes((RESULTS / "vae.json").read_bytes())
    return place


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ({"colour": "red"}, "other.json is not what wae-rnf reproduce writes: it has no 'dataset'; move it elsewhere"),
        ({"dataset": "data/toy"}, "other.json is of data/toy, not of toy; name another --results_dir"),
        ([1], "other.json holds no JSON object"),
    ],
)
def test_told_before_any_training(folder, content, message, monkeypatch, capsys):
    monkeypatch.setattr("wae_rnf.training.run.train", pytest.fail)
    (folder / "other.json").write_text(json.dumps(content))
    runs = folder.parent.parent / "runs"
    arguments = ["--results_dir", str(folder.parent), "--runs_dir", str(runs), "--systems", "vae"]
    assert main(["reproduce", "--dataset", "toy", *arguments]) == 2
    assert message in capsys.readouterr().err
    assert not runs.exists()


@pytest.mark.parametrize("name", ["training", "text"])
def test_metrics_of_an_evaluation_alone_make_no_report(folder, name):
    metrics = json.loads((folder / "vae.json").read_text())
    del metrics[name]
    (folder / "wae.json").write_text(json.dumps(metrics))
    with pytest.raises(ValueError, match=rf"wae.json is not what wae-rnf reproduce writes: it has no '{name}'"):
        read_runs(folder)


def test_a_likelihood_that_is_no_number_is_named(folder):
    metrics = json.loads((folder / "vae.json").read_text())
    metrics["pushforward"]["iwae"]["nll"] = None
    (folder / "vae.json").write_text(json.dumps(metrics))
    with pytest.raises(ValueError, match=r"vae.json is not .*: pushforward.iwae.nll is None, not a finite number"):
        write_report(folder)


def test_a_collapsed_model_s_map_is_not_shown_without_a_word(folder):
    metrics = json.loads((folder / "vae.json").read_text()) | {"system": "wae-rnf", "row": "wae-rnf"}
    (folder / "latent_map.png").touch()
    for information, told in ((0.004, True), (2.0, False)):
        (folder / "wae-rnf.json").write_text(json.dumps(metrics | {"mutual_information": information}))
        assert ("wae-rnf is collapsed" in write_report(folder).read_text()) == told
