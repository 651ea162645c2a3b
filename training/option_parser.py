"""The parser of every command's options: both spellings of a name, a hint where one is unknown, one sentence of error.

It is light, so that a mistake is told before anything heavy is imported.
"""

import argparse
import difflib
from collections.abc import Iterable
from dataclasses import MISSING, fields
from types import NoneType, UnionType
from typing import get_args, get_origin

TRUE, FALSE = ("yes", "true", "t", "y", "1", "on"), ("no", "false", "f", "n", "0", "off")


class OptionParser(argparse.ArgumentParser):
    """`argparse.ArgumentParser` that takes `--iwae-samples` for `--iwae_samples`, and the reverse.

    No option can be abbreviated.

    Raises:
        ValueError: from `parse_args`, whatever is wrong with the arguments, in one sentence.

    Example:
        >>> parser = OptionParser(prog="wae-rnf train")
        >>> _ = parser.add_argument("--learning_rate", type=float)
        >>> parser.parse_args(["--learning-rate", "0.1"]).learning_rate
        0.1
        >>> parser.parse_args(["--lr", "0.1"])
        Traceback (most recent call last):
        ValueError: unknown option --lr; did you mean --learning_rate? (wae-rnf train --help lists them all)
    """

    def __init__(self, **options):
        super().__init__(allow_abbrev=False, **options)

    def parse_known_args(self, args=None, namespace=None):
        args = list(args)
        end = args.index("--") if "--" in args else len(args)
        return super().parse_known_args([*map(self._known, args[:end]), *args[end:]], namespace)

    def error(self, message):
        raise ValueError(f"{message} ({self.prog} --help explains the options)")

    def _known(self, argument):
        """The argument, an option's name in the spelling that it was declared in."""
        option, equals, value = argument.partition("=")
        # what has a blank in it is a sentence, to argparse too
        if not option.startswith("--") or " " in option:
            return argument
        for spelling in (option, "--" + option[2:].replace("-", "_"), "--" + option[2:].replace("_", "-")):
            if spelling in self._option_string_actions:
                return spelling + equals + value
        raise ValueError(unknown_option(option, self._option_string_actions) + f" ({self.prog} --help lists them all)")


def unknown_option(option: str, known: Iterable[str]) -> str:
    """A sentence on an option that there is not, with the one that was probably meant.

    Example:
        >>> unknown_option("--iwae", ["--split", "--iwae_samples"])
        'unknown option --iwae; did you mean --iwae_samples?'
    """
    name = option.lstrip("-").replace("-", "_")
    names = [other.lstrip("-") for other in known if other.startswith("--")]
    meant = [other for other in names if "".join(word[0] for word in other.split("_")) == name]
    meant += difflib.get_close_matches(name, names, n=1)
    meant += [other for other in names if name in other or set(name.split("_")) & set(other.split("_"))]
    return f"unknown option {option}" + (f"; did you mean --{meant[0]}?" if meant else "")


def parser_of(arguments_class: type, **options) -> OptionParser:
    """A parser with an option for each field of a dataclass; the namespace holds those alone that were given.

    Args:
        arguments_class: its fields are of type bool, int, float, str, one of these or None, or a list of one.
        options: of [`OptionParser`].

    Example:
        >>> from dataclasses import dataclass
        >>> @dataclass
        ... class Sizes:
        ...     hidden_size: int = 200
        ...     batch_norm: bool = True
        >>> vars(parser_of(Sizes).parse_args(["--no_batch_norm"]))
        {'batch_norm': False}
    """
    parser = OptionParser(argument_default=argparse.SUPPRESS, **options)
    for field in fields(arguments_class):
        kind, more = _type(field.type), {}
        if get_origin(kind) is list:
            kind, more = get_args(kind)[0], {"nargs": "+"}
        if kind is bool:
            kind, more = truth, {"nargs": "?", "const": True}
        shown = "" if field.default in (None, MISSING) else f" (default: {field.default})"
        described = (field.metadata.get("help", "") + shown).replace("%", "%%")
        parser.add_argument(f"--{field.name}", type=kind, help=described, **more)
        if field.default is True:
            parser.add_argument(f"--no_{field.name}", dest=field.name, action="store_false", help=f"no {field.name}")
    return parser


def truth(text: str) -> bool:
    """A bool in any of the usual words; the parser turns the error into a sentence that names the option."""
    if text.lower() in TRUE or text.lower() in FALSE:
        return text.lower() in TRUE
    raise argparse.ArgumentTypeError(f"Truthy value expected: got {text}, but yes or no, true or false is one")


def _type(annotation):
    """What an annotation means where a value is given: that of `int | None` is int."""
    if get_origin(annotation) is UnionType:
        (annotation,) = (kind for kind in get_args(annotation) if kind is not NoneType)
    return annotation
