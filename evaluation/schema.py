"""Checks the content of a JSON file against a `TypedDict`."""

import math
from collections.abc import Iterator
from types import NoneType, UnionType
from typing import Any, get_args, get_origin, get_type_hints, is_typeddict

KINDS = {dict: "an object", list: "a list", str: "text", bool: "true or false", int: "a whole number"}


def problems(content: Any, schema: Any, place: str = "") -> Iterator[str]:
    """What is wrong with the content, one sentence each; keys that the schema does not have are not.

    Args:
        content: what `json.loads` gives.
        schema: a `TypedDict`, or the type of one of its fields.
        place: of the content in its file.

    Examples:
        >>> from typing import TypedDict
        >>> list(problems({"steps": "many"}, TypedDict("Run", {"steps": int, "loss": float})))
        ["steps is 'many', not a whole number", 'loss is missing']
    """
    if schema is Any:
        return
    if get_origin(schema) is UnionType:
        if content is not None or NoneType not in get_args(schema):
            (kind,) = (kind for kind in get_args(schema) if kind is not NoneType)
            yield from problems(content, kind, place)
    elif is_typeddict(schema):
        yield from _problems_of_keys(content, schema, place)
    elif schema is float:
        if not isinstance(content, float | int) or isinstance(content, bool) or not math.isfinite(content):
            yield f"{place} is {content!r}, not a finite number"
    else:
        kind = get_origin(schema) or schema
        if not isinstance(content, kind) or (kind is int and isinstance(content, bool)):
            yield f"{place} is {content!r}, not {KINDS[kind]}"
        elif get_args(schema):
            items = content.items() if kind is dict else enumerate(content)
            for name, value in items:
                yield from problems(value, get_args(schema)[-1], f"{place}.{name}")


def _problems_of_keys(content: Any, schema: Any, place: str) -> Iterator[str]:
    if not isinstance(content, dict):
        yield f"{place} is {content!r}, not {KINDS[dict]}"
        return
    for name, kind in get_type_hints(schema).items():
        where = f"{place}.{name}" if place else name
        if name in content:
            yield from problems(content[name], kind, where)
        elif name in schema.__required_keys__:
            yield f"{where} is missing"


def unknown_keys(content: Any, schema: Any, place: str = "") -> Iterator[str]:
    """The keys of the content that the schema does not have.

    Examples:
        >>> from typing import TypedDict
        >>> list(unknown_keys({"steps": 3, "stairs": 4}, TypedDict("Run", {"steps": int})))
        ['stairs']
    """
    kinds = [kind for kind in get_args(schema) or (schema,) if is_typeddict(kind) or get_args(kind)]
    if isinstance(content, dict) and is_typeddict(schema):
        known = get_type_hints(schema)
        for name, value in content.items():
            where = f"{place}.{name}" if place else name
            if name in known:
                yield from unknown_keys(value, known[name], where)
            else:
                yield where
    elif kinds and isinstance(content, dict | list) and get_origin(schema) in (dict, list):
        for name, value in content.items() if isinstance(content, dict) else enumerate(content):
            yield from unknown_keys(value, kinds[-1], f"{place}.{name}")
    elif kinds and content is not None:
        yield from unknown_keys(content, kinds[0], place)
