"""Batch normalization of the posterior, over the rows of all processes."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Self

import torch
from torch import nn

from .distributed import batch_mean, count_rows, num_processes

HALF = (torch.float16, torch.bfloat16)


class BatchNorm(nn.BatchNorm1d):
    """Batch normalization over the rows of all processes; a batch of one sentence takes the running statistics.

    Those stay in single precision in a model of half precision, where a small variance would be 0.

    Args:
        size: features.
        gamma: scale that is kept, not learned; None learns it.
        eps: added to the variance.
    """

    running_mean: torch.Tensor
    running_var: torch.Tensor
    num_batches_tracked: torch.Tensor

    def __init__(self, size: int, gamma: float | None = None, eps: float = 1e-5) -> None:
        super().__init__(size, eps=eps)
        if self.running_var.dtype in HALF:  # a model that is made in half precision, which loses a small variance
            self.running_mean, self.running_var = self.running_mean.float(), self.running_var.float()
        self.gamma = gamma
        if gamma is not None:
            self.weight.requires_grad_(False).fill_(gamma)

    def _apply(self, fn: Callable[[torch.Tensor], torch.Tensor], recurse: bool = True) -> Self:
        before = {"running_mean": self.running_mean, "running_var": self.running_var}
        super()._apply(fn, recurse)
        for name, statistics in before.items():
            moved = getattr(self, name)
            if moved.dtype in HALF:
                setattr(self, name, statistics.to(moved.device))
        return self

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        if self.running_var.dtype != x.dtype:
            return self._normalize(x.to(self.running_var.dtype)).to(x.dtype)
        if self.training and (num_processes() > 1 or len(x) == 1):
            return self._normalize(x)
        return super().forward(x)

    def _normalize(self, x: torch.Tensor) -> torch.Tensor:
        count = count_rows(x).sum()
        if not self.training or count == 1:
            return (x - self.running_mean) * (self.running_var + self.eps).rsqrt() * self.weight + self.bias
        mean = batch_mean(x)
        variance = batch_mean((x - mean).square())
        with torch.no_grad():
            self.num_batches_tracked += 1
            rate = 1 / self.num_batches_tracked if self.momentum is None else self.momentum
            self.running_mean.lerp_(mean, rate)
            self.running_var.lerp_(variance * count / (count - 1), rate)
        return (x - mean) * (variance + self.eps).rsqrt() * self.weight + self.bias


@contextmanager
def running_statistics(module: nn.Module) -> Iterator[None]:
    """Within it no batch normalization looks at the batch, also in training: one word of each sentence is none."""
    norms = [part for part in module.modules() if isinstance(part, BatchNorm)] if module.training else []
    for norm in norms:
        norm.eval()
    try:
        yield
    finally:
        for norm in norms:
            norm.train()
