"""Options of training from YAML files: one set for a run, or a named set for each row of a reproduction."""

import json
import re
from collections.abc import Hashable, Mapping, Sequence
from dataclasses import fields
from pathlib import Path
from types import NoneType
from typing import Any, get_args

import yaml

from .arguments import PRESETS, TrainArguments, Unset
from .option_parser import parser_of, unknown_option
from .option_scope import shared_part
from .run_directory import FREE_TO_CHANGE
from .systems import SYSTEMS

SEVERAL = [field.name for field in fields(TrainArguments) if "list[" in str(field.type)]  # options of several values
MAPPINGS = [field.name for field in fields(TrainArguments) if dict in (field.type, *get_args(field.type))]
OR_NONE = [field.name for field in fields(TrainArguments) if set(get_args(field.type)) > {NoneType, Unset}]
MAIN_JOB = "toy"  # the corpus, and the preset
NULL = "tag:yaml.org,2002:null"


class TextLoader(yaml.SafeLoader):
    """Reads every plain value as the text that stands there, but for null: its option gives it a type.

    YAML 1.1 would make `no` a truth value, `1e-3` a word, `1:30` the number 90 and `2024-01-01` a date.
    """

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Hashable, Any]:
        names = [key.value for key in node.value for key in key[:1] if isinstance(key, yaml.ScalarNode)]
        if repeated := next((name for name in names if names.count(name) > 1), None):
            raise yaml.constructor.ConstructorError(None, None, f"{repeated!r} stands there twice", node.start_mark)
        return super().construct_mapping(node, deep)


TextLoader.yaml_implicit_resolvers = {
    first: [(tag, pattern) for tag, pattern in resolvers if tag == NULL]
    for first, resolvers in yaml.SafeLoader.yaml_implicit_resolvers.items()
}


def read_options(path: str | Path) -> dict[str, Any]:
    """A file of lines `name: value`, for `--config`: {name: value}, with the types of [`TrainArguments`].

    Raises:
        ValueError: a file that is missing or holds something else, an option that train does not have, a value of
            another type.
    """
    options = _read_yaml(path, "--config")
    if not _is_flat(options):
        raise ValueError(f"--config {path} must hold lines of the form `name: value`")
    return typed(options, f"--config {path}")


def with_preset(given: dict[str, Any]) -> dict[str, Any]:
    """Options with those of their `preset` that their system has a part for; the ones that were given come first.

    Args:
        given: {option: value}.

    Raises:
        ValueError: no such preset.

    Examples:
        >>> with_preset({"preset": "authors", "system": "vae", "num_epochs": 20})["posterior_head"]
        'linear'
    """
    name = given.get("preset")
    if name is None:
        return given
    if name not in PRESETS:
        raise ValueError(f"--preset must be one of {', '.join(PRESETS)}, but is {name}")
    path = Path(__file__).with_name("presets") / f"{name}.yaml"
    return shared_part(read_options(path), given) | given


def with_main_job(given: dict[str, Any]) -> dict[str, Any]:
    """Options with the preset of the main job, `make train`, where none is given that decides what is trained.

    Examples:
        >>> with_main_job({"seed": 1}), with_main_job({"hidden_size": 64})
        ({'preset': 'toy', 'seed': 1}, {'hidden_size': 64})
    """
    decides = {name for name in given if name not in (*FREE_TO_CHANGE, "seed", "dataset")} | {*given} & {"preset"}
    toy = given.get("dataset", TrainArguments.dataset) == MAIN_JOB
    return {"preset": MAIN_JOB} | given if toy and not decides else given


def read_variants(path: str | Path) -> dict[str, dict[str, Any]]:
    """A file of rows `name: {option of train: value}`, for `--variants`: {name: {option: value}}.

    A row that says no system is the one of its name, or wae-rnf. One that says `preset` has its options too.

    Raises:
        ValueError: a file that is missing or holds something else, a name that no file can have, an option that
            train does not have.
    """
    rows = _read_yaml(path, "--variants")
    if not isinstance(rows, dict) or not all(_is_flat(own) for own in rows.values()):
        raise ValueError(f"--variants {path} must hold lines of the form `name: {{option: value}}`")
    for name in rows:
        if not re.fullmatch(r"[A-Za-z0-9_][A-Za-z0-9_.-]*", str(name)):
            raise ValueError(f"--variants {path}: {name!r} names files and directories; use letters, digits, - and _")
    own = {name: typed(own, f"--variants {path}: {name}") for name, own in rows.items()}
    system_of = {name: name if name in SYSTEMS else TrainArguments.system for name in rows}
    return {name: with_preset({"system": system_of[name]} | own[name]) for name in rows}


def typed(options: Mapping[str, Any], source: str) -> dict[str, Any]:
    """Options whose values have the types of [`TrainArguments`], as the command line gives them.

    null is the value "none" of an option that has it, and otherwise leaves the option out.

    Args:
        options: {name, with dashes or underscores: text}.
        source: where they stand, for errors.
    """
    known = [field.name for field in fields(TrainArguments)]
    options = {str(name).replace("-", "_"): value for name, value in options.items()}
    if unknown := [name for name in options if name not in known]:
        reason = unknown_option(f"--{unknown[0]}", [f"--{name}" for name in known])
        raise ValueError(f"{source} has the option {unknown[0]!r}, which train does not have: {reason}")
    argv = []
    for name, value in options.items():
        if value is None and name not in OR_NONE:
            continue
        text = "none" if value is None else json.dumps(_plain(value)) if name in MAPPINGS else value
        # with the sign: a value may begin with a dash
        argv += [f"--{name}", *value] if isinstance(value, list) else [f"--{name}={text}"]
    try:
        given = parser_of(TrainArguments, prog="wae-rnf train").parse_args(argv)
    except ValueError as error:
        raise ValueError(f"{source}: {error}") from error
    return vars(given)


def _is_flat(options: object) -> bool:
    """Whether every option has one value, or a list or a mapping of them where it takes such."""
    if not isinstance(options, dict):
        return False
    structures = dict.fromkeys(SEVERAL, list) | dict.fromkeys(MAPPINGS, dict)
    values = [value for name, value in options.items() if not isinstance(value, structures.get(name, ()))]
    values += [item for name in SEVERAL if isinstance(options.get(name), list) for item in options[name]]
    return not any(isinstance(value, (dict, list)) for value in values)


def _plain(value: Any) -> Any:
    """A mapping of texts with the values that they are in YAML: those of a part's own options, which has no parser."""
    if isinstance(value, dict):
        return {str(name): _plain(own) for name, own in value.items()}
    return yaml.safe_load(value) if isinstance(value, str) else value


def _read_yaml(path: str | Path, option: str) -> Any:
    try:
        # SafeLoader's own constructors: nothing is called
        return yaml.load(Path(path).expanduser().read_text(encoding="utf-8"), TextLoader)
    except (OSError, UnicodeDecodeError, yaml.YAMLError, RuntimeError) as error:
        raise ValueError(f"{option} {path} cannot be read: {error}") from error


def options_of_files(paths: Sequence[str | Path]) -> dict[str, Any]:
    """The options in the files that --config names, the later ones first in force."""
    options: dict[str, Any] = {}
    for path in paths:
        options |= read_options(path)
    return options
