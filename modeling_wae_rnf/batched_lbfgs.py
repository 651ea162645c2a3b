"""L-BFGS for many small problems at once: each row has a step, a history and an end of its own."""

from collections.abc import Callable
from typing import NamedTuple

import torch
from torch import Tensor

HISTORY = 30
TRIALS = 40  # steps that a line search tries
DECREASE, CURVATURE = 1e-4, 0.9  # of the weak Wolfe conditions
STEADY, WINDOW = 1e-9, 10  # a value that falls no more
Function = Callable[[Tensor, Tensor], tuple[Tensor, Tensor, Tensor]]
Precondition = Callable[[Tensor, Tensor, Tensor], Tensor]
ROUNDING = 4 * torch.finfo(torch.float64).eps  # of a value, relative


class Secants(NamedTuple):
    """The last steps, and the changes of the gradient along them: (number, rows, size) each, zeros where none was."""

    steps: Tensor
    changes: Tensor


class Minimum(NamedTuple):
    """What `minimize` found: x (rows, size), value (rows,), converged (rows,), iterations (rows,), and its secants."""

    x: Tensor
    value: Tensor
    converged: Tensor
    iterations: Tensor
    secants: Secants


def minimize(
    function: Function,
    x: Tensor,
    precondition: Precondition,
    tolerance: float = 1e-10,
    max_iterations: int = 500,
    secants: Secants | None = None,
) -> Minimum:
    """Minimizes positive functions of one row each (Nocedal and Wright 2006, algorithm 7.4; line search of Lewis and
    Overton 2013, doi 10.1007/s10107-012-0514-2, algorithm 2.6).

    No row's figures enter another's: the line search, the history and the test for the end are a row's own, and a row
    that has ended is not computed further.

    Args:
        function: takes x (n, size) and the rows (n,) that these are; gives values (n,), gradients (n, size) and what
            `precondition` wants to know of x, (n, any). A value that is not finite says that x lies outside of the
            function's domain.
        x: (rows, size), where to start, in float64.
        precondition: takes gradients (n, size), what the function said of x (n, any), and the rows, to steps
            (n, size): linear in the gradient, symmetric, positive, near the inverse of the Hessian at x.
        tolerance: a row has converged where gᵀPg, about twice what its value lies over the minimum, is at most this
            share of the value. So has a row whose value fell by less than `STEADY` of it in `WINDOW` iterations: where
            a function has a kink at its minimum, no gradient vanishes.
        max_iterations: after which a row that has not converged is given up.
        secants: what is known of the functions' curvature at the start; nothing by default.

    Returns:
        [`Minimum`]

    Example:
        >>> def bowl(x, rows):
        ...     return 1 + (x - 3).square().sum(-1), 2 * (x - 3), x
        >>> minimize(bowl, torch.zeros(2, 2, dtype=torch.float64), lambda gradient, x, rows: gradient / 2).x[0]
        tensor([3., 3.], dtype=torch.float64)
    """
    rows = torch.arange(len(x), device=x.device)
    value, gradient, about = function(x, rows)
    stalled = torch.zeros_like(value, dtype=torch.bool)
    kept = Secants(*(x.new_zeros(HISTORY, *x.shape) for _ in range(2))) if secants is None else secants
    found = Minimum(x.clone(), value.clone(), stalled.clone(), torch.zeros_like(rows), kept)
    earlier = torch.full_like(value, torch.inf).expand(WINDOW, -1)
    for iteration in range(max_iterations + 1):
        converged = dot(gradient, precondition(gradient, about, rows)).squeeze(-1) <= tolerance * value
        converged |= earlier[0] - value <= STEADY * value
        earlier = torch.cat([earlier[1:], value[None]])
        found.x[rows], found.value[rows] = x, value
        found.converged[rows], found.iterations[rows] = converged, iteration
        going = ~converged & ~stalled & value.isfinite()
        if iteration == max_iterations or not going.any():
            break
        rows, x, value, gradient, about = (part[going] for part in (rows, x, value, gradient, about))
        earlier = earlier[:, going]
        known = Secants(*(part[:, rows] for part in kept))
        direction = descent(gradient, known, lambda change, of=(about, rows): precondition(change, *of))
        before, gradient_before = x, gradient
        x, value, gradient, about, stalled = line_search(function, x, value, gradient, about, direction, rows)
        for part, earlier_ones, last in zip(kept, known, (x - before, gradient - gradient_before), strict=True):
            part[:, rows] = torch.cat([earlier_ones[1:], last[None]])
    return found


def descent(gradient: Tensor, secants: Secants, precondition: Callable[[Tensor], Tensor]) -> Tensor:
    """-H g, H the inverse Hessian that the secants of the last steps tell (two-loop recursion).

    A secant counts for nothing where the function was not seen to be convex.
    """
    product, norms = dot(*secants), [dot(part, part).sqrt() for part in secants]
    convex = product > torch.finfo(gradient.dtype).eps * norms[0] * norms[1]
    inverses = torch.where(convex, 1 / product, torch.zeros_like(product))  # (number, rows, 1)
    known = [entry for entry in zip(*secants, inverses, strict=True) if entry[-1].any()]
    shares = []
    for step, change, inverse in reversed(known):
        shares.append(inverse * dot(step, gradient))
        gradient = gradient - shares[-1] * change
    scale = torch.ones_like(gradient[:, :1])
    for step, change, inverse in known[-1:]:
        scale = torch.where(inverse > 0, dot(step, change) / dot(change, precondition(change)), scale)
    direction = scale * precondition(gradient)
    for (step, change, inverse), share in zip(known, reversed(shares), strict=True):
        direction = direction + step * (share - inverse * dot(change, direction))
    return -direction


def line_search(
    function: Function, x: Tensor, value: Tensor, gradient: Tensor, about: Tensor, direction: Tensor, rows: Tensor
) -> tuple[Tensor, ...]:
    """For each row a point on its way with a lower value and a flatter slope, by doubling and bisection.

    Returns:
        x, value, gradient and `about` there, and the rows for which no lower point was found; they stay where they
        were.
    """
    slope = dot(gradient, direction).squeeze(-1)
    step, low, high = torch.ones_like(value), torch.zeros_like(value), torch.full_like(value, torch.inf)
    found = tuple(part.clone() for part in (x, value, gradient, about))
    stalled = torch.ones_like(value, dtype=torch.bool)
    open_ = torch.arange(len(x), device=x.device)
    for _ in range(TRIALS):
        trial = x[open_] + step[open_, None] * direction[open_]
        trial_value, trial_gradient, trial_about = function(trial, rows[open_])
        goal = value[open_] + DECREASE * step[open_] * slope[open_] + ROUNDING * value[open_].abs()
        lower = trial_value <= goal  # false where it is not a number
        steep = dot(trial_gradient, direction[open_]).squeeze(-1) < CURVATURE * slope[open_]
        better = open_[lower]
        for kept, new in zip(found, (trial, trial_value, trial_gradient, trial_about), strict=True):
            kept[better] = new[lower]
        stalled[better] = False
        low[better], high[open_[~lower]] = step[better], step[open_[~lower]]
        open_ = open_[~lower | steep]
        if not len(open_):
            break
        step[open_] = torch.where(high[open_].isfinite(), (low[open_] + high[open_]) / 2, 2 * low[open_])
    return *found, stalled


def dot(a: Tensor, b: Tensor) -> Tensor:
    """(…, size) twice -> (…, 1)"""
    return (a * b).sum(-1, keepdim=True)
