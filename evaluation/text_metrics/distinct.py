"""Distinct-1, 2 and 3: how varied the words and phrases of a set of sentences are."""

from collections.abc import Sequence

from .text_metric import TextMetric

ORDERS = (1, 2, 3)


class Distinct(TextMetric):
    """Distinct-1, 2 and 3.

    distinct-n = number of different n-grams / number of n-grams, both over all sentences; in (0, 1], higher is more
    varied. Words are separated by white space, and no n-gram crosses the end of a sentence. It falls as sentences are
    added: compare sets of one size.

    Args:
        predictions: sentences, a list of strings.

    Returns:
        `distinct_1`, `distinct_2`, `distinct_3`; None for an order that no sentence is long enough for.

    Examples:
        >>> Distinct().compute(predictions=["a b a b", "a b"])
        {'distinct_1': 0.3333333333333333, 'distinct_2': 0.5, 'distinct_3': 1.0}
    """

    CITATION = """\
Li, Galley, Brockett, Gao and Dolan: A Diversity-Promoting Objective Function for Neural Conversation Models.
NAACL 2016, arXiv 1510.03055.
"""
    URLS = ("https://arxiv.org/abs/1510.03055",)

    def _compute(self, predictions: Sequence[str]) -> dict[str, float | None]:
        return {f"distinct_{order}": distinct(predictions, order) for order in ORDERS}


def distinct(sentences: Sequence[str], order: int) -> float | None:
    ngrams: list[tuple[str, ...]] = []
    for words in map(str.split, sentences):
        ngrams.extend(zip(*(words[start:] for start in range(order)), strict=False))
    return len(set(ngrams)) / len(ngrams) if ngrams else None
