"""Sentences of the command line, or of standard input: nothing is lost in silence."""

import sys
from collections import Counter
from collections.abc import Sequence

from wae_rnf.text.text_input import warn
from wae_rnf.tokenization.lines import BLANK, decode_lines, read_lines

STANDARD_INPUT = "standard input"


def read_sentences(given: Sequence[str]) -> list[str]:
    """Sentences of the command line, or the lines of standard input: one for each, so that rows and lines match.

    Args:
        given: arguments; without any, standard input is read.

    Returns:
        the sentences; a blank line is a sentence without words, which is reported.

    Raises:
        ValueError: a blank argument, no sentence at all, or input that is no text.
    """
    if given:
        return [with_words(sentence) for sentence in given]
    if sys.stdin is None:
        raise ValueError("standard input is closed; give the sentences as arguments")
    if sys.stdin.isatty():
        hint = "Ctrl-Z and Enter" if sys.platform == "win32" else "Ctrl-D"
        print(f"wae-rnf: sentences are read from the terminal, one a line; {hint} ends them", file=sys.stderr)
    notes: Counter[str] = Counter()
    sentences = list(decode_lines(sys.stdin.buffer, STANDARD_INPUT, notes))
    if not any(sentences):
        raise ValueError("there is no sentence; give some, or send them to standard input, one a line")
    notes["blank lines, each read as a sentence without words"] = sentences.count("")
    say(STANDARD_INPUT, notes)
    return sentences


def read_file(path: str) -> list[str]:
    """The sentences of a file, one a line; blank lines are left out, which is reported.

    Raises:
        ValueError: no sentence, or a file that is no text.
        OSError: it cannot be read.
    """
    notes: Counter[str] = Counter()
    lines = list(read_lines(path, notes))
    sentences = list(filter(None, lines))
    if not sentences:
        raise ValueError(f"{path} has no sentence; write one a line")
    notes[BLANK] = len(lines) - len(sentences)
    say(path, notes)
    return sentences


def say(name: str, notes: Counter[str]) -> None:
    """Warns of what was counted while a text was read."""
    warn(f"{name}: {number} {note}" for note, number in notes.items() if number)


def with_words(sentence: str) -> str:
    """The sentence; raises ValueError where there is nothing but white space."""
    if not sentence.strip():
        raise ValueError(f"the sentence {sentence!r} is blank; write at least one word")
    return sentence
