"""What every auxiliary loss has in common."""

import torch
from torch import nn

from .decoder import Decoder
from .latent_code import LatentCode
from .part import Part


class AuxiliaryLoss(Part, nn.Module):
    """The contract: a loss of each sentence, added while training with the weight that `auxiliary_losses` gives it.

    It is no part of the bound, and evaluation leaves it out. Where the objective draws several z, it is taken at the
    first.

    Attributes:
        reads_position_features: whether it needs a decoder that has `position_features`.
    """

    reads_position_features = False

    def forward(self, code: LatentCode, targets: torch.Tensor, scored: torch.Tensor, decoder: Decoder) -> torch.Tensor:
        """(batch,), nats per sentence.

        Args:
            code: [`LatentCode`], of (batch, latent_size).
            targets: (batch, length), the words that follow beginning-of-sentence, in their order.
            scored: (batch, length), true for the tokens that count; what stands elsewhere in `targets` means nothing.
            decoder: the model's [`Decoder`].
        """
        raise NotImplementedError
