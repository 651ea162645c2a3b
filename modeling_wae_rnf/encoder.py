"""What every encoder has in common."""

import torch
from torch import nn

from .part import Part


class Encoder(Part, nn.Module):
    """The contract: a sentence's embedded words in, one vector out, from which a posterior head makes q(z|x).

    Attributes:
        state_size: features of that vector.
    """

    state_size: int

    def forward(self, embeddings: torch.Tensor, lengths: torch.Tensor) -> torch.Tensor:
        """(batch, length, embedding_size), padded on the right, and (batch,) tokens -> (batch, state_size)."""
        raise NotImplementedError
