"""The decoder's state between two words, in the form in which `generate` carries, repeats and reorders it."""

from dataclasses import fields

from transformers.cache_utils import Cache, CacheLayerMixin
from transformers.generation.utils import GenerateDecoderOnlyOutput

# What Transformers calls the cache in a model's inputs and outputs: "cache" from 5.24 on, "past_key_values" before.
CACHE_NAME = "cache" if "cache" in {field.name for field in fields(GenerateDecoderOnlyOutput)} else "past_key_values"


class RecurrentLayer(CacheLayerMixin):
    """h and c of an LSTM, each (batch, hidden_size), in the places of keys and values."""

    is_sliding = False

    def __init__(self):
        super().__init__()
        self.words = 0

    def lazy_initialization(self, key_states, value_states):
        self.dtype, self.device, self.is_initialized = key_states.dtype, key_states.device, True

    def update(self, key_states, value_states, words=1):
        """Takes h and c after `words` more words."""
        if not self.is_initialized:
            self.lazy_initialization(key_states, value_states)
        self.keys, self.values, self.words = key_states, value_states, self.words + words
        return key_states, value_states

    def get_seq_length(self):
        return self.words

    def get_max_length(self):
        return -1

    get_max_cache_shape = get_max_length  # its name in earlier versions of the library

    def get_mask_sizes(self, query_length):
        return self.words + query_length, 0

    def reset(self):
        super().reset()
        self.words, self.is_initialized = 0, False


class RecurrentCache(Cache):
    """The cache of one LSTM.

    Example:
        >>> import torch
        >>> cache = RecurrentCache()
        >>> cache.state is None
        True
        >>> _ = cache.update(torch.zeros(2, 5), torch.ones(2, 5), words=3)
        >>> cache.get_seq_length(), cache.state[1].shape
        (3, torch.Size([2, 5]))
    """

    def __init__(self):
        super().__init__(layers=[RecurrentLayer()])

    def update(self, hidden, cell, words=1):
        return self.layers[0].update(hidden, cell, words)

    @property
    def state(self):
        """(h, c), or None before the first word."""
        layer = self.layers[0]
        return (layer.keys, layer.values) if layer.is_initialized else None
