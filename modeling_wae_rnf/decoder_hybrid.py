"""The hybrid decoder: z' is deconvolved to a feature of each position, and an LSTM reads it beside the words."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

import torch
import torch.nn.functional as F
from torch import nn

from .batch_norm import running_statistics
from .decoder import Decoder
from .dropout import Dropout
from .padded_lstm import run_lstm, run_shared, step_lstm
from .plain_module import is_plain
from .recurrent_cache import RecurrentCache
from .strided_layers import CHANNELS, check_channels, doubling, halved_positions, needed, refuse_longer

if TYPE_CHECKING:
    from .configuration_wae_rnf import WaeRnfConfig


class Deconvolution(nn.Module):
    """D_1(… D_n(ReLU(W z' + b))), D_i transposed convolutions of stride 2 and ReLU(BN(·)): a feature of each position.

    Args:
        config: a [`WaeRnfConfig`]; a feature has the size of an embedding.
        channels: between the layers, from the features back to z'.
    """

    def __init__(self, config: "WaeRnfConfig", channels: Sequence[int]) -> None:
        super().__init__()
        self.positions = halved_positions(config.max_words, len(channels))
        self.longest = self.positions * 2 ** len(channels)
        self.start = nn.Linear(config.latent_size, self.positions * channels[-1])
        after = (config.embedding_size, *channels[:-1])  # of the layers from the last one back
        layers = [doubling(*sizes) for sizes in zip(channels, after, strict=True)]
        self.layers = nn.ModuleList(reversed(layers))

    def forward(self, z_prime: torch.Tensor, lengths: torch.Tensor, width: int) -> torch.Tensor:
        """(batch, latent_size) -> (batch, width, embedding_size), see `Decoder.position_features`."""
        refuse_longer(lengths, width, self.longest)
        columns, later = min(width, self.longest), len(self.layers)
        x = F.relu(self.start(z_prime)).unflatten(-1, (self.positions, -1))
        for layer in self.layers:
            x, later = x[:, : needed(columns, later)], later - 1
            x = layer(x, needed(lengths, later))
        return F.pad(x[:, :columns], (0, 0, 0, width - columns))


class HybridDecoder(Decoder[RecurrentCache]):
    """An LSTM over [embedding of word t ; feature of position t] (Semeniuta et al. 2017, arXiv 1702.02390).

    The features are a [`Deconvolution`] of z' and see no word, so that an auxiliary loss can ask them for the next
    one, see [`PositionTokens`]. Their size is the embedding's, by default 200 as in the code of that paper. The LSTM
    begins at zero: z' has no other way to it.

    Batch normalization in training is over the positions that words have, of all processes; theirs has the padding
    too. Outside of training, and in `extend` always, the running statistics take its place. Their LSTM is
    layer-normalized; this is PyTorch's, which has one operation for all of a sentence.

    Without latents there are no features, and the LSTM is a language model.

    Args:
        channels: between the layers of the deconvolution, from the features back to z'.

    Examples:
        >>> from .configuration_wae_rnf import WaeRnfConfig
        >>> decoder = HybridDecoder(WaeRnfConfig(vocab_size=9, hidden_size=8, max_words=30), channels=(4, 8))
        >>> decoder.longest
        32
        >>> decoder.position_features(torch.zeros(2, 32), torch.tensor([5, 3]), 5).shape
        torch.Size([2, 5, 200])
    """

    latents_at_every_step = False  # the cache has the features
    has_position_features = True
    batch_normalized = True

    def __init__(self, config: "WaeRnfConfig", *, channels: Sequence[int] = CHANNELS) -> None:
        super().__init__()
        self.deconvolution, input_size = None, config.embedding_size
        if config.has_latents:
            self.deconvolution = Deconvolution(config, channels)
            self.longest = self.deconvolution.longest
            input_size += config.embedding_size
        self.dropout = Dropout(config.dropout)
        self.lstm = nn.LSTM(input_size, config.hidden_size, batch_first=True)
        self.projection = nn.Linear(config.hidden_size, config.vocab_size)

    @classmethod
    def check(cls, config: "WaeRnfConfig") -> None:
        check_channels("decoder_kwargs", config.decoder_kwargs.get("channels", CHANNELS))

    def position_features(self, z_prime: torch.Tensor, lengths: torch.Tensor, width: int) -> torch.Tensor:
        assert self.deconvolution is not None  # the configuration refuses auxiliary losses without latents
        return self.deconvolution(z_prime, lengths, width)

    def forward(self, embeddings: torch.Tensor, z_prime: torch.Tensor, lengths: torch.Tensor) -> torch.Tensor:
        inputs = self.dropout(embeddings)
        if self.deconvolution is not None:
            inputs = torch.cat([inputs, self.deconvolution(z_prime, lengths, embeddings.shape[1])], dim=-1)
        return run_lstm(self.lstm, inputs, lengths)

    def under_each(self, embeddings: torch.Tensor, z_prime: torch.Tensor, lengths: torch.Tensor) -> torch.Tensor:
        """A CPU's own LSTM has no forward derivative, which a metric takes."""
        plain = is_plain(self.lstm) and not self.training
        if embeddings.device.type != "cpu" or not plain or self.deconvolution is None:
            return super().under_each(embeddings, z_prime, lengths)
        shape = z_prime.shape[:2]
        features = self.deconvolution(
            z_prime.flatten(0, 1), lengths.repeat_interleave(shape[1]), embeddings.shape[1]
        ).unflatten(0, shape)
        zeros = z_prime.new_zeros(*shape, self.lstm.hidden_size)
        return run_shared(self.lstm, embeddings, [features], lengths, (zeros, zeros))

    def new_cache(self) -> RecurrentCache:
        return RecurrentCache()

    def extend(
        self, embeddings: torch.Tensor, z_prime: torch.Tensor, cache: RecurrentCache, mask: torch.Tensor
    ) -> torch.Tensor:
        # the LSTM's state, how many words there were, and the features of all positions, where there are latents
        hidden, cell, count, *features = self._begin(z_prime) if cache.state is None else cache.state
        if self.longest is not None:  # a beginning-of-sentence may stand before what the cache has counted
            refuse_longer(count + mask.sum(1), cache.get_seq_length() + mask.shape[1] + 1, self.longest)
        rows, outputs = torch.arange(len(count), device=count.device), []
        for words, kept in zip(self.dropout(embeddings).unbind(1), mask.unbind(1), strict=True):
            of_position = [values[rows, count.clamp_max(values.shape[1] - 1)] for values in features]
            after = step_lstm(self.lstm, torch.cat([words, *of_position], dim=-1), (hidden, cell))
            hidden, cell = (
                torch.where(kept.unsqueeze(1), new, old) for new, old in zip(after, (hidden, cell), strict=True)
            )
            count = count + kept
            outputs.append(hidden)
        cache.update(hidden, cell, count, *features)
        return torch.stack(outputs, dim=1)

    def _begin(self, z_prime: torch.Tensor) -> tuple[torch.Tensor, ...]:
        zeros = z_prime.new_zeros(len(z_prime), self.lstm.hidden_size)
        count = torch.zeros(len(z_prime), dtype=torch.long, device=z_prime.device)
        if self.deconvolution is None:
            return zeros, zeros, count
        every = torch.full_like(count, self.deconvolution.longest)
        with running_statistics(self):
            return zeros, zeros, count, self.deconvolution(z_prime, every, self.deconvolution.longest)
