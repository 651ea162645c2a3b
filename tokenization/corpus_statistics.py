"""Statistics of a prepared corpus, as the data-set table of a paper gives them."""

import pyarrow.compute as pc
from datasets import Dataset, DatasetDict

from .vocabulary import SPECIAL_TOKENS, UNK

__all__ = ["corpus_statistics", "statistics_table"]

UNK_ID = SPECIAL_TOKENS.index(UNK)


def corpus_statistics(prepared: DatasetDict, vocabulary_size: int) -> dict[str, dict[str, int | float]]:
    """Count the sentences and tokens of each split; its words are the tokens but for ``<eos>``.

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

    Examples:
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


def statistics_table(
    statistics: dict[str, dict[str, int | float]], unit: str = "words"
) -> tuple[list[str], list[list[str]]]:
    """The statistics as the heading and the lines of a table, a split a line; "cut" where a sentence was.

    Args:
        statistics: as :func:`corpus_statistics` gives them.
        unit: what a token is called.

    Examples:
        >>> row = {"sentences": 3370, "average_words": 20.887, "maximum_words": 74, "cut": 0, "tokens": 73760}
        >>> statistics_table({"validation": row | {"fraction_unk": 0.0479, "vocabulary": 10002}})[1]
        [['validation', '3,370', '73,760', '20.9', '74', '4.79%']]
    """
    columns = {
        "sentences": ("sentences", ","),
        "tokens": ("tokens", ","),
        f"{unit}, mean": ("average_words", ".1f"),
        "most": ("maximum_words", ","),
        "<unk>": ("fraction_unk", ".2%"),
        "cut": ("cut", ","),
    }
    if not any(row["cut"] for row in statistics.values()):
        del columns["cut"]
    lines = [
        [split, *(format(row[name], form) for name, form in columns.values())] for split, row in statistics.items()
    ]
    return ["split", *columns], lines
