"""The decoder: z' sets the state of an LSTM language model."""

import torch
import torch.nn.functional as F
from torch import nn

from .dropout import Dropout
from .linear_cross_entropy import linear_cross_entropy
from .padded_lstm import call_lstm, run_lstm
from .plain_module import is_plain

# Logits, padding's included, from which on projecting the padding costs a GPU more than its host's waiting.
WORTH_WAITING = 2**26


class Decoder(nn.Module):
    """(h0, c0) = tanh(affine(z')), then a one-layer LSTM and a projection on the vocabulary (paper 5.2).

    Without a latent code the first state is zero.
    """

    def __init__(self, config):
        super().__init__()
        self.latents_at_every_step = config.latents_at_every_step
        input_size = config.embedding_size + config.latent_size * config.latents_at_every_step
        self.initial_state = nn.Linear(config.latent_size, 2 * config.hidden_size) if config.latent_size else None
        self.dropout = Dropout(config.dropout)
        self.lstm = nn.LSTM(input_size, config.hidden_size, batch_first=True)
        self.projection = nn.Linear(config.hidden_size, config.vocab_size)

    def start(self, z_prime):
        """z' (batch, latent_size) -> the LSTM's first state, h0 and c0 of shape (batch, hidden_size)."""
        if self.initial_state is None:
            zeros = z_prime.new_zeros(z_prime.shape[0], self.lstm.hidden_size)  # `len` would fix it in an export
            return zeros, zeros
        hidden, cell = torch.tanh(self.initial_state(z_prime)).chunk(2, dim=-1)
        return hidden.contiguous(), cell.contiguous()

    def forward(self, embeddings, z_prime, lengths):
        """The state before each next word, whole sentences at once.

        Args:
            embeddings: (batch, length, embedding_size), of the words from beginning-of-sentence on.
            z_prime: (batch, latent_size).
            lengths: (batch,), how many of the words are no padding.

        Returns:
            (batch, length, hidden_size)
        """
        return run_lstm(self.lstm, self._inputs(embeddings, z_prime), lengths, self.start(z_prime))

    def step(self, embeddings, z_prime, state):
        """One word (batch, embedding_size) further: (batch, hidden_size) and the LSTM's new state."""
        inputs = self._inputs(embeddings.unsqueeze(1), z_prime)
        if is_plain(self.lstm):  # several times as fast for one word
            state = torch.lstm_cell(inputs.squeeze(1), state, *self.lstm.all_weights[0])
        else:
            _, state = call_lstm(self.lstm, inputs, tuple(values.unsqueeze(0) for values in state))
            state = tuple(values.squeeze(0) for values in state)
        return state[0], state

    def run(self, embeddings, z_prime, state, mask):
        """Word by word from a state, over words that the mask may leave out.

        Args:
            embeddings: (batch, length, embedding_size); mask: (batch, length), false for padding.
            state: h and c, each (batch, hidden_size).

        Returns:
            (batch, length, hidden_size), and the state after the last word.
        """
        outputs = []
        for position in range(embeddings.shape[1]):
            _, after = self.step(embeddings[:, position], z_prime, state)
            kept = mask[:, position, None]
            state = tuple(torch.where(kept, new, old) for new, old in zip(after, state, strict=True))
            outputs.append(state[0])
        return torch.stack(outputs, dim=1), state

    def _inputs(self, embeddings, z_prime):
        embeddings = self.dropout(embeddings)
        if not self.latents_at_every_step:
            return embeddings
        return torch.cat([embeddings, z_prime.unsqueeze(1).expand(-1, embeddings.shape[1], -1)], dim=-1)

    def logits(self, hidden):
        """The next word's scores: (..., hidden_size) -> (..., vocab_size)."""
        return self.projection(self.dropout(hidden))

    def nll(self, hidden, targets, scored):
        """-log p of each sentence, in nats: the sum over its tokens that are `scored`.

        A CPU projects those tokens alone. Picking them makes the host wait for a GPU, which therefore projects a
        small batch's padding too.

        Args:
            hidden: (batch, length, hidden_size).
            targets: (batch, length); scored: (batch, length), true for the tokens that count.

        Returns:
            (batch,)
        """
        num_logits = scored.numel() * self.projection.out_features
        if hidden.device.type == "cpu" or num_logits > WORTH_WAITING:
            return self._nll_of_scored(hidden, targets, scored)
        return self._nll_of_all(hidden, targets, scored)

    def _nll_of_scored(self, hidden, targets, scored):
        token_nll = self._token_nll(hidden[scored], targets[scored])
        sentence = torch.arange(len(scored), device=scored.device).repeat_interleave(scored.sum(-1))
        return token_nll.new_zeros(len(scored)).index_add(0, sentence, token_nll)

    def _nll_of_all(self, hidden, targets, scored):
        token_nll = self._token_nll(hidden.flatten(0, 1), targets.clamp_min(0).flatten())
        return (token_nll.view(scored.shape) * scored).sum(-1)

    def _token_nll(self, hidden, targets):
        if is_plain(self.projection):
            return linear_cross_entropy(self.dropout(hidden), self.projection.weight, self.projection.bias, targets)
        scores = self.logits(hidden)
        scores = scores.to(torch.promote_types(scores.dtype, torch.float32))
        return F.cross_entropy(scores, targets, reduction="none")
