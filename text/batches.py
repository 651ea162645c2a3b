"""Many texts in batches of one length, and results in the order of the texts."""

from collections.abc import Iterable, Iterator, Sequence
from typing import TypeVar

import torch
from torch import Tensor
from tqdm.auto import tqdm
from transformers import PreTrainedTokenizerFast

from wae_rnf.tokenization.batching import collate, sorted_batches

from .text_input import token_ids

Item = TypeVar("Item")
MANY = 1000  # sentences, from which on a bar is shown


class TextBatches:
    """Texts as batches of token ids, the shortest first.

    Args:
        tokenizer: of a model.
        texts: any number of them; a text without words is one of no tokens but its end.
        size: the most texts of a batch.
        progress: show a bar on standard error; for `MANY` texts when None.

    Attributes:
        rows: token ids of each text, in the order given.
    """

    def __init__(
        self, tokenizer: PreTrainedTokenizerFast, texts: Sequence[str], size: int, progress: bool | None = None
    ) -> None:
        self.tokenizer, self.size = tokenizer, size
        self.rows = token_ids(tokenizer, texts)
        self.numbers = sorted_batches(self.lengths, size)
        self.progress = len(self.rows) >= MANY if progress is None else progress

    @property
    def lengths(self) -> list[int]:
        """Scored tokens of each text: all but beginning-of-sentence."""
        return [len(ids) - 1 for ids in self.rows]

    def inputs(self, device: torch.device, description: str) -> Iterator[dict[str, Tensor]]:
        """The inputs of each batch on a device: {input_ids, attention_mask}, (batch, length)."""
        for numbers in bar(self.numbers, description, self.progress, unit="batch"):
            batch = collate([{"input_ids": self.rows[number]} for number in numbers], self.tokenizer.pad_token_id)
            yield {name: ids.to(device) for name, ids in batch.items()}

    def in_order(self, rows: Sequence[Item]) -> list[Item]:
        """One row a text, given batch after batch, in the order of the texts."""
        numbers = (number for batch in self.numbers for number in batch)
        by_number = dict(zip(numbers, rows, strict=True))
        return [by_number[number] for number in range(len(self.rows))]


def bar(items: Sequence[Item], description: str, progress: bool, unit: str) -> Iterable[Item]:
    """The items, with a bar on standard error where that is a terminal."""
    return tqdm(items, description, unit=unit, leave=False, disable=None if progress else True)
