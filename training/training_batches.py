"""Where the batches of training come from: stored sentences, or a stream of them."""

import math
from collections.abc import Iterator
from itertools import islice
from typing import Any

import numpy as np
import torch
from accelerate.utils import send_to_device
from datasets import Dataset

from wae_rnf.evaluation.shared_work import check_shares, my_share
from wae_rnf.tokenization.batching import collate, length_grouped_batches, lengths_of, load_batches
from wae_rnf.tokenization.streams import SentenceStream

from .arguments import TrainArguments

Batch = tuple[int, dict[str, torch.Tensor]]  # how many sentences all processes have of it, and the inputs of this one


def open_batches(
    sentences: Dataset | SentenceStream, arguments: TrainArguments, pad_token_id: int, device: torch.device
) -> "Stored | Streamed":
    """The [`Stored`] or the [`Streamed`] batches of a training split."""
    kind = Streamed if isinstance(sentences, SentenceStream) else Stored
    return kind(sentences, arguments, pad_token_id, device)


def sample_of(sentences: Dataset | SentenceStream) -> Dataset:
    """Prepared rows that stand for a training split: all of it, or the beginning of a stream."""
    return sentences.sample if isinstance(sentences, SentenceStream) else sentences


def size_of(sentences: Dataset | SentenceStream) -> int:
    """How many sentences a training split has."""
    return sentences.num_sentences if isinstance(sentences, SentenceStream) else len(sentences)


def steps_per_epoch(num_sentences: int, arguments: TrainArguments) -> int:
    batches = math.ceil(num_sentences / arguments.batch_size)
    return min(math.ceil(batches / arguments.accumulation_steps), arguments.max_steps_per_epoch)


def steps_of_stage(num_sentences: int, arguments: TrainArguments) -> int:
    """The most steps that a stage takes."""
    steps = arguments.num_epochs * steps_per_epoch(num_sentences, arguments)
    return steps if arguments.max_steps is None else min(steps, arguments.max_steps)


class TrainingBatches:
    """The batches of a stage: those of each step, and random ones. Inputs are this process's share of a batch.

    Args:
        sentences: prepared rows, or a stream.
        arguments: [`TrainArguments`].
        pad_token_id: that fills the shorter sentences.
        device: where the inputs go.

    Raises:
        ValueError: more processes than sentences in a batch.
    """

    def __init__(
        self, sentences: Dataset | SentenceStream, arguments: TrainArguments, pad_token_id: int, device: torch.device
    ) -> None:
        self.sentences, self.arguments, self.pad_token_id, self.device = sentences, arguments, pad_token_id, device
        self.sample, self.num_sentences = sample_of(sentences), size_of(sentences)
        self.steps_per_epoch = steps_per_epoch(self.num_sentences, arguments)
        self.num_steps = steps_of_stage(self.num_sentences, arguments)
        check_shares(min(arguments.batch_size, self.num_sentences))

    def of_steps(self, step: int) -> Iterator[list[Batch]]:
        """Yields [(size, inputs), ...] of each step after so many, to its epoch's end or beyond it."""
        batches = self.of_epoch(step)
        while True:
            of_step = list(islice(batches, self.arguments.accumulation_steps))
            if not of_step:
                return
            yield of_step

    def of_epoch(self, step: int) -> Iterator[Batch]:
        """Yields (size, inputs) of each batch after so many steps, to the end of the epoch at least."""
        raise NotImplementedError

    def random(self, step: int, number: int) -> Iterator[dict[str, torch.Tensor]]:
        """Yields the inputs of so many random batches; those of a step are always the same."""
        rng = np.random.default_rng((self.arguments.seed, step))
        size = min(self.arguments.batch_size, len(self.sample))
        batches = [rng.choice(len(self.sample), size, replace=False).tolist() for _ in range(number)]
        return load_batches(self.sample, [my_share(batch) for batch in batches], self.pad_token_id, self.device)


class Stored(TrainingBatches):
    """Every sentence once an epoch, in an order of that epoch."""

    def __init__(self, *given: Any) -> None:
        super().__init__(*given)
        self.lengths = lengths_of(self.sentences)

    def of_epoch(self, step: int) -> Iterator[Batch]:
        """Yields (size, inputs) of each batch from a step to its epoch's end."""
        options, (epoch, done) = self.arguments, divmod(step, self.steps_per_epoch)
        batches = length_grouped_batches(self.lengths, options.batch_size, options.length_pool, options.seed, epoch)
        batches = batches[done * options.accumulation_steps :]
        shares = [my_share(batch) for batch in batches]
        loaded = load_batches(self.sentences, shares, self.pad_token_id, self.device)
        return zip(map(len, batches), loaded, strict=True)


class Streamed(TrainingBatches):
    """The stream's order; an epoch goes on where the one before it ended."""

    def of_epoch(self, step: int) -> Iterator[Batch]:
        """Yields (size, inputs) of each batch from a step on, without end."""
        options, size = self.arguments, self.arguments.batch_size
        for texts in self.sentences.batches(size, options.seed, step * options.accumulation_steps * size):
            rows = [{"input_ids": ids} for ids in self.sentences.encode(my_share(texts))["input_ids"]]
            yield size, send_to_device(collate(rows, self.pad_token_id), self.device)
