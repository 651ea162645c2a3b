"""What the model returns: every term of the loss by name."""

from dataclasses import dataclass

import torch
from transformers.cache_utils import Cache
from transformers.utils import ModelOutput

from .recurrent_cache import CACHE_NAME


@dataclass
class WaeRnfOutput(ModelOutput):
    """Terms of eq. 17. All are in nats per sentence but `mmd`, which has no unit.

    Args:
        last_hidden_state: (batch, length, latent_size), features of the sentences: the posterior mean, which is that
            of the whole sentence, at each token; (batch, length, hidden_size), the decoder's states, for a language
            model. Only outside of training and without `labels`: then it is the first of the tuple.
        loss: scalar, mean over the sentences of the batch.
        reconstruction: (batch,), -log p(x | z') summed over the scored tokens; the mean over the samples, as are the
            three that follow, where the objective draws several.
        kl: (batch,), the divergence that `kl_weight` multiplies, in closed form or at the sample by `objective`.
        log_abs_det: (batch,), sum of log|det df/dz| over the flows; zeros without flows.
        log_kernel: (batch,), sum over the flows of log K at the flow's input; zeros without a kernel.
        bound: (batch,), of -log p(x) at alpha = 1, without free bits, kernel and MMD: that of the generative model
            that the objective names ([`Objective`]), the importance-weighted one or the ELBO. At the posterior's mean
            it is none.
        mmd: scalar, divergence of the batch of z from as many samples of the prior; zero when not weighted.
        auxiliary: {name: (batch,)}, the auxiliary losses of the configuration, unweighted; in training alone.
        latents: (batch, latent_size), z as it was drawn, or the posterior mean, before the flow.
        logits: (batch, length, vocab_size), scores of the token after each, from the decoder at F(`latents`); what
            stands at padding means nothing. Where they are given, see `return_logits` of [`WaeRnfModel.forward`].
        hidden_states: the embedded tokens (batch, length, embedding_size) and the decoder's states after them (batch,
            length, hidden_size), where they are asked for.
        cache: the decoder's state after the last token, a [`RecurrentCache`], where one is used. Before Transformers
            5.24 the field itself is `past_key_values`, and `cache` reads it.
    """

    last_hidden_state: torch.Tensor | None = None
    loss: torch.Tensor | None = None
    reconstruction: torch.Tensor | None = None
    kl: torch.Tensor | None = None
    log_abs_det: torch.Tensor | None = None
    log_kernel: torch.Tensor | None = None
    bound: torch.Tensor | None = None
    mmd: torch.Tensor | None = None
    auxiliary: dict[str, torch.Tensor] | None = None
    latents: torch.Tensor | None = None
    logits: torch.Tensor | None = None
    hidden_states: tuple[torch.Tensor, ...] | None = None
    if CACHE_NAME == "cache":
        cache: Cache | None = None
    else:
        past_key_values: Cache | None = None

        @property
        def cache(self) -> Cache | None:  # type: ignore[misc]
            return self.past_key_values

    def terms(self) -> dict[str, torch.Tensor]:
        """The loss and what it is made of, by name: means over the sentences, without gradients."""
        names = ("loss", "reconstruction", "kl", "log_abs_det", "log_kernel", "bound", "mmd")
        found = {name: self[name] for name in names} | (self.auxiliary or {})
        return {name: values.detach().mean() for name, values in found.items()}
