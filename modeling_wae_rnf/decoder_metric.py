"""The decoder's metric: how much p(x|z) changes along a step, the Fisher-Rao metric pulled back to z."""

import copy
from typing import Any, cast

import torch
from torch import Tensor, nn
from torch.func import jvp, vmap
from torch.nn.attention import SDPBackend, sdpa_kernel

from .decoder import Decoder
from .jeffreys import neighbour_divergences
from .plain_module import is_plain
from .riemannian_metric import Metric

TOKENS_AT_ONCE = 2**16  # some 400 MiB with what a gradient of the decoder's states needs
SLOPES_AT_ONCE = 2**20  # scores' derivatives of a chunk, in a CPU's cache
SEED = 0  # of the noise that sentences are drawn with


class DecoderMetric(Metric):
    """G(z) = E_{x ~ p(.|z)} Σ_t J_tᵀ (diag π_t - π_t π_tᵀ) J_t, J_t = d logits_t / dz, π_t = p(. | x_<t, z).

    That is the Fisher information of z in a sentence (Arvanitidis et al. 2022, arXiv 2106.05367). Here the mean runs
    over given sentences, which are the same all along a curve, so that its energy is a function of the curve alone.
    The squared length of a segment is Jeffreys' divergence, the mean over those sentences of
    Σ_t KL(π_t || ρ_t) + KL(ρ_t || π_t), π and ρ at its two ends: no d × d matrix is needed. It is the same in both
    directions and falls short of the metric by O(Δ⁴); one KL alone, doubled, does by O(Δ³), and its energies
    would converge at first order in the number of points.

    Where the decoder is saturated, far out, G vanishes.

    Args:
        flow, decoder, embedding: a model's, in z's precision.
        input_ids: (pairs, sentences, length), from beginning- to end-of-sentence, padded on the right.
        mask: of that shape, true for tokens.
    """

    tolerance = 2e-3  # its valleys are long and flat, and a length moves by half as much

    def __init__(
        self, flow: nn.Module, decoder: Decoder, embedding: nn.Module, input_ids: Tensor, mask: Tensor
    ) -> None:
        self.flow, self.decoder, self.embedding = flow, decoder, embedding
        self.input_ids, self.mask = input_ids, mask

    def points_at_once(self) -> int:
        return max(1, TOKENS_AT_ONCE // self.input_ids[0].numel())

    def of_pairs(self, pairs: Tensor) -> "DecoderMetric":
        return DecoderMetric(self.flow, self.decoder, self.embedding, self.input_ids[pairs], self.mask[pairs])

    def for_search(self) -> "DecoderMetric":
        """In single precision, where the decoder's LSTM has a forward derivative in it."""
        if not all(is_plain(part) for part in self.decoder.modules() if isinstance(part, torch.nn.LSTM)):
            return self
        flow, decoder, embedding = (copy.deepcopy(part).float() for part in (self.flow, self.decoder, self.embedding))
        return DecoderMetric(flow, cast(Decoder, decoder), embedding, self.input_ids, self.mask)

    def states(self, z: Tensor) -> Tensor:
        """The decoder's: (pairs, points, d) -> (pairs, points, sentences, length - 1, hidden_size)."""
        z_prime = self.flow(z.to(self.decoder.projection.weight.dtype))[0]
        pairs, sentences = self.input_ids.shape[:2]
        words, lengths = self.embedding(self.input_ids[..., :-1]).flatten(0, 1), self.mask[..., 1:].sum(-1).flatten()
        states = self.decoder.under_each(words, z_prime.repeat_interleave(sentences, dim=0), lengths)
        return states.unflatten(0, (pairs, sentences)).transpose(1, 2)

    def logits(self, z: Tensor) -> Tensor:
        """The scores of each next word: (pairs, points, d) -> (pairs, points, sentences, length - 1, vocab_size)."""
        return self.decoder.logits(self.states(z))

    def of_tokens(self, values: Tensor) -> Tensor:
        """The values (pairs, points, sentences, length - 1, size) of the words that count: (words, points, size)."""
        return values.permute(0, 2, 3, 1, 4)[self.mask[:, :, 1:]]

    def sums(self, values: Tensor) -> Tensor:
        """The means over a pair's sentences of the sums over their words: (words, …) -> (pairs, …)."""
        scored = self.mask[:, :, 1:]
        pairs = torch.arange(len(scored), device=scored.device).view(-1, 1, 1).expand_as(scored)[scored]
        return values.new_zeros(len(scored), *values.shape[1:]).index_add(0, pairs, values) / scored.shape[1]

    def tensor(self, z: Tensor) -> Tensor:
        shape, z = z.shape, z.reshape(len(self.input_ids), -1, z.shape[-1])
        axes = torch.eye(z.shape[-1], dtype=z.dtype, device=z.device)
        # neither cuDNN's LSTM nor fused attention has a forward derivative
        with torch.backends.cudnn.flags(enabled=False), sdpa_kernel(SDPBackend.MATH):
            states, slopes = vmap(
                lambda axis: jvp(self.states, (z,), (axis.expand_as(z),)), out_dims=(None, -1)  # type: ignore[arg-type]  # as its documentation has it
            )(axes)  # fmt: skip
        states, slopes = self.of_tokens(states), self.of_tokens(slopes.flatten(-2)).unflatten(-1, slopes.shape[-2:])
        return self.sums(fisher(states, slopes, self.decoder)).to(z.dtype).view(*shape, -1)

    def rough(self) -> "DecoderMetric":
        """Over two of the sentences, which are one of each end where half of them are of either."""
        few = slice(None, None, max(1, self.input_ids.shape[1] // 2))
        parts = self.flow, self.decoder, self.embedding
        return DecoderMetric(*parts, self.input_ids[:, few], self.mask[:, few])

    def squared_lengths(self, points: Tensor) -> Tensor:
        """As for every metric; points (pairs, steps, d)."""
        states = self.of_tokens(self.states(points))
        vocab_size = self.decoder.projection.out_features
        return self.sums(neighbour_divergences(states, self.decoder.logits, vocab_size)).to(points.dtype)


def fisher(states: Tensor, slopes: Tensor, decoder: Decoder) -> Tensor:
    """Jᵀ (diag π - π πᵀ) J of each word's scores, J = d logits / dz.

    Args:
        states: (words, points, hidden_size); slopes: (words, points, hidden_size, d), their derivatives.
        decoder: whose `logits` are linear in the states.

    Returns:
        (words, points, d, d)
    """
    shape, vocab_size = slopes.shape, decoder.projection.out_features
    states, slopes = states.flatten(0, 1), slopes.flatten(0, 1).mT  # (rows, d, hidden_size)
    found = slopes.new_empty(len(slopes), shape[-1], shape[-1])
    rows = max(1, SLOPES_AT_ONCE // shape[-1] // vocab_size)
    origin = decoder.logits(torch.zeros_like(states[:1]))
    for start in range(0, len(states), rows):
        chunk = slice(start, start + rows)
        probs = decoder.logits(states[chunk]).softmax(-1).unsqueeze(1)
        centred = decoder.logits(slopes[chunk]) - origin  # (rows, d, vocab_size)
        centred -= (centred * probs).sum(-1, keepdim=True)
        centred *= probs.sqrt()
        found[chunk] = centred @ centred.mT
    return found.view(*shape[:2], shape[-1], shape[-1])


@torch.no_grad()
def draw_sentences(
    flow: nn.Module,
    decoder: Decoder,
    embedding: nn.Module,
    config: Any,
    z: Tensor,
    number: int,
    max_words: int | None = None,
) -> tuple[Tensor, Tensor]:
    """Sentences of p(x|z), a number for each z, every one of them drawn with the same noise for all z.

    A sentence thus depends on its z and its number alone, and on no other row.

    Args:
        flow, decoder, embedding: a model's, in z's precision.
        config: its [`WaeRnfConfig`].
        z: (rows, d).
        number: of sentences, at each z.
        max_words: after which a sentence breaks off; the configuration's by default.

    Returns:
        input_ids and mask, (rows, number, length), end-of-sentence included.
    """
    longest = (max_words or config.max_words) + 2  # with its two marks
    noise = torch.rand(number, longest, generator=torch.Generator().manual_seed(SEED), dtype=torch.float64).to(z)
    z_prime = flow(z)[0].repeat_interleave(number, dim=0)
    cache, last = decoder.new_cache(), torch.full((len(z_prime),), config.bos_token_id, device=z.device)
    ids, going = [last], [torch.ones_like(last, dtype=torch.bool)]
    while len(ids) < longest and going[-1].any():
        states = decoder.extend(embedding(last).unsqueeze(1), z_prime, cache, torch.ones_like(last[:, None]).bool())
        cache.count(1)
        below = decoder.logits(states[:, -1]).softmax(-1).cumsum(-1)  # (rows, vocab_size)
        goal = noise[:, len(ids)].repeat(len(z)).unsqueeze(-1) * below[:, -1:]
        word = torch.searchsorted(below, goal, right=True).squeeze(-1).clamp_max(below.shape[-1] - 1)
        going.append(going[-1] & last.ne(config.eos_token_id))
        last = word.where(going[-1], torch.full_like(word, config.pad_token_id or 0))
        ids.append(last)
    return torch.stack(ids, -1).unflatten(0, (-1, number)), torch.stack(going, -1).unflatten(0, (-1, number))


def endless(input_ids: Tensor, mask: Tensor, config: Any) -> Tensor:
    """Which drawn sentences (rows, number, length) break off before their end: (rows, number)."""
    return ~(input_ids.eq(config.eos_token_id) & mask).any(-1)
