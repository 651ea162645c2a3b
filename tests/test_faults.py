"""A training run that is killed at random moments ends, to the bit, where an uninterrupted one does."""

import os
import random
import signal
import subprocess
import sys
import time

import pytest
from safetensors.torch import load_file

from wae_rnf.training.checkpoints import checkpoints

MAIN = "import sys; from wae_rnf.commands.main import main; sys.exit(main(sys.argv[1:]))"
WORDS = ["the", "a", "cat", "dog", "old", "new", "sat", "ran", "on", "in", "mat", "house", "sun", "rain", "was", "so"]


@pytest.fixture
def command(tmp_path):
    """The command of a run with a checkpoint after every step, in two stages."""
    corpus = tmp_path / "corpus"
    corpus.mkdir()
    for split, count in (("train", 160), ("valid", 16), ("test", 8)):
        lines = (" ".join(WORDS[(i * k) % 16] for k in range(1, 3 + i % 5)) for i in range(1, count + 1))
        (corpus / f"{split}.txt").write_text("\n".join(lines) + "\n")
    sizes = {"embedding_size": 12, "hidden_size": 12, "latent_size": 4, "num_centres": 3, "batch_size": 8}
    sizes |= {"num_epochs": 3, "save_steps": 1, "eval_iwae_samples": 2, "dataset": corpus}
    options = [part for name, value in sizes.items() for part in (f"--{name}", str(value))]

    def build(directory, *more):
        return [sys.executable, "-c", MAIN, "train", *options, "--output_dir", str(directory), *more]

    return build


def environment(tmp_path):
    return os.environ | {"HF_DATASETS_CACHE": str(tmp_path / "cache"), "OMP_NUM_THREADS": "1"}


def kill_at_random(command, tmp_path, directory, rng):
    """Starts a run, and kills it at a random moment after its first step; True if it ended before."""
    more = ["--resume"] if (directory / "run.json").exists() else []
    process = subprocess.Popen(
        command(directory, *more), env=environment(tmp_path), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    before, deadline = newest(directory), time.monotonic() + 300
    while newest(directory) == before and process.poll() is None and time.monotonic() < deadline:
        time.sleep(0.005)
    time.sleep(rng.uniform(0, 0.8))
    ended = process.poll() is not None
    process.send_signal(signal.SIGKILL)
    process.wait(timeout=30)
    return ended


def newest(directory):
    """The newest checkpoint of both stages, and what is being written."""
    folders = [directory / "vae" / "checkpoints", directory / "checkpoints"]
    return [path for folder in folders for path in [*checkpoints(folder)[:1], folder / ".new"] if path.exists()]


@pytest.mark.parametrize("kills", [3, pytest.param(20, marks=pytest.mark.slow)])
def test_killed_and_resumed_it_ends_where_an_uninterrupted_run_does(command, tmp_path, kills):
    rng, killed, whole = random.Random(kills), tmp_path / "killed", tmp_path / "whole"
    run = {"env": environment(tmp_path), "check": True, "capture_output": True, "timeout": 300}
    subprocess.run(command(whole), **run)
    survived = sum(kill_at_random(command, tmp_path, killed, rng) for _ in range(kills))
    assert survived < kills  # some of them did hit
    subprocess.run(command(killed, "--resume"), **run)
    for file in ("model.safetensors", "vae/model.safetensors"):
        one, other = load_file(whole / file), load_file(killed / file)
        assert one.keys() == other.keys()
        for name in one:
            assert one[name].equal(other[name]), (file, name)
    last = [checkpoints(directory / "checkpoints")[0] for directory in (whole, killed)]
    one, other = (load_file(path / "model.safetensors") for path in last)
    assert last[0].name == last[1].name
    assert all(one[name].equal(other[name]) for name in one)
    assert not list(killed.glob(".new-*"))
