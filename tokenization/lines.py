"""Lines of text: the one reader of files, standard input and streams, in bounded memory.

A line feed, a carriage return, or the two together end a line, as Unix, old Macs and Windows write it. What
`str.splitlines` would split at besides, U+2028 or a form feed, stays in its sentence.
"""

import codecs
import gzip
import logging
import re
import zlib
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

__all__ = ["BLANK", "decode_lines", "read_lines", "say"]

logger = logging.getLogger(__name__)

BLOCK = 2**20  # bytes that are read at a time
MAX_LINE = 2**20  # bytes; a longer line is no sentence, and the memory that splitting it takes is a hundred times that
BLANK = "blank lines skipped"
BARE_RETURN = "lines end with a carriage return alone, and are read as lines"
INNER_MARK = "lines have a byte-order mark (U+FEFF) inside, which is left out"
INVISIBLE = "lines have zero-width characters (U+200B, U+2060), which are part of their words"
ZERO_WIDTH = re.compile("[\u200b\u2060]")
MARK = "\ufeff"
# The longer mark first: UTF-32's little-endian one begins with UTF-16's.
ENCODINGS = {
    codecs.BOM_UTF32_LE: "UTF-32",
    codecs.BOM_UTF32_BE: "UTF-32",
    codecs.BOM_UTF16_LE: "UTF-16",
    codecs.BOM_UTF16_BE: "UTF-16",
}
ARCHIVES = {
    b"\x1f\x8b": "gzip",
    b"PK\x03\x04": "zip",
    b"BZh91AY&SY": "bzip2",
    b"\xfd7zXZ\x00": "xz",
    b"\x28\xb5\x2f\xfd": "zstd",
}


def read_lines(path: str | Path, notes: Counter[str] | None = None) -> Iterator[str]:
    """Yield the lines of a file, which gzip has compressed where its name says so; see :func:`decode_lines`."""
    compressed = str(path).lower().endswith(".gz")
    try:
        with gzip.open(path, "rb") if compressed else open(path, "rb") as stream:
            yield from decode_lines(stream, str(path), notes)
    except (gzip.BadGzipFile, EOFError, zlib.error) as error:
        raise ValueError(f"{path} cannot be unpacked by gzip: {error}") from error


def decode_lines(stream: BinaryIO | gzip.GzipFile, name: str, notes: Counter[str] | None = None) -> Iterator[str]:
    r"""Yield the lines of a stream of UTF-8 without the white space around them, blank ones as "".

    Args:
        stream: of bytes; memory is bounded, however long it is.
        name: what errors call it.
        notes: counts, by what is to be said of them, the lines that were read otherwise than they look.

    Raises:
        ValueError: bytes that are not UTF-8, a NUL character, a line of more than ``MAX_LINE`` bytes.

    Examples:
        >>> import io
        >>> list(decode_lines(io.BytesIO(b"a cat\r\n\r\na dog\ra fish"), "animals"))
        ['a cat', '', 'a dog', 'a fish']
    """
    notes = Counter() if notes is None else notes
    number = 0
    for lines in split_blocks(stream, name, notes):
        for line in lines:
            number += 1
            yield decode(line, name, number, notes)


def split_blocks(stream: BinaryIO | gzip.GzipFile, name: str, notes: Counter[str]) -> Iterator[list[bytes]]:
    """Yield the lines of one block of the stream after another, as bytes."""
    rest, number = b"", 0
    while block := stream.read(BLOCK):
        if not number and not rest:
            check_kind(block, name)
            block = block.removeprefix(codecs.BOM_UTF8)
        block = rest + block
        end = 1 + max(block.rfind(b"\n"), block.rfind(b"\r", 0, -1))  # a line feed may follow a return at the end
        lines, rest = split_lines(block[:end], notes), block[end:]
        number += len(lines)
        if len(rest) > MAX_LINE:
            raise too_long(name, number + 1)
        yield lines
    yield split_lines(rest, notes)


def split_lines(block: bytes, notes: Counter[str]) -> list[bytes]:
    """Split a block at the three line ends, as `splitlines` does where it splits bytes."""
    notes[BARE_RETURN] += block.count(b"\r") - block.count(b"\r\n")
    return block.splitlines()


def decode(line: bytes, name: str, number: int, notes: Counter[str]) -> str:
    """Return a line as text, without the white space around it."""
    if len(line) > MAX_LINE:
        raise too_long(name, number)
    if b"\0" in line:
        raise ValueError(
            f"{name}, line {number}: byte {line.index(0) + 1} is NUL, which no text has; save the file as UTF-8"
        )
    try:
        text = line.decode("utf-8")
    except UnicodeDecodeError as error:
        raise ValueError(
            f"{name}, line {number}: byte {error.start + 1} is not UTF-8; save the file as UTF-8"
        ) from None
    if not text.isascii():
        if MARK in text:
            notes[INNER_MARK] += 1
            text = text.replace(MARK, "")
        notes[INVISIBLE] += ZERO_WIDTH.search(text) is not None
    return text.strip()


def check_kind(head: bytes, name: str) -> None:
    """Raise ValueError if the first bytes are those of another encoding, or of a compressed file."""
    for mark, encoding in ENCODINGS.items():
        if head.startswith(mark):
            raise ValueError(
                f"{name}, line 1: byte 1 is not UTF-8, but the byte-order mark of {encoding}; save the file as UTF-8"
            )
    for mark, program in ARCHIVES.items():
        if head.startswith(mark):
            raise ValueError(f"{name} is no text, but compressed by {program}; unpack it first")
    zeros = [head[place:4096:4].count(0) > 0.8 * len(head[place:4096:4]) for place in range(4)]
    if sum(zeros) >= 2:
        encoding = "UTF-32" if sum(zeros) > 2 else "UTF-16"
        raise ValueError(f"{name} is not UTF-8, but {encoding} without a byte-order mark; save the file as UTF-8")


def too_long(name: str, number: int) -> ValueError:
    return ValueError(
        f"{name}, line {number} has more than {MAX_LINE:,} bytes, which is no sentence; put one sentence on a line"
    )


def say(name: str, notes: Counter[str]) -> None:
    """Log what was counted while a text was read, one warning for each kind."""
    for note, number in notes.items():
        if number:
            logger.warning("%s: %d %s", name, number, note)
