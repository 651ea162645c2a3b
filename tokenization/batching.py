"""Which sentences make a batch, in an order that seed and epoch alone decide; and the batches themselves."""

from collections.abc import Iterable, Iterator, Sequence
from functools import partial
from typing import TYPE_CHECKING

import numpy as np
import torch
from accelerate.utils import send_to_device
from torch import Tensor
from torch.nn.utils.rnn import pad_sequence
from torch.utils.data import DataLoader

if TYPE_CHECKING:  # it takes a second to import, and text in, text out does without
    from datasets import Dataset

Lengths = Sequence[int] | np.ndarray


def length_grouped_batches(lengths: Lengths, batch_size: int, pool: int, seed: int, epoch: int) -> list[np.ndarray]:
    """All sentences once, in batches whose sizes differ by at most one; random ones with a `pool` of 1.

    Args:
        lengths: (num_sentences,), scored tokens of each sentence.
        batch_size: the most sentences a batch may have.
        pool: sentences are sorted by length among those of this many batches. A larger pool saves padding, but batch
            normalization and the MMD then see sentences of one length, not a sample of the corpus.
        seed, epoch: the same two give the same batches.

    Returns:
        a list of arrays of sentence numbers.

    Examples:
        >>> sorted(np.concatenate(length_grouped_batches([5, 3, 4], batch_size=2, pool=1, seed=0, epoch=0)).tolist())
        [0, 1, 2]
    """
    lengths = np.asarray(lengths)
    rng = np.random.default_rng((seed, epoch))
    order = rng.permutation(len(lengths))
    num_batches = -(-len(order) // batch_size)
    num_pools = -(-num_batches // pool)
    pools = np.array_split(order, num_pools)
    sorted_order = np.concatenate([part[np.argsort(lengths[part], kind="stable")] for part in pools])
    batches = np.array_split(sorted_order, num_batches)
    rng.shuffle(batches)
    return batches


def sorted_batches(lengths: Lengths, batch_size: int) -> list[np.ndarray]:
    """All sentences once, the shortest first: the least padding, for evaluation."""
    order = np.argsort(np.asarray(lengths), kind="stable")
    return [order[i : i + batch_size] for i in range(0, len(order), batch_size)]


def numbered_seed(seed: int, number: int) -> int:
    """A seed of its own for every number, a batch's say: what is drawn does not depend on what was drawn before.

    Examples:
        >>> numbered_seed(0, 1) == numbered_seed(0, 1), numbered_seed(0, 1) == numbered_seed(1, 0)
        (True, False)
    """
    return int(np.random.SeedSequence((seed, number)).generate_state(1, np.uint64)[0] >> 1)


def lengths_of(sentences: "Dataset") -> np.ndarray:
    """Scored tokens of each prepared row, as an array: (num_sentences,)."""
    return sentences.select_columns("length").with_format("numpy")["length"][:]


def load_batches(
    sentences: "Dataset", batches: Iterable[Sequence[int] | np.ndarray], pad_token_id: int, device: torch.device | str
) -> Iterator[dict[str, Tensor]]:
    """Yields the inputs of each batch: {input_ids, attention_mask}, (batch, length), on the device.

    Args:
        sentences: prepared rows.
        batches: arrays of sentence numbers.
    """
    padded = partial(collate, pad_token_id=pad_token_id)
    # a generator of its own: the loader would otherwise draw from the one that dropout and sampling use
    loader = DataLoader(
        sentences.select_columns("input_ids"),
        batch_sampler=map(list, batches),
        collate_fn=padded,
        generator=torch.Generator(),
    )
    for inputs in loader:
        yield send_to_device(inputs, device)


def collate(rows: Sequence[dict], pad_token_id: int) -> dict[str, Tensor]:
    """Make a batch of prepared rows, padded on the right to the longest.

    Returns:
        ``input_ids`` and ``attention_mask`` (1 for a token, 0 for padding), each (batch, length).

    Examples:
        >>> batch = collate([{"input_ids": [1, 4, 2]}, {"input_ids": [1, 2]}], pad_token_id=0)
        >>> batch["input_ids"].tolist(), batch["attention_mask"].tolist()
        ([[1, 4, 2], [1, 2, 0]], [[1, 1, 1], [1, 1, 0]])
    """
    sentences = [torch.as_tensor(row["input_ids"], dtype=torch.long) for row in rows]
    return {
        "input_ids": pad_sequence(sentences, batch_first=True, padding_value=pad_token_id),
        "attention_mask": pad_sequence([torch.ones_like(ids) for ids in sentences], batch_first=True),
    }
