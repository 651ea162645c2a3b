"""Geodesics: shortest curves between two points, by minimizing the energy of discrete curves, coarse ones first."""

import math
from typing import NamedTuple

import torch

from .batched_lbfgs import minimize
from .riemannian_metric import straight_line

BOW = 0.3  # of a bowed start: how far its middle lies off the straight line, in lengths of that line
LEAST = 1e-6  # stiffness of a segment for the preconditioner, relative to the mean
SPREAD = 0.03  # of a metric's eigenvalues, relative to their mean, from which on the coordinates follow them
COARSEST = 5  # segments, at least, of the first curves
FACTOR = 2  # by which a curve gets finer, where it is not the last time
CHOICE = 10  # iterations after which the best of the starts is gone on with
ROUGH = 1e-2  # tolerance of curves that are not the last
ROUNDS = 3  # of making the speed constant
IN_VAIN = 5e-4  # by which a straight line is shorter, relative, that is taken instead
SEED = 0  # of the directions of bowed starts


class Geodesics(NamedTuple):
    """Curves (pairs, steps, d), their energies (pairs,), whether each converged (pairs,), iterations (pairs,)."""

    points: torch.Tensor
    energy: torch.Tensor
    converged: torch.Tensor
    iterations: torch.Tensor


def curve_length(metric, points):
    """L = Σ_i s_i, about ∫ ||γ'||_G dt, of points (..., steps, d): (...)."""
    return metric.squared_lengths(points).clamp_min(0).sqrt().sum(-1)


def curve_energy(metric, points):
    """E = N/2 Σ_i s_i² over N segments, about ½ ∫ ||γ'||²_G dt with t in [0, 1], of points (..., steps, d): (...).

    E >= L²/2 by Cauchy and Schwarz, with equality where all s_i are equal: the curve of least energy is the shortest
    one, at constant speed.
    """
    squared = metric.squared_lengths(points)
    return squared.shape[-1] / 2 * squared.sum(-1)


def bowed_lines(a, b, steps, number):
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


def shortest_curves(metric, a, b, steps=21, starts=3, tolerance=None, max_iterations=200):
    """The shortest curves between a and b that are found from several starts, at constant speed.

    The first start is the straight line; the metric may have a guess of its own; the others are bowed to random
    sides. They are curves of few points. The best of them after some iterations is gone on with, and gets finer up to
    the steps that are asked for. All pairs and starts are minimized at once by an L-BFGS in which each is a problem of
    its own (`batched_lbfgs.py`), preconditioned by the inverse of the discrete Laplacian, with which the number of
    iterations hardly depends on the number of points.

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
        root = coordinates(searched.tensor(straight_line(a, b, 3)).mean(1))
        found = relax(searched, curves.flatten(0, 1), pairs.repeat(starts), root, ROUGH, CHOICE if starts > 1 else 0)
        best = found.energy.view(starts, -1).nan_to_num(torch.inf).argmin(0) * len(a) + pairs
        found = Geodesics(*(part[best] for part in found))
        iterations = found.iterations
        for size in sizes:
            rough = tolerance if size == sizes[-1] else max(ROUGH, tolerance)
            curves = lower(searched, finer(found.points, size), straight_line(a, b, size + 1))
            found = relax(searched, curves, pairs, root, rough, max_iterations)
            iterations = iterations + found.iterations
        points, line = at_constant_speed(metric, found.points), straight_line(a, b, steps)
        # where the steps are too far for the metric, moving points can make a curve longer than the straight line
        in_vain = curve_length(metric, line) < (1 - IN_VAIN) * curve_length(metric, points)
        points = torch.where(in_vain[:, None, None], line, points)
        return Geodesics(points, curve_energy(metric, points), found.converged & ~in_vain, iterations)


def finenesses(segments):
    """The numbers of segments of ever finer curves.

    Examples:
        >>> finenesses(20), finenesses(101), finenesses(4)
        ([5, 10, 20], [6, 12, 25, 50, 101], [4])
    """
    sizes = [segments]
    while sizes[0] // FACTOR >= COARSEST:
        sizes.insert(0, sizes[0] // FACTOR)
    return sizes


def finer(points, segments):
    """The polygons through points (pairs, steps, d), as curves of another number of segments."""
    places = torch.linspace(0, points.shape[1] - 1, segments + 1).to(points)
    before = places.long().clamp_max(points.shape[1] - 2)
    return torch.lerp(points[:, before], points[:, before + 1], (places - before).unsqueeze(-1))


def lower(metric, curves, others):
    """Of each pair the curve of less energy: a coarse one may have leapt over what a finer one has to cross."""
    energy, other = (curve_energy(metric, points).nan_to_num(torch.inf) for points in (curves, others))
    return torch.where((other < energy)[:, None, None], others, curves)


def first_curves(metric, a, b, steps, number):
    """(number, pairs, steps, d): the straight line, the metric's guess if it has one, and bowed lines."""
    guess = metric.guess(a, b, steps)
    first = torch.stack([straight_line(a, b, steps), *([] if guess is None else [guess])])[:number]
    return torch.cat([first, bowed_lines(a, b, steps, number - len(first))])


def at_constant_speed(metric, points):
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


def relax(metric, curves, pairs, root, tolerance, max_iterations):
    """Minimizes the energy of curves (n, steps, d) whose ends stay; `pairs` (n,) says which pair each belongs to.

    The problem is stated without units: energies in that of the start, and curves as steps away from the start, in
    the coordinates of each pair, of `root` (pairs, d, d), and the start as long as 1.
    """
    segments = curves.shape[1] - 1
    start = curve_energy(metric.of_pairs(pairs), curves)
    results = Geodesics(curves.clone(), start.clone(), start.isfinite(), torch.zeros_like(pairs))
    moving = (start > 0) & start.isfinite()
    if segments < 2 or not moving.any():
        return results
    curves, pairs, start = curves[moving], pairs[moving], start[moving]
    units = root[pairs] / (2 * start[:, None, None]).sqrt()
    inverse = torch.linalg.inv(units)

    def curves_at(x, rows):
        inner = curves[rows, 1:-1] + x.unflatten(-1, (segments - 1, -1)) @ inverse[rows]
        return torch.cat([curves[rows, :1], inner, curves[rows, -1:]], dim=1)

    def function(x, rows):
        with torch.enable_grad():
            x = x.detach().requires_grad_()
            points = curves_at(x, rows)
            squared = metric.of_pairs(pairs[rows]).squared_lengths(points) / start[rows, None]
            value = segments / 2 * squared.sum(-1)
            (gradient,) = torch.autograd.grad(value.sum(), x)
        apart = (points.detach().diff(dim=-2) @ units[rows]).square().sum(-1)
        return value.detach(), gradient, segments * squared.detach() / apart

    zero = torch.zeros_like(curves[:, 1:-1]).flatten(1)
    found = minimize(function, zero, precondition, tolerance, max_iterations)
    results.points[moving] = curves_at(found.x, torch.arange(len(curves), device=curves.device))
    results.energy[moving] = found.value * start
    results.converged[moving], results.iterations[moving] = found.converged, found.iterations
    return results


def coordinates(tensor):
    """R with R Rᵀ about the metric (pairs, d, d): ||x||_G = ||x R||. What it hardly sees is not stretched.

    Where there is no metric, since a line leaves its domain, and where it is 0, R is 1.
    """
    identity, mean = torch.eye(tensor.shape[-1]).to(tensor), tensor.diagonal(dim1=-2, dim2=-1).mean(-1)[:, None, None]
    known = tensor.isfinite().all(-1, keepdim=True).all(-2, keepdim=True) & (mean > 0)
    return torch.linalg.cholesky(torch.where(known, tensor + SPREAD * mean * identity, identity))


def precondition(gradient, stiffness):
    """The inverse of the Laplacian of springs in a row, N of a stiffness (n, N), on gradients (n, (N - 1) d).

    Its element i, j is R_i (R_N - R_j) / R_N for i <= j, with R_i = Σ_k<=i 1 / stiffness_k.
    """
    stiffness = stiffness.nan_to_num(0.0)
    resistance = 1 / torch.maximum(stiffness, LEAST * stiffness.mean(-1, keepdim=True))
    reached = resistance.cumsum(-1)
    total, reached = reached[:, -1:, None], reached[:, :-1]
    low, high = (
        torch.minimum(reached[:, :, None], reached[:, None]),
        torch.maximum(reached[:, :, None], reached[:, None]),
    )
    inverse = low * (total - high) / total
    return (inverse @ gradient.unflatten(-1, (reached.shape[-1], -1))).flatten(1)
