"""Self-BLEU: how much the sentences of a set repeat one another."""

import random
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from statistics import fmean

from sacrebleu.metrics import BLEU

from .text_metric import TextMetric

MAX_ORDER = 4
MAX_SENTENCES = 1000


class SelfBleu(TextMetric):
    """Self-BLEU.

    self-BLEU = (1/N) Σ_i BLEU-4 of sentence i against the N - 1 others as its references; from 0 to 100, lower is more
    varied. Each BLEU is sacrebleu's sentence score with tokenize="none" (words are separated by white space),
    smooth_method="exp" (sacrebleu's default) and effective_order=True:

        BLEU = 100 · min(1, exp(1 - r / c)) · (Π_n p_n)^(1/k),    n = 1, ..., k

    c is the number of words of the sentence, and r that of the reference nearest in length, of two the shorter. k is
    4, or c where c is under 4. p_n is the part of the sentence's n-grams that the references have; a repeated n-gram
    counts at most as often as in the one reference that has it most often. The j-th p_n that is 0 becomes 1 / (2^j ·
    number of n-grams). A sentence that shares no word with another scores 0; so does one without words, even beside
    its like.

    It grows with N and hangs on the smoothing: compare only values of one N, computed in this way.

    Args:
        predictions: sentences, a list of strings.
        max_sentences: of more sentences than this, so many are drawn without replacement, and the others play no part,
            neither as sentences nor as references. 1000 by default.
        seed: of that draw. 0 by default.

    Returns:
        `self_bleu`; None for fewer than two sentences.

    Raises:
        ValueError: max_sentences under 2.

    Examples:
        >>> self_bleu = SelfBleu()
        >>> round(self_bleu.compute(predictions=["a b c d e", "a b c d e"])["self_bleu"], 2)
        100.0
        >>> round(self_bleu.compute(predictions=["a b c d e", "a b c d f"])["self_bleu"], 2)
        66.87
    """

    CITATION = """\
Zhu, Lu, Zheng, Guo, Zhang, Wang and Yu: Texygen: A Benchmarking Platform for Text Generation Models.
SIGIR 2018, arXiv 1802.01886.
"""
    URLS = ("https://arxiv.org/abs/1802.01886", "https://github.com/mjpost/sacrebleu")

    def _compute(
        self, predictions: Sequence[str], max_sentences: int = MAX_SENTENCES, seed: int = 0
    ) -> dict[str, float | None]:
        if max_sentences < 2:
            raise ValueError(f"max_sentences must be at least 2, not {max_sentences}")
        if len(predictions) > max_sentences:
            predictions = random.Random(seed).sample(predictions, max_sentences)
        return {"self_bleu": fmean(leave_one_out_bleu(predictions)) if len(predictions) > 1 else None}


def leave_one_out_bleu(sentences: Sequence[str]) -> Iterator[float]:
    """Yields the BLEU of each sentence against all others.

    The time is linear in the number of sentences: an n-gram's count clipped by its highest count in the others is
    its count clipped by its second highest in all.
    """
    sentences = [sentence.split() for sentence in sentences]
    counts = [count_ngrams(words) for words in sentences]
    limits = second_highest(counts)
    lengths = Counter(map(len, sentences))
    for words, ngrams in zip(sentences, counts, strict=True):
        matches = [0] * MAX_ORDER
        for ngram, count in ngrams.items():
            matches[len(ngram) - 1] += min(count, limits[ngram])
        totals = [max(len(words) - order + 1, 0) for order in range(1, MAX_ORDER + 1)]
        nearest = nearest_other_length(len(words), lengths)
        yield BLEU.compute_bleu(
            matches, totals, len(words), nearest, smooth_method="exp", effective_order=True, max_ngram_order=MAX_ORDER
        ).score


def count_ngrams(words: Sequence[str]) -> Counter[tuple[str, ...]]:
    """{n-gram of 1 to 4 words: how often it occurs}."""
    orders = range(1, MAX_ORDER + 1)
    return Counter(tuple(words[i : i + order]) for order in orders for i in range(len(words) - order + 1))


def second_highest(counts: Sequence[Counter[tuple[str, ...]]]) -> Counter[tuple[str, ...]]:
    """{n-gram: its second highest count over the sentences}; 0 for what only one sentence has."""
    highest: Counter[tuple[str, ...]] = Counter()
    second: Counter[tuple[str, ...]] = Counter()
    for ngrams in counts:
        for ngram, count in ngrams.items():
            second[ngram] = max(second[ngram], min(count, highest[ngram]))
            highest[ngram] = max(highest[ngram], count)
    return second


def nearest_other_length(length: int, lengths: Mapping[int, int]) -> int:
    """The nearest length of another sentence, of two the shorter; lengths counts the sentences of each length."""
    others = (other for other, times in lengths.items() if other != length or times > 1)
    return min(others, key=lambda other: (abs(other - length), other))
