"""The decoder: z' sets the state of an LSTM language model."""

import torch
import torch.nn.functional as F
from torch import nn

# Logits of one chunk, in elements: small enough for a processor's cache, large enough for full matrix speed.
CHUNK = 2**22


class Decoder(nn.Module):
    """(h0, c0) = tanh(affine(z')), then a one-layer LSTM and a projection on the vocabulary (paper 5.2)."""

    def __init__(self, config):
        super().__init__()
        self.latents_at_every_step = config.latents_at_every_step
        input_size = config.embedding_size + config.latent_size * config.latents_at_every_step
        self.initial_state = nn.Linear(config.latent_size, 2 * config.hidden_size)
        self.dropout = nn.Dropout(config.dropout)
        self.lstm = nn.LSTM(input_size, config.hidden_size, batch_first=True)
        self.projection = nn.Linear(config.hidden_size, config.vocab_size)

    def start(self, z_prime):
        """z' (batch, latent_size) -> the LSTM's first state, h0 and c0 of shape (1, batch, hidden_size)."""
        hidden, cell = torch.tanh(self.initial_state(z_prime)).unsqueeze(0).chunk(2, dim=-1)
        return hidden.contiguous(), cell.contiguous()

    def forward(self, embeddings, z_prime, state=None):
        """Embedded words (batch, length, embedding_size) -> (batch, length, hidden_size) and the last state."""
        embeddings = self.dropout(embeddings)
        if self.latents_at_every_step:
            z_prime_at_steps = z_prime.unsqueeze(1).expand(-1, embeddings.shape[1], -1)
            embeddings = torch.cat([embeddings, z_prime_at_steps], dim=-1)
        hidden, state = self.lstm(embeddings, self.start(z_prime) if state is None else state)
        return self.dropout(hidden), state

    def token_nll(self, hidden, targets):
        """-log p(target) of each token, in nats: hidden (tokens, hidden_size), targets (tokens,) -> (tokens,)."""
        size = max(1, CHUNK // self.projection.out_features)
        chunks = zip(hidden.split(size), targets.split(size), strict=True)
        return torch.cat([self._chunk_nll(*chunk) for chunk in chunks])

    def _chunk_nll(self, hidden, targets):
        logits = self.projection(hidden)
        precision = torch.promote_types(logits.dtype, torch.float32)
        return F.cross_entropy(logits.to(precision), targets, reduction="none")
