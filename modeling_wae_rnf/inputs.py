"""What a forward refuses, each with the sentence that says what would be right."""

from typing import TYPE_CHECKING

import torch

from .recurrent_cache import DecoderCache

if TYPE_CHECKING:
    from .configuration_wae_rnf import WaeRnfConfig


def check_inputs(
    config: "WaeRnfConfig",
    input_ids: torch.Tensor | None,
    inputs_embeds: torch.Tensor | None,
    labels: torch.Tensor | None,
    latents: torch.Tensor | None,
    z_prime: torch.Tensor | None,
    cache: DecoderCache | None,
    output_attentions: bool | None,
) -> torch.Tensor:
    """Whether a forward's inputs can be used together.

    Returns:
        `input_ids`, which there have to be.

    Raises:
        ValueError: embedded words, attention weights, tensors whose shapes do not fit each other, both kinds of
            latents, a cache without latents, or labels after the words of a cache.
    """
    if inputs_embeds is not None or input_ids is None:
        raise ValueError(
            "the model needs input_ids, not inputs_embeds: it looks for the sentence's beginning, and scores its words"
        )
    if output_attentions:
        raise ValueError("there are no attention weights to give; leave output_attentions out, or take hidden states")
    if labels is not None and labels.shape != input_ids.shape:
        raise ValueError(
            f"labels must have the shape of input_ids, {tuple(input_ids.shape)}, not {tuple(labels.shape)}"
        )
    if latents is not None and z_prime is not None:
        raise ValueError("forward takes latents or z_prime, the same after the flow: one of them")
    for name, given in (("latents", latents), ("z_prime", z_prime)):
        if given is not None and given.shape != (len(input_ids), config.latent_size):
            raise ValueError(
                f"{name} must have shape (batch, latent_size) = {(len(input_ids), config.latent_size)}, not "
                f"{tuple(given.shape)}"
            )
    if cache is not None and latents is None and z_prime is None:
        raise ValueError("a cache continues a sentence of known latents; give latents or z_prime too")
    if cache is not None and labels is not None and cache.get_seq_length():
        raise ValueError("labels are scored over whole sentences, but the cache has seen some of their words")
    return input_ids
