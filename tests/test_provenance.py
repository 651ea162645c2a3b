"""A results file says enough to make its figures again."""

import subprocess
from importlib.metadata import version
from pathlib import Path

import torch

from wae_rnf.evaluation.cpu import instruction_set, processor_name
from wae_rnf.evaluation.provenance import commit, provenance

ROOT = Path(__file__).parent.parent


def test_versions_and_device():
    origin = provenance("cpu", seed=3, seconds=1.26)
    assert origin["versions"]["torch"] == version("torch")
    assert origin["versions"]["transformers"] == version("transformers")
    assert "wae-rnf" in origin["versions"]
    assert (origin["seed"], origin["seconds"]) == (3, 1.3)
    assert origin["device"].startswith(f"cpu ({processor_name()}, {instruction_set()}, ")
    assert f"{torch.get_num_threads()} threads" in origin["device"]
    assert origin["command"]


def test_commit_is_gits():
    done = subprocess.run(["git", "-C", str(ROOT), "rev-parse", "HEAD"], capture_output=True, text=True)
    expected = done.stdout.strip() if done.returncode == 0 else None
    found = commit()
    assert found == expected or found == f"{expected}+changes"
