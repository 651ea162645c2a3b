"""A run that was cut, anywhere and by anything, goes on to the same weights, to the bit."""

import json
import signal
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file

from wae_rnf.commands.main import main
from wae_rnf.evaluation.json_files import read_json
from wae_rnf.evaluation.run_file import read_run
from wae_rnf.training import random_states, run
from wae_rnf.training.interruption import Stopped
from wae_rnf.training.run import train
from wae_rnf.training.systems import SYSTEMS

from .small_runs import assert_same_weights, cut_after, last_checkpoint


@pytest.mark.parametrize("stop", [5, 8])  # within an epoch, and at its end
def test_interrupted_run_resumes_to_the_bit(small_run, tmp_path, stop):
    train(small_run("whole", system="wae-nf", save_steps=1))
    with pytest.raises(KeyboardInterrupt):
        train(small_run("cut", system="wae-nf", save_steps=1), on_step=cut_after(stop))
    train(small_run("cut", system="wae-nf", save_steps=1, resume=True))
    assert_same_weights(tmp_path / "whole", tmp_path / "cut")


# a strategy, centres, running statistics, other random numbers, a discriminator, a refined posterior
@pytest.mark.parametrize(
    "system", ["lagging-vae", "wae-rnf", "cnn-vae", "hybrid-vae", "dirichlet-vae", "daae", "sa-vae"]
)
def test_what_is_beside_the_weights_resumes_too(small_run, tmp_path, system):
    given = {"system": system, "save_steps": 1, "num_epochs": 4}
    given |= {"inner_steps": 20} if system == "lagging-vae" else {"accumulation_steps": 3, "batch_size": 3}
    given |= {"inference_kwargs": {"steps": 3}} if system == "sa-vae" else {}
    whole = train(small_run("whole", **given))["training"]["history"]
    with pytest.raises(KeyboardInterrupt):
        train(small_run("cut", **given), on_step=cut_after(9, system))
    cut = train(small_run("cut", **given, resume=True))["training"]["history"]
    assert cut == whole
    assert ("lagging" in whole[0]) == (system == "lagging-vae")
    assert_same_weights(tmp_path / "whole", tmp_path / "cut")


def test_centres_are_not_found_again(small_run, monkeypatch):
    with pytest.raises(KeyboardInterrupt):
        train(small_run(system="wae-rnf", save_steps=1), on_step=cut_after(2, "wae-rnf"))
    monkeypatch.setattr(run, "trained_stage", None)
    monkeypatch.setattr(run, "find_centres", None)
    assert train(small_run(system="wae-rnf", save_steps=1, resume=True))["training"]["steps"] == 12


def test_a_scaled_loss_resumes_to_the_bit(small_run, tmp_path, monkeypatch):
    start, scalers = run.start_accelerator, []

    def scaled(*given):  # as on a GPU in float16
        accelerator = start(*given)
        accelerator.scaler = torch.amp.GradScaler("cpu", init_scale=8.0, growth_interval=2)
        scalers.append(accelerator.scaler)
        return accelerator

    monkeypatch.setattr(run, "start_accelerator", scaled)
    train(small_run("whole", system="vae", save_steps=1))
    with pytest.raises(KeyboardInterrupt):
        train(small_run("cut", system="vae", save_steps=1), on_step=cut_after(5))
    train(small_run("cut", system="vae", save_steps=1, resume=True))
    assert [scaler.get_scale() for scaler in scalers] == [8.0 * 2**6, 8.0 * 2**2, 8.0 * 2**6]  # of 12, 5, 12 steps
    assert_same_weights(tmp_path / "whole", tmp_path / "cut")
    monkeypatch.setattr(run, "start_accelerator", start)  # where there is nothing to be scaled, the scale is left out
    (tmp_path / "whole" / "metrics.json").unlink()
    assert train(small_run("whole", system="vae", save_steps=1, resume=True))["training"]["steps"] == 12


def test_run_cut_during_validation_validates_when_it_resumes(small_run, monkeypatch):
    def interrupted(*_):
        raise KeyboardInterrupt

    whole = train(small_run("whole", system="wae", num_epochs=1, save_steps=2))
    with monkeypatch.context() as patch:
        patch.setattr("wae_rnf.training.stage.validate", interrupted)
        with pytest.raises(KeyboardInterrupt):
            train(small_run("cut", system="wae", num_epochs=1, save_steps=2))
    cut = train(small_run("cut", system="wae", num_epochs=1, save_steps=2, resume=True))
    assert cut["training"]["best_validation_loss"] == whole["training"]["best_validation_loss"]
    assert cut["pushforward"] == whole["pushforward"]


@pytest.mark.parametrize(("number", "code"), [(signal.SIGTERM, 143), (signal.SIGINT, 130)])
@pytest.mark.parametrize("stop", [5, 8])  # within an epoch, and at its end
def test_a_signal_saves_and_ends_cleanly(small_run, tmp_path, monkeypatch, capsys, number, code, stop):
    def signalled(stage):
        if stage.step == stop - 1:  # while the next step is made
            signal.raise_signal(number)

    train(small_run("whole", system="wae-nf"))
    with pytest.raises(Stopped, match=f"after step {stop}; the state is saved, go on with --resume"):
        train(small_run("cut", system="wae-nf"), on_step=signalled)
    assert read_json(last_checkpoint(tmp_path / "cut") / "progress.json")["step"] == stop
    monkeypatch.setattr(
        "wae_rnf.commands.train.train", lambda _: train(small_run("cut2", system="vae"), on_step=signalled)
    )
    assert main(["train"]) == code
    assert f"wae-rnf: stopped by {number.name} after step {stop}" in capsys.readouterr().err
    train(small_run("cut", system="wae-nf", resume=True))
    assert_same_weights(tmp_path / "whole", tmp_path / "cut")


def test_run_from_before_an_option_goes_on(small_run, tmp_path):
    train(small_run(system="vae", num_epochs=1))
    path = tmp_path / "run" / "run.json"
    begun = json.loads(path.read_text())
    del begun["options"]["autoencoder_epochs"]
    path.write_text(json.dumps(begun))
    train(small_run(system="vae", num_epochs=1, resume=True))
    del begun["options"]["num_epochs"]  # its default is another than this run's
    path.write_text(json.dumps(begun))
    with pytest.raises(ValueError, match="--num_epochs was 48"):
        train(small_run(system="vae", num_epochs=1, resume=True))


@pytest.mark.parametrize("devices", [0, 1, 3])
def test_a_checkpoint_of_two_gpus_sets_the_generators_that_there_are(monkeypatch, devices):
    found = []
    monkeypatch.setattr(torch.cuda, "is_available", lambda: devices > 0)
    monkeypatch.setattr(torch.cuda, "device_count", lambda: devices)
    monkeypatch.setattr(torch.cuda, "set_rng_state", lambda state, device: found.append((device, int(state))))
    torch.manual_seed(1)
    state = {"cpu": torch.get_rng_state(), "cuda": [torch.tensor(7), torch.tensor(8)], "mps": torch.tensor(9)}
    expected = torch.rand(3)
    random_states.set_random_state(state)
    assert found == [(0, 7), (1, 8)][:devices]
    assert torch.equal(torch.rand(3), expected)


def test_a_checkpoint_of_a_gpu_goes_on_here(small_run, tmp_path):
    """Such a one differs in its random states; weights and optimizer are read onto the CPU."""
    from wae_rnf.training.checkpoints import MANIFEST, digests

    given = {"system": "wae-nf", "save_steps": 1}
    train(small_run("whole", **given))
    with pytest.raises(KeyboardInterrupt):
        train(small_run("cut", **given), on_step=cut_after(6))
    folder = last_checkpoint(tmp_path / "cut")
    state = torch.load(folder / "optimizer.pt", weights_only=True)
    state["random"][0]["cuda"] = [torch.arange(16, dtype=torch.uint8)] * 2
    torch.save(state, folder / "optimizer.pt")
    (folder / MANIFEST).write_text(json.dumps(digests(folder)))
    train(small_run("cut", **given, resume=True))
    assert_same_weights(tmp_path / "whole", tmp_path / "cut")


@pytest.mark.parametrize("name", SYSTEMS)
def test_a_strategy_keeps_plain_values(name):
    strategy = SYSTEMS[name].strategy()
    state = json.loads(json.dumps(strategy.state_dict()))
    other = SYSTEMS[name].strategy()
    other.load_state_dict(state | {"step": 3})
    assert other.state_dict() == strategy.state_dict()


def test_options_that_are_free_to_change_are_kept_as_they_are(small_run, tmp_path):
    train(small_run(system="vae", num_epochs=1, report_to="none"))
    assert not Path(tmp_path, "run", "tensorboard").exists()
    train(small_run(system="vae", num_epochs=1, resume=True))
    assert read_run(tmp_path / "run")["options"]["report_to"] == "tensorboard"
    assert load_file(tmp_path / "run" / "model.safetensors")
