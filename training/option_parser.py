"""The parser of every command's options: both spellings of a name, a hint where one is unknown, one sentence of error.

It is light, so that a mistake is reported before anything heavy is imported.
"""

import argparse
import difflib
import json
import sys
from collections.abc import Callable, Iterable, Sequence
from dataclasses import MISSING, Field, fields
from types import NoneType, UnionType
from typing import Any, NoReturn, get_args, get_origin

TRUE, FALSE = ("yes", "true", "t", "y", "1", "on"), ("no", "false", "f", "n", "0", "off")
NONE = ("none", "null")
METAVARS = {int: "N", float: "X"}


class HelpAll(argparse.Action):
    """`--help-all`: the help of every option, also of those that `--help` leaves out."""

    def __call__(
        self,
        parser: argparse.ArgumentParser,
        namespace: argparse.Namespace,
        values: object,
        option_string: str | None = None,
    ) -> None:
        assert isinstance(parser, OptionParser)
        for action, help_text in parser.hidden.items():
            action.help = help_text
        parser.print_help()
        parser.exit()


class HelpFormatter(argparse.HelpFormatter):
    """Keeps the paragraphs of a description and of an epilog, and those with indented lines as they are."""

    def _fill_text(self, text: str, width: int, indent: str) -> str:
        fill = super()._fill_text
        return "\n\n".join(
            paragraph if "\n  " in paragraph else fill(paragraph, width, indent) for paragraph in text.split("\n\n")
        )


class OptionParser(argparse.ArgumentParser):
    """`argparse.ArgumentParser` that takes `--iwae-samples` for `--iwae_samples`, and the reverse.

    No option can be abbreviated.

    Raises:
        ValueError: from `parse_args`, whatever is wrong with the arguments, in one sentence.

    Examples:
        >>> parser = OptionParser(prog="wae-rnf train")
        >>> _ = parser.add_argument("--learning_rate", type=float)
        >>> parser.parse_args(["--learning-rate", "0.1"]).learning_rate
        0.1
        >>> parser.parse_args(["--lr", "0.1"])
        Traceback (most recent call last):
        ValueError: unknown option --lr; did you mean --learning_rate? (wae-rnf train --help lists them all)
    """

    def __init__(self, **options: Any) -> None:
        super().__init__(allow_abbrev=False, formatter_class=HelpFormatter, **options)
        self.hidden: dict[argparse.Action, str | None] = {}  # options that --help leaves out, and their help texts

    def hide(self, action: argparse.Action) -> None:
        """Leaves an option out of `--help`; `--help-all` has it."""
        if not self.hidden:
            self.add_argument("--help-all", action=HelpAll, nargs=0, help="show all options and exit")
        self.hidden[action] = action.help
        action.help = argparse.SUPPRESS

    def add_config(self, help_text: str) -> None:
        """Adds `--config`, files of options."""
        self.add_argument("--config", metavar="FILE", action="append", help=help_text)

    def parse_known_args(  # type: ignore[override]  # of its overloads, the one of a `Namespace`
        self, args: Sequence[str] | None = None, namespace: argparse.Namespace | None = None
    ) -> tuple[argparse.Namespace, list[str]]:
        args = list(sys.argv[1:] if args is None else args)
        end = args.index("--") if "--" in args else len(args)
        return super().parse_known_args([*map(self._known, args[:end]), *args[end:]], namespace)

    def error(self, message: str) -> NoReturn:
        raise ValueError(f"{message} ({self.prog} --help explains the options)")

    def _known(self, argument: str) -> str:
        """The argument, an option's name in the spelling that it was declared in."""
        option, equals, value = argument.partition("=")
        # what has a blank in it is a sentence, to argparse too
        if not option.startswith("--") or " " in option:
            return argument
        for spelling in (option, "--" + option[2:].replace("-", "_"), "--" + option[2:].replace("_", "-")):
            if spelling in self._option_string_actions:
                return spelling + equals + value
        lists = "--help-all" if self.hidden else "--help"
        raise ValueError(
            unknown_option(option, self._option_string_actions) + f" ({self.prog} {lists} lists them all)"
        )


def unknown_option(option: str, known: Iterable[str]) -> str:
    """A sentence on an option that there is not, with the one that was probably meant.

    Examples:
        >>> unknown_option("--iwae", ["--split", "--iwae_samples"])
        'unknown option --iwae; did you mean --iwae_samples?'
    """
    name = option.lstrip("-").replace("-", "_")
    names = [other.lstrip("-") for other in known if other.startswith("--")]
    meant = [other for other in names if "".join(word[0] for word in other.split("_")) == name]
    meant += difflib.get_close_matches(name, names, n=1)
    meant += [other for other in names if name in other or set(name.split("_")) & set(other.split("_"))]
    return f"unknown option {option}" + (f"; did you mean --{meant[0]}?" if meant else "")


def parser_of(arguments_class: type, **options: Any) -> OptionParser:
    """A parser with an option for each field of a dataclass; the namespace holds those alone that were given.

    Args:
        arguments_class: its fields are of type bool, int, float, str, dict (given as JSON), one of these or None, or a
            list of one. Where a value may also be missing (a third type), "none" is a value. The options of each class
            that it is made of and that has a `group` are under that heading in `--help`.
        options: of [`OptionParser`].

    Examples:
        >>> from dataclasses import dataclass
        >>> @dataclass
        ... class Sizes:
        ...     hidden_size: int = 200
        ...     batch_norm: bool = True
        >>> vars(parser_of(Sizes).parse_args(["--no_batch_norm"]))
        {'batch_norm': False}
    """
    parser = OptionParser(argument_default=argparse.SUPPRESS, usage="%(prog)s [options]", **options)
    declared, groups = {field.name: field for field in fields(arguments_class)}, {}
    for part in arguments_class.__mro__[::-1]:
        for name in declared.keys() & vars(part).get("__annotations__", {}).keys():
            if "group" in vars(part) or name not in groups:  # another default leaves an option where it was
                groups[name] = getattr(part, "group", "options")
    titles = {title: parser.add_argument_group(title) for title in dict.fromkeys(groups[name] for name in declared)}
    basic_first = sorted(declared.values(), key=lambda field: not field.metadata.get("basic"))
    for field in basic_first:
        _add_option(parser, titles[groups[field.name]], field)
    return parser


def _add_option(parser: OptionParser, group: argparse._ArgumentGroup, field: Field[Any]) -> None:
    """An option for a field of a dataclass, and `--no_NAME` beside one that is true by default."""
    kinds = _kinds(field.type)
    kind: Any = kinds[0]
    more: dict[str, Any] = {}
    if get_origin(kind) is list:
        kind, more = get_args(kind)[0], {"nargs": "+"}
    more["metavar"] = METAVARS.get(kind, "NAME")
    if kind is bool:
        kind, more = truth, {"nargs": "?", "const": True, "metavar": "yes|no"}
    if kind is dict:
        kind, more = dictionary, {"metavar": "JSON"}
    if NoneType in kinds and len(kinds) > 2:
        kind = _or_none(kind)
    default = field.metadata.get("default", field.default)
    in_words = {True: "yes", False: "no"}[default] if isinstance(default, bool) else default
    shown = "" if default in (None, MISSING, {}) else f" (default: {in_words})"
    described = (field.metadata.get("help", "") + shown).replace("%", "%%")
    actions = [group.add_argument(f"--{field.name}", type=kind, help=described, **more)]
    if default is True:
        same = f"The same as --{field.name} no."
        actions.append(group.add_argument(f"--no_{field.name}", dest=field.name, action="store_false", help=same))
    if not field.metadata.get("basic", True):
        for action in actions:
            parser.hide(action)


def dictionary(text: str) -> dict:
    """A dictionary from JSON; the parser turns the error into a sentence that names the option."""
    try:
        value = json.loads(text)
    except ValueError:
        value = None
    if not isinstance(value, dict):
        raise argparse.ArgumentTypeError(f"""JSON of the form {{"name": value}} expected: got {text}""")
    return value


def _kinds(annotation: Any) -> tuple[Any, ...]:
    """The types that an annotation names, the one of a value first: (int, NoneType) for `int | None`."""
    return get_args(annotation) if get_origin(annotation) is UnionType else (annotation,)


def _or_none(kind: Callable[[str], Any]) -> Callable[[str], Any]:
    """A reader of a value, or of "none"."""

    def read(text: str) -> Any:
        return None if text.lower() in NONE else kind(text)

    read.__name__ = kind.__name__  # argparse names it in its errors
    return read


def truth(text: str) -> bool:
    """A bool in any of the usual words; the parser turns the error into a sentence that names the option."""
    if text.lower() in TRUE or text.lower() in FALSE:
        return text.lower() in TRUE
    raise argparse.ArgumentTypeError(f"Truthy value expected: got {text}, but yes or no, true or false is one")
