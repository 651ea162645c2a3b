"""Files of one JSON object: checked when they are read, and never half written."""

import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any


def read_json(path: str | Path) -> dict[str, Any]:
    """A file of a JSON object.

    Raises:
        ValueError: something else in it.
    """
    try:
        content = json.loads(Path(path).read_text(encoding="utf-8"))
    except ValueError as error:
        raise ValueError(f"{path} is not valid JSON: {error}") from error
    if not isinstance(content, dict):
        raise ValueError(f"{path} holds no JSON object")
    return content


def write_json(path: str | Path, content: Mapping[str, Any]) -> None:
    """Writes a dictionary as JSON, aside first, so that a reader never sees half of it."""
    path = Path(path)
    aside = path.with_name(path.name + ".new")
    try:
        aside.write_text(json.dumps(content, indent=2) + "\n", encoding="utf-8")
        os.replace(aside, path)
    except OSError as error:  # a full disk, say, which does not say which file it was
        aside.unlink(missing_ok=True)
        raise OSError(f"{path} could not be written: {error}") from error
