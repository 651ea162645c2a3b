"""Each decoder's cost a token against the length of the sentence, written word by word and read at once."""

from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

import torch

from modeling_wae_rnf import WaeRnfModel

from .generated_batches import SIZES, TINY, Sizes
from .timing import alternate

DECODERS: dict[str, dict[str, Any]] = {
    "lstm": {},
    "cnn, small": {"decoder_type": "cnn"},
    "cnn, very_large": {"decoder_type": "cnn", "decoder_kwargs": {"size": "very_large"}},
    "transformer": {"decoder_type": "transformer"},
    "hybrid": {"decoder_type": "hybrid"},
}
LENGTHS = (25, 100, 400)
SENTENCES = 16
ROUNDS = 3
QUICK = {"sizes": TINY["ptb"], "lengths": (2, 4), "sentences": 2, "rounds": 1}


def measure(
    sizes: Sizes = SIZES["ptb"],
    lengths: Sequence[int] = LENGTHS,
    sentences: int = SENTENCES,
    rounds: int = ROUNDS,
) -> dict[str, Any]:
    """Microseconds a token, {decoder: {"parameters", "generated": {length: µs}, "scored": {length: µs}}}.

    Args:
        sizes: of the vocabulary.
        lengths: words of the sentences.
        sentences: how many at once.
        rounds: how often each is timed.
    """
    measured: dict[str, dict[str, Any]] = {}
    for name, fields in DECODERS.items():
        torch.manual_seed(0)
        model = sizes.model(max_words=max(lengths), **fields).eval()
        measured[name] = {"parameters": sum(part.numel() for part in model.decoder.parameters())}
        measured[name] |= {"generated": {}, "scored": {}}
        with torch.no_grad():
            model.decoder.projection.bias[model.config.eos_token_id] -= 1e4  # so that all sentences are as long
        runs = {length: runs_of(model, sentences, length) for length in lengths}
        for way in ("generated", "scored"):
            seconds = alternate({str(length): run[way] for length, run in runs.items()}, rounds)
            measured[name][way] = {
                length: 1e6 * value / (sentences * int(length)) for length, value in seconds.items()
            }
    return {"sentences": sentences, "decoders": measured}


def runs_of(model: WaeRnfModel, sentences: int, length: int) -> dict[str, Callable[[], object]]:
    """Sentences of a length, written greedily, and scored: {way: function}."""
    z = torch.randn(sentences, model.config.latent_size)
    ids = torch.randint(4, model.config.vocab_size, (sentences, length + 1))
    ids[:, 0] = model.config.bos_token_id

    @torch.no_grad()
    def score() -> None:
        model.score(ids, torch.ones_like(ids), z)

    return {
        "generated": partial(model.generate, latents=z, do_sample=False, max_new_tokens=length),
        "scored": score,
    }
