"""Inference: from sentences to q(z|x)."""

from typing import TYPE_CHECKING

from torch import nn

from .alignment import Aligned
from .part import Part
from .posterior_head import Posterior

if TYPE_CHECKING:
    from .configuration_wae_rnf import WaeRnfConfig
    from .modeling_wae_rnf import WaeRnfModel


class Inference(Part, nn.Module):
    """The contract: sentences in, their posterior out, by way of the model's embedding, encoder and posterior head.

    Evaluation calls it under `torch.no_grad`; an inference with gradients of its own takes them within
    `torch.enable_grad`, and gives back a posterior without a graph where it was called without one.

    Attributes:
        by_sentence: whether it reads the decoder of each sentence by itself, which batch normalization does not allow.
        refinement_steps: steps of gradient ascent on a sentence's own ELBO that its posterior has had.
    """

    by_sentence = False
    refinement_steps = 0

    def __init__(self, config: "WaeRnfConfig") -> None:
        super().__init__()

    def amortize(self, model: "WaeRnfModel", sentences: Aligned) -> Posterior:
        """What the head makes of the encoder's vector."""
        # one of the two marks says nothing; a row of padding alone is read as one token of it
        lengths = (sentences.mask.sum(-1) - 1).clamp_min(1)
        read = slice(1, None) if model.config.encoder_input == "eos" else slice(None, -1)
        return model.posterior_head(model.encoder(model.embedding(sentences.input_ids[:, read]), lengths))

    def forward(
        self, model: "WaeRnfModel", sentences: Aligned, kl_weight: float | None = None, sample: bool = True
    ) -> Posterior:
        """q(z|x) of each sentence.

        Args:
            model: the [`WaeRnfModel`], for its parts and `sentence_losses`.
            sentences: [`Aligned`].
            kl_weight: alpha of the loss at this step; the configuration's when None.
            sample: whether the loss draws z, or takes the posterior's mean.
        """
        raise NotImplementedError


class Amortized(Inference):
    """The posterior is what the head makes of the encoder's vector."""

    def forward(
        self, model: "WaeRnfModel", sentences: Aligned, kl_weight: float | None = None, sample: bool = True
    ) -> Posterior:
        return self.amortize(model, sentences)
