"""The MMD against the golden values, the definition as loops, and what it must tell apart."""

import math

import pytest
import torch

from modeling_wae_rnf import mmd
from modeling_wae_rnf.metric import SCALES


def samples(golden):
    return (torch.tensor(golden["mmd"][name], dtype=torch.float64) for name in ("q_samples", "p_samples"))


def test_golden_values(golden):
    x, y = samples(golden)
    expected = golden["mmd"]
    assert mmd(x, y).item() == pytest.approx(expected["imq_unbiased_multi_scale"], abs=1e-9)
    assert mmd(x, y, "gaussian").item() == pytest.approx(
        expected["gaussian_paper_biased_exp_minus_sq_distance"], abs=1e-9
    )


def by_loops(x, y, k, unbiased):
    def mean(a, b, skip):
        pairs = [(i, j) for i in range(len(a)) for j in range(len(b)) if not (skip and i == j)]
        return sum(k(sum((p - q) ** 2 for p, q in zip(a[i], b[j], strict=True))) for i, j in pairs) / len(pairs)

    x, y = x.tolist(), y.tolist()
    return mean(x, x, unbiased) + mean(y, y, unbiased) - 2 * mean(x, y, False)


def test_loops_with_different_sizes():
    torch.manual_seed(0)
    x, y = torch.randn(5, 3).double(), torch.randn(7, 3).double() + 1
    imq = by_loops(x, y, lambda d: sum(6 * s / (6 * s + d) for s in SCALES), unbiased=True)
    gaussian = by_loops(x, y, lambda d: math.exp(-d), unbiased=False)
    assert mmd(x, y).item() == pytest.approx(imq, abs=1e-12)
    assert mmd(x, y, "gaussian").item() == pytest.approx(gaussian, abs=1e-12)
    scaled = by_loops(x, y, lambda d: math.exp(-10 * d / 9), unbiased=False)
    assert mmd(x, y, "gaussian_scaled").item() == pytest.approx(scaled, abs=1e-12)


def test_unbiased_statistic_is_zero_on_average_for_one_distribution():
    torch.manual_seed(0)
    values = torch.stack([mmd(torch.randn(20, 3), torch.randn(20, 3)) for _ in range(400)])
    assert values.mean().abs() < 4 * values.std() / 20
    assert mmd(torch.randn(200, 3), torch.randn(200, 3) + 1) > 5 * values.std()


def test_gradient_moves_samples_towards_the_other():
    torch.manual_seed(0)
    x = (torch.randn(100, 2) + 2).requires_grad_()
    mmd(x, torch.randn(100, 2)).backward()
    assert (x.grad.mean(0) > 0).all()  # descent lowers x


def test_misuse():
    with pytest.raises(ValueError, match="'rbf'"):
        mmd(torch.zeros(2, 2), torch.zeros(2, 2), kernel="rbf")
    with pytest.raises(ValueError, match="two points"):
        mmd(torch.zeros(1, 2), torch.zeros(2, 2))


@pytest.mark.parametrize(("kernel", "size", "blind"), [("gaussian", 32, True), ("gaussian_scaled", 32, False)])
def test_a_blind_kernel_has_no_gradient_and_says_so(kernel, size, blind, recwarn):
    torch.manual_seed(0)
    x = (torch.randn(32, size) + 1).requires_grad_()  # far from the prior
    mmd(x, torch.randn(32, size), kernel).backward()
    assert (x.grad.abs().max() < 1e-6) == blind
    assert any("is blind in 32 dimensions" in str(warning.message) for warning in recwarn) == blind


def test_where_the_kernel_sees_nothing_is_said(recwarn):
    mmd(torch.randn(4, 8), torch.randn(4, 8), "gaussian")
    assert not recwarn.list
    mmd(torch.randn(4, 9), torch.randn(4, 9), "gaussian")
    assert "is blind in 9 dimensions" in str(recwarn.pop(UserWarning).message)
