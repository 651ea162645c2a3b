"""Where a figure comes from: command, commit, versions, device."""

import platform
import subprocess
import sys
from functools import cache
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

import torch

from .cpu import instruction_set, processor_name

PACKAGES = ("wae-rnf", "torch", "transformers", "datasets", "tokenizers", "accelerate", "numpy")


@cache
def commit() -> str | None:
    """The commit of the running code, with "+changes" where files differ from it; None outside a checkout.

    The first call decides, see `note_commit`.
    """
    try:
        git = ["git", "-C", str(Path(__file__).resolve().parent.parent)]
        run: dict[str, Any] = {"capture_output": True, "text": True, "check": True, "timeout": 10}
        head = subprocess.run([*git, "rev-parse", "HEAD"], **run).stdout.strip()
        changed = subprocess.run([*git, "status", "--porcelain", "--untracked-files=no"], **run).stdout.strip()
    except (OSError, subprocess.SubprocessError):
        return None
    return head + ("+changes" if changed else "")


def note_commit() -> None:
    """Notes the commit of the code that a long run starts from: the checkout may be another one when it ends."""
    commit()


def code_version() -> str | None:
    """The version of this package; None where it runs without being installed."""
    return installed("wae-rnf")


def provenance(device: torch.device | str, seed: int, seconds: float) -> dict[str, Any]:
    """A dictionary for a results file: everything that is needed to make the same figures again.

    Args:
        device: the torch device that computed them.
        seconds: how long the computation took.
    """
    return {
        "command": " ".join([Path(sys.argv[0]).name, *sys.argv[1:]]),
        "commit": commit(),
        "seed": seed,
        "versions": {"python": platform.python_version()} | {name: installed(name) for name in PACKAGES},
        "device": device_in_words(torch.device(device)),
        "seconds": round(seconds, 1),
    }


def installed(name: str) -> str | None:
    """The version of an installed package; None where it is used without being installed."""
    try:
        return version(name)
    except PackageNotFoundError:
        return None


def device_in_words(device: torch.device) -> str:
    """Kind, name and threads: "cpu (Intel(R) Xeon(R) Processor, AVX512, 2 threads)"."""
    if device.type == "cuda":
        hardware = torch.cuda.get_device_name(device)
    else:
        hardware = f"{processor_name()}, {instruction_set()}"
    return f"{device.type} ({hardware}, {torch.get_num_threads()} threads)"
