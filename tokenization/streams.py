"""Streams: a training split that is read anew in every pass, and never stored; its memory is that of one block."""

from collections import Counter
from collections.abc import Callable, Iterator
from functools import cached_property
from itertools import count, islice

import numpy as np
from datasets import Dataset

from .lines import BLANK, say

__all__ = ["SentenceStream", "TextStream"]

BLOCK = 20_000  # sentences that are shuffled among each other, and that lie in memory
SAMPLE = 20_000  # sentences from the stream's beginning that stand for the corpus


class TextStream:
    """The texts of a split, blank ones left out, as often as they are asked for.

    Args:
        read: returns the texts from the first on, "" for a blank one.
        name: what warnings call it.
        notes: where ``read`` counts what is to be said of the texts; the first whole pass says it.

    Examples:
        >>> list(TextStream(lambda: iter(["a cat", "", "a dog"])))
        ['a cat', 'a dog']
    """

    def __init__(
        self, read: Callable[[], Iterator[str]], name: str = "train", notes: Counter[str] | None = None
    ) -> None:
        self.read, self.name, self.notes = read, name, Counter() if notes is None else notes
        self.num_sentences: int | None = None  # known after the first whole pass

    def texts(self) -> Iterator[str]:
        """Return the texts once more; this pass counts nothing."""
        return filter(None, self.read())

    def __iter__(self) -> Iterator[str]:
        first = self.num_sentences is None
        self.notes.clear()
        number = 0
        for text in self.read():
            if text:
                number += 1
                yield text
            else:
                self.notes[BLANK] += 1
        self.num_sentences = number
        if first:
            say(self.name, self.notes)


class SentenceStream:
    """A stream's sentences in an order that the seed decides, pass after pass without end.

    Each pass goes through the texts block by block, and shuffles within a block. Any place of the order can be gone
    to: texts before it are read over, and not tokenized.

    Args:
        texts: a stream whose number of sentences is known.
        encode: from texts to the columns ``input_ids`` and ``length``.
    """

    def __init__(self, texts: TextStream, encode: Callable[[list[str]], dict[str, list]]) -> None:
        self.texts, self.encode = texts, encode

    @property
    def num_sentences(self) -> int:
        return self.texts.num_sentences  # type: ignore[return-value]  # it is known here

    @cached_property
    def sample(self) -> Dataset:
        """The first sentences, prepared: they stand for the corpus where a sample of it is needed."""
        return Dataset.from_dict(self.encode(list(islice(self.texts.texts(), SAMPLE))))

    def batches(self, size: int, seed: int, first: int = 0) -> Iterator[list[str]]:
        """Texts in batches of ``size``, without end, from the ``first`` place of the order on."""
        ordered = self._ordered(seed, first)
        return (list(islice(ordered, size)) for _ in count())

    def _ordered(self, seed: int, first: int) -> Iterator[str]:
        start, first = divmod(first, self.num_sentences)
        for number in count(start):
            skipped = first // BLOCK * BLOCK
            texts = islice(self.texts.texts(), skipped, None)
            for block in count(first // BLOCK):
                lines = list(islice(texts, BLOCK))
                if not lines:
                    break
                order = np.random.default_rng((seed, number, block)).permutation(len(lines))
                yield from (lines[place] for place in order[first - skipped :])
                first = skipped = 0
