"""Noise on the encoder's input, which makes an autoencoder a denoising one: tokens dropped, tokens moved.

The decoder still has to write the whole sentence. Sentences that differ by little then lie near each other in the
latent space (Shen et al. 2020, arXiv 1905.12777).
"""

import torch
import torch.nn.functional as F

from .alignment import Aligned


def drop_tokens(sentences: Aligned, rate: float) -> Aligned:
    """Sentences without some of their tokens, each of which is left out with probability `rate`.

    Beginning- and end-of-sentence stay. What stands at padding means nothing.

    Examples:
        >>> whole = Aligned(torch.tensor([[1, 5, 6, 2]]), torch.ones(1, 4, dtype=torch.bool))
        >>> left = drop_tokens(whole, 0.999999)
        >>> left.input_ids[left.mask]
        tensor([1, 2])
    """
    mask = sentences.mask
    dropped = _inner(mask) & torch.rand(mask.shape, device=mask.device).lt(rate)
    kept = mask & ~dropped
    order = (~kept).long().argsort(dim=1, stable=True)
    return Aligned(sentences.input_ids.gather(1, order), kept.gather(1, order))


def shuffle_tokens(sentences: Aligned, distance: int) -> Aligned:
    """Sentences whose tokens have each moved by at most `distance` places (Lample et al. 2018, arXiv 1711.00043).

    Position i gets the key i + U(0, distance + 1), and the tokens are put in the order of their keys. Beginning- and
    end-of-sentence stay.

    Examples:
        >>> whole = Aligned(torch.tensor([[1, 5, 6, 2]]), torch.ones(1, 4, dtype=torch.bool))
        >>> sorted(shuffle_tokens(whole, 1).input_ids[0].tolist())
        [1, 2, 5, 6]
    """
    mask = sentences.mask
    places = torch.arange(mask.shape[1], device=mask.device).float()
    moved = places + (distance + 1) * torch.rand(mask.shape, device=mask.device)
    after = torch.where(places > 0, places + distance + 1, 0.0)  # of the first token and of those after the last
    keys = torch.where(_inner(mask), moved, after)
    return Aligned(sentences.input_ids.gather(1, keys.argsort(dim=1, stable=True)), mask)


def _inner(mask: torch.Tensor) -> torch.Tensor:
    """True for the tokens between beginning- and end-of-sentence: (batch, width)."""
    inner = mask & F.pad(mask, (0, 1))[:, 1:]
    return inner & (torch.arange(mask.shape[1], device=mask.device) > 0)
