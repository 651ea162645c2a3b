"""The directory of a run: claimed by one training, described by run.json, which says what the run depends on."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import Any

from wae_rnf.evaluation.json_files import write_json
from wae_rnf.evaluation.run_file import RUN_FILE, read_run

from .arguments import TrainArguments, arguments_of_record
from .option_scope import without_part
from .run_lock import LOCK_FILE, locked, remove_lock

# Options that may differ when a run goes on: they do not change what is trained. Those of a preset are compared one by
# one, under their own names.
FREE_TO_CHANGE = (
    "output_dir", "resume", "save_steps", "keep_checkpoints", "eval_iwae_samples", "eval_proposal",
    "eval_max_sentences", "preset", "report_to",
)  # fmt: skip


def check_output_dir(output_dir: str | Path, options: dict[str, Any], resume: bool = False) -> None:
    """Makes sure that `output_dir` is free for a run, or with `resume` that it holds this very run.

    Args:
        output_dir: a new or empty directory, or with `resume` that of the run to go on with.
        options: the run's options, by name.

    Raises:
        ValueError: a directory that holds something else, or a run of other options.
    """
    output_dir = Path(output_dir)
    if output_dir.exists() and not output_dir.is_dir():
        raise ValueError(f"--output_dir {output_dir} is a file; name a directory")
    if resume:
        if changed := changed_options(read_run(output_dir), options):
            differences = ", ".join(f"--{name} was {value}" for name, value in changed.items())
            raise ValueError(f"{output_dir} holds a run of other options: {differences}")
    elif (output_dir / RUN_FILE).exists():
        raise ValueError(f"--output_dir {output_dir} holds another run; go on with it by --resume, or name a new one")
    elif output_dir.exists() and any(path.name != LOCK_FILE for path in output_dir.iterdir()):
        raise ValueError(f"--output_dir {output_dir} is not empty and holds no run of ours; name a new directory")
    check_writable(output_dir)


def check_writable(directory: Path) -> None:
    """Raises ValueError where a directory cannot be made, or nothing can be written into it."""
    place = next(place for place in (directory, *directory.absolute().parents) if place.exists())
    if not place.is_dir():
        raise ValueError(f"--output_dir {directory} cannot be made: {place} is a file (Not a directory)")
    if not os.access(place, os.W_OK | os.X_OK):
        raise ValueError(f"--output_dir {directory} cannot be written: you may not write into {place}")


def changed_options(run: dict[str, Any], options: dict[str, Any]) -> dict[str, Any]:
    """{name: earlier value} of the options in which a run to go on with differs from what run.json says."""
    earlier = run["options"] | asdict(arguments_of_record(run["options"]))
    # digests tell whether a folder that has moved holds the same text
    free = {*FREE_TO_CHANGE, *(["dataset"] if "data" in run and Path(options["dataset"]).exists() else [])}
    changed = [name for name in options if earlier[name] != options[name] and name not in free]
    silent = without_part(changed, TrainArguments(**options))
    return {name: earlier[name] for name in changed if name not in silent}


def with_earlier(given: dict) -> dict:
    """The options of a run that goes on: those that are given, and for the rest those that it began with.

    Args:
        given: options by name, `resume` among them.

    Raises:
        ValueError: there is no run to go on with, or the weights are given that it should start from.
    """
    if "init_from" in given:
        raise ValueError("--init_from is where a run starts, but --resume continues one; leave one of them out")
    arguments = TrainArguments(**given)
    earlier = arguments_of_record(read_run(arguments.output_dir)["options"])
    if given.get("system", earlier.system) != earlier.system:
        return given  # it is refused, with the system that the run was of
    return asdict(earlier) | {"output_dir": arguments.output_dir} | given


@contextmanager
def claimed(output_dir: str | Path, options: dict[str, Any], resume: bool = False) -> Iterator[None]:
    """Holds `output_dir` for one training, and has run.json say so before any work.

    A run that fails before it has left anything else there takes its claim back.

    Raises:
        ValueError: as `check_output_dir`, or another process is training into it.
        OSError: it cannot be written.
    """
    output_dir = Path(output_dir)
    check_output_dir(output_dir, options, resume)
    new = not output_dir.exists()
    output_dir.mkdir(parents=True, exist_ok=True)
    with locked(output_dir):
        try:
            check_output_dir(output_dir, options, resume)  # again, where nobody else can come between
            if not resume:
                write_json(output_dir / RUN_FILE, {"options": options})
            yield
        except (ValueError, OSError):
            if not resume and {path.name for path in output_dir.iterdir()} <= {RUN_FILE, LOCK_FILE}:
                (output_dir / RUN_FILE).unlink(missing_ok=True)
                remove_lock(output_dir, and_directory=new)
            raise


def remember(output_dir: str | Path, **found: Any) -> None:
    """Adds to run.json what a run depends on, or has done. What it says already must be the same.

    Args:
        found: `data`, {split: digest}, `vocabulary`, its digest, and `tokenization`, in words; they are compared where
            they are there already. Anything else is replaced.

    Raises:
        ValueError: the run began on other text, or with another tokenization or vocabulary.
    """
    path, run = Path(output_dir, RUN_FILE), read_run(output_dir)
    way_out = "restore it, or begin a new run in another --output_dir"
    for split, digest in found.get("data", {}).items():
        if run.get("data", {}).get(split, digest) != digest:
            raise ValueError(f"the {split} split is not the one that the run in {output_dir} began on; {way_out}")
    for name in ("tokenization", "vocabulary"):
        if name in found and run.get(name, found[name]) != found[name]:
            raise ValueError(f"the {name} is not the one that the run in {output_dir} began with; {way_out}")
    write_json(path, run | found)


def dataset_to_read(arguments: TrainArguments) -> str:
    """The corpus of [`TrainArguments`]; a run that goes on from another working directory finds its folder again."""
    if arguments.resume and not Path(arguments.dataset).exists():
        run = read_run(arguments.output_dir)
        if run.get("folder") and run["options"]["dataset"] == arguments.dataset:
            if not Path(run["folder"]).exists():
                raise ValueError(
                    f"the run in {arguments.output_dir} was begun on the text in {run['folder']}, which is gone; "
                    "--dataset PATH says where it is now"
                )
            return run["folder"]
    return arguments.dataset
