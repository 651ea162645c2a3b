"""Tables: .csv, .tsv, .jsonl, .json and .parquet files, as the texts of one of their columns."""

import csv
import glob
import gzip
import logging
import re
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from itertools import chain, islice
from pathlib import Path
from typing import Any

import datasets
from datasets import Features, Value

from .corpus_names import format_of
from .lines import decode_lines

__all__ = ["NULL", "check_column", "choose_column", "clean_texts", "columns_of_table", "read_table"]

LOADERS = {".csv": "csv", ".tsv": "csv", ".jsonl": "json", ".json": "json", ".parquet": "parquet"}
DELIMITERS = ",;\t"
SAMPLE = 100  # rows that tell which columns are text
BATCH = 1000
NULL = "rows without a value (null) skipped"
LINE_ENDS = "rows have line ends inside, which are read as spaces"
INVISIBLE = "rows have characters without width (U+0000, U+FEFF, U+200B, U+2060), which are part of their words"
NUMBER = re.compile(r"\s*[-+]?[\d.,:/ -]*\s*")
WITHOUT_WIDTH = re.compile("[\0\ufeff\u200b\u2060]")


def read_table(path: str, column: str, notes: Counter[str] | None = None) -> Iterator[str]:
    """Yield the texts of a column, "" for a blank one or none.

    Args:
        path: of the file.
        column: its name.
        notes: counts, by what is to be said of them, the rows that are skipped or read otherwise than they look.

    Raises:
        ValueError: a file that cannot be read as what its ending says, or a value that is no text.
    """
    notes = Counter() if notes is None else notes
    values = (value for batch in batches_of(path) for value in batch[column])
    return clean_texts(values, f"{path}: {column}", notes)


def clean_texts(values: Iterable[Any], name: str, notes: Counter[str]) -> Iterator[str]:
    r"""Yield values as lines without white space around them; count those that are missing or odd.

    Raises:
        ValueError: a value that is no text.

    Examples:
        >>> notes = Counter()
        >>> list(clean_texts([" two\n\nlines", None, ""], "a.csv: text", notes)), notes[NULL]
        (['two lines', ''], 1)
    """
    for number, value in enumerate(values, 1):
        if value is None:
            notes[NULL] += 1
            continue
        if not isinstance(value, str):
            raise ValueError(f"{name} of row {number} is {value!r}, which is no text")
        text = value.strip()
        if "\n" in text or "\r" in text:
            notes[LINE_ENDS] += 1
            text = " ".join(line.strip() for line in re.split(r"[\r\n]+", text))
        if WITHOUT_WIDTH.search(text):
            notes[INVISIBLE] += 1
        yield text


def columns_of_table(path: str) -> dict[str, bool]:
    """Return the columns of a file, and whether each has text: strings that are not all of them numbers."""
    first: dict[str, list] = {}
    for batch in batches_of(path, SAMPLE):
        first = batch
        break
    return {name: is_text(values) for name, values in first.items()}


def is_text(values: Sequence[Any]) -> bool:
    """Whether values are strings or missing, and one at least is neither blank nor a number or a date.

    Examples:
        >>> is_text(["a cat", None]), is_text(["1.5", ""]), is_text([1, 2])
        (True, False, False)
    """
    strings = [value for value in values if value is not None]
    return all(isinstance(value, str) for value in strings) and any(not NUMBER.fullmatch(value) for value in strings)


def choose_column(columns: dict[str, bool], wanted: str | None, name: str) -> tuple[str, str | None]:
    """Return the column of the text, and what to say of the choice: the wanted one, text or sentence, or the only one.

    Args:
        columns: whether each has text.
        wanted: what is asked for; None to choose.
        name: what errors call the table.

    Raises:
        ValueError: if there is no such column, or the choice is not clear; the message names the columns.
    """
    if not columns:
        raise ValueError(f"{name} has no row")
    texts = [column for column, has_text in columns.items() if has_text]
    if wanted is not None:
        check_column(columns, wanted, name)
        return wanted, None
    for column in ("text", "sentence"):
        if column in texts:
            others = ", ".join(other for other in texts if other != column)
            return column, f"the column {column} is the text; {others} is left aside" if others else None
    if len(texts) == 1:
        return texts[0], f"the column {texts[0]} is taken for the text"
    if not texts:
        raise ValueError(f"{name} has no column of text, only {', '.join(columns)}")
    raise ValueError(f"{name} has several columns of text, {', '.join(texts)}: choose one with --text_column")


def check_column(columns: Sequence[str] | dict[str, bool], wanted: str, name: str) -> None:
    """Raise ValueError unless there is such a column."""
    if wanted not in columns:
        raise ValueError(f"{name} has no column {wanted!r}, only {', '.join(columns)}: choose another --text_column")


def batches_of(path: str, size: int = BATCH) -> Iterator[dict[str, list]]:
    """Yield the rows of a file in batches, {column: values}.

    Raises:
        ValueError: if it cannot be read.
    """
    kind = LOADERS[str(format_of(Path(path)))]
    if Path(path).stat().st_size == 0:
        raise ValueError(f"{path} is empty: it needs a row of text at least")
    try:
        options = options_of_csv(path) if kind == "csv" else {}
        files = glob.escape(path)  # brackets in a name would be a pattern
        with without_own_errors():
            rows = datasets.load_dataset(kind, data_files=files, split="train", streaming=True, **options)
            yield from rows.iter(batch_size=size)
    except (Exception, StopIteration) as error:  # of three readers, each with errors of its own
        told = str(error).startswith(path) or (isinstance(error, OSError) and error.filename is not None)
        if told:
            raise
        reason = " ".join(str(error).split()) or type(error).__name__
        raise ValueError(f"{path} cannot be read as {kind}: {reason}") from error


@contextmanager
def without_own_errors() -> Iterator[None]:
    """Within it the library's readers log no errors, which they also raise."""
    logger = logging.getLogger("datasets")
    level = logger.level
    logger.setLevel(logging.CRITICAL)
    try:
        yield
    finally:
        logger.setLevel(level)


def options_of_csv(path: str) -> dict[str, Any]:
    """Return how the loader has to read a file of separated values: every value is a string, as it is written."""
    opened = gzip.open if path.lower().endswith(".gz") else open
    with opened(path, "rb") as stream:
        lines = decode_lines(stream, path)  # another encoding is told
        header = next(lines, "")
        separator = max(DELIMITERS, key=header.count)
        names, *first = islice(csv.reader(chain([header], lines), delimiter=separator), 2)
    if twice := [name for name, number in Counter(names).items() if number > 1]:
        raise ValueError(f"{path} has two columns {twice[0]!r}: give each a name of its own")
    if first and len(first[0]) > len(names):
        raise ValueError(f"{path} has {len(names)} columns, but its first row has {len(first[0])} values")
    features = Features({name: Value("string") for name in names})
    return {"sep": separator, "features": features, "keep_default_na": False, "na_filter": False, "index_col": False}
