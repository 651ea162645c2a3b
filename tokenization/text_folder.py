"""A folder of text files as a corpus: train.txt, valid.txt and test.txt, one sentence a line."""

import hashlib
import logging
from collections import Counter
from collections.abc import Iterator
from itertools import combinations
from pathlib import Path

import datasets
from datasets import Dataset, DatasetDict, Features, Value

from .code_digest import code_digest
from .corpus_names import FILE_NAMES, split_files
from .lines import BLANK, read_lines, say
from .streams import TextStream

__all__ = ["load_folder"]

logger = logging.getLogger(__name__)

TEXT_FEATURES = Features({"text": Value("string")})


def load_folder(folder: Path, cache_dir: str | None, streaming: bool) -> DatasetDict:
    """Check the three text files of a folder, then read them, or their Arrow cache; train may be a stream."""
    files = {split: find_file(folder, split) for split in FILE_NAMES}
    for split, path in files.items():
        if not (streaming and split == "train"):  # one that is streamed is checked as it is read
            check_file(path)
    warn_of_copies(files)
    splits = {}
    for split, path in files.items():
        if streaming and split == "train":
            notes: Counter = Counter()
            splits[split] = TextStream(lambda path=path, notes=notes: read_lines(path, notes), str(path), notes)
            continue
        splits[split] = Dataset.from_generator(
            sentence_rows,
            features=TEXT_FEATURES,
            cache_dir=cache_dir,
            gen_kwargs={
                "path": str(path),
                "digest": digest_of(path),  # the cache follows the content, whatever the file's date
                "version": code_digest("lines", "text_folder"),
            },
            split=datasets.NamedSplit(split),
        )
    return DatasetDict(splits)


def find_file(folder: Path, split: str) -> Path:
    """Return the file of a split; log which others that might be it are left aside."""
    chosen, *others = split_files(folder, split)
    if others:
        names = ", ".join(path.name for path in others)
        logger.warning("%s: %s is the %s split; %s is left aside", folder, chosen.name, split, names)
    return chosen.resolve()


def check_file(path: Path) -> None:
    """Read a file once: raise ValueError if it has no sentence or is not UTF-8, log what is odd in it."""
    notes: Counter = Counter()
    sentences = 0
    for line in read_lines(path, notes):
        if line:
            sentences += 1
        else:
            notes[BLANK] += 1
    if not sentences:
        state = "has only blank lines" if notes[BLANK] else "is empty"
        raise ValueError(f"{path} {state}: it needs one sentence a line")
    say(str(path), notes)


def warn_of_copies(files: dict[str, Path]) -> None:
    """Log which splits are the same text: what is measured on the one says nothing about the other."""
    for one, other in combinations(files.values(), 2):
        if one.stat().st_size == other.stat().st_size and digest_of(one) == digest_of(other):
            logger.warning("%s and %s are the same text", one, other.name)


def digest_of(path: Path) -> str:
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def sentence_rows(path: str, digest: str, version: str) -> Iterator[dict[str, str]]:
    """Yield the sentences of a file; ``digest`` and ``version`` only serve as part of the cache's key."""
    return ({"text": line} for line in read_lines(path) if line)
