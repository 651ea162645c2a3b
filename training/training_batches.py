"""Where the batches of training come from: stored sentences, or a stream of them."""

import math

from accelerate.utils import send_to_device

from wae_rnf.evaluation.shared_work import share
from wae_rnf.tokenization.batching import collate, length_grouped_batches, lengths_of, load_batches
from wae_rnf.tokenization.streams import SentenceStream


def open_source(sentences, arguments):
    """The [`Stored`] or the [`Streamed`] source of a training split."""
    return (Streamed if isinstance(sentences, SentenceStream) else Stored)(sentences, arguments)


def sample_of(sentences):
    """Prepared rows that stand for a training split: all of it, or the beginning of a stream."""
    return sentences.sample if isinstance(sentences, SentenceStream) else sentences


class Stored:
    """Every sentence once an epoch, in an order of that epoch.

    Args:
        sentences: prepared rows.
        arguments: [`TrainArguments`].
    """

    def __init__(self, sentences, arguments):
        self.sentences, self.arguments, self.lengths = sentences, arguments, lengths_of(sentences)
        self.num_sentences = len(self.lengths)
        self.steps_per_epoch = steps_per_epoch(self.num_sentences, arguments)

    def batches(self, step, pad_token_id, device):
        """Yields (size, inputs) of each batch from a step to its epoch's end: inputs are this process's share."""
        options, (epoch, done) = self.arguments, divmod(step, self.steps_per_epoch)
        batches = length_grouped_batches(self.lengths, options.batch_size, options.length_pool, options.seed, epoch)
        batches = batches[done * options.accumulation_steps :]
        loaded = load_batches(self.sentences, [share(batch) for batch in batches], pad_token_id, device)
        return zip(map(len, batches), loaded, strict=True)


class Streamed:
    """The stream's order; an epoch goes on where the one before it ended.

    Args:
        sentences: a `SentenceStream`.
        arguments: [`TrainArguments`].
    """

    def __init__(self, sentences, arguments):
        self.sentences, self.arguments = sentences, arguments
        self.num_sentences = sentences.num_sentences
        self.steps_per_epoch = steps_per_epoch(self.num_sentences, arguments)

    def batches(self, step, pad_token_id, device):
        """Yields (size, inputs) of each batch from a step on, without end."""
        options, size = self.arguments, self.arguments.batch_size
        for texts in self.sentences.batches(size, options.seed, step * options.accumulation_steps * size):
            ids = self.sentences.encode(share(texts))["input_ids"]
            yield size, send_to_device(collate([{"input_ids": row} for row in ids], pad_token_id), device)


def steps_per_epoch(num_sentences, arguments):
    batches = math.ceil(num_sentences / arguments.batch_size)
    return min(math.ceil(batches / arguments.accumulation_steps), arguments.max_steps_per_epoch)
