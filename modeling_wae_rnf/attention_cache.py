"""The cache of a decoder with attention: keys and values of every word, and which columns are words."""

from collections.abc import Callable

import torch
from transformers import DynamicCache

from .recurrent_cache import DecoderCache


class AttentionCache(DynamicCache, DecoderCache):
    """Transformers' cache that grows by a column a word, and what it does not know of them.

    Attributes:
        mask: (batch, columns), false for padding; None before the first word.
        last: (batch, width), the state after each sentence's last word.

    Examples:
        >>> cache = AttentionCache()
        >>> positions, allowed = cache.see(torch.tensor([[True, True], [False, True]]))
        >>> positions.tolist(), allowed.int().tolist()
        ([[0, 1], [0, 0]], [[[1, 0], [1, 1]], [[1, 0], [0, 1]]])
        >>> cache.count(2)
        >>> cache.see(torch.ones(2, 1, dtype=torch.bool))[0].tolist(), cache.get_seq_length()
        ([[2], [1]], 2)
    """

    def __init__(self) -> None:
        super().__init__()
        self.words = 0
        self.mask: torch.Tensor | None = None
        self.last: torch.Tensor | None = None

    def see(self, mask: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """Takes in columns, (batch, length).

        Returns:
            the position of each in its sentence, (batch, length), and which columns it attends to, (batch, length,
            columns): itself, at padding too, since attention to nothing is no number, and the words before it.
        """
        seen = mask if self.mask is None else torch.cat([self.mask, mask], dim=1)
        columns = torch.arange(seen.shape[1], device=seen.device)
        own = columns[-mask.shape[1] :].unsqueeze(1)
        self.mask = seen
        positions = (seen.long().cumsum(1)[:, -mask.shape[1] :] - 1).clamp_min(0)
        return positions, ((columns < own) & seen.unsqueeze(1)) | (columns == own)

    def count(self, words: int) -> None:
        self.words += words

    def get_seq_length(self, layer_idx: int = 0) -> int:
        return self.words

    def reorder_cache(self, beam_idx: torch.LongTensor) -> None:
        super().reorder_cache(beam_idx)
        self._change(lambda values: values.index_select(0, beam_idx.to(values.device)))

    def batch_select_indices(self, indices: torch.Tensor) -> None:
        super().batch_select_indices(indices)
        self._change(lambda values: values[indices])

    def batch_repeat_interleave(self, repeats: int) -> None:
        super().batch_repeat_interleave(repeats)
        self._change(lambda values: values.repeat_interleave(repeats, dim=0))

    def reset(self) -> None:
        self.layers.clear()  # in Transformers 5.17 a reset of layers leaves columns of zeros
        self.words, self.mask, self.last = 0, None, None

    def _change(self, change: Callable[[torch.Tensor], torch.Tensor]) -> None:
        if self.mask is not None:
            self.mask = change(self.mask)
        if self.last is not None:
            self.last = change(self.last)
