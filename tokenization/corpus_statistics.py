"""Statistics of a prepared corpus, as the data-set table of a paper gives them."""

import pyarrow.compute as pc
from datasets import Dataset, DatasetDict

from .vocabulary import SPECIAL_TOKENS, UNK

__all__ = ["corpus_statistics", "format_statistics"]

UNK_ID = SPECIAL_TOKENS.index(UNK)


def corpus_statistics(prepared: DatasetDict, vocabulary_size: int) -> dict[str, dict[str, int | float]]:
    """Count the sentences, words and tokens of each split.

    Args:
        prepared: splits with the columns ``input_ids``, ``length`` and ``cut``, as
            :func:`~wae_rnf.tokenization.preparation.prepare` gives.
        vocabulary_size: entries of the vocabulary, special tokens included.

    Returns:
        For each split a dict of ``sentences``; ``average_words`` and ``maximum_words`` of a sentence, without
        ``<eos>``; ``cut``, the sentences that lost words beyond the limit; ``tokens``, the scored ones: words and
        one ``<eos>`` a sentence; ``fraction_unk``, the part of the words that is ``<unk>``, from 0 to 1; and
        ``vocabulary``, the size that was passed.

    Raises:
        ValueError: if a split has no sentence.

    Example:
        >>> rows = Dataset.from_dict({"input_ids": [[1, 4, 3, 2], [1, 5, 4, 4, 4, 2]], "length": [3, 5]})
        >>> rows = rows.add_column("cut", [False, False])
        >>> corpus_statistics(DatasetDict(test=rows), vocabulary_size=6)["test"]["average_words"]
        3.0
    """
    return {split: split_statistics(rows, split, vocabulary_size) for split, rows in prepared.items()}


def split_statistics(rows: Dataset, split: str, vocabulary_size: int) -> dict[str, int | float]:
    """Count one split, a batch of Arrow rows at a time."""
    if not len(rows):
        raise ValueError(f"the {split} split has no sentence: statistics need at least one")
    tokens = maximum = unknown = cut = 0
    for table in rows.select_columns(["input_ids", "length", "cut"]).with_format("arrow").iter(batch_size=10_000):
        tokens += pc.sum(table["length"]).as_py()
        maximum = max(maximum, pc.max(table["length"]).as_py() - 1)
        unknown += pc.sum(pc.equal(pc.list_flatten(table["input_ids"]), UNK_ID)).as_py()
        cut += pc.sum(table["cut"]).as_py()
    words = tokens - len(rows)
    return {
        "sentences": len(rows),
        "average_words": words / len(rows),
        "maximum_words": maximum,
        "cut": cut,
        "tokens": tokens,
        "fraction_unk": unknown / max(words, 1),
        "vocabulary": vocabulary_size,
    }


def format_statistics(statistics: dict[str, dict[str, int | float]]) -> str:
    """Write the statistics as a Markdown table, a split a row.

    Example:
        >>> row = {"sentences": 3370, "average_words": 20.887, "maximum_words": 74, "cut": 0, "tokens": 73760}
        >>> print(format_statistics({"validation": row | {"fraction_unk": 0.0479, "vocabulary": 10002}}))
        | split | sentences | average words | maximum words | cut | tokens | unk | vocabulary |
        |---|---:|---:|---:|---:|---:|---:|---:|
        | validation | 3,370 | 20.9 | 74 | 0 | 73,760 | 4.79% | 10,002 |
    """
    lines = [
        "| split | sentences | average words | maximum words | cut | tokens | unk | vocabulary |",
        "|---|---:|---:|---:|---:|---:|---:|---:|",
    ]
    for split, row in statistics.items():
        lines.append(
            f"| {split} | {row['sentences']:,} | {row['average_words']:.1f} | {row['maximum_words']:,} "
            f"| {row['cut']:,} | {row['tokens']:,} | {row['fraction_unk']:.2%} | {row['vocabulary']:,} |"
        )
    return "\n".join(lines)
