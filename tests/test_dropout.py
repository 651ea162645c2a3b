"""Dropout: its rate, its scale, its gradient, and where it does nothing."""

import torch

from modeling_wae_rnf.dropout import Dropout


def test_rate_and_scale():
    torch.manual_seed(0)
    y = Dropout(0.2)(torch.ones(100_000))
    kept = y != 0
    torch.testing.assert_close(y[kept], torch.full((int(kept.sum()),), 1.25))
    assert abs(kept.float().mean() - 0.8) < 4 * 0.4 / 100_000**0.5


def test_gradient_is_the_mask():
    torch.manual_seed(0)
    x = torch.randn(50, dtype=torch.float64, requires_grad=True)
    y = Dropout(0.5)(x)
    (gradient,) = torch.autograd.grad(y.sum(), x)
    torch.testing.assert_close(gradient * x, y)
    assert set(gradient.tolist()) == {0.0, 2.0}


def test_evaluation_and_rate_zero_leave_it_as_it_is():
    x = torch.randn(5)
    assert Dropout(0.5).eval()(x) is x
    assert torch.equal(Dropout(0.0)(x), x)


def test_seeded():
    draws = []
    for _ in range(2):
        torch.manual_seed(3)
        draws.append(Dropout(0.5)(torch.ones(20)))
    assert torch.equal(*draws)
