"""Posterior means of many sentences from strings: sorted by length, in the order given, one after the other."""

from functools import partial

import numpy as np
import torch

from wae_rnf.text import TextAutoencoder
from wae_rnf.text.text_autoencoder import BATCH_SIZE
from wae_rnf.text.text_input import encode
from wae_rnf.tokenization.tokenizer import build_tokenizer
from wae_rnf.tokenization.vocabulary import SPECIAL_TOKENS

from .generated_batches import RESERVED, SIZES, TINY, Sizes
from .timing import Figures, alternate

SENTENCES = 10_000
SINGLE = 500  # sentences of the loop
ROUNDS = 3
QUICK = {"sentences": 12, "single": 2, "sizes": TINY["ptb"], "rounds": 1}


def measure(
    sentences: int = SENTENCES, single: int = SINGLE, sizes: Sizes = SIZES["ptb"], rounds: int = ROUNDS
) -> Figures:
    """Seconds of the posterior means of so many sentences, from strings to rows in their order.

    Args:
        sentences: how many.
        single: how many of them the loop takes one after the other; its seconds are scaled up to all.
        sizes: of the vocabulary and the sentences.
        rounds: how often each is timed.
    """
    torch.manual_seed(0)
    words = [*SPECIAL_TOKENS, *(f"w{number}" for number in range(RESERVED, sizes.vocab_size))]
    tokenizer = build_tokenizer({word: number for number, word in enumerate(words)})
    text = TextAutoencoder(sizes.model(), tokenizer, progress=False)
    rows = sizes.sentences(sentences, np.random.default_rng(0))
    texts = [" ".join(words[number] for number in ids[1:-1]) for ids in rows]
    ways = {
        "sorted by length": partial(text.encode, texts),
        "in the order given": partial(in_order, text, texts, BATCH_SIZE),
        "one after the other": partial(in_order, text, texts[:single], 1),
    }
    seconds = alternate(ways, rounds)
    seconds["one after the other"] *= sentences / single
    config = text.model.config
    return {
        "sentences": sentences,
        "tokens": sum(len(ids) - 1 for ids in rows),
        "hidden_size": config.hidden_size,
        "latent_size": config.latent_size,
        "threads": torch.get_num_threads(),
        "seconds_of": seconds,
        "ratio": {name: value / seconds["sorted by length"] for name, value in seconds.items()},
    }


def in_order(text: TextAutoencoder, texts: list[str], batch_size: int) -> torch.Tensor:
    """The plain way: batches as they come, each padded to its longest sentence."""
    parts = (texts[start : start + batch_size] for start in range(0, len(texts), batch_size))
    return torch.cat([text.model.embed(**encode(text.model, text.tokenizer, part)) for part in parts])
