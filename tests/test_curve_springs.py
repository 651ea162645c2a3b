"""The preconditioner of geodesics against the dense matrix that it inverts; refined curves and secants."""

import pytest
import torch

from modeling_wae_rnf.batched_lbfgs import Secants
from modeling_wae_rnf.curve_springs import of_segments, relaxed
from modeling_wae_rnf.geodesics import finer, finer_secants


def randn(*shape, seed=0):
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


def springs(pairs, segments, size):
    factors = randn(pairs, segments, size, size)
    return factors @ factors.mT + 0.5 * torch.eye(size)


def test_it_is_the_inverse_of_the_energy_s_hessian():
    """½ Σ k_i Δ_iᵀ G_i Δ_i by autograd, of 3 pairs, 5 segments, 2 dimensions."""
    stiff, stiffness, forces = springs(3, 5, 2), randn(3, 5, seed=1).exp(), randn(3, 4, 2, seed=2)
    for row in range(3):

        def energy(inner, row=row):
            change = torch.nn.functional.pad(inner.view(4, 2), (0, 0, 1, 1)).diff(dim=0)
            return torch.einsum("s,sd,sde,se->", stiffness[row], change, stiff[row], change) / 2

        hessian = torch.autograd.functional.hessian(energy, torch.zeros(8, dtype=torch.float64))
        expected = torch.linalg.solve(hessian, forces[row].flatten())
        found = relaxed(forces, torch.linalg.inv(stiff), stiffness)[row].flatten()
        torch.testing.assert_close(found, expected)


def test_segments_have_the_metric_between_its_places():
    """Places at 0, 1/2, 1; segments of a fourth: their middles lie at 1/8, 3/8, …, between the places."""
    places = torch.tensor([1.0, 3.0, 7.0]).double()
    found = of_segments(places[None, :, None, None] * torch.eye(3).double(), 4)[0, :, 0, 0]
    torch.testing.assert_close(found, 1.03 * torch.tensor([1.5, 2.5, 4.0, 6.0]).double())


@pytest.mark.parametrize("value", [0.0, torch.nan, torch.inf])
def test_where_there_is_no_metric_it_is_1(value):
    tensors = torch.full((1, 3, 2, 2), value, dtype=torch.float64)
    torch.testing.assert_close(of_segments(tensors, 5), torch.eye(2).double().expand(1, 5, 2, 2))


@pytest.mark.parametrize(("coarse", "fine"), [(5, 10), (6, 13), (12, 25)])
def test_cubic_curves_are_refined_exactly(coarse, fine):
    def cubic(segments):
        t = torch.linspace(0, 1, segments + 1, dtype=torch.float64)
        return torch.stack([t**3 - 2 * t, 1 - t**2], dim=-1)[None]

    torch.testing.assert_close(finer(cubic(coarse), fine), cubic(fine))
    assert torch.equal(finer(cubic(coarse), fine)[:, [0, -1]], cubic(coarse)[:, [0, -1]])


def test_refined_secants_are_those_of_the_finer_energy():
    """E = N/2 Σ |Δ|²: the change of gradient along a step, at the points of a curve of twice as many segments."""

    def secants(segments):
        t = torch.linspace(0, 1, segments + 1, dtype=torch.float64)
        step = (t * (1 - t))[:, None]
        change = segments * (2 * step[1:-1] - step[2:] - step[:-2])
        return Secants(step[1:-1].flatten()[None, None], change.flatten()[None, None])

    found, expected = finer_secants(secants(8), 8, 16), secants(16)
    torch.testing.assert_close(found.steps, expected.steps)
    inner = slice(4, -4)  # near the ends, which stay and where there is no force, cubics go down to it
    torch.testing.assert_close(found.changes[..., inner], expected.changes[..., inner])
