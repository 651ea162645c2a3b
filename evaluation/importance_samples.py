"""Importance samples of a batch of sentences: z ~ q(z|x), what the decoder makes of each, and the weights."""

from collections.abc import Callable, Mapping
from typing import NamedTuple

import torch
from torch import Tensor

from modeling_wae_rnf import WaeRnfModel
from modeling_wae_rnf.posterior_head import Posterior

from .estimators import log_importance_weights

# Tokens that go through the decoder at once, on a CPU and on a GPU: samples and sentences together stay under it.
TOKENS_AT_ONCE = 2**14
TOKENS_AT_ONCE_ON_GPU = 2**17


class ImportanceSamples(NamedTuple):
    """k samples of each sentence of a batch.

    Attributes:
        z: (k, batch, latent_size), of the posterior.
        z_prime: F(z), of the same shape.
        log_abs_det: log|det dF/dz|, (k, batch).
        nll: -log p(x|z') in nats, (k, batch); (k, batch, tokens) where each token was scored.
        log_weights: log p(x, z) / q(z|x) of both generative models, {name: (k, batch)}.
    """

    z: Tensor
    z_prime: Tensor
    log_abs_det: Tensor
    nll: Tensor
    log_weights: dict[str, Tensor]


def draw_samples(
    model: WaeRnfModel,
    inputs: Mapping[str, Tensor],
    posterior: Posterior,
    samples: int,
    generator: torch.Generator | None,
    score: Callable[..., Tensor] | None = None,
) -> ImportanceSamples:
    """Draws k samples of the posterior of each sentence, and weighs them.

    Args:
        model: a `WaeRnfModel`.
        inputs: of a batch, `input_ids` and `attention_mask`.
        posterior: q(z|x) of the batch.
        samples: k.
        generator: of the noise.
        score: `model.score`, nats of each sentence, by default; or `model.score_tokens`, nats of each token.
    """
    z = posterior.rsample((samples,), generator=generator)
    z_prime, log_abs_det = model.push(z)
    nll = score_samples(score or model.score, inputs, z_prime)
    of_sentence = nll if nll.dim() == 2 else nll.sum(-1)
    weights = log_importance_weights(posterior, z, z_prime, log_abs_det, of_sentence, model.prior)
    return ImportanceSamples(z, z_prime, log_abs_det, nll, weights)


def score_samples(score: Callable[..., Tensor], inputs: Mapping[str, Tensor], z_prime: Tensor) -> Tensor:
    """Nats (samples, batch, ...), many samples of the whole batch through the decoder at once.

    Args:
        score: from `input_ids`, `attention_mask` and `z_prime` (rows, latent_size) to nats (rows, ...).
        inputs: of a batch.
        z_prime: (samples, batch, latent_size).
    """
    most = TOKENS_AT_ONCE if z_prime.device.type == "cpu" else TOKENS_AT_ONCE_ON_GPU
    at_once = max(1, most // inputs["input_ids"].numel())
    scores = []
    for part in z_prime.split(at_once):
        repeated = {name: ids.repeat(len(part), 1) for name, ids in inputs.items()}
        scores.append(score(**repeated, z_prime=part.flatten(0, 1)).unflatten(0, (len(part), -1)))
    return torch.cat(scores)
