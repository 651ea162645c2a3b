"""Runs of a few steps: what they are of, where they are cut, and how two of them are compared."""

from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file

from wae_rnf.training.arguments import TrainArguments
from wae_rnf.training.checkpoints import checkpoints
from wae_rnf.training.run import train

SENTENCES = ["the cat sat on the mat", "a dog ran", "we like old books very much", "rain fell all day"]
SMALL = {"embedding_size": 16, "hidden_size": 24, "latent_size": 4, "num_centres": 3, "eval_iwae_samples": 3}
TEXT = "the cat sat\na dog ran fast\nrain fell all day long\nso it was\n" * 3  # of the fixture `workplace`


def last_checkpoint(run):
    return checkpoints(Path(run, "checkpoints"))[0]


def cut_after(step, name=None, error=KeyboardInterrupt):
    """A hook that ends a run after so many steps of a stage, of any one where it has no name."""

    def hook(stage):
        if stage.step == step and name in (None, stage.name):
            raise error

    return hook


def assert_same_weights(run, other):
    """The best model and the last checkpoint of two runs are the same to the bit."""
    for find in (Path, last_checkpoint):
        one, two = (load_file(find(directory) / "model.safetensors") for directory in (run, other))
        assert one.keys() == two.keys()
        assert all(torch.equal(one[name], two[name]) for name in one)


def options(**changes):
    """Of a run in the fixture `workplace`."""
    given = {"dataset": "corpus", "output_dir": "run", "system": "vae", "num_epochs": 1, "eval_iwae_samples": 2}
    given |= {"embedding_size": 6, "hidden_size": 6, "latent_size": 3, "batch_size": 4}
    return TrainArguments(**(given | changes))


class Killed(BaseException):
    """What a kill leaves behind is what an exception that nobody catches leaves."""


def killed_at(monkeypatch, name, **changes):
    """Trains until a function is called, which never returns."""

    def killed(*_, **__):
        raise Killed

    with monkeypatch.context() as patch:
        patch.setattr(f"wae_rnf.training.{name}", killed)
        with pytest.raises(Killed):
            train(options(**changes))
