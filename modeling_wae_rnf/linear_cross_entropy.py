"""The projection on the vocabulary and its cross entropy as one operation, that never holds all the logits.

torch has `F.linear_cross_entropy` since 2.13. This one runs with older versions too, gives the loss of each token with
the gradient formed in the forward pass, where torch's computes the logits again, and is quicker on CPUs
(benchmarks/README.md, "What was tried").
"""

from typing import Any

import torch
import torch.nn.functional as F
from torch import nn
from torch.autograd import Function

from .plain_module import is_plain

# Logits of one chunk: 32 MB in single precision, about a CPU's last cache, and enough for full matrix speed.
CHUNK = 2**23
# Logits that a GPU keeps whole, 1 GB in single precision: one kernel for all of them beats many for parts.
WHOLE_ON_GPU = 2**28


def linear_cross_entropy(
    hidden: torch.Tensor, weight: torch.Tensor, bias: torch.Tensor, targets: torch.Tensor
) -> torch.Tensor:
    """-log softmax(hidden Wᵀ + b)[target] of each token, in nats.

    On a CPU passes over all the logits wait for memory, so the gradient is formed where a chunk of them is
    still in the cache: in the forward pass. It is that of the sum over the tokens,
    and any constant times it, as a mean asks for, is only a scaling of it; a gradient whose weights differ between
    tokens is computed anew, right but slower. A GPU has no such cache: up to `WHOLE_ON_GPU` logits it keeps them all,
    as `torch.nn.functional.cross_entropy` does, and beyond that it forms chunks again in the backward pass, since
    asking for the tokens' weights would make the host wait. With `create_graph=True` the gradient is that of
    `torch.nn.functional.cross_entropy`, which has derivatives of its own.

    Args:
        hidden: (tokens, hidden_size).
        weight: W, (vocab_size, hidden_size).
        bias: b, (vocab_size,).
        targets: (tokens,).

    Returns:
        (tokens,), at least in single precision. Memory is that of one chunk of logits and of W's gradient.

    Examples:
        >>> linear_cross_entropy(torch.zeros(2, 3), torch.zeros(8, 3), torch.zeros(8), torch.tensor([1, 5]))
        tensor([2.0794, 2.0794])
    """
    device = hidden.device.type
    if torch.amp.is_autocast_available(device) and torch.is_autocast_enabled(device):
        dtype = torch.get_autocast_dtype(device)
        hidden, weight, bias = hidden.to(dtype), weight.to(dtype), bias.to(dtype)
    if device != "cpu" and len(hidden) * len(weight) <= WHOLE_ON_GPU:
        return _whole(hidden, weight, bias, targets)
    if torch.is_grad_enabled():
        return _LinearCrossEntropy.apply(hidden, weight, bias, targets)
    return _by_chunks(hidden, weight, bias, targets)


def projected_nll(
    projection: nn.Module, hidden: torch.Tensor, targets: torch.Tensor, fused: bool = True
) -> torch.Tensor:
    """`linear_cross_entropy` of a projection that may be more than a linear layer, as an adapter is.

    Args:
        projection: a module, (tokens, hidden_size) -> (tokens, vocab_size).
        hidden: (tokens, hidden_size).
        targets: (tokens,).
        fused: False for the operations apart, whose gradient of second order is faster.

    Returns:
        (tokens,), nats.
    """
    if fused and isinstance(projection, nn.Linear) and is_plain(projection):
        return linear_cross_entropy(hidden, projection.weight, projection.bias, targets)
    return _nll_of_scores(projection(hidden), targets)


def _whole(hidden: torch.Tensor, weight: torch.Tensor, bias: torch.Tensor, targets: torch.Tensor) -> torch.Tensor:
    return _nll_of_scores(F.linear(hidden, weight, bias), targets)


def _nll_of_scores(scores: torch.Tensor, targets: torch.Tensor) -> torch.Tensor:
    return F.cross_entropy(scores.to(torch.promote_types(scores.dtype, torch.float32)), targets, reduction="none")


class _LinearCrossEntropy(Function):
    @staticmethod
    def forward(
        ctx: Any, hidden: torch.Tensor, weight: torch.Tensor, bias: torch.Tensor, targets: torch.Tensor
    ) -> torch.Tensor:
        ctx.at_once = hidden.device.type == "cpu"
        gradients = _zero_gradients(ctx, hidden, weight, bias) if ctx.at_once else ()
        nll = _by_chunks(hidden, weight, bias, targets, gradients)
        ctx.save_for_backward(*gradients, hidden, weight, bias, targets)
        return nll

    @staticmethod
    def backward(ctx: Any, token_weights: torch.Tensor) -> tuple[torch.Tensor | None, ...]:
        *gradients, hidden, weight, bias, targets = ctx.saved_tensors
        if torch.is_grad_enabled():
            return *_differentiable_gradients(ctx, hidden, weight, bias, targets, token_weights), None
        if ctx.at_once and len(token_weights) and bool((token_weights == token_weights[0]).all()):
            scale = token_weights[0].to(hidden.dtype)
            return *(None if gradient is None else scale * gradient for gradient in gradients), None
        gradients = _zero_gradients(ctx, hidden, weight, bias)
        _by_chunks(hidden, weight, bias, targets, gradients, token_weights)
        return *gradients, None


def _differentiable_gradients(
    ctx: Any,
    hidden: torch.Tensor,
    weight: torch.Tensor,
    bias: torch.Tensor,
    targets: torch.Tensor,
    token_weights: torch.Tensor,
) -> tuple[torch.Tensor | None, ...]:
    """The gradients as functions of what they depend on, for derivatives of higher order."""
    nll = _whole(hidden, weight, bias, targets)
    tensors = (hidden, weight, bias)
    needed = [tensor for tensor, need in zip(tensors, ctx.needs_input_grad, strict=False) if need]
    found = iter(torch.autograd.grad(nll, needed, token_weights, create_graph=True))
    return tuple(next(found) if need else None for need in ctx.needs_input_grad[: len(tensors)])


def _zero_gradients(ctx: Any, *tensors: torch.Tensor) -> tuple[torch.Tensor | None, ...]:
    """A zero for each tensor whose gradient is needed, None for the others."""
    needed = zip(tensors, ctx.needs_input_grad, strict=False)
    return tuple(torch.zeros_like(tensor) if need else None for tensor, need in needed)


def _by_chunks(
    hidden: torch.Tensor,
    weight: torch.Tensor,
    bias: torch.Tensor,
    targets: torch.Tensor,
    gradients: tuple[torch.Tensor | None, ...] = (),
    token_weights: torch.Tensor | None = None,
) -> torch.Tensor:
    """The cross entropies; `gradients` of their weighted sum are filled in if given."""
    precision = torch.promote_types(hidden.dtype, torch.float32)
    nll = hidden.new_empty(len(hidden), dtype=precision)
    size = max(1, CHUNK // len(weight))
    buffer = hidden.new_empty(min(size, len(hidden)), len(weight))
    for start in range(0, len(hidden), size):
        rows = slice(start, start + size)
        part, target = hidden[rows], targets[rows].unsqueeze(1)
        scores = torch.addmm(bias, part, weight.t(), out=buffer[: len(part)]).to(precision)
        largest, target_score = scores.amax(1, keepdim=True), scores.gather(1, target)
        softmax = torch.softmax(scores, 1, out=scores)
        # the normalizer, from the likeliest word: its probability is no rounding error, the target's may be
        log_normalizer = largest - softmax.amax(1, keepdim=True).log()
        nll[rows] = (log_normalizer - target_score).squeeze(1)
        if gradients:
            softmax.scatter_add_(1, target, torch.full_like(target_score, -1))
            if token_weights is not None:
                softmax *= token_weights[rows].unsqueeze(1)
            _add_gradients(gradients, rows, part, weight, softmax.to(hidden.dtype))
    return nll


def _add_gradients(
    gradients: tuple[torch.Tensor | None, ...],
    rows: slice,
    part: torch.Tensor,
    weight: torch.Tensor,
    score_gradient: torch.Tensor,
) -> None:
    hidden_gradient, weight_gradient, bias_gradient = gradients
    if hidden_gradient is not None:
        torch.mm(score_gradient, weight, out=hidden_gradient[rows])
    if weight_gradient is not None:
        weight_gradient.addmm_(score_gradient.t(), part)
    if bias_gradient is not None:
        bias_gradient += score_gradient.sum(0)
