"""What names a model, a directory or a Hub repository: light, so that a mistake is reported at once."""

from pathlib import Path


def check_model_dir(name: str) -> str:
    """Returns a name that may be a model's.

    Raises:
        ValueError: it is no directory with a config.json, and cannot be a repository `user/name` of the Hub either.
    """
    if not Path(name, "config.json").exists() and (Path(name).exists() or str(name).count("/") != 1):
        raise ValueError(f"{name} is not a model directory: it has no config.json")
    return name
