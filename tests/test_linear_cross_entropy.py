"""The fused projection and cross entropy against the library's two steps, and against finite differences."""

import pytest
import torch
import torch.nn.functional as F

from modeling_wae_rnf import linear_cross_entropy as module
from modeling_wae_rnf.linear_cross_entropy import linear_cross_entropy

TOKENS, HIDDEN, WORDS = 23, 5, 17


def inputs(dtype=torch.float64, scale=1.0):
    torch.manual_seed(0)
    shapes = [(TOKENS, HIDDEN), (WORDS, HIDDEN), (WORDS,)]
    tensors = [(torch.randn(shape, dtype=dtype) * scale).requires_grad_() for shape in shapes]
    return tensors, torch.randint(WORDS, (TOKENS,))


def plain(hidden, weight, bias, targets):
    return F.cross_entropy(F.linear(hidden, weight, bias), targets, reduction="none")


@pytest.fixture(params=[1, 4 * WORDS, 1000], ids=["a row a chunk", "unequal chunks", "one chunk"])
def _chunks(request, monkeypatch):
    monkeypatch.setattr(module, "CHUNK", request.param)


@pytest.mark.usefixtures("_chunks")
@pytest.mark.parametrize(
    "weights",
    [torch.ones(TOKENS), torch.full((TOKENS,), 0.3), torch.linspace(-1, 2, TOKENS)],
    ids=["sum", "mean", "different weights"],
)
def test_values_and_gradients_equal_the_plain_ones(weights):
    tensors, targets = inputs()
    expected = plain(*tensors, targets)
    found = linear_cross_entropy(*tensors, targets)
    torch.testing.assert_close(found, expected, rtol=0, atol=1e-12)
    expected_gradients = torch.autograd.grad((expected * weights).sum(), tensors)
    gradients = torch.autograd.grad((found * weights).sum(), tensors)
    for gradient, other in zip(gradients, expected_gradients, strict=True):
        torch.testing.assert_close(gradient, other, rtol=0, atol=1e-12)


def test_finite_differences():
    tensors, targets = inputs()
    assert torch.autograd.gradcheck(lambda *args: linear_cross_entropy(*args, targets), tensors)


@pytest.mark.usefixtures("_chunks")
def test_single_precision_is_within_1e_5():
    tensors, targets = inputs(torch.float32)
    found, expected = linear_cross_entropy(*tensors, targets), plain(*tensors, targets)
    torch.testing.assert_close(found, expected, rtol=0, atol=1e-5)
    for gradient, other in zip(
        torch.autograd.grad(found.mean(), tensors), torch.autograd.grad(expected.mean(), tensors), strict=True
    ):
        torch.testing.assert_close(gradient, other, rtol=0, atol=1e-5)


def test_an_impossible_target_has_its_finite_cost():
    (hidden, weight, bias), targets = inputs(torch.float32, scale=100.0)  # probabilities under 1e-45
    found, expected = (call(hidden, weight, bias, targets) for call in (linear_cross_entropy, plain))
    assert expected.max() > 1000
    torch.testing.assert_close(found, expected, rtol=1e-5, atol=1e-3)


def test_without_gradient():
    tensors, targets = inputs()
    with torch.no_grad():
        found = linear_cross_entropy(*tensors, targets)
    assert not found.requires_grad
    torch.testing.assert_close(found, plain(*tensors, targets).detach(), rtol=0, atol=1e-12)


@pytest.mark.parametrize("needed", [(True, False, False), (False, True, False), (False, False, True)])
@pytest.mark.parametrize("weights", [1.0, torch.linspace(-1, 2, TOKENS)], ids=["sum", "different weights"])
def test_gradient_of_some_inputs_alone(needed, weights):
    tensors, targets = inputs()
    tensors = [tensor.detach().requires_grad_(need) for tensor, need in zip(tensors, needed, strict=True)]
    (variable,) = (tensor for tensor in tensors if tensor.requires_grad)
    expected = torch.autograd.grad((plain(*tensors, targets) * weights).sum(), variable)
    found = torch.autograd.grad((linear_cross_entropy(*tensors, targets) * weights).sum(), variable)
    torch.testing.assert_close(found, expected, rtol=0, atol=1e-12)


def test_backward_twice():
    tensors, targets = inputs()
    loss = linear_cross_entropy(*tensors, targets).mean()
    first = torch.autograd.grad(loss, tensors, retain_graph=True)
    for once, again in zip(first, torch.autograd.grad(loss, tensors), strict=True):
        assert torch.equal(once, again)


def test_autocast_scores_in_single_precision():
    tensors, targets = inputs(torch.float32)
    with torch.autocast("cpu", dtype=torch.bfloat16):
        nll = linear_cross_entropy(*tensors, targets)
    assert nll.dtype == torch.float32
    torch.testing.assert_close(nll, plain(*tensors, targets), rtol=0.05, atol=0.05)
    gradients = torch.autograd.grad(nll.sum(), tensors)
    for gradient, other in zip(gradients, torch.autograd.grad(plain(*tensors, targets).sum(), tensors), strict=True):
        assert gradient.dtype == torch.float32
        torch.testing.assert_close(gradient, other, rtol=0.05, atol=0.1)


def test_no_tokens():
    (hidden, weight, bias), targets = inputs()
    nll = linear_cross_entropy(hidden[:0], weight, bias, targets[:0])
    assert nll.shape == (0,)
    assert torch.autograd.grad(nll.sum(), weight)[0].abs().sum() == 0


def test_second_derivatives():
    tensors, targets = inputs()
    few = [tensor.detach()[:3].requires_grad_() for tensor in tensors]  # three tokens, three words
    assert torch.autograd.gradgradcheck(lambda *args: linear_cross_entropy(*args, targets[:3] % 3), few)


def test_gradient_of_a_gradient_equals_the_plain_one():
    tensors, targets = inputs()

    def of_squared_gradient(call):
        gradients = torch.autograd.grad(call(*tensors, targets).mean(), tensors, create_graph=True)
        return torch.autograd.grad(sum(gradient.square().sum() for gradient in gradients), tensors)

    for found, expected in zip(of_squared_gradient(linear_cross_entropy), of_squared_gradient(plain), strict=True):
        torch.testing.assert_close(found, expected, rtol=0, atol=1e-12)
