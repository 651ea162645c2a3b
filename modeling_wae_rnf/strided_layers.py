"""Layers that halve the number of positions of a sentence, or double it: the steps of a convolutional autoencoder."""

from collections.abc import Sequence
from typing import TypeVar

import torch
import torch.nn.functional as F
from torch import nn

from .batch_norm import BatchNorm

T = TypeVar("T", int, torch.Tensor)
KERNEL = 3  # positions that a convolution reads; of two neighbours each reads one in common
CHANNELS = (128, 256)  # of the layers, from the tokens on, in the code of Semeniuta et al. 2017


class StridedLayer(nn.Module):
    """ReLU(BN(C(x))), C a convolution of stride 2, which halves the positions, or its transpose, which doubles them.

    Batch normalization is over the positions of the sentences, of all processes. What lies behind a sentence's end is
    zero and has no part in it, so that padding changes nothing.

    Args:
        convolution: C, see `halving` and `doubling`.
    """

    def __init__(self, convolution: nn.Conv1d | nn.ConvTranspose1d) -> None:
        super().__init__()
        self.convolution, self.norm = convolution, BatchNorm(convolution.out_channels)

    def forward(self, x: torch.Tensor, lengths: torch.Tensor) -> torch.Tensor:
        """(batch, positions, channels), zero behind each sentence's end -> the same of its own positions.

        Args:
            lengths: (batch,), of the result.
        """
        x = self.convolution(x.mT).mT  # (batch, positions, channels)
        inside = within(lengths, x.shape[1]).flatten().nonzero().squeeze(1)
        values = F.relu(self.norm(x.flatten(0, 1)[inside]))
        return torch.zeros_like(x).flatten(0, 1).index_copy(0, inside, values).view(x.shape)


def halving(size: int, channels: int) -> StridedLayer:
    """n positions -> ⌈n/2⌉, position i of them from 2i - 1, 2i and 2i + 1."""
    return StridedLayer(nn.Conv1d(size, channels, KERNEL, stride=2, padding=1, bias=False))


def doubling(channels: int, size: int) -> StridedLayer:
    """n positions -> 2n, position 2i of them from i, and 2i + 1 from i and i + 1."""
    return StridedLayer(nn.ConvTranspose1d(channels, size, KERNEL, stride=2, padding=1, output_padding=1, bias=False))


def within(lengths: torch.Tensor, width: int) -> torch.Tensor:
    """(batch,) -> (batch, width), true for the positions before each length."""
    return torch.arange(width, device=lengths.device) < lengths.unsqueeze(1)


def halved_positions(max_words: int, layers: int) -> int:
    """Positions that so many halvings leave of the longest sentence with both its marks; as many doublings reach it.

    Examples:
        >>> halved_positions(200, 2)  # which stand for 204 tokens
        51
    """
    return -(-(max_words + 2) // 2**layers)


def needed(positions: T, doublings: int) -> T:
    """How many positions, before so many doublings, the first ones after them depend on.

    Examples:
        >>> needed(7, 1), needed(7, 2)  # the seventh of them, position 6, is of position 3 alone
        (4, 3)
    """
    for _ in range(doublings):
        positions = positions // 2 + 1
    return positions


def refuse_longer(lengths: torch.Tensor, width: int, longest: int) -> None:
    """Refuses sentences that are longer than there are positions.

    Args:
        lengths: (batch,).
        width: that no length exceeds; where it is no more than `longest`, a GPU is not waited for.
        longest: tokens.

    Raises:
        ValueError: a longer one.
    """
    if width > longest and int(lengths.max()) > longest:
        raise ValueError(
            f"a sentence of {int(lengths.max())} tokens is longer than the model's {longest} positions; cut it, or "
            "train with a larger max_words"
        )


def check_channels(field: str, channels: object) -> None:
    """Refuses an option `channels` that is no list of whole numbers, one at least.

    Raises:
        ValueError: it is none.
    """
    sizes = channels if isinstance(channels, Sequence) and not isinstance(channels, str) else ()
    if not sizes or not all(type(size) is int and size >= 1 for size in sizes):
        raise ValueError(f"{field}: channels must be a list of whole numbers from 1 on, but is {channels!r}")
