"""Rows of a command's output: as text or JSON lines, to a file or the standard output."""

import json
import sys
import textwrap
from argparse import Namespace
from collections.abc import Callable, Iterable
from contextlib import nullcontext
from itertools import chain
from typing import Any

Row = dict[str, Any]  # of the output: JSON's names and values
WIDTH = 80  # columns


def write(
    rows: Iterable[Row],
    options: Namespace,
    text_of: Callable[[Row], str],
    total: int,
    heading: str | None = None,
    ending: str | None = None,
) -> None:
    """Writes rows, with a progress bar beside a file or a pipe where there are many.

    Args:
        rows: dictionaries, made while they are written.
        options: of the command: `json` and `output`.
        text_of: the lines of a row, where it is not written as JSON.
        total: number of rows.
        heading, ending: lines of text before and after the rows; JSON goes without.
    """
    from tqdm.auto import tqdm

    from wae_rnf.text.batches import MANY

    if not options.output and sys.stdout.isatty():
        bar = rows
    else:
        bar = tqdm(rows, total=total, unit="sentence", leave=False, disable=None if total >= MANY else True)
    bar = iter(bar)
    first = next(bar)  # where this fails, a file that is there stays as it is
    with open(options.output, "w", encoding="utf-8") if options.output else nullcontext(sys.stdout) as file:
        if heading and not options.json:
            print(heading, file=file)
        for row in chain([first], bar):
            print(json.dumps(row, ensure_ascii=False) if options.json else text_of(row), file=file)
        if ending and not options.json:
            print(ending, file=file)


def beside(start: str, text: str) -> str:
    """A text beside the start of its line, wrapped under itself within 80 columns.

    Examples:
        >>> print(beside("12.5  ", "the soup " * 10))
        12.5  the soup the soup the soup the soup the soup the soup the soup the soup
              the soup the soup
    """
    indent = " " * len(start)
    wrapped = textwrap.fill(
        text, WIDTH, initial_indent=start, subsequent_indent=indent, break_long_words=False, break_on_hyphens=False
    )
    return wrapped or start
