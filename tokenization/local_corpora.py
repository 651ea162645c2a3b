"""Corpora that lie here: a file, a folder with a file for each split, or a saved data set.

Splits that are missing are split off train. Every format gives the same, sentences in their order. A new format is a
reader and a row of ``READERS``.
"""

import hashlib
import logging
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from itertools import combinations
from pathlib import Path

import datasets
from datasets import Dataset, DatasetDict, Features, Value

from .code_digest import code_digest
from .corpus_names import SPLIT_NAMES, TABLES, format_of, local_files
from .held_out import HeldOut
from .lines import BLANK, read_lines, say
from .saved_datasets import columns_of_saved, read_saved, splits_of_saved
from .streams import TextStream
from .table_files import choose_column, columns_of_table, read_table

__all__ = ["TEXT_FEATURES", "load_local"]

logger = logging.getLogger(__name__)

TEXT_FEATURES = Features({"text": Value("string")})
MODULES = ("corpus_names", "lines", "table_files", "saved_datasets", "held_out", "local_corpora")
SAVED_DATASET = "saved data set"
READERS: dict[str, Callable[..., Iterator[str]]] = {
    ".txt": lambda path, column, notes: read_lines(path, notes),
    **dict.fromkeys(TABLES, read_table),
    SAVED_DATASET: read_saved,
}


@dataclass(frozen=True)
class Source:
    """Where the texts of a split come from.

    Args:
        kind: the row of ``READERS``.
        path: of the file, or of the folder of a saved data set.
        column: of the text; None for lines.
    """

    kind: str
    path: str
    column: str | None = None

    def texts(self, notes: Counter[str] | None = None) -> Iterator[str]:
        """The texts in their order, "" for one that is blank or missing."""
        return READERS[self.kind](self.path, self.column, Counter() if notes is None else notes)

    def digest(self) -> str:
        """SHA-256 of the content, whatever the file's date."""
        files = [Path(self.path)] if Path(self.path).is_file() else sorted(Path(self.path).glob("*.arrow"))
        return hashlib.sha256("".join(map(digest_of, files)).encode()).hexdigest()


def load_local(path: Path, cache_dir: str | None, streaming: bool, text_column: str | None = None) -> DatasetDict:
    """Check what lies at a path, then read it, or its Arrow cache, as three splits; train may be a stream."""
    sources = find_sources(path, text_column)
    missing = tuple(split for split in SPLIT_NAMES if split not in sources)
    counted = {
        split: check_source(source)
        for split, source in sources.items()
        if missing or not (streaming and split == "train")  # one that is streamed is checked as it is read
    }
    warn_of_copies(sources)
    held_out = HeldOut(counted["train"], missing) if missing else None
    if held_out is not None:
        held_out.check(str(path))
        logger.warning("%s: %s", path, held_out.in_words())
    splits = {}
    for split in SPLIT_NAMES:
        source = sources.get(split, sources["train"])
        part = held_out if source is sources["train"] else None
        if streaming and split == "train":
            splits[split] = stream_of(source, part)
            continue
        splits[split] = Dataset.from_generator(
            sentence_rows,
            features=TEXT_FEATURES,
            cache_dir=cache_dir,
            gen_kwargs={
                "source": source,
                "split": split,
                "held_out": part,
                "digest": source.digest(),
                "version": code_digest(*MODULES),
            },
            split=datasets.NamedSplit(split),
        )
    return DatasetDict(splits)


def find_sources(path: Path, text_column: str | None) -> dict[str, Source]:
    """Return where the texts of each split come from, train at least; say which column was chosen."""
    files = local_files(path)
    if not files:
        return {
            split: with_column(Source(SAVED_DATASET, str(folder)), columns_of_saved(folder), text_column)
            for split, folder in splits_of_saved(path).items()
        }
    sources = {}
    for split, file in files.items():
        source = Source(str(format_of(file)), str(file.resolve()))
        if source.kind in TABLES:
            source = with_column(source, columns_of_table(source.path), text_column)
        elif text_column is not None:
            raise ValueError(f"--text_column {text_column} is a column of a table, but {file} has lines of text")
        sources[split] = source
    return sources


def with_column(source: Source, columns: dict[str, bool], text_column: str | None) -> Source:
    """Return the source with the column of its text."""
    column, note = choose_column(columns, text_column, source.path)
    if note is not None:
        logger.warning("%s: %s", source.path, note)
    return Source(source.kind, source.path, column)


def check_source(source: Source) -> int:
    """Read a source once and count its sentences: raise ValueError if it has none, log what is odd in it."""
    notes: Counter = Counter()
    sentences = 0
    for text in source.texts(notes):
        sentences += bool(text)
        notes[BLANK] += not text
    if not sentences:
        state = "has only blank lines" if notes[BLANK] else "is empty"
        raise ValueError(f"{source.path} {state}: it needs one sentence a line")
    say(source.path, notes)
    return sentences


def warn_of_copies(sources: dict[str, Source]) -> None:
    """Log which splits are the same text: what is measured on the one says nothing about the other."""
    files = [Path(source.path) for source in sources.values() if Path(source.path).is_file()]
    for one, other in combinations(files, 2):
        if one.stat().st_size == other.stat().st_size and digest_of(one) == digest_of(other):
            logger.warning("%s and %s are the same text", one, other.name)


def digest_of(path: Path) -> str:
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def stream_of(source: Source, held_out: HeldOut | None) -> TextStream:
    """The training split as a stream; what is odd in it is said in its first pass, or was said when it was counted."""
    notes: Counter = Counter()
    if held_out is None:
        return TextStream(partial(source.texts, notes), source.path, notes)
    return TextStream(lambda: held_out.part("train", filter(None, source.texts())), source.path)


def sentence_rows(
    source: Source, split: str, held_out: HeldOut | None, digest: str, version: str
) -> Iterator[dict[str, str]]:
    """Yield the sentences of a split; ``digest`` and ``version`` only serve as part of the cache's key."""
    sentences = filter(None, source.texts())
    return ({"text": text} for text in (sentences if held_out is None else held_out.part(split, sentences)))
