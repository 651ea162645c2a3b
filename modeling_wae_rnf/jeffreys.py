"""Jeffreys' divergence of neighbouring distributions over words, with the gradient formed where it is computed."""

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor
from torch.autograd import Function
from torch.autograd.function import once_differentiable

SCORES_AT_ONCE = 2**18  # 1 MiB in single precision: what is made of them stays in a CPU's cache


def neighbour_divergences(states: Tensor, logits_of: Callable[[Tensor], Tensor], vocab_size: int) -> Tensor:
    """Σ_w (π_i+1 - π_i)(s_i+1 - s_i), π_i = softmax(s_i), which is KL(π_i || π_i+1) + KL(π_i+1 || π_i).

    The scores s are many more numbers than the states, so few of them are held at a time, and the gradient is formed
    in the forward pass, as that of the sum. Where the divergences of a row turn out to have different weights it is
    computed anew. It has no derivative of its own.

    Args:
        states: (rows, points, hidden_size).
        logits_of: the decoder's, (..., hidden_size) -> (..., vocab_size), each position for itself.
        vocab_size: of the scores.

    Returns:
        (rows, points - 1)

    Example:
        >>> scores = torch.tensor([[[0.0, 0.0], [0.0, 1.0]]], dtype=torch.float64)  # (0.731 - 0.5) (1 - 0)
        >>> neighbour_divergences(scores, torch.nn.Identity(), vocab_size=2)
        tensor([[0.2311]], dtype=torch.float64)
    """
    return _NeighbourDivergences.apply(states, logits_of, vocab_size)


class _NeighbourDivergences(Function):
    @staticmethod
    def forward(ctx: Any, states: Tensor, logits_of: Callable[[Tensor], Tensor], vocab_size: int) -> Tensor:
        ctx.how = logits_of, vocab_size
        values, gradient = _by_chunks(states, *ctx.how, with_gradient=ctx.needs_input_grad[0])
        ctx.save_for_backward(states, gradient)
        return values

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, weights: Tensor) -> tuple[Tensor, None, None]:
        states, gradient = ctx.saved_tensors
        if not bool((weights == weights[:, :1]).all()):
            _, gradient = _by_chunks(states, *ctx.how, weights=weights)
            return gradient, None, None
        return weights[:, :1, None] * gradient, None, None


def _by_chunks(
    states: Tensor,
    logits_of: Callable[[Tensor], Tensor],
    vocab_size: int,
    with_gradient: bool = True,
    weights: Tensor | None = None,
) -> tuple[Tensor, Any]:
    """The divergences, and the gradient of their weighted sum, None where it is not asked for."""
    values = states.new_empty(len(states), states.shape[1] - 1)
    gradient: Any = torch.empty_like(states) if with_gradient else None
    rows = max(1, SCORES_AT_ONCE // (states.shape[1] * vocab_size))
    for start in range(0, len(states), rows):
        chunk = slice(start, start + rows)
        part = states[chunk].detach().requires_grad_(with_gradient)
        with torch.set_grad_enabled(with_gradient):
            scores = logits_of(part)
        probs = scores.detach().softmax(-1)
        score_steps, prob_steps = scores.detach().diff(dim=1), probs.diff(dim=1)
        values[chunk] = (score_steps * prob_steps).sum(-1)
        if with_gradient:
            share = None if weights is None else weights[chunk, :, None]
            (gradient[chunk],) = torch.autograd.grad(scores, part, _of_scores(probs, score_steps, prob_steps, share))
    return values, gradient


def _of_scores(probs: Tensor, score_steps: Tensor, prob_steps: Tensor, weights: Tensor | None) -> Tensor:
    """The gradient in the scores: c_i + π_i (a_i - π_iᵀ a_i), a and c the sums of the steps that lead to point i."""
    if weights is not None:
        score_steps, prob_steps = weights * score_steps, weights * prob_steps
    gradient = torch.empty_like(probs)
    torch.sub(score_steps[:, :-1], score_steps[:, 1:], out=gradient[:, 1:-1])
    torch.neg(score_steps[:, 0], out=gradient[:, 0])
    gradient[:, -1] = score_steps[:, -1]
    gradient -= (gradient * probs).sum(-1, keepdim=True)
    gradient *= probs
    gradient[:, 1:] += prob_steps
    gradient[:, :-1] -= prob_steps
    return gradient
