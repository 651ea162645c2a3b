"""L-BFGS for many small problems at once: each row has a step, a history and an end of its own."""

from typing import NamedTuple

import torch

HISTORY = 30
TRIALS = 40  # steps that a line search tries
DECREASE, CURVATURE = 1e-4, 0.9  # of the weak Wolfe conditions
STEADY, WINDOW = 1e-9, 10  # a value that falls no more
ROUNDING = 4 * torch.finfo(torch.float64).eps  # of a value, relative


class Minimum(NamedTuple):
    """What `minimize` found: x (rows, size), value (rows,), converged (rows,) and iterations (rows,)."""

    x: torch.Tensor
    value: torch.Tensor
    converged: torch.Tensor
    iterations: torch.Tensor


def minimize(function, x, precondition, tolerance=1e-10, max_iterations=500):
    """Minimizes positive functions of one row each (Nocedal and Wright 2006, algorithm 7.4; line search of Lewis and
    Overton 2013, doi 10.1007/s10107-012-0514-2, algorithm 2.6).

    No row's figures enter another's: the line search, the history and the test for the end are a row's own, and a row
    that has ended is not computed further.

    Args:
        function: takes x (n, size) and the rows (n,) that these are; gives values (n,), gradients (n, size) and what
            `precondition` wants to know of x, (n, any). A value that is not finite says that x lies outside of the
            function's domain.
        x: (rows, size), where to start, in float64.
        precondition: takes gradients (n, size) and what the function said of x (n, any) to steps (n, size): linear in
            the gradient, symmetric, positive, near the inverse of the Hessian at x.
        tolerance: a row has converged where gᵀPg, about twice what its value lies over the minimum, is at most this
            share of the value. So has a row whose value fell by less than `STEADY` of it in `WINDOW` iterations: where
            a function has a kink at its minimum, no gradient vanishes.
        max_iterations: after which a row that has not converged is given up.

    Returns:
        [`Minimum`]

    Example:
        >>> def bowl(x, rows):
        ...     return 1 + (x - 3).square().sum(-1), 2 * (x - 3), x
        >>> minimize(bowl, torch.zeros(2, 2, dtype=torch.float64), lambda gradient, x: gradient / 2).x[0]
        tensor([3., 3.], dtype=torch.float64)
    """
    rows = torch.arange(len(x), device=x.device)
    value, gradient, about = function(x, rows)
    stalled = torch.zeros_like(value, dtype=torch.bool)
    found = Minimum(x.clone(), value.clone(), stalled.clone(), torch.zeros_like(rows))
    pairs, earlier = [], torch.full_like(value, torch.inf).expand(WINDOW, -1)
    for iteration in range(max_iterations + 1):
        converged = dot(gradient, precondition(gradient, about)).squeeze(-1) <= tolerance * value
        converged |= earlier[0] - value <= STEADY * value
        earlier = torch.cat([earlier[1:], value[None]])
        found.x[rows], found.value[rows] = x, value
        found.converged[rows], found.iterations[rows] = converged, iteration
        going = ~converged & ~stalled & value.isfinite()
        if iteration == max_iterations or not going.any():
            return found
        rows, x, value, gradient, about = (part[going] for part in (rows, x, value, gradient, about))
        earlier = earlier[:, going]
        pairs = [tuple(part[going] for part in pair) for pair in pairs]
        direction = descent(gradient, pairs, lambda change, about=about: precondition(change, about))
        before, gradient_before = x, gradient
        x, value, gradient, about, stalled = line_search(function, x, value, gradient, about, direction, rows)
        pairs = [*pairs[-HISTORY + 1 :], secant(x - before, gradient - gradient_before)]


def secant(step, change):
    """A step, the change of gradient along it, and 1 / their product: 0, so that it counts for nothing, where the
    function was not seen to be convex."""
    product = dot(step, change)
    convex = product > torch.finfo(step.dtype).eps * dot(step, step).sqrt() * dot(change, change).sqrt()
    return step, change, torch.where(convex, 1 / product, torch.zeros_like(product))


def descent(gradient, pairs, precondition):
    """-H g, H the inverse Hessian that the secants of the last steps tell (two-loop recursion)."""
    shares = []
    for step, change, inverse in reversed(pairs):
        shares.append(inverse * dot(step, gradient))
        gradient = gradient - shares[-1] * change
    scale = torch.ones_like(gradient[:, :1])
    for step, change, inverse in pairs[-1:]:
        scale = torch.where(inverse > 0, dot(step, change) / dot(change, precondition(change)), scale)
    direction = scale * precondition(gradient)
    for (step, change, inverse), share in zip(pairs, reversed(shares), strict=True):
        direction = direction + step * (share - inverse * dot(change, direction))
    return -direction


def line_search(function, x, value, gradient, about, direction, rows):
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


def dot(a, b):
    """(rows, size) twice -> (rows, 1)"""
    return (a * b).sum(-1, keepdim=True)
