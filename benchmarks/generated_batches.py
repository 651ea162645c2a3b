"""What is measured: generated batches with the sizes and the lengths of the paper's corpora."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch

from modeling_wae_rnf import WaeRnfConfig, WaeRnfModel

Batch = dict[str, torch.Tensor]  # {input_ids, attention_mask}, (sentences, length)
BATCH_SIZE = 32
RESERVED = 4  # ids of padding, the two sentence marks and the unknown word


@dataclass(frozen=True)
class Sizes:
    """A corpus, as far as the cost of a step depends on it.

    Args:
        vocab_size: words, special tokens included.
        mean, stddev: of the scored tokens of a sentence; a gamma distribution has them.
        shortest, longest: lengths are clipped to these.
    """

    vocab_size: int
    mean: float
    stddev: float
    shortest: int
    longest: int

    def config(self, **fields: Any) -> WaeRnfConfig:
        """WAE-RNF with the paper's widths and this vocabulary."""
        return WaeRnfConfig(**{"vocab_size": self.vocab_size} | fields)

    def model(self, **fields: Any) -> WaeRnfModel:
        return WaeRnfModel(self.config(**fields))

    def lengths(self, count: int, rng: np.random.Generator) -> np.ndarray:
        """Scored tokens of `count` sentences: (count,)."""
        shape = (self.mean / self.stddev) ** 2
        drawn = rng.gamma(shape, self.mean / shape, count).round().astype(int)
        return drawn.clip(self.shortest, self.longest)

    def sentences(self, count: int, rng: np.random.Generator) -> list[list[int]]:
        """`count` lists of token ids with both sentence marks; words have Zipf's frequencies."""
        rank = np.arange(1, self.vocab_size - RESERVED + 1)
        cumulative = np.cumsum(1 / rank)
        words = (np.searchsorted(cumulative, rng.random(n - 1) * cumulative[-1]) for n in self.lengths(count, rng))
        return [[1, *(RESERVED + ids).tolist(), 2] for ids in words]

    def batches(self, count: int, seed: int = 0) -> list[Batch]:
        """`count` batches of random sentences as the training loop gets them: {input_ids, attention_mask}."""
        rng = np.random.default_rng(seed)
        return [pad(self.sentences(BATCH_SIZE, rng)) for _ in range(count)]

    def grouped_batches(self, count: int, seed: int = 0) -> list[Batch]:
        """As `batches`, but each of sentences of nearly one length."""
        sentences = sorted(self.sentences(BATCH_SIZE * count, np.random.default_rng(seed)), key=len)
        return [pad(sentences[start : start + BATCH_SIZE]) for start in range(0, len(sentences), BATCH_SIZE)]


def pad(sentences: Iterable[list[int]]) -> Batch:
    rows = torch.nn.utils.rnn.pad_sequence([torch.tensor(ids) for ids in sentences], batch_first=True)
    return {"input_ids": rows, "attention_mask": rows.ne(0).long()}


SIZES = {
    "ptb": Sizes(vocab_size=10_000, mean=22.1, stddev=10.1, shortest=2, longest=83),
    "yahoo": Sizes(vocab_size=20_000, mean=80.2, stddev=46.4, shortest=20, longest=201),
}
TINY = {  # under the same names, to see in seconds that everything runs
    "ptb": Sizes(vocab_size=40, mean=5, stddev=2, shortest=2, longest=9),
    "yahoo": Sizes(vocab_size=60, mean=8, stddev=3, shortest=3, longest=12),
}
