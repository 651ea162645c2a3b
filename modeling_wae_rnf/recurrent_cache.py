"""A decoder's state between two words, in the form in which `generate` carries and reorders it."""

from dataclasses import fields

import torch
from transformers.cache_utils import Cache, CacheLayerMixin
from transformers.generation.utils import GenerateDecoderOnlyOutput

# What Transformers calls the cache in a model's inputs and outputs: "cache" from 5.24 on, "past_key_values" before.
CACHE_NAME = "cache" if "cache" in {field.name for field in fields(GenerateDecoderOnlyOutput)} else "past_key_values"


class DecoderCache(Cache):
    """The contract: what a decoder remembers of the words that it has read."""

    def count(self, words: int) -> None:
        """Adds to the words of the sentences that the cache has seen, padding included, as `get_seq_length` says."""
        raise NotImplementedError


class RecurrentLayer(CacheLayerMixin):
    """Tensors of batch rows that each word replaces, where attention has keys and values of every word."""

    is_sliding = False

    def __init__(self) -> None:
        super().__init__()
        self.state: tuple[torch.Tensor, ...] | None = None
        self.words = 0

    def lazy_initialization(self, *state: torch.Tensor) -> None:
        self.dtype, self.device, self.is_initialized = state[0].dtype, state[0].device, True

    def update(self, *state: torch.Tensor) -> tuple[torch.Tensor, ...]:  # type: ignore[override]  # no keys and values
        if not self.is_initialized:
            self.lazy_initialization(*state)
        self.state = state
        return state

    def get_seq_length(self) -> int:
        return self.words

    def get_max_length(self) -> int:
        return -1

    get_max_cache_shape = get_max_length  # its name in earlier versions of Transformers

    def get_mask_sizes(self, query_length: int) -> tuple[int, int]:
        return self.words + query_length, 0

    def reorder_cache(self, beam_idx: torch.Tensor) -> None:
        if self.state is not None:
            self.state = tuple(part.index_select(0, beam_idx.to(part.device)) for part in self.state)

    def batch_select_indices(self, indices: torch.Tensor) -> None:
        self.reorder_cache(indices)

    def batch_repeat_interleave(self, repeats: int) -> None:
        if self.state is not None:
            self.state = tuple(part.repeat_interleave(repeats, dim=0) for part in self.state)

    def offload(self) -> None:
        self._move("cpu")

    def prefetch(self) -> None:
        self._move(self.device)

    def _move(self, device: torch.device | str) -> None:
        if self.state is not None:
            self.state = tuple(part.to(device, non_blocking=True) for part in self.state)

    def reset(self) -> None:
        self.state, self.words, self.is_initialized = None, 0, False


class RecurrentCache(DecoderCache):
    """The cache of a decoder whose state does not grow: h and c of an LSTM, or the last inputs of convolutions.

    Examples:
        >>> import torch
        >>> cache = RecurrentCache()
        >>> cache.state is None
        True
        >>> _ = cache.update(torch.zeros(2, 5), torch.ones(2, 5))
        >>> cache.count(3)
        >>> cache.get_seq_length(), cache.state[1].shape
        (3, torch.Size([2, 5]))
    """

    def __init__(self) -> None:
        super().__init__(layers=[RecurrentLayer()])

    @property
    def _layer(self) -> RecurrentLayer:
        return self.layers[0]  # type: ignore[return-value]  # the one layer is ours

    def update(self, *state: torch.Tensor) -> tuple[torch.Tensor, ...]:  # type: ignore[override]  # no keys and values
        """Takes the state after one word or more: tensors of batch rows."""
        return self._layer.update(*state)

    def count(self, words: int) -> None:
        self._layer.words += words

    @property
    def state(self) -> tuple[torch.Tensor, ...] | None:
        """What `update` took last, or None before the first word."""
        return self._layer.state
