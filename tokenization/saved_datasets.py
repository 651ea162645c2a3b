"""Data sets that `save_to_disk` of the library datasets has written, as the texts of one of their columns."""

from collections import Counter
from collections.abc import Iterator
from pathlib import Path

from datasets import DatasetDict, load_from_disk

from .corpus_names import SPLIT_NAMES
from .table_files import clean_texts, is_text

__all__ = ["columns_of_saved", "read_saved", "splits_of_saved"]

SAMPLE = 100  # rows that tell which columns are text
BATCH = 1000


def splits_of_saved(folder: Path) -> dict[str, Path]:
    """Return the folder of each split of a saved `DatasetDict`; a saved `Dataset` is train.

    Raises:
        ValueError: if it cannot be read, or has no train split, or two for one of ours.
    """
    try:
        loaded = load_from_disk(str(folder))
    except Exception as error:  # whatever a damaged file brings about
        raise ValueError(f"{folder} cannot be read as a saved data set: {' '.join(str(error).split())}") from error
    if not isinstance(loaded, DatasetDict):
        return {"train": folder}
    found = {}
    for split, names in SPLIT_NAMES.items():
        there = [name for name in names if name in loaded]
        if len(there) > 1:
            both = " and ".join(there)
            raise ValueError(f"{folder} has {len(there)} {split} splits, {both}: leave one of them there")
        if there:
            found[split] = folder / there[0]
    if "train" not in found:
        raise ValueError(f"{folder} has no train split, only {', '.join(loaded)}")
    return found


def columns_of_saved(folder: Path) -> dict[str, bool]:
    """Return the columns of a split, and whether each has text."""
    rows = load_from_disk(str(folder))
    return {name: is_text(values) for name, values in rows[:SAMPLE].items()}


def read_saved(path: str, column: str, notes: Counter[str]) -> Iterator[str]:
    """Yield the texts of a column of a split, "" for a blank one or none."""
    batches = load_from_disk(path).select_columns(column).iter(batch_size=BATCH)
    return clean_texts((value for batch in batches for value in batch[column]), f"{path}: {column}", notes)
