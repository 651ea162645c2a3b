"""Geodesics: shortest curves between two points, by minimizing the energy of discrete curves, coarse ones first."""

import math
from typing import NamedTuple

import torch
from torch import Tensor

from .batched_lbfgs import Secants, minimize
from .curve_springs import of_segments, relaxed
from .riemannian_metric import Metric, straight_line

BOW = 0.3  # of a bowed start: how far its middle lies off the straight line, in lengths of that line
COARSEST = 5  # segments, at least, of the first curves
FACTOR = 2  # by which a curve gets finer, where it is not the last time
CHOICE = 6  # iterations after which the best of the starts is gone on with
ROUGH = 1e-2  # tolerance of the coarsest curves; of finer ones it is less, as their number of points is more
ROUNDS = 3  # of making the speed constant
IN_VAIN = 5e-4  # by which a straight line is shorter, relative, that is taken instead
SEED = 0  # of the directions of bowed starts


class Geodesics(NamedTuple):
    """Curves (pairs, steps, d), their energies (pairs,), whether each converged (pairs,), iterations (pairs,)."""

    points: Tensor
    energy: Tensor
    converged: Tensor
    iterations: Tensor


def curve_length(metric: Metric, points: Tensor) -> Tensor:
    """L = Σ_i s_i, about ∫ ||γ'||_G dt, of points (..., steps, d): (...)."""
    return metric.squared_lengths(points).clamp_min(0).sqrt().sum(-1)


def curve_energy(metric: Metric, points: Tensor) -> Tensor:
    """E = N/2 Σ_i s_i² over N segments, about ½ ∫ ||γ'||²_G dt with t in [0, 1], of points (..., steps, d): (...).

    E >= L²/2 by Cauchy and Schwarz, with equality where all s_i are equal: the curve of least energy is the shortest
    one, at constant speed.
    """
    squared = metric.squared_lengths(points)
    return squared.shape[-1] / 2 * squared.sum(-1)


def bowed_lines(a: Tensor, b: Tensor, steps: int, number: int) -> Tensor:
    """Lines from a to b (pairs, d) that are bowed to one side and to its opposite: (number, pairs, steps, d).

    The sides are random directions, drawn for all pairs alike, so that a pair's curves do not depend on the others.
    """
    generator = torch.Generator().manual_seed(SEED)
    sides = torch.randn((number + 1) // 2, a.shape[-1], generator=generator, dtype=torch.float64)
    sides = torch.stack([sides, -sides], dim=1).flatten(0, 1)[:number].to(a).unsqueeze(1)
    along = torch.nn.functional.normalize(b - a, dim=-1)
    sides = sides - (sides * along).sum(-1, keepdim=True) * along
    sides = torch.nn.functional.normalize(sides, dim=-1) * (b - a).norm(dim=-1, keepdim=True)
    height = BOW * torch.linspace(0, math.pi, steps, dtype=a.dtype, device=a.device).sin().unsqueeze(-1)
    height[-1] = 0  # not the sine of a rounded π
    return straight_line(a, b, steps) + height * sides.unsqueeze(-2)


def shortest_curves(
    metric: Metric,
    a: Tensor,
    b: Tensor,
    steps: int = 21,
    starts: int = 3,
    tolerance: float | None = None,
    max_iterations: int = 200,
) -> Geodesics:
    """The shortest curves between a and b that are found from several starts, at constant speed.

    The first start is the straight line; the metric may have a guess of its own; the others are bowed to random
    sides. They are curves of few points. The best of them after some iterations is gone on with, and gets finer up to
    the steps that are asked for; what its secants tell of the curvature goes along. All pairs and starts are minimized
    at once by an L-BFGS in which each is a problem of its own (`batched_lbfgs.py`), preconditioned by the springs that
    the metric along the coarse curve makes of it (`curve_springs.py`), with which the number of iterations hardly
    depends on the number of points.

    Args:
        metric: a [`Metric`].
        a, b: (pairs, d).
        steps: points of a curve, both ends included.
        starts: initial curves of each pair.
        tolerance: how far a converged curve's energy may lie over the least one nearby, about, relative; the metric's
            own by default.
        max_iterations: of each fineness.

    Returns:
        [`Geodesics`]. What has not converged is the best curve that was found: where that is longer than the straight
        line, the straight line.

    Example:
        >>> from .metric_tensor import Euclidean
        >>> found = shortest_curves(Euclidean(), torch.zeros(1, 2), torch.ones(1, 2), steps=3)
        >>> found.points[0].tolist(), found.converged.tolist()
        ([[0.0, 0.0], [0.5, 0.5], [1.0, 1.0]], [True])
    """
    a, b = a.double(), b.double()
    tolerance, searched = metric.tolerance if tolerance is None else tolerance, metric.for_search()
    pairs = torch.arange(len(a), device=a.device)
    sizes = finenesses(steps - 1)
    curves = first_curves(metric, a, b, sizes[0] + 1, starts)
    with torch.no_grad():
        tensors = searched.rough().tensor(straight_line(a, b, 3))
        choice = CHOICE if starts > 1 else 0
        found, secants = relax(searched.rough(), curves.flatten(0, 1), pairs.repeat(starts), tensors, ROUGH, choice)
        best = found.energy.view(starts, -1).nan_to_num(torch.inf).argmin(0) * len(a) + pairs
        found = Geodesics(*(part[best] for part in found))
        secants = secants and Secants(*(part[:, best] for part in secants))
        iterations = found.iterations
        for size in sizes:
            curves = found.points
            if size != sizes[0]:  # a coarse curve may have leapt over what a finer one has to cross
                curves = lower(searched, finer(curves, size), straight_line(a, b, size + 1))
            rough = tolerance if size == sizes[-1] else max(ROUGH * sizes[0] / size, tolerance)
            secants = finer_secants(secants, found.points.shape[1] - 1, size)
            found, secants = relax(searched, curves, pairs, tensors, rough, max_iterations, secants)
            iterations = iterations + found.iterations
            if size == sizes[0] != sizes[-1]:
                tensors = searched.rough().tensor(found.points)
        points, line = at_constant_speed(metric, found.points), straight_line(a, b, steps)
        # where the steps are too far for the metric, moving points can make a curve longer than the straight line
        in_vain = curve_length(metric, line) < (1 - IN_VAIN) * curve_length(metric, points)
        points = torch.where(in_vain[:, None, None], line, points)
        return Geodesics(points, curve_energy(metric, points), found.converged & ~in_vain, iterations)


def finenesses(segments: int) -> list[int]:
    """The numbers of segments of ever finer curves.

    Examples:
        >>> finenesses(20), finenesses(101), finenesses(4)
        ([5, 10, 20], [6, 12, 25, 50, 101], [4])
    """
    sizes = [segments]
    while sizes[0] // FACTOR >= COARSEST:
        sizes.insert(0, sizes[0] // FACTOR)
    return sizes


def finer(points: Tensor, segments: int) -> Tensor:
    """Curves through points (pairs, steps, d), of cubic polynomials, as curves of another number of segments."""
    nodes = points.shape[1]
    places = torch.linspace(0, nodes - 1, segments + 1, dtype=points.dtype, device=points.device)
    near = (places.long() - 1).clamp(0, max(0, nodes - 4))[:, None] + torch.arange(min(4, nodes)).to(places.device)
    apart = near[:, :, None] - near[:, None]  # (segments + 1, 4, 4), Lagrange's weights are products over the others
    shares = (places[:, None, None] - near[:, None]) / apart
    weights = shares.where(apart != 0, torch.ones_like(shares)).prod(-1)
    return (weights[:, :, None] * points[:, near]).sum(2)


def finer_secants(secants: Secants | None, before: int, segments: int) -> Secants | None:
    """Secants of curves of so many segments as those of finer ones: forces are of a point, and there are more."""
    if secants is None or before == segments:
        return secants

    def refined(part: Tensor) -> Tensor:
        curves = torch.nn.functional.pad(part.flatten(0, 1).unflatten(-1, (before - 1, -1)), (0, 0, 1, 1))
        return finer(curves, segments)[:, 1:-1].flatten(1).unflatten(0, part.shape[:2])

    return Secants(refined(secants.steps), refined(secants.changes) * (before / segments))


def lower(metric: Metric, curves: Tensor, others: Tensor) -> Tensor:
    """Of each pair the curve of less energy."""
    energy, other = (curve_energy(metric, points).nan_to_num(torch.inf) for points in (curves, others))
    return torch.where((other < energy)[:, None, None], others, curves)


def first_curves(metric: Metric, a: Tensor, b: Tensor, steps: int, number: int) -> Tensor:
    """(number, pairs, steps, d): the straight line, the metric's guess if it has one, and bowed lines."""
    guess = metric.guess(a, b, steps)
    first = torch.stack([straight_line(a, b, steps), *([] if guess is None else [guess])])[:number]
    return torch.cat([first, bowed_lines(a, b, steps, number - len(first))])


def at_constant_speed(metric: Metric, points: Tensor) -> Tensor:
    """Moves the points of curves (pairs, steps, d) along the polygon through them until their distances are equal."""
    shares = torch.linspace(0, 1, points.shape[1]).to(points)[1:-1]
    for _ in range(ROUNDS):
        reached = metric.squared_lengths(points).clamp_min(0).sqrt().cumsum(-1)
        goal = shares * reached[:, -1:]
        segment = torch.searchsorted(reached, goal).clamp_max(reached.shape[-1] - 1)
        end = reached.gather(1, segment)
        begin = torch.nn.functional.pad(reached, (1, 0)).gather(1, segment)
        position = ((goal - begin) / (end - begin)).nan_to_num(0.0).unsqueeze(-1)
        index = segment.unsqueeze(-1).expand(-1, -1, points.shape[-1])
        inner = torch.lerp(points.gather(1, index), points.gather(1, index + 1), position)
        moved = torch.cat([points[:, :1], inner, points[:, -1:]], dim=1)
        points = torch.where((reached[:, -1:, None] > 0), moved, points)
    return points


def relax(
    metric: Metric,
    curves: Tensor,
    pairs: Tensor,
    tensors: Tensor,
    tolerance: float,
    max_iterations: int,
    secants: Secants | None = None,
) -> tuple[Geodesics, Secants | None]:
    """Minimizes the energy of curves (n, steps, d) whose ends stay.

    The problem is stated without units: energies in that of the start, and curves as steps away from the start.

    Args:
        pairs: (n,), which pair each curve belongs to.
        tensors: the metric at a few places along each pair's curve, (pairs, places, d, d).
        secants: of these curves, known before; their changes are of the energy itself, in its units.

    Returns:
        the curves, and their secants; None where nothing was to be moved.
    """
    segments = curves.shape[1] - 1
    start = curve_energy(metric.of_pairs(pairs), curves)
    results = Geodesics(curves.clone(), start.clone(), start.isfinite(), torch.zeros_like(pairs))
    moving = (start > 0) & start.isfinite()
    if segments < 2 or not moving.any():
        return results, None
    curves, pairs, start = curves[moving], pairs[moving], start[moving]
    stiff = of_segments(tensors, segments)[pairs]
    flexible = torch.cholesky_inverse(torch.linalg.cholesky(stiff))

    def curves_at(x: Tensor, rows: Tensor) -> Tensor:
        inner = curves[rows, 1:-1] + x.unflatten(-1, (segments - 1, -1))
        return torch.cat([curves[rows, :1], inner, curves[rows, -1:]], dim=1)

    def function(x: Tensor, rows: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        with torch.enable_grad():
            x = x.detach().requires_grad_()
            points = curves_at(x, rows)
            squared = metric.of_pairs(pairs[rows]).squared_lengths(points) / start[rows, None]
            value = segments / 2 * squared.sum(-1)
            (gradient,) = torch.autograd.grad(value.sum(), x)
        change = points.detach().diff(dim=1)
        expected = torch.einsum("nsd,nsde,nse->ns", change, stiff[rows], change)
        return value.detach(), gradient, segments * squared.detach() / expected

    def precondition(gradient: Tensor, stiffness: Tensor, rows: Tensor) -> Tensor:
        forces = gradient.unflatten(-1, (segments - 1, -1))
        return relaxed(forces, flexible[rows], stiffness).flatten(1)

    zero = torch.zeros_like(curves[:, 1:-1]).flatten(1)
    if secants is not None:
        secants = Secants(secants.steps[:, moving], secants.changes[:, moving] / start[:, None])
    found = minimize(function, zero, precondition, tolerance, max_iterations, secants)
    results.points[moving] = curves_at(found.x, torch.arange(len(curves), device=curves.device))
    results.energy[moving] = found.value * start
    results.converged[moving], results.iterations[moving] = found.converged, found.iterations
    every = [curves.new_zeros(len(part), len(moving), part.shape[-1]) for part in found.secants]
    every[0][:, moving], every[1][:, moving] = found.secants.steps, found.secants.changes * start[:, None]
    return results, Secants(*every)
