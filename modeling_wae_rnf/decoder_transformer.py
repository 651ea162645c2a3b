"""The transformer decoder: every word attends to all words before it."""

from typing import TYPE_CHECKING

import torch
import torch.nn.functional as F
from torch import nn

from .attention_cache import AttentionCache
from .decoder import Decoder
from .dropout import Dropout

if TYPE_CHECKING:
    from .configuration_wae_rnf import WaeRnfConfig

NUM_HEADS = 4
LONGEST_WAVE = 10_000.0  # of the positions, in words, over 2π


class Block(nn.Module):
    """x + attention(LayerNorm(x)), and then x + MLP(LayerNorm(x)), the MLP four times as wide.

    Args:
        width: of x.
        num_heads: of the attention.
    """

    def __init__(self, width: int, num_heads: int) -> None:
        super().__init__()
        self.num_heads = num_heads
        self.attention_norm, self.mlp_norm = nn.LayerNorm(width), nn.LayerNorm(width)
        self.attention, self.output = nn.Linear(width, 3 * width), nn.Linear(width, width)
        self.mlp = nn.Sequential(nn.Linear(width, 4 * width), nn.GELU(), nn.Linear(4 * width, width))

    def forward(
        self,
        x: torch.Tensor,
        cache: AttentionCache | None = None,
        layer: int = 0,
        allowed: torch.Tensor | None = None,
    ) -> torch.Tensor:
        """(batch, length, width) -> (batch, length, width).

        Args:
            cache: [`AttentionCache`] of the words before; whole sentences have none.
            layer: of this block, in the cache.
            allowed: (batch, 1, length, columns), whom each word attends to; itself and all before when None.
        """
        heads = self.attention(self.attention_norm(x)).unflatten(-1, (3, self.num_heads, -1))
        query, key, value = heads.permute(2, 0, 3, 1, 4)  # (batch, heads, length, width of a head) each
        if cache is not None:
            key, value = cache.update(key, value, layer)
        found = F.scaled_dot_product_attention(query, key, value, allowed, is_causal=allowed is None)
        x = x + self.output(found.transpose(1, 2).flatten(2))
        return x + self.mlp(self.mlp_norm(x))


class TransformerDecoder(Decoder[AttentionCache]):
    """Transformer blocks with LayerNorm before each part, over embedding + W z' + position at each word.

    z' is added to every input. Positions are sines and cosines (Vaswani et al. 2017, arXiv 1706.03762, section 3.5),
    so there is no longest sentence. Dropout is where the LSTM decoder has it, on inputs and outputs.

    Args:
        num_layers: blocks.
        num_heads: heads of each attention; they divide `hidden_size`.

    Examples:
        >>> from .configuration_wae_rnf import WaeRnfConfig
        >>> decoder = TransformerDecoder(WaeRnfConfig(vocab_size=9, hidden_size=8), num_layers=3)
        >>> decoder(torch.zeros(2, 5, 200), torch.zeros(2, 32), torch.tensor([5, 3])).shape
        torch.Size([2, 5, 8])
    """

    def __init__(self, config: "WaeRnfConfig", *, num_layers: int = 2, num_heads: int = NUM_HEADS) -> None:
        super().__init__()
        width = config.hidden_size
        self.inputs = nn.Linear(config.embedding_size, width)
        self.latents = nn.Linear(config.latent_size, width, bias=False) if config.has_latents else None
        self.blocks = nn.ModuleList(Block(width, num_heads) for _ in range(num_layers))
        self.norm = nn.LayerNorm(width)
        self.dropout = Dropout(config.dropout)
        self.projection = nn.Linear(width, config.vocab_size)

    @classmethod
    def check(cls, config: "WaeRnfConfig") -> None:
        given = config.decoder_kwargs
        for name, value in given.items():
            if not (type(value) is int and value >= 1):
                raise ValueError(f"decoder_kwargs: {name} must be a whole number from 1 on, but is {value!r}")
        heads = given.get("num_heads", NUM_HEADS)
        if config.hidden_size % heads:
            raise ValueError(f"hidden_size ({config.hidden_size}) must be a multiple of the decoder's {heads} heads")

    def forward(self, embeddings: torch.Tensor, z_prime: torch.Tensor, lengths: torch.Tensor) -> torch.Tensor:
        x = self._inputs(embeddings, z_prime, torch.arange(embeddings.shape[1], device=embeddings.device))
        for block in self.blocks:  # padding is on the right, where no word looks
            x = block(x)
        return self.norm(x)

    def new_cache(self) -> AttentionCache:
        return AttentionCache()

    def extend(
        self, embeddings: torch.Tensor, z_prime: torch.Tensor, cache: AttentionCache, mask: torch.Tensor
    ) -> torch.Tensor:
        positions, allowed = cache.see(mask)
        x = self._inputs(embeddings, z_prime, positions)
        for layer, block in enumerate(self.blocks):
            x = block(x, cache, layer, allowed.unsqueeze(1))
        return _last_of_words(self.norm(x), mask, cache)

    def _inputs(self, embeddings: torch.Tensor, z_prime: torch.Tensor, positions: torch.Tensor) -> torch.Tensor:
        x = self.inputs(self.dropout(embeddings))
        if self.latents is not None:
            x = x + self.latents(z_prime).unsqueeze(1)
        return x + waves(positions, x.shape[-1]).to(x.dtype)


def waves(positions: torch.Tensor, width: int) -> torch.Tensor:
    """Sines and cosines of each position, of wavelengths from 2π to 2π · 10,000 words: (...) -> (..., width).

    Examples:
        >>> waves(torch.tensor([0]), 4).tolist()
        [[0.0, 0.0, 1.0, 1.0]]
    """
    half = (width + 1) // 2
    rates = LONGEST_WAVE ** (-torch.arange(half, device=positions.device, dtype=torch.float32) / half)
    angles = positions.unsqueeze(-1) * rates
    return torch.cat([angles.sin(), angles.cos()], dim=-1)[..., :width]


def _last_of_words(states: torch.Tensor, mask: torch.Tensor, cache: AttentionCache) -> torch.Tensor:
    """The states, but at padding that of the word before, which the cache may have."""
    before = torch.zeros_like(states[:, 0]) if cache.last is None else cache.last
    columns = torch.arange(1, mask.shape[1] + 1, device=mask.device)
    last = (mask * columns).cummax(dim=1).values  # (batch, length), 0 for the one before
    states = torch.cat([before.unsqueeze(1), states], dim=1)
    states = states.gather(1, last.unsqueeze(-1).expand(-1, -1, states.shape[-1]))
    cache.last = states[:, -1]
    return states
