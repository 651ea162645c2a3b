"""Sentences with the labels of a column, from a folder of tables."""

from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from wae_rnf.tokenization.corpus_names import TABLES, format_of, local_files
from wae_rnf.tokenization.table_files import batches_of, choose_column, clean_texts, columns_of_table

from .labelled_sentences import SPLITS, LabelledSentences


def labels_of_column(dataset: str, column: str, text_column: str | None = None) -> dict[str, LabelledSentences]:
    """Train and test of a folder of tables, with the labels of one of their columns.

    Args:
        dataset: a folder with a table for train and one for test.
        column: of the labels, which are text or whole numbers; a row without one, or without text, is left out.
        text_column: of the sentences; chosen as in train where it is None.

    Raises:
        ValueError: no two tables there, no such column, or a label that is something else.
    """
    files = local_files(Path(dataset)) if Path(dataset).exists() else {}
    if not all(split in files and format_of(files[split]) in TABLES for split in SPLITS):
        raise ValueError(f"--label_column {column} is of a folder with a table for train and test, unlike {dataset}")
    return {split: LabelledSentences.of(labelled_rows(str(files[split]), column, text_column)) for split in SPLITS}


def labelled_rows(path: str, column: str, text_column: str | None) -> Iterator[tuple[str, str | None]]:
    """The rows (text, label) of a table; None for the label where it is missing, or the text is."""
    columns = columns_of_table(path)
    if column not in columns:
        raise ValueError(f"{path} has no column {column!r}, only {', '.join(columns)}: choose another --label_column")
    others = {name: has_text for name, has_text in columns.items() if name != column}
    chosen, _ = choose_column(others, text_column, path)
    for batch in batches_of(path):
        written = ["" if text is None else text for text in batch[chosen]]
        for text, value in zip(clean_texts(written, f"{path}: {chosen}", Counter()), batch[column], strict=True):
            yield text, label_of(value, f"{path}: {column}") if text else None


def label_of(value: Any, name: str) -> str | None:
    """A value of a column as a label; None for one that is missing or blank.

    Raises:
        ValueError: a value that is neither text nor a whole number.

    Examples:
        >>> label_of(" good", "a.csv: stars"), label_of(4, "a.csv: stars"), label_of("", "a.csv: stars")
        ('good', '4', None)
    """
    if value is not None and not isinstance(value, (str, int)):
        raise ValueError(f"{name} has the value {value!r}; labels are text or whole numbers")
    return None if value is None else str(value).strip() or None
