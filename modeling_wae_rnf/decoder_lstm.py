"""The LSTM decoder: z' sets the state of a language model."""

from typing import TYPE_CHECKING

import torch
from torch import nn

from .decoder import Decoder
from .dropout import Dropout
from .padded_lstm import run_lstm, run_shared, step_lstm
from .plain_module import is_plain
from .recurrent_cache import RecurrentCache

if TYPE_CHECKING:
    from .configuration_wae_rnf import WaeRnfConfig


class LSTMDecoder(Decoder[RecurrentCache]):
    """(h0, c0) = tanh(affine(z')), then a one-layer LSTM and a projection on the vocabulary (paper 5.2).

    Without latents the first state is zero.
    """

    def __init__(self, config: "WaeRnfConfig") -> None:
        super().__init__()
        self.latents_at_every_step = config.latents_at_every_step
        input_size = config.embedding_size
        if self.latents_at_every_step:
            input_size += config.latent_size
        self.initial_state = nn.Linear(config.latent_size, 2 * config.hidden_size) if config.has_latents else None
        self.dropout = Dropout(config.dropout)
        self.lstm = nn.LSTM(input_size, config.hidden_size, batch_first=True)
        self.projection = nn.Linear(config.hidden_size, config.vocab_size)

    def start(self, z_prime: torch.Tensor) -> tuple[torch.Tensor, ...]:
        """z' (batch, latent_size) -> the LSTM's first state, h0 and c0 of shape (batch, hidden_size)."""
        if self.initial_state is None:
            zeros = z_prime.new_zeros(z_prime.shape[0], self.lstm.hidden_size)  # `len` would fix it in an export
            return zeros, zeros
        hidden, cell = torch.tanh(self.initial_state(z_prime)).chunk(2, dim=-1)
        return hidden.contiguous(), cell.contiguous()

    def forward(self, embeddings: torch.Tensor, z_prime: torch.Tensor, lengths: torch.Tensor) -> torch.Tensor:
        return run_lstm(self.lstm, self._inputs(embeddings, z_prime), lengths, self.start(z_prime))

    def under_each(self, embeddings: torch.Tensor, z_prime: torch.Tensor, lengths: torch.Tensor) -> torch.Tensor:
        """What the words give to the LSTM's input is computed once for all z', and what z' gives once for all words.

        A CPU's own LSTM would compute gradients of its weights too. Rows that have ended are left out.
        """
        if embeddings.device.type != "cpu" or not is_plain(self.lstm) or self.dropout.training:
            return super().under_each(embeddings, z_prime, lengths)
        inputs = [z_prime.unsqueeze(2)] if self.latents_at_every_step else []
        hidden, cell = (values.unflatten(0, z_prime.shape[:2]) for values in self.start(z_prime.flatten(0, 1)))
        return run_shared(self.lstm, embeddings, inputs, lengths, (hidden, cell))

    def step(
        self, embeddings: torch.Tensor, z_prime: torch.Tensor, state: tuple[torch.Tensor, ...]
    ) -> tuple[torch.Tensor, tuple[torch.Tensor, ...]]:
        """One word (batch, embedding_size) further: (batch, hidden_size) and the LSTM's new state."""
        inputs = self._inputs(embeddings.unsqueeze(1), z_prime).squeeze(1)
        state = step_lstm(self.lstm, inputs, state)
        return state[0], state

    def new_cache(self) -> RecurrentCache:
        return RecurrentCache()

    def extend(
        self, embeddings: torch.Tensor, z_prime: torch.Tensor, cache: RecurrentCache, mask: torch.Tensor
    ) -> torch.Tensor:
        state = self.start(z_prime) if cache.state is None else cache.state
        outputs = []
        for position in range(embeddings.shape[1]):
            _, after = self.step(embeddings[:, position], z_prime, state)
            kept = mask[:, position, None]
            state = tuple(torch.where(kept, new, old) for new, old in zip(after, state, strict=True))
            outputs.append(state[0])
        cache.update(*state)
        return torch.stack(outputs, dim=1)

    def _inputs(self, embeddings: torch.Tensor, z_prime: torch.Tensor) -> torch.Tensor:
        embeddings = self.dropout(embeddings)
        if not self.latents_at_every_step:
            return embeddings
        return torch.cat([embeddings, z_prime.unsqueeze(1).expand(-1, embeddings.shape[1], -1)], dim=-1)
