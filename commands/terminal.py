"""Printing that never costs a program its work: for terminals of few characters, closed ones, and readers that go."""

import codecs
import functools
import os
import sys
from collections.abc import Collection, Sequence
from typing import Any, Protocol, TextIO

PLAIN = {"Σ": "sum", "±": "+/-", "–": "-", "→": "->", "≥": ">=", "≤": "<="}
SIGNS = "plain_signs"


class Main(Protocol):
    """A main program: arguments in, exit status out."""

    def __call__(self, argv: Sequence[str] | None = None) -> int: ...


def plain_signs(error: UnicodeError) -> tuple[str, int]:
    """What an encoding does not have, in its letters: the signs of our tables, or else Python's escape."""
    if not isinstance(error, UnicodeEncodeError):
        raise error
    characters = error.object[error.start : error.end]
    escaped = (PLAIN.get(c) or c.encode("ascii", "backslashreplace").decode() for c in characters)
    return "".join(escaped), error.end


codecs.register_error(SIGNS, plain_signs)


class Unfailing:
    """A text stream; from the first write that fails, what is written to it is dropped.

    Args:
        stream: an open text stream.
    """

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream

    def __getattr__(self, name: str) -> Any:
        return getattr(self._stream, name)

    def write(self, text: str) -> int:
        try:
            return self._stream.write(text)
        except OSError:
            drop(self._stream)
            return len(text)

    def flush(self) -> None:
        try:
            self._stream.flush()
        except OSError:
            drop(self._stream)


def drop(stream: TextIO) -> None:
    """Turns what a stream still holds, and what will be written to it, to nowhere."""
    with nowhere() as file:
        os.dup2(file.fileno(), stream.fileno())


def nowhere() -> TextIO:
    """A text stream that keeps nothing."""
    return open(os.devnull, "w", encoding="utf-8")


def forgiving(main: Main, stops: Collection[str]) -> Main:
    """A main program that no stream fails: not by its encoding, nor because it is closed or full, or its reader goes.

    Args:
        main: takes a list of arguments, the first of which names the command; None for those of the process.
        stops: commands that write to standard output what they are run for. They do end where it cannot be written.
    """

    @functools.wraps(main)
    def run(argv: Sequence[str] | None = None) -> int:
        before = sys.stdout, sys.stderr
        words = sys.argv[1:] if argv is None else argv
        for name in ("stdout", "stderr"):
            stream = getattr(sys, name) or nowhere()  # None where it came closed
            if hasattr(stream, "reconfigure"):
                stream.reconfigure(errors=SIGNS)
            needed = name == "stdout" and bool(words) and words[0] in stops
            setattr(sys, name, stream if needed else Unfailing(stream))
        try:
            return main(argv)
        finally:
            for stream in (sys.stdout, sys.stderr):
                Unfailing(stream).flush()
            sys.stdout, sys.stderr = before

    return run
