"""A step of training on the importance-weighted bound, by its number of samples, beside a step of a VAE."""

from functools import partial

import torch

from modeling_wae_rnf import WaeRnfConfig, WaeRnfModel
from wae_rnf.training.systems import SYSTEMS

from .generated_batches import SIZES, TINY, Sizes
from .timing import Figures, alternate
from .training_step import run

BATCHES, ROUNDS = 2, 5
SAMPLES = (1, 4, 8)
QUICK = {"sizes": TINY["ptb"], "batches": 1, "rounds": 1}


def measure(sizes: Sizes = SIZES["ptb"], batches: int = BATCHES, rounds: int = ROUNDS) -> Figures:
    """Milliseconds of a step, {model: …}, and how many times the VAE's that is.

    Args:
        sizes: of the vocabulary and the sentences.
        batches: steps of one round.
        rounds: how often each is timed.
    """
    vae = SYSTEMS["vae"].config
    fields = {"vae": vae}
    for samples in SAMPLES:
        fields[f"iwae, k = {samples}"] = vae | {"objective": "iwae", "importance_samples": samples}
    built = {name: build(sizes.config(**own)) for name, own in fields.items()}
    given = sizes.batches(batches)
    seconds = alternate({name: partial(run, *pair, given) for name, pair in built.items()}, rounds)
    return {
        "milliseconds_per_step": {name: 1e3 * value / batches for name, value in seconds.items()},
        "ratio": {name: value / seconds["vae"] for name, value in seconds.items()},
    }


def build(config: WaeRnfConfig) -> tuple[WaeRnfModel, torch.optim.Optimizer]:
    """A model in training mode and its optimizer, always with the same weights."""
    torch.manual_seed(0)
    model = WaeRnfModel(config).train()
    return model, torch.optim.Adam(model.parameters(), lr=1e-3, fused=True)
