"""Sentences from the prior: in batches of several sizes, and one after the other the plain way."""

import math
from functools import partial

import torch

from .plain import generate_one
from .sizes import SIZES
from .timing import alternate

BATCHES = (64, 256, 1024, 4096)
ROUNDS = 3
SINGLE = 32  # sentences of the loop


def measure():
    """Milliseconds a sentence. The model is untrained, but ends a sentence as often as the Penn Treebank does."""
    sizes = SIZES["ptb"]
    torch.manual_seed(0)
    model = sizes.model(max_words=sizes.longest - 1).eval()
    end = model.config.eos_token_id
    with torch.no_grad():
        model.decoder.projection.bias[end] += math.log(sizes.vocab_size / sizes.mean)
    lengths = model.generate(num_samples=BATCHES[-1], generator=torch.Generator().manual_seed(0))[:, 1:].ne(0).sum(1)
    runs = {str(count): partial(model.generate, num_samples=count) for count in BATCHES}
    seconds = alternate(runs | {"loop": lambda: [generate_one(model) for _ in range(SINGLE)]}, ROUNDS)
    per_sentence = {str(count): 1e3 * seconds[str(count)] / count for count in BATCHES}
    loop = 1e3 * seconds["loop"] / SINGLE
    return {
        "tokens_per_sentence": lengths.float().mean().item(),
        "milliseconds_per_sentence": per_sentence,
        "milliseconds_per_sentence_of_the_loop": loop,
        "ratio": {count: loop / value for count, value in per_sentence.items()},
    }
