"""What trackers are given, read back from TensorBoard's files, and which can be named."""

from importlib.util import find_spec

import pytest
import yaml
from accelerate.utils import LoggerType
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

from wae_rnf.commands.main import main
from wae_rnf.evaluation.model_directory import load_model
from wae_rnf.training import trackers
from wae_rnf.training.run import train
from wae_rnf.training.trackers import TRACKERS, trackers_of


def events(folder):
    accumulator = EventAccumulator(str(folder), size_guidance={"scalars": 0, "tensors": 0})
    accumulator.Reload()
    return accumulator


def test_tensorboard_has_figures_rates_sentences_and_options(small_run, tmp_path):
    options = {"system": "vae", "num_epochs": 26, "lr_milestones": [20], "learning_rate": 0.01}
    history = train(small_run(**options))["training"]["history"]
    folder = tmp_path / "run" / "tensorboard" / "wae-rnf"
    found = events(folder)
    losses = found.Scalars("vae/validation/loss")
    assert [event.step for event in losses] == [past["step"] for past in history]
    assert [event.value for event in losses] == pytest.approx([past["loss"] for past in history])
    rates = found.Scalars("vae/train/learning_rate")
    assert [(event.step, event.value) for event in rates] == [(50, pytest.approx(0.01)), (100, pytest.approx(0.005))]
    assert {"vae/train/kl_weight", "vae/train/reconstruction", "vae/validation/units_over_0.05"} <= set(
        found.Tags()["scalars"]
    )
    (text, *_) = found.Tensors("vae/validation/samples/text_summary")
    assert len(text.tensor_proto.string_val[0].decode().splitlines()) == trackers.NUM_SAMPLES
    (of_options,) = folder.glob("*/hparams.yml")
    options = yaml.safe_load(of_options.read_text())
    assert (options["system"], options["learning_rate"], options["lr_milestones"]) == ("vae", 0.01, "[20]")
    assert b"lr_milestones" in next(folder.glob("*/events*")).read_bytes()


def test_sample_sentences_change_no_weight(small_run, tmp_path):
    from .small_runs import assert_same_weights

    train(small_run("with", system="wae-nf"))
    train(small_run("without", system="wae-nf", report_to="none"))
    assert_same_weights(tmp_path / "with", tmp_path / "without")
    assert not (tmp_path / "without" / "tensorboard").exists()


def test_the_table_has_accelerates_trackers():
    assert set(TRACKERS) == {tracker.value for tracker in LoggerType} - {"all"}


def test_names(monkeypatch):
    installed = ["tensorboardX", "mlflow"]
    monkeypatch.setattr(trackers, "find_spec", lambda name: name in installed or None)
    assert trackers_of("all") == ["tensorboard", "mlflow"]
    assert trackers_of("mlflow, tensorboard") == ["mlflow", "tensorboard"]
    assert trackers_of("none") == []
    with pytest.raises(ValueError, match="--report_to wandb needs a package that is not installed: pip install wandb"):
        trackers_of("tensorboard,wandb")
    for name in ("wanbd", "", "none,tensorboard"):
        with pytest.raises(ValueError, match=r"is no tracker; choose none, all or some of tensorboard, aim"):
            trackers_of(name)


@pytest.mark.skipif(find_spec("wandb") is not None, reason="wandb is installed")
@pytest.mark.parametrize(("name", "message"), [("wandb", "pip install wandb"), ("tensorbord", "is no tracker")])
def test_misuse_is_a_sentence_before_any_work(workplace, capsys, name, message):
    assert main(["train", "--dataset", "corpus", "--report_to", name]) == 2
    errors = capsys.readouterr().err.splitlines()
    assert len(errors) == 1
    assert message in errors[0]
    assert not (workplace / "runs").exists()


def test_samples_are_words_whatever_the_model_would_return(trained_directory):
    model, tokenizer = load_model(trained_directory)
    expected = trackers.samples_in_words(model, tokenizer, seed=0)
    model.generation_config.return_dict_in_generate = True
    assert trackers.samples_in_words(model, tokenizer, seed=0) == expected
    assert len(expected.splitlines()) == trackers.NUM_SAMPLES
