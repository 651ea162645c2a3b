"""The decoder's metric: how much p(x|z) changes along a step, the Fisher-Rao metric pulled back to z."""

import torch
from torch.func import jvp, vmap
from torch.nn.attention import SDPBackend, sdpa_kernel

from .riemannian_metric import Metric

SCORES_AT_ONCE = 2**25  # 256 MiB, some five times with what a gradient needs
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

    def __init__(self, flow, decoder, embedding, input_ids, mask):
        self.flow, self.decoder, self.embedding = flow, decoder, embedding
        self.input_ids, self.mask = input_ids, mask

    def points_at_once(self):
        scores = self.input_ids[0].numel() * self.decoder.projection.out_features
        return max(1, SCORES_AT_ONCE // scores)

    def of_pairs(self, pairs):
        return DecoderMetric(self.flow, self.decoder, self.embedding, self.input_ids[pairs], self.mask[pairs])

    def logits(self, z):
        """The scores of each next word: (pairs, points, d) -> (pairs, points, sentences, length - 1, vocab_size)."""
        shape = (*z.shape[:2], *self.input_ids.shape[1:])
        z_prime = self.flow(z)[0].unsqueeze(2).expand(*shape[:3], -1).flatten(0, 2)
        read, scored = (
            values.unsqueeze(1).expand(shape).flatten(0, 2)
            for values in (self.input_ids, self.mask)
        )  # fmt: skip
        states = self.decoder(self.embedding(read[:, :-1]), z_prime, scored[:, 1:].sum(-1))
        return self.decoder.logits(states).unflatten(0, shape[:3])

    def tensor(self, z):
        shape, z = z.shape, z.reshape(len(self.input_ids), -1, z.shape[-1])
        axes = torch.eye(z.shape[-1], dtype=z.dtype, device=z.device)
        # neither cuDNN's LSTM nor fused attention has a forward derivative
        with torch.backends.cudnn.flags(enabled=False), sdpa_kernel(SDPBackend.MATH):
            logits, slopes = vmap(lambda axis: jvp(self.logits, (z,), (axis.expand_as(z),)), out_dims=(None, 0))(axes)
        scored = self.mask[:, None, :, 1:, None]
        weights = logits.softmax(-1) * scored
        centred = slopes - (weights * slopes).sum(-1, keepdim=True)  # (d, pairs, points, sentences, length - 1, words)
        products = torch.einsum("ibpslv,bpslv,jbpslv->bpij", centred, weights, centred)
        return (products / self.input_ids.shape[1]).view(*shape, -1)

    def squared_lengths(self, points):
        """As for every metric; points (pairs, steps, d)."""
        log_probs = self.logits(points).log_softmax(-1)
        divergence = (log_probs.exp().diff(dim=1) * log_probs.diff(dim=1)).sum(-1)
        return (divergence * self.mask[:, None, :, 1:]).sum(-1).mean(-1)


@torch.no_grad()
def draw_sentences(flow, decoder, embedding, config, z, number):
    """Sentences of p(x|z), a number for each z, every one of them drawn with the same noise for all z.

    A sentence thus depends on its z and its number alone, and on no other row.

    Args:
        flow, decoder, embedding: a model's, in z's precision.
        config: its [`WaeRnfConfig`]; a sentence breaks off after `max_words`.
        z: (rows, d).

    Returns:
        input_ids and mask, (rows, number, length), end-of-sentence included.
    """
    longest = config.max_words + 2  # with its two marks
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
