"""The convolutional encoder: every layer halves the positions of a sentence, and what is left of all is its vector."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

import torch
import torch.nn.functional as F
from torch import nn

from .dropout import Dropout
from .encoder import Encoder
from .strided_layers import CHANNELS, check_channels, halved_positions, halving, refuse_longer, within

if TYPE_CHECKING:
    from .configuration_wae_rnf import WaeRnfConfig


class CNNEncoder(Encoder):
    """Convolutions of stride 2 over the embedded tokens, side by side (Semeniuta et al. 2017, arXiv 1702.02390).

    The vector has a place for each position of a sentence of `max_words`, as in the code of that paper, and is zero
    behind the sentence's end. So the posterior head sees what stands where; a mean or a maximum over the positions
    would take sentences of any length, and forget that. `max_words` sets its size, which is that of the head's input.

    Two departures: tokens are embedded, where theirs are characters, and padding has no part in convolutions and batch
    normalization, so that a sentence's vector depends on the sentence alone.

    Args:
        channels: of the layers, from the tokens on.

    Examples:
        >>> from .configuration_wae_rnf import WaeRnfConfig
        >>> encoder = CNNEncoder(WaeRnfConfig(vocab_size=9, max_words=30), channels=(4, 8))
        >>> encoder(torch.zeros(2, 5, 200), torch.tensor([5, 3])).shape  # 8 positions of the 32 that it was given
        torch.Size([2, 64])
    """

    def __init__(self, config: "WaeRnfConfig", *, channels: Sequence[int] = CHANNELS) -> None:
        super().__init__()
        self.dropout = Dropout(config.dropout if config.encoder_dropout is None else config.encoder_dropout)
        before = (config.embedding_size, *channels[:-1])
        self.layers = nn.ModuleList(halving(*sizes) for sizes in zip(before, channels, strict=True))
        self.positions = halved_positions(config.max_words, len(channels))
        self.longest = self.positions * 2 ** len(channels)
        self.state_size = self.positions * channels[-1]

    @classmethod
    def check(cls, config: "WaeRnfConfig") -> None:
        check_channels("encoder_kwargs", config.encoder_kwargs.get("channels", CHANNELS))

    def forward(self, embeddings: torch.Tensor, lengths: torch.Tensor) -> torch.Tensor:
        refuse_longer(lengths, embeddings.shape[1], self.longest)
        embeddings = self.dropout(embeddings[:, : self.longest])
        x = embeddings.masked_fill(~within(lengths, embeddings.shape[1]).unsqueeze(-1), 0)
        for layer in self.layers:
            lengths = (lengths + 1) // 2
            x = layer(x, lengths)
        return F.pad(x, (0, 0, 0, self.positions - x.shape[1])).flatten(1)
