"""What the commands that take or give text share: options, the model, and its sentences."""

import argparse
import warnings
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, TypeVar

from wae_rnf.training.option_parser import OptionParser

from .model_argument import add_model_dir

if TYPE_CHECKING:
    from wae_rnf.text.text_autoencoder import TextAutoencoder

Item = TypeVar("Item")
SENTENCES_AT_ONCE = 1024  # then rows are written


def model_parser(name: str, description: str, *examples: str) -> OptionParser:
    """The options that every command on a model takes."""
    epilog = "\n  ".join(("Examples:", *examples))
    parser = OptionParser(prog=f"wae-rnf {name}", description=description, epilog=epilog)
    add_model_dir(parser)
    parser.add_argument("--seed", metavar="N", type=seed, default=0, help="Seed of the samples. (default: 0)")
    return parser


def add_dataset(group: argparse._ActionsContainer) -> None:
    """Adds `--dataset`, the corpus that a model is measured on."""
    group.add_argument("--dataset", metavar="NAME", help="Corpus, as in train; by default the model's own.")


def add_split(group: argparse._ActionsContainer) -> None:
    """Adds `--split`."""
    group.add_argument(
        "--split",
        default="test",
        choices=("train", "validation", "test"),
        help="Split: train, validation or test. (default: test)",
    )


def seed(text: str) -> int:
    """A seed as an argument; the parser turns the error into a sentence that names it."""
    value = int(text)
    if not 0 <= value < 2**32:
        raise argparse.ArgumentTypeError(f"{value} does not lie in [0, 2**32)")
    return value


def text_parser(name: str, description: str, *examples: str) -> OptionParser:
    """A parser of a command that writes rows of text, or JSON lines."""
    parser = model_parser(name, description, *examples)
    parser.add_argument("--output", metavar="FILE", help="File for the output, instead of the standard output.")
    parser.add_argument("--json", action="store_true", help="JSON lines instead of text.")
    return parser


def sentences_parser(name: str, description: str, *examples: str) -> OptionParser:
    """A parser of a command that also takes sentences."""
    parser = text_parser(name, description, *examples)
    parser.add_argument(
        "sentences", nargs="*", default=[], help="Sentences; by default they are read from standard input, one a line."
    )
    return parser


def open_text(directory: str, progress: bool | None = False) -> "TextAutoencoder":
    """The model of a directory as a `TextAutoencoder`; the command itself tells what is not read.

    Args:
        directory: of the model.
        progress: as for `TextAutoencoder`; False where the rows have a bar.
    """
    from wae_rnf.text import UnreadTextWarning, load

    warnings.simplefilter("ignore", UnreadTextWarning)
    text = load(directory)
    text.progress = progress
    return text


def open_with(
    directory: str, *groups: list[str], latents: bool = True, progress: bool | None = False
) -> "TextAutoencoder":
    """The model of a directory, once what it will not read of groups of sentences is reported.

    Raises:
        ValueError: a language model, where latents are needed.
    """
    from wae_rnf.text.text_input import warn_of_unread

    text = open_text(directory, progress)
    if latents:
        text.require_latents()
    for sentences in groups:
        warn_of_unread(text.tokenizer, sentences)
    return text


def in_parts(items: Sequence[Item]) -> Iterator[Sequence[Item]]:
    """The items, so many at a time that their rows come soon, and all are batched well."""
    return (items[start : start + SENTENCES_AT_ONCE] for start in range(0, len(items), SENTENCES_AT_ONCE))
