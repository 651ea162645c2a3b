"""run.json, as every reader of a model directory needs it: what the model was trained on, and how."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from .json_files import read_json

RUN_FILE = "run.json"


def dataset_of(run: Mapping[str, Any]) -> str | None:
    """The corpus of a run: the path, wherever the run was started from, or the name; None where it says none."""
    name = run.get("options", {}).get("dataset")
    moved = isinstance(name, str) and run.get("folder") and not Path(name).exists()
    return run["folder"] if moved else name


def read_run(output_dir: str | Path) -> dict[str, Any]:
    """What run.json says.

    Raises:
        ValueError: no run there, or one that cannot be read.
    """
    path = Path(output_dir) / RUN_FILE
    if not path.exists():
        raise ValueError(f"{output_dir} holds no run: {RUN_FILE} is missing")
    run = read_json(path)
    if not isinstance(run.get("options"), dict):
        raise ValueError(f"{path} says no options: it is no {RUN_FILE} of ours")
    return run
