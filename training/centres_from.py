"""What `--centres_from` names, a model or a file: a mistake is reported before anything heavy is imported."""

import json
from pathlib import Path
from typing import TypeGuard

from wae_rnf.evaluation.model_names import check_model_dir


def check_centres_from(name: str, latent_size: int) -> None:
    """Raises ValueError where a model cannot give the centres of a run: it is none, or of another latent size.

    A name that ends in .npy is a file of centres: it must exist; what is in it is known when it is read.
    """
    if is_file_of_centres(name):
        check_file_of_centres(name)
        return
    check_model_dir(name)
    path = Path(name, "config.json")
    if not path.exists():  # on the Hub: it is known when it is loaded
        return
    try:
        config = json.loads(path.read_text(encoding="utf-8"))
        found = config["latent_size"]
    except (ValueError, KeyError, TypeError) as error:
        raise ValueError(f"--centres_from {name} is no model of ours: its config.json says no latent_size") from error
    check_latent_size(name, found, latent_size)


def is_file_of_centres(name: str | None) -> TypeGuard[str]:
    """Whether centres are to be read from a file, not found by a model.

    Examples:
        >>> is_file_of_centres("centres.npy"), is_file_of_centres("user/name"), is_file_of_centres(None)
        (True, False, False)
    """
    return name is not None and name.endswith(".npy")


def check_file_of_centres(name: str | None) -> None:
    """Raises ValueError where a name is a file of centres' and there is none."""
    if name is not None and is_file_of_centres(name) and not Path(name).expanduser().is_file():
        raise ValueError(f"--centres_from {name}: there is no such file")


def check_latent_size(name: str, found: int, latent_size: int) -> None:
    """Raises ValueError unless a model that centres are taken from has the latent size of the run."""
    if found == 0:
        raise ValueError(f"--centres_from {name} is a language model, without posterior means to be clustered")
    if found != latent_size:
        raise ValueError(
            f"--centres_from {name} has latent_size {found}, but this run has --latent_size {latent_size}; "
            "the two must be equal"
        )
