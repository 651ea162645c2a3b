"""Options of training from YAML files: one set for a run, or a named set for each row of a reproduction."""

import re
from dataclasses import fields
from pathlib import Path

import yaml
from transformers import HfArgumentParser

from .arguments import TrainArguments
from .systems import SYSTEMS


def read_options(path):
    """A file of lines `name: value`, for `--config`: {name: value}.

    Raises:
        ValueError: a file that is missing or holds something else.
    """
    options = _read_yaml(path, "--config")
    if not _is_flat(options):
        raise ValueError(f"--config {path} must hold lines of the form `name: value`")
    return options


def read_variants(path):
    """A file of rows `name: {option of train: value}`, for `--variants`: {name: {option: value}}.

    A row that says no system is the one of its name, or wae-rnf.

    Raises:
        ValueError: a file that is missing or holds something else, a name that no file can have, an option that
            train does not have.
    """
    rows = _read_yaml(path, "--variants")
    if not isinstance(rows, dict) or not all(_is_flat(own) for own in rows.values()):
        raise ValueError(f"--variants {path} must hold lines of the form `name: {{option: value}}`")
    known = {field.name for field in fields(TrainArguments)}
    for name, own in rows.items():
        if not re.fullmatch(r"[A-Za-z0-9_][A-Za-z0-9_.-]*", str(name)):
            raise ValueError(f"--variants {path}: {name!r} names files and directories; use letters, digits, - and _")
        if unknown := sorted(own.keys() - known):
            raise ValueError(f"--variants {path}: {name} has the option {unknown[0]!r}, which train does not have")
    system_of = {name: name if name in SYSTEMS else TrainArguments.system for name in rows}
    return {name: typed({"system": system_of[name]} | own) for name, own in rows.items()}


def flags(options):
    """{name: value} as on the command line."""
    return [part for name, value in options.items() if value is not None for part in (f"--{name}", str(value))]


def typed(options):
    """Options whose values have the types of [`TrainArguments`], as the command line gives them."""
    (arguments,) = HfArgumentParser(TrainArguments, allow_abbrev=False).parse_args_into_dataclasses(flags(options))
    return {name: getattr(arguments, name) for name in options}


def _is_flat(options):
    return isinstance(options, dict) and not any(isinstance(value, (dict, list)) for value in options.values())


def _read_yaml(path, option):
    try:
        return yaml.safe_load(Path(path).read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
        raise ValueError(f"{option} {path} cannot be read: {error}") from error
