"""Checkpoints of a stage: written aside and moved into place, read without unpickling anything."""

import json
import os
import shutil
from pathlib import Path

import torch
from safetensors.torch import load_model, save_model


def save_checkpoint(folder, model, optimizer, progress):
    """Writes everything that resuming needs; the previous checkpoint stays until the new one is whole.

    Args:
        folder: the checkpoint's place.
        progress: a dictionary of plain values: where the run stands.
    """
    folder = Path(folder)
    aside, previous = folder.with_name(folder.name + ".new"), folder.with_name(folder.name + ".old")
    shutil.rmtree(aside, ignore_errors=True)
    aside.mkdir(parents=True)
    save_model(model, str(aside / "model.safetensors"))
    state = {"optimizer": optimizer.state_dict(), "random": random_state()}
    torch.save(state, aside / "optimizer.pt")
    (aside / "progress.json").write_text(json.dumps(progress, indent=2))
    shutil.rmtree(previous, ignore_errors=True)
    if folder.exists():
        os.replace(folder, previous)
    os.replace(aside, folder)
    shutil.rmtree(previous, ignore_errors=True)


def load_checkpoint(folder, model, optimizer):
    """Restores model and optimizer. Returns the progress and the random state, or None without a checkpoint."""
    folder = Path(folder)
    if not folder.exists():  # a run killed between the two moves leaves the previous one under its second name
        folder = folder.with_name(folder.name + ".old")
    if not folder.exists():
        return None
    try:
        progress = json.loads((folder / "progress.json").read_text())
        load_model(model, str(folder / "model.safetensors"))
        state = torch.load(folder / "optimizer.pt", weights_only=True)
        optimizer.load_state_dict(state["optimizer"])
    except Exception as error:
        raise ValueError(f"the checkpoint {folder} cannot be read: {error}") from error
    return progress, state["random"]


def random_state():
    """The states of torch's random generators, as tensors."""
    return {"cpu": torch.get_rng_state(), "cuda": torch.cuda.get_rng_state_all()}


def set_random_state(state):
    torch.set_rng_state(state["cpu"])
    if state["cuda"] and torch.cuda.is_available():
        torch.cuda.set_rng_state_all(state["cuda"])
