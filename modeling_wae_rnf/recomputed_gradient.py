"""A gradient that can be differentiated again: it is not kept, but computed a second time in the backward pass."""

from collections.abc import Callable, Sequence
from typing import Any

import torch
from torch.autograd import Function
from torch.autograd.function import once_differentiable
from torch.utils.checkpoint import get_device_states, set_device_states


def recomputed_gradient(
    gradient: Callable[..., torch.Tensor], x: torch.Tensor, weights: Sequence[torch.Tensor]
) -> torch.Tensor:
    """`gradient(x)`, differentiable with respect to x and the weights.

    In the backward pass `gradient(x, through=True)` is called, with the random numbers and the autocast of the first
    call. `torch.utils.checkpoint` would do as well; it computes all of it a third time, since its forward pass, which
    takes a gradient, counts as a backward pass.

    Args:
        gradient: of x, from what `torch.autograd.grad` gives; with `through`, that has been asked to create a graph.
        x: any tensor.
        weights: what else the gradient depends on, leaves that require a gradient; it reads them by itself.

    Examples:
        >>> weight = torch.tensor(3.0, requires_grad=True)
        >>> def of_cube(x, through=False):
        ...     x = x if x.requires_grad else x.detach().requires_grad_()
        ...     with torch.enable_grad():
        ...         return torch.autograd.grad(weight * x**3, x, create_graph=through)[0]
        >>> x = torch.tensor(2.0, requires_grad=True)
        >>> torch.autograd.grad(recomputed_gradient(of_cube, x, [weight]), [x, weight])
        (tensor(36.), tensor(12.))
    """
    return _RecomputedGradient.apply(gradient, x, *weights)


class _RecomputedGradient(Function):
    @staticmethod
    def forward(
        ctx: Any, gradient: Callable[..., torch.Tensor], x: torch.Tensor, *weights: torch.Tensor
    ) -> torch.Tensor:
        device = x.device.type
        ctx.gradient = gradient
        ctx.random = torch.get_rng_state(), *get_device_states(x)
        ctx.autocast = device, torch.get_autocast_dtype(device), torch.is_autocast_enabled(device)
        ctx.save_for_backward(x, *weights)
        return gradient(x.detach())

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, of_gradient: torch.Tensor) -> tuple[torch.Tensor | None, ...]:
        x, *weights = ctx.saved_tensors
        x = x.detach().requires_grad_()
        of_host, devices, of_devices = ctx.random
        with torch.random.fork_rng(devices), torch.autocast(*ctx.autocast), torch.enable_grad():
            torch.set_rng_state(of_host)
            set_device_states(devices, of_devices)
            gradient = ctx.gradient(x, through=True)
            return None, *torch.autograd.grad(gradient, [x, *weights], of_gradient, allow_unused=True)
