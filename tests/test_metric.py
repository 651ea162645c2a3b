"""The metric's kernel against the golden values and the formula written as a loop."""

import math

import pytest
import torch

from modeling_wae_rnf import log_kernel
from modeling_wae_rnf.metric import SCALES

from .test_flows import golden_flows


def test_golden_imq(golden):
    z, centres = (torch.tensor(golden[name], dtype=torch.float64) for name in ("z0", "centres"))
    expected = torch.tensor(golden["imq_kernel_sum_over_scales_at_z0_nearest_centre"], dtype=torch.float64)
    torch.testing.assert_close(log_kernel(z, centres).exp(), expected, rtol=0, atol=1e-9)


@pytest.mark.parametrize("bandwidth", [0.5, 10])
def test_golden_gaussian(golden, bandwidth):
    z, centres = (torch.tensor(golden[name], dtype=torch.float64) for name in ("z0", "centres"))
    expected = torch.tensor(golden[f"gaussian_kernel_nearest_centre_beta_{bandwidth}"], dtype=torch.float64)
    torch.testing.assert_close(log_kernel(z, centres, "gaussian", bandwidth), expected.log(), rtol=0, atol=1e-9)


def test_golden_sum_over_flow_inputs(golden):
    z, centres = (torch.tensor(golden[name], dtype=torch.float64) for name in ("z0", "centres"))
    _, _, inputs = golden_flows(golden)(z)
    expected = torch.tensor(golden["sum_over_flows_log_imq_kernel_at_flow_input"], dtype=torch.float64)
    torch.testing.assert_close(sum(log_kernel(x, centres) for x in inputs), expected, rtol=0, atol=1e-9)


def test_loop():
    torch.manual_seed(0)
    z, centres = torch.randn(7, 3).double(), torch.randn(4, 3).double()
    for point, value in zip(z, log_kernel(z, centres), strict=True):
        nearest = min(sum((a - b) ** 2 for a, b in zip(point.tolist(), c.tolist(), strict=True)) for c in centres)
        assert value.item() == pytest.approx(math.log(sum(6 * s / (6 * s + nearest) for s in SCALES)), abs=1e-12)


def test_unknown_kernel_and_dimension():
    with pytest.raises(ValueError, match="'rbf'"):
        log_kernel(torch.zeros(1, 2), torch.zeros(1, 2), kernel="rbf")
    with pytest.raises(ValueError, match="centres have dimension 3, but z has dimension 2"):
        log_kernel(torch.zeros(1, 2), torch.zeros(1, 3))
