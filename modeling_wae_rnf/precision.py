"""Where mixed precision ends: latent terms are small sums of large numbers and stay in single precision."""

from collections.abc import Callable
from functools import wraps
from typing import Any, ParamSpec, TypeVar

import torch

Arguments = ParamSpec("Arguments")
Result = TypeVar("Result")


def full_precision(function: Callable[Arguments, Result]) -> Callable[Arguments, Result]:
    """Runs a function, or a module's `forward`, with autocast off and its half-precision tensors made single.

    Without autocast nothing changes: a model that is loaded in half precision computes in it.

    Examples:
        >>> @full_precision
        ... def product(x):
        ...     return x @ x.T
        >>> with torch.autocast("cpu", dtype=torch.bfloat16):
        ...     product(torch.ones(2, 2, dtype=torch.bfloat16)).dtype
        torch.float32
    """

    call: Callable[..., Result] = function  # with other arguments than it was given

    @wraps(function)
    def wrapped(*args: Any, **kwargs: Any) -> Result:
        device = next(arg.device.type for arg in args if isinstance(arg, torch.Tensor))
        if not (torch.amp.is_autocast_available(device) and torch.is_autocast_enabled(device)):
            return function(*args, **kwargs)
        single = [arg.float() if isinstance(arg, torch.Tensor) and arg.is_floating_point() else arg for arg in args]
        with torch.autocast(device, enabled=False):
            return call(*single, **kwargs)

    return wrapped
