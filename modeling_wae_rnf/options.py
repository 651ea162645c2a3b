"""An option is declared once: a field with its default, its help text and its rule.

The configuration and the command line read the same declarations. Nothing is imported here that takes time.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass, field, fields
from typing import Any, get_args

LARGEST = 2**31 - 1  # of any integer
WIDEST = 2**16  # of a layer


@dataclass(frozen=True)
class Rule:
    """What a value must be.

    Args:
        holds: function of the value.
        words: ends the sentence that begins with the option's name, "must be positive".
        choices: the values there are, where they are few.
        most: the largest integer.
    """

    holds: Callable[[Any], bool]
    words: str
    choices: tuple[str, ...] = ()
    most: int = LARGEST


def one_of(*choices: str) -> Rule:
    return Rule(lambda value: value in choices, f"must be one of {', '.join(choices)}", choices)


def at_least(least: int, most: int = LARGEST) -> Rule:
    bounds = f"must be at least {least}" + (f" and at most {most:,}" if most != LARGEST else "")
    return Rule(lambda value: least <= value <= most, bounds)


NOT_NEGATIVE = Rule(lambda value: value >= 0, "must not be negative")
POSITIVE = Rule(lambda value: 0 < value < math.inf, "must be positive and finite")
RATE = Rule(lambda value: 0 <= value < 1, "must lie in [0, 1)")


def option(default: Any, help_text: str, rule: Rule | None = None, basic: bool = False) -> Any:
    """A dataclass field that is an option.

    Args:
        default: its value where none is given; `dict` for an empty dictionary of its own.
        help_text: one or more sentences, the first begins with a noun.
        rule: a [`Rule`] that every value keeps, besides None where the field's type has it.
        basic: whether the short `--help` has it.

    Examples:
        >>> @dataclass
        ... class Sizes:
        ...     hidden_size: int = option(200, "Size of the LSTMs.", at_least(1))
        >>> check_rules(Sizes(hidden_size=0))
        Traceback (most recent call last):
        ValueError: hidden_size must be at least 1, but is 0
    """
    given = {"default_factory": dict} if default is dict else {"default": default}
    return field(**given, metadata={"help": help_text, "rule": rule, "basic": basic})


def check_rules(options: Any, prefix: str = "") -> None:
    """Raises ValueError where a value of a dataclass of options breaks its rule, or is not finite, or huge.

    Args:
        options: a dataclass instance; its fields that are no options are passed over.
        prefix: put before the name of an option in the message, "--" for a command line.
    """
    for declared in fields(options):
        if "rule" not in declared.metadata:
            continue
        name, value = prefix + declared.name, getattr(options, declared.name)
        kinds, rule = get_args(declared.type) or (declared.type,), declared.metadata["rule"]
        if value is None and type(None) in kinds:
            continue
        if (int in kinds or float in kinds) and not isinstance(value, (int, float)):
            raise ValueError(f"{name} must be a number, but is {value!r}")
        if rule is not None and not rule.holds(value):
            raise ValueError(f"{name} {rule.words}, but is {value}")
        if isinstance(value, float) and not math.isfinite(value):
            raise ValueError(f"{name} must be finite, but is {value}")
        most = LARGEST if rule is None else rule.most
        if isinstance(value, int) and value > most:
            raise ValueError(f"{name} must be at most {most:,}, but is {value}")
