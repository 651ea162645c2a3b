"""The dilated CNN decoder: how many words back it sees is a choice, and the rest has to come from z'."""

from collections.abc import Callable
from typing import TYPE_CHECKING

import torch
import torch.nn.functional as F
from torch import nn

from .batch_norm import BatchNorm, running_statistics
from .decoder import Decoder
from .dropout import Dropout
from .recurrent_cache import RecurrentCache

if TYPE_CHECKING:
    from .configuration_wae_rnf import WaeRnfConfig

KERNEL = 3  # words that a convolution reads: t - 2d, t - d and t
DILATIONS = {
    "small": (1, 2, 4),
    "medium": (1, 2, 4, 8, 16),
    "large": (1, 2, 4, 8, 16) * 2,
    "very_large": (1, 2, 4, 8, 16) * 3,
}


class ResidualBlock(nn.Module):
    """ReLU(x + B(x)), B of three convolutions: to the inner width, causal and dilated, back to the width.

    Each is batch-normalized, and the first two go through a ReLU. They work on rows, one a word, so that padding has
    no part in the statistics.

    Args:
        width: of x.
        inner: of the causal convolution.
    """

    def __init__(self, width: int, inner: int) -> None:
        super().__init__()
        self.narrow, self.narrow_norm = nn.Linear(width, inner, bias=False), BatchNorm(inner)
        self.convolution = nn.Linear(KERNEL * inner, inner, bias=False)
        self.convolution_norm = BatchNorm(inner)
        self.widen, self.widen_norm = nn.Linear(inner, width, bias=False), BatchNorm(width)

    def forward(self, x: torch.Tensor, before: Callable[[torch.Tensor], torch.Tensor]) -> torch.Tensor:
        """(rows, width) -> (rows, width).

        Args:
            before: from the inner values of each word, (rows, inner), those 2d and d words before it side by side,
                (rows, 2 inner), d the dilation; zero before the first word.
        """
        inner = F.relu(self.narrow_norm(self.narrow(x)))
        read = torch.cat([before(inner), inner], dim=-1)
        inner = F.relu(self.convolution_norm(self.convolution(read)))
        return F.relu(x + self.widen_norm(self.widen(inner)))


class CNNDecoder(Decoder[RecurrentCache]):
    """Dilated causal convolutions over [embedding ; ReLU(BN(W z'))] at each word (Yang et al. 2017, arXiv 1702.08139).

    A state depends on z' and on the last 1 + 2 Σ d words: 15, 63, 125 or 187 of them. One layer more than in the paper
    brings the input to `hidden_size`, so that the sizes are free.

    Batch normalization in training is over the words of the batch, of all processes, without padding. So a word's
    state then hears of later words, as one among hundreds in a mean; dropping that would change the paper's model, and
    no figure depends on it: outside of training, and in `extend` always, the running statistics take its place, and
    the decoder is causal.

    Args:
        size: "small", "medium", "large" or "very_large", the paper's SCNN to VLCNN: dilations 1, 2, 4; 1, 2, 4, 8, 16;
            these twice; three times.
        inner_size: width of the causal convolutions; half of `hidden_size` when None.

    Examples:
        >>> from .configuration_wae_rnf import WaeRnfConfig
        >>> decoder = CNNDecoder(WaeRnfConfig(vocab_size=9, hidden_size=8), size="medium")
        >>> decoder.field_of_view
        63
    """

    batch_normalized = True

    def __init__(self, config: "WaeRnfConfig", *, size: str = "small", inner_size: int | None = None) -> None:
        super().__init__()
        width = config.hidden_size
        self.inner_size = max(width // 2, 1) if inner_size is None else inner_size
        self.dilations = DILATIONS[size]
        self.feature, input_size = None, config.embedding_size
        if config.has_latents:
            self.feature = nn.Sequential(nn.Linear(config.latent_size, width, bias=False), BatchNorm(width), nn.ReLU())
            input_size += width
        self.dropout = Dropout(config.dropout)
        self.inputs = nn.Linear(input_size, width)
        self.blocks = nn.ModuleList(ResidualBlock(width, self.inner_size) for _ in self.dilations)
        self.projection = nn.Linear(width, config.vocab_size)

    @classmethod
    def check(cls, config: "WaeRnfConfig") -> None:
        size, inner = config.decoder_kwargs.get("size", "small"), config.decoder_kwargs.get("inner_size")
        if size not in DILATIONS:
            raise ValueError(f"decoder_kwargs: size must be one of {', '.join(DILATIONS)}, but is {size}")
        if inner is not None and not (type(inner) is int and inner >= 1):
            raise ValueError(f"decoder_kwargs: inner_size must be a whole number from 1 on, but is {inner!r}")

    @property
    def field_of_view(self) -> int:
        """The number of words, the last one included, that a state depends on."""
        return 1 + (KERNEL - 1) * sum(self.dilations)

    def forward(self, embeddings: torch.Tensor, z_prime: torch.Tensor, lengths: torch.Tensor) -> torch.Tensor:
        batch, length, _ = embeddings.shape
        columns = torch.arange(length, device=lengths.device)
        words = (columns < lengths.unsqueeze(1)).flatten().nonzero().squeeze(1)  # (rows,), where each word stands
        x = self._inputs(embeddings.flatten(0, 1)[words], z_prime, words // length)
        for block, dilation in zip(self.blocks, self.dilations, strict=True):
            x = block(x, Stretch(words % length, dilation))
        states = x.new_zeros(batch * length, x.shape[-1]).index_copy(0, words, x)
        return states.unflatten(0, (batch, length))

    def new_cache(self) -> RecurrentCache:
        return RecurrentCache()

    def extend(
        self, embeddings: torch.Tensor, z_prime: torch.Tensor, cache: RecurrentCache, mask: torch.Tensor
    ) -> torch.Tensor:
        rows = torch.arange(len(embeddings), device=embeddings.device)
        with running_statistics(self):
            inputs = [self._inputs(words, z_prime, rows) for words in embeddings.unbind(1)]
            # the last state, how many words there were, and each block's ring
            last, count, *rings = self._start(inputs[0]) if cache.state is None else cache.state
            outputs = []
            for x, kept in zip(inputs, mask.unbind(1), strict=True):
                for block, ring in zip(self.blocks, rings, strict=True):
                    x = block(x, Ring(ring, count, kept))
                last, count = torch.where(kept.unsqueeze(1), x, last), count + kept
                outputs.append(last)
        cache.update(last, count, *rings)
        return torch.stack(outputs, dim=1)

    def _inputs(self, embeddings: torch.Tensor, z_prime: torch.Tensor, sentence: torch.Tensor) -> torch.Tensor:
        """(rows, embedding_size), z' and the sentence of each row -> (rows, hidden_size)."""
        embeddings = self.dropout(embeddings)
        if self.feature is not None:
            embeddings = torch.cat([embeddings, self.feature(z_prime)[sentence]], dim=-1)
        return self.inputs(embeddings)

    def _start(self, inputs: torch.Tensor) -> tuple[torch.Tensor, ...]:
        rings = (inputs.new_zeros(len(inputs), 2 * dilation, self.inner_size) for dilation in self.dilations)
        return torch.zeros_like(inputs), inputs.new_zeros(len(inputs), dtype=torch.long), *rings


class Stretch:
    """The words before, of whole sentences: the rows of a sentence follow one another.

    Args:
        positions: (rows,), of each word in its sentence.
        dilation: d.
    """

    def __init__(self, positions: torch.Tensor, dilation: int) -> None:
        self.positions, self.dilation = positions.unsqueeze(1), dilation

    def __call__(self, inner: torch.Tensor) -> torch.Tensor:
        return torch.cat([self._shifted(inner, distance * self.dilation) for distance in (2, 1)], dim=-1)

    def _shifted(self, inner: torch.Tensor, distance: int) -> torch.Tensor:
        moved = F.pad(inner, (0, 0, distance, 0))[: len(inner)]
        return moved * (self.positions >= distance)


class Ring:
    """The words before, of one word of each sentence: the last 2d are kept, and the new one takes the oldest's place.

    Args:
        values: (batch, 2d, inner), word t of a sentence at t mod 2d, and zero where there is none; written into.
        count: (batch,), t.
        kept: (batch,), false for padding, which is not written.
    """

    def __init__(self, values: torch.Tensor, count: torch.Tensor, kept: torch.Tensor) -> None:
        self.values, self.count, self.kept = values, count, kept

    def __call__(self, inner: torch.Tensor) -> torch.Tensor:
        size = self.values.shape[1]
        rows = torch.arange(len(inner), device=inner.device)
        oldest = self.count % size
        before, middle = self.values[rows, oldest], self.values[rows, (oldest + size // 2) % size]
        self.values[rows, oldest] = torch.where(self.kept.unsqueeze(1), inner, before)
        return torch.cat([before, middle], dim=-1)
