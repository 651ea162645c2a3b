"""Checkpoints of a stage: each in a folder of its own, written aside, moved into place, and checked when read."""

import hashlib
import json
import os
import re
import shutil
import sys
import warnings
from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Any

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file, save_file
from torch import nn

from wae_rnf.evaluation.file_modes import apply_umask

CHECKPOINTS = "checkpoints"  # the folder in a model directory
MANIFEST = "manifest.json"
ASIDE = ".new"
WINDOWS = sys.platform == "win32"
NOTHING: Mapping[str, Any] = MappingProxyType({})


def save_checkpoint(
    folder: str | Path,
    step: int,
    model: nn.Module,
    optimizer: torch.optim.Optimizer,
    progress: dict[str, Any],
    random: list[dict[str, Any]],
    keep: int = 2,
    beside: Mapping[str, nn.Module] = NOTHING,
) -> None:
    """Writes everything that resuming needs into `folder/step-N`; the checkpoints before stay until it is whole.

    Args:
        folder: of all checkpoints of a stage.
        step: N.
        progress: a dictionary of plain values: where the run stands.
        random: `random_state()` of each process.
        keep: number of checkpoints to keep, the newest; the others are removed.
        beside: what is trained beside the model, by name.

    Raises:
        OSError: it could not be written, the disk is full say; the checkpoints before it are whole.
    """
    folder = Path(folder)
    aside, place = folder / ASIDE, folder / f"step-{step:09d}"
    shutil.rmtree(aside, ignore_errors=True)
    try:
        aside.mkdir(parents=True)
        # copies: on a GPU all weights of an LSTM lie in one storage, which the format refuses
        weights = {name: value.detach().clone() for name, value in model.state_dict().items()}
        save_file(weights, aside / "model.safetensors")
        states = {"optimizer": optimizer.state_dict(), "random": random}
        states["beside"] = {name: module.state_dict() for name, module in beside.items()}
        torch.save(states, aside / "optimizer.pt")
        (aside / "progress.json").write_text(json.dumps(progress, indent=2))
        (aside / MANIFEST).write_text(json.dumps(digests(aside), indent=2))
        apply_umask(aside)
        for path in aside.iterdir():
            synchronize(path)
    except (OSError, RuntimeError, SafetensorError) as error:  # each library tells of a full disk in its own way
        shutil.rmtree(aside, ignore_errors=True)
        whole = [path.name for path in checkpoints(folder)]
        left = f"{whole[0]} is whole, go on from it with --resume" if whole else "there is none before it"
        raise OSError(f"the checkpoint of step {step} could not be written into {folder}: {error}; {left}") from error
    shutil.rmtree(place, ignore_errors=True)  # one of the same step that was found damaged
    os.replace(aside, place)
    synchronize(folder)
    for old in checkpoints(folder)[keep:]:
        shutil.rmtree(old, ignore_errors=True)


def load_checkpoint(
    folder: str | Path,
    model: nn.Module,
    optimizer: torch.optim.Optimizer,
    expected: Mapping[str, type] = NOTHING,
    beside: Mapping[str, nn.Module] = NOTHING,
) -> tuple[dict[str, Any], list[dict[str, Any]]] | None:
    """Restores model and optimizer from the newest checkpoint that is whole; one that is not is named in a warning.

    Args:
        folder: of all checkpoints of a stage.
        expected: {name: type} of what the progress must have.
        beside: what is trained beside the model, by name; restored too.

    Returns:
        (progress, random states), or None without a checkpoint.

    Raises:
        ValueError: there are checkpoints, but none can be used.
    """
    found = checkpoints(Path(folder))
    for path in found:
        try:
            check_digests(path)
            progress = json.loads((path / "progress.json").read_text())
            for name, kind in expected.items():
                if not isinstance(progress.get(name), kind):
                    raise ValueError(f"it is of another version: its {name} is no {kind.__name__}")
            state = torch.load(path / "optimizer.pt", map_location="cpu", weights_only=True)
            model.load_state_dict(load_file(path / "model.safetensors"))
            optimizer.load_state_dict(state["optimizer"])
            for name, module in beside.items():
                module.load_state_dict(state["beside"][name])
            return progress, state["random"]
        except Exception as error:  # whatever a damaged file brings about
            reason = " ".join(str(error).split())
            warnings.warn(f"the checkpoint {path} cannot be used: {reason}; the one before it is tried", stacklevel=2)
    if found:
        raise ValueError(f"no checkpoint in {folder} can be used; the last was refused because: {reason}")
    return None


def checkpoints(folder: Path) -> list[Path]:
    """The checkpoints in a folder, the newest first."""
    if not folder.is_dir():
        return []
    return sorted((path for path in folder.iterdir() if re.fullmatch(r"step-\d+", path.name)), reverse=True)


def check_digests(path: Path) -> None:
    """Raises ValueError unless every file of a checkpoint is what was written."""
    manifest = json.loads((path / MANIFEST).read_text())
    for name, digest in digests(path).items():
        if manifest.pop(name, None) != digest:
            raise ValueError(f"{name} is not what was written")
    if manifest:
        raise ValueError(f"{next(iter(manifest))} is missing")


def digests(path: Path) -> dict[str, str]:
    """{file name: SHA-256} of a folder, but for the manifest itself."""
    files = sorted(file for file in path.iterdir() if file.name != MANIFEST)
    return {file.name: hashlib.sha256(file.read_bytes()).hexdigest() for file in files}


def synchronize(path: Path) -> None:
    """Has the disk take a file or a folder before what comes after; Windows has no such thing for a folder."""
    if WINDOWS and path.is_dir():
        return
    descriptor = os.open(path, os.O_RDWR if WINDOWS else os.O_RDONLY)  # there, only a writer may ask for it
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
