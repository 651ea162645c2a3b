"""What every decoder has in common: the projection on the vocabulary, and the loss."""

from typing import Generic, TypeVar

import torch
from torch import nn

from .linear_cross_entropy import projected_nll
from .part import Part
from .recurrent_cache import DecoderCache

# Logits, padding's included, from which on projecting the padding costs a GPU more than its host's waiting.
WORTH_WAITING = 2**26


CacheT = TypeVar("CacheT", bound=DecoderCache)


class Decoder(Part, nn.Module, Generic[CacheT]):
    """The contract: from words and z' to a state after each word, (batch, length, hidden_size).

    Whole sentences go through `forward`; word by word they go through `extend`, which remembers in a cache of the
    decoder's own kind. Nobody else looks into one.

    Attributes:
        dropout: of the states, before the projection.
        projection: a linear layer, hidden_size -> vocab_size.
        latents_at_every_step: whether `extend` needs z' where the cache has seen words already.
        longest: how many words it can read, beginning-of-sentence included; None where there is no limit.
        has_position_features: whether it has `position_features`.
        batch_normalized: whether a sentence's states depend on the others of its batch while training.
    """

    dropout: nn.Module
    projection: nn.Linear
    latents_at_every_step = True
    longest: int | None = None
    has_position_features = False
    batch_normalized = False

    def forward(self, embeddings: torch.Tensor, z_prime: torch.Tensor, lengths: torch.Tensor) -> torch.Tensor:
        """The state before each next word, whole sentences at once.

        Args:
            embeddings: (batch, length, embedding_size), of the words from beginning-of-sentence on.
            z_prime: (batch, latent_size).
            lengths: (batch,), how many of the words are no padding; the padding is on the right.

        Returns:
            (batch, length, hidden_size); what stands at padding means nothing.
        """
        raise NotImplementedError

    def position_features(self, z_prime: torch.Tensor, lengths: torch.Tensor, width: int) -> torch.Tensor:
        """What z' alone says of each next word, for an auxiliary loss to ask; see `has_position_features`.

        Args:
            z_prime: (batch, latent_size).
            lengths: (batch,), as for `forward`.
            width: that no length exceeds.

        Returns:
            (batch, width, embedding_size), zero from each length on.
        """
        raise NotImplementedError

    def under_each(self, embeddings: torch.Tensor, z_prime: torch.Tensor, lengths: torch.Tensor) -> torch.Tensor:
        """The states of `forward` for the same words under several z'.

        Args:
            embeddings: (batch, length, embedding_size).
            z_prime: (batch, points, latent_size).
            lengths: (batch,).

        Returns:
            (batch, points, length, hidden_size)
        """
        points = z_prime.shape[1]
        embeddings, lengths = (values.repeat_interleave(points, dim=0) for values in (embeddings, lengths))
        return self(embeddings, z_prime.flatten(0, 1), lengths).unflatten(0, (-1, points))

    def new_cache(self) -> CacheT:
        """A cache that has seen no word: its `get_seq_length` is what `count` has added up.

        Whoever calls `extend` counts the words; [`RecurrentCache`] is such a cache for states that do not grow.
        """
        raise NotImplementedError

    def extend(
        self, embeddings: torch.Tensor, z_prime: torch.Tensor, cache: CacheT, mask: torch.Tensor
    ) -> torch.Tensor:
        """The states after the words that follow those that the cache has seen; the cache takes them in.

        Args:
            embeddings: (batch, length, embedding_size).
            z_prime: (batch, latent_size).
            cache: of `new_cache`.
            mask: (batch, length), false for padding, on whichever side: the row stays as it was before.

        Returns:
            (batch, length, hidden_size); at padding the state of the word before, or anything where there is none.
        """
        raise NotImplementedError

    def logits(self, states: torch.Tensor) -> torch.Tensor:
        """The next word's scores: (..., hidden_size) -> (..., vocab_size)."""
        return self.projection(self.dropout(states))

    def nll(
        self, states: torch.Tensor, targets: torch.Tensor, scored: torch.Tensor, fused: bool = True
    ) -> torch.Tensor:
        """-log p of each sentence, in nats: the sum over its tokens that are `scored`.

        A CPU projects those tokens alone. Picking them makes the host wait for a GPU, which therefore projects a
        small batch's padding too.

        Args:
            states: (batch, length, hidden_size).
            targets: (batch, length); scored: (batch, length), true for the tokens that count.
            fused: projection and cross entropy as one operation, see `linear_cross_entropy`; apart, a gradient of
                second order is twice as fast, and takes the memory of all the logits.

        Returns:
            (batch,)
        """
        num_logits = scored.numel() * len(self.projection.weight)  # an adapter in its place has that
        if states.device.type == "cpu" or num_logits > WORTH_WAITING:
            return self._nll_of_scored(states, targets, scored, fused)
        return self._nll_of_all(states, targets, scored, fused)

    def token_nll(self, states: torch.Tensor, targets: torch.Tensor, scored: torch.Tensor) -> torch.Tensor:
        """-log p of each token, in nats: (batch, length), zero where it is not `scored`; arguments as for `nll`."""
        token_nll = self._token_nll(states[scored], targets[scored])
        return token_nll.new_zeros(scored.shape).masked_scatter(scored, token_nll)

    def _nll_of_scored(
        self, states: torch.Tensor, targets: torch.Tensor, scored: torch.Tensor, fused: bool = True
    ) -> torch.Tensor:
        token_nll = self._token_nll(states[scored], targets[scored], fused)
        sentence = torch.arange(len(scored), device=scored.device).repeat_interleave(scored.sum(-1))
        return token_nll.new_zeros(len(scored)).index_add(0, sentence, token_nll)

    def _nll_of_all(
        self, states: torch.Tensor, targets: torch.Tensor, scored: torch.Tensor, fused: bool = True
    ) -> torch.Tensor:
        token_nll = self._token_nll(states.flatten(0, 1), targets.clamp_min(0).flatten(), fused)
        return (token_nll.view(scored.shape) * scored).sum(-1)

    def _token_nll(self, states: torch.Tensor, targets: torch.Tensor, fused: bool = True) -> torch.Tensor:
        return projected_nll(self.projection, self.dropout(states), targets, fused)
