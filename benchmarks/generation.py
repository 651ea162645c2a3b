"""Sentences from the prior: in batches of several sizes, and one after the other the plain way."""

import math
from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any

import torch

from modeling_wae_rnf import WaeRnfModel

from .generated_batches import SIZES, TINY, Sizes
from .plain_model import generate_one, greedy
from .timing import Figures, alternate

BATCHES = (64, 256, 1024, 4096)
ROUNDS = 3
SINGLE = 32  # sentences of the loop
GREEDY = {"sentences": 64, "words": 40, "rounds": 15}
QUICK = {
    "sizes": TINY["ptb"], "batches": (2, 4), "rounds": 1, "single": 1,
    "greedy_sizes": {"sentences": 2, "words": 3, "rounds": 1},
}  # fmt: skip


def measure(
    sizes: Sizes = SIZES["ptb"],
    batches: Sequence[int] = BATCHES,
    rounds: int = ROUNDS,
    single: int = SINGLE,
    greedy_sizes: Mapping[str, int] = GREEDY,
) -> Figures:
    """Milliseconds a sentence. The model is untrained, but ends a sentence as often as the Penn Treebank does.

    Args:
        sizes: of the vocabulary and the sentences.
        batches: how many sentences at once.
        rounds: how often each is timed.
        single: sentences of the plain loop.
        greedy_sizes: see `measure_greedy`.
    """
    torch.manual_seed(0)
    model = sizes.model(max_words=sizes.longest - 1).eval()
    end = model.config.eos_token_id
    with torch.no_grad():
        model.decoder.projection.bias[end] += math.log(sizes.vocab_size / sizes.mean)
    lengths = model.generate(num_samples=batches[-1], generator=torch.Generator().manual_seed(0))[:, 1:].ne(0).sum(1)
    runs = {str(count): partial(model.generate, num_samples=count) for count in batches}
    seconds = alternate(runs | {"loop": lambda: [generate_one(model) for _ in range(single)]}, rounds)
    per_sentence = {str(count): 1e3 * seconds[str(count)] / count for count in batches}
    loop = 1e3 * seconds["loop"] / single
    return {
        "tokens_per_sentence": lengths.float().mean().item(),
        "milliseconds_per_sentence": per_sentence,
        "milliseconds_per_sentence_of_the_loop": loop,
        "ratio": {count: loop / value for count, value in per_sentence.items()},
        "greedy": measure_greedy(model, **greedy_sizes),
    }


def measure_greedy(model: WaeRnfModel, sentences: int, words: int, rounds: int) -> Figures:
    """Milliseconds of greedy decoding to one length: `generate`, Transformers' own loop, and a plain one.

    The end is made unlikely, so that all write as many words without being told to.
    """
    with torch.no_grad():
        model.decoder.projection.bias[model.config.eos_token_id] -= 1e4
    latents = torch.randn(sentences, model.config.latent_size)
    options: dict[str, Any] = {"latents": latents, "do_sample": False, "max_new_tokens": words}
    seconds = alternate(
        {
            "plain loop": partial(greedy, model, latents, words),
            "generate": partial(model.generate, **options),
            "the library's loop": partial(model.generate, return_dict_in_generate=True, **options),
        },
        rounds,
    )
    milliseconds = {name: 1e3 * value for name, value in seconds.items()}
    ratio = {name: value / milliseconds["plain loop"] for name, value in milliseconds.items()}
    sizes = {"sentences": sentences, "words": words, "rounds": rounds}
    return sizes | {"milliseconds": milliseconds, "ratio": ratio}
