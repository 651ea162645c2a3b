"""Dropout, with the mask drawn in the fastest way of each device."""

import torch
from torch import nn


class Dropout(nn.Dropout):
    """`torch.nn.Dropout`, but on a CPU the mask comes from uniform numbers.

    PyTorch's Bernoulli generator is slower there (benchmarks/README.md).

    Examples:
        >>> Dropout(0.5).eval()(torch.ones(2))
        tensor([1., 1.])
    """

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        if x.device.type != "cpu" or not self.training or self.p == 0:
            return super().forward(x)
        kept = torch.rand(x.shape, device=x.device) >= self.p
        return x * kept / (1 - self.p)
