"""The solver against spaces whose geodesics are known: line, sphere, hyperbolic plane, flows, a paraboloid."""

import math
from itertools import pairwise

import pytest
import torch

from modeling_wae_rnf.flows import Flow
from modeling_wae_rnf.geodesics import bowed_lines, curve_energy, curve_length, shortest_curves
from modeling_wae_rnf.metric_tensor import Euclidean, FlowMetric
from modeling_wae_rnf.riemannian_metric import Metric, straight_line


class ByTensor(Metric):
    """A metric of a tensor alone."""

    def __init__(self, tensor):
        self.tensor = tensor


def times_identity(factor):
    return lambda z: factor(z)[..., None, None] * torch.eye(z.shape[-1], dtype=z.dtype)


# the unit sphere from its pole, x = 2z / (1 + |z|²), and the upper half-plane; each with the distance of two points
SPHERE = ByTensor(times_identity(lambda z: 4 / (1 + z.square().sum(-1)).square()))
HALF_PLANE = ByTensor(times_identity(lambda z: torch.where(z[..., 1] > 0, 1 / z[..., 1].square(), torch.inf)))
PARABOLOID = ByTensor(lambda z: torch.eye(2, dtype=z.dtype) + 4 * z.unsqueeze(-1) * z.unsqueeze(-2))


def on_sphere(z):
    squared = z.square().sum(-1, keepdim=True)
    return torch.cat([2 * z, 1 - squared], -1) / (1 + squared)


def great_circle(a, b):
    return (on_sphere(a) * on_sphere(b)).sum(-1).acos()


def hyperbolic(a, b):
    return torch.acosh(1 + (a - b).square().sum(-1) / (2 * a[:, 1] * b[:, 1]))


def points(seed, number=12, size=2):
    return torch.randn(number, size, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


def in_half_plane(z):
    return torch.stack([z[:, 0], (z[:, 1] / 2).exp()], dim=-1)


SPACES = {
    "sphere": (SPHERE, great_circle, 0.5 * points(0), 0.5 * points(1)),
    "half-plane": (HALF_PLANE, hyperbolic, in_half_plane(points(0)), in_half_plane(points(1))),
}


def speed_spread(metric, curves):
    speed = metric.squared_lengths(curves).sqrt()
    return (speed.std(-1) / speed.mean(-1)).max()


@pytest.mark.parametrize("size", [1, 2, 32])
def test_a_straight_line_is_found_from_bowed_starts(size):
    a, b = points(0, size=size), points(1, size=size)
    curves = shortest_curves(ByTensor(times_identity(lambda z: torch.ones_like(z[..., 0]))), a, b, steps=11, starts=4)
    torch.testing.assert_close(curves.points, straight_line(a, b, 11), rtol=0, atol=1e-4)
    torch.testing.assert_close(curves.energy, (a - b).square().sum(-1) / 2)
    assert curves.converged.all()


@pytest.mark.parametrize("space", SPACES)
def test_distances_in_closed_form(space):
    metric, distance, a, b = SPACES[space]
    found = shortest_curves(metric, a, b, steps=101)
    length = curve_length(metric, found.points)
    assert found.converged.all()
    torch.testing.assert_close(length, distance(a, b), rtol=1e-4, atol=0)
    assert speed_spread(metric, found.points) < 1e-3
    torch.testing.assert_close(found.energy, length.square() / 2, rtol=1e-6, atol=0)
    assert torch.equal(found.points[:, 0], a)
    assert torch.equal(found.points[:, -1], b)


@pytest.mark.parametrize("space", SPACES)
def test_second_order_in_the_number_of_points(space):
    metric, distance, a, b = SPACES[space]
    errors = []
    for steps in (17, 33, 65):
        found = shortest_curves(metric, a, b, steps, starts=1, tolerance=1e-14)
        errors.append((curve_length(metric, found.points) - distance(a, b)).abs().mean().item())
    orders = [math.log2(coarse / fine) for coarse, fine in pairwise(errors)]
    assert orders == pytest.approx([2, 2], abs=0.15)


def test_the_sphere_s_curves_are_great_circles():
    metric, _, a, b = SPACES["sphere"]
    curves = on_sphere(shortest_curves(metric, a, b, steps=101).points)
    normal = torch.linalg.cross(curves[:, :1], curves[:, -1:])
    assert (curves * torch.nn.functional.normalize(normal, dim=-1)).sum(-1).abs().max() < 1e-3


@pytest.mark.parametrize("space", SPACES)
def test_energy_is_at_least_half_the_squared_length(space):
    metric, _, a, b = SPACES[space]
    bowed = bowed_lines(a, b, 31, 3)
    excess = curve_energy(metric, bowed) - curve_length(metric, bowed).square() / 2
    inside = excess.isfinite()
    assert inside.sum() > 20
    assert (excess[inside] > 0).all()
    found = shortest_curves(metric, a, b, 31).energy.expand(3, -1)
    assert (found < curve_energy(metric, bowed))[inside].all()


@pytest.mark.parametrize("space", SPACES)
def test_the_way_back_is_the_same(space):
    metric, _, a, b = SPACES[space]
    there, back = (shortest_curves(metric, *ends, 31, tolerance=1e-14) for ends in ((a, b), (b, a)))
    torch.testing.assert_close(there.energy, back.energy, rtol=1e-9, atol=0)
    torch.testing.assert_close(there.points, back.points.flip(1), rtol=0, atol=1e-5)


@pytest.mark.parametrize("space", SPACES)
def test_a_pair_does_not_disturb_another(space):
    metric, _, a, b = SPACES[space]
    together = shortest_curves(metric, a, b, 21)
    for row in (0, 5):
        alone = shortest_curves(metric, a[row : row + 1], b[row : row + 1], 21)
        torch.testing.assert_close(alone.points[0], together.points[row], rtol=0, atol=1e-7)
        assert alone.iterations[0] == together.iterations[row]


STRENGTH = 0.3  # of a random flow: at 1 its steps are as narrow as the distance of the points


def random_flow(size, seed=0):
    torch.manual_seed(seed)
    flow = Flow(size, 3).double().requires_grad_(False)
    for step in flow.steps:
        step.reset_parameters("normal")
        step.u *= STRENGTH
        step.w *= STRENGTH
    return flow


def test_the_flow_s_geodesics_have_a_closed_form():
    """A solver that knows nothing but the tensor JᵀJ finds F⁻¹((1 - t) F(a) + t F(b))."""
    metric = FlowMetric(random_flow(32))
    a, b = points(0, 2, 32), points(1, 2, 32)
    by_tensor, lengths, found = ByTensor(metric.tensor), [], {}
    for steps in (51, 101):
        found[steps] = shortest_curves(by_tensor, a, b, steps, starts=1, tolerance=1e-12)
        lengths.append(curve_length(by_tensor, found[steps].points))
    expected = metric.geodesic(a, b, 101)
    distance = (metric.flow(a)[0] - metric.flow(b)[0]).norm(dim=-1)
    assert (straight_line(a, b, 101) - expected).norm(dim=-1).max() > 0.5  # they are no straight lines
    torch.testing.assert_close(curve_length(metric, expected), distance)
    assert (found[101].points - expected).norm(dim=-1).max() < 0.005
    torch.testing.assert_close(lengths[1], distance, rtol=1e-4, atol=0)
    # what is left falls with the square of the distance between points
    torch.testing.assert_close((4 * lengths[1] - lengths[0]) / 3, distance, rtol=1e-5, atol=0)


def test_the_flow_s_geodesics_by_its_segments():
    """Segments behind the flow are exact, so nothing is left of the discretization."""
    metric = FlowMetric(random_flow(32))
    a, b = points(0, 2, 32), points(1, 2, 32)
    found = shortest_curves(metric, a, b, steps=21, starts=2, tolerance=1e-16)
    torch.testing.assert_close(found.points, metric.geodesic(a, b, 21), rtol=0, atol=1e-5)


def test_a_paraboloid_against_dijkstra():
    """z = |x|²: the way around is shorter than that over the bottom, and the graph's a little longer."""
    sparse = pytest.importorskip("scipy.sparse")
    from scipy.sparse.csgraph import dijkstra

    side, reach = 121, 5
    axis = torch.linspace(-1.5, 1.5, side, dtype=torch.float64)
    grid = torch.cartesian_prod(axis, axis)
    surface = torch.cat([grid, grid.square().sum(-1, keepdim=True)], dim=-1)
    number = torch.arange(side * side).view(side, side)
    edges = []
    for right in range(reach + 1):
        for up in range(-reach, reach + 1):
            if math.gcd(right, abs(up)) == 1:
                low, high = max(0, -up), side - max(0, up)
                edges.append(torch.stack([number[: side - right, low:high], number[right:, low + up : high + up]]))
    start, end = torch.cat([pair.flatten(1) for pair in edges], dim=1)
    weights = (surface[start] - surface[end]).norm(dim=-1)
    graph = sparse.coo_matrix((weights.numpy(), (start.numpy(), end.numpy())), shape=(side * side,) * 2).tocsr()
    pairs = [((10, 60), (110, 60)), ((20, 20), (100, 90)), ((60, 60), (5, 100)), ((40, 10), (100, 100))]
    ends = torch.tensor(pairs) @ torch.tensor([side, 1])  # (pairs, 2)
    shortest = torch.from_numpy(dijkstra(graph, directed=False, indices=ends[:, 0].numpy()))
    expected = shortest.gather(1, ends[:, 1:]).squeeze(1)
    a, b = grid[ends[:, 0]], grid[ends[:, 1]]
    found = curve_length(PARABOLOID, shortest_curves(PARABOLOID, a, b, 101, starts=5).points)
    assert (found < expected * 1.0005).all()
    torch.testing.assert_close(found, expected, rtol=5e-3, atol=0)


def test_several_starts_find_the_way_around():
    """Between opposite points of the paraboloid the straight line is a geodesic, but not the shortest way."""
    a, b = torch.tensor([[-1.2, 0.0]]), torch.tensor([[1.2, 0.0]])
    over, around = (shortest_curves(PARABOLOID, a, b, 51, starts=starts) for starts in (1, 3))
    torch.testing.assert_close(over.points[..., 1], torch.zeros(1, 51, dtype=torch.float64))
    assert around.energy < 0.9 * over.energy


@pytest.mark.parametrize("space", SPACES)
def test_ends_that_coincide(space):
    metric, _, a, b = SPACES[space]
    b = torch.cat([a[:2], b[2:]])
    found = shortest_curves(metric, a, b, 21)
    assert torch.equal(found.points[:2], a[:2, None].expand(-1, 21, -1))
    assert found.energy[:2].tolist() == [0, 0]
    assert found.converged.all()


def test_far_ends():
    a = torch.tensor([[-1e3, 1.0], [0.0, 1e-3]], dtype=torch.float64)
    b = torch.tensor([[1e3, 1.0], [0.0, 1e3]], dtype=torch.float64)
    found = shortest_curves(HALF_PLANE, a, b, 101)
    torch.testing.assert_close(curve_length(HALF_PLANE, found.points), hyperbolic(a, b), rtol=5e-3, atol=0)


def test_what_has_not_converged_says_so():
    metric, _, a, b = SPACES["half-plane"]
    found = shortest_curves(metric, a, b, 31, max_iterations=1)
    assert not found.converged.any()
    assert found.points.isfinite().all()


def test_a_start_outside_of_the_domain_is_not_chosen():
    inside, outside = torch.tensor([[0.0, 1.0], [1.0, 1.0]]), torch.tensor([[1.0, 1.0], [1.0, -1.0]])
    found = shortest_curves(HALF_PLANE, inside, outside, 21)
    assert found.converged.tolist() == [True, False]


def test_no_points_between():
    found = shortest_curves(Euclidean(), torch.zeros(2, 3), torch.ones(2, 3), steps=2)
    assert found.points.shape == (2, 2, 3)
    assert found.converged.all()


def test_a_space_without_lengths():
    """A decoder that does not read z: every curve is a shortest one."""
    flat = ByTensor(lambda z: torch.zeros(*z.shape, z.shape[-1], dtype=z.dtype) * z.unsqueeze(-1))
    found = shortest_curves(flat, points(0), points(1), 11)
    assert found.converged.all()
    assert found.points.isfinite().all()
