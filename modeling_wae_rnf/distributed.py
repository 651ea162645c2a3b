"""A batch that is spread over several processes: its statistics are those of all its rows, gradients included.

Every process holds some rows of the global batch, and computes the same loss. A sum over processes passes gradients
back as a sum over processes, so each ends with the number of processes times its own part of the gradient; averaged,
as DistributedDataParallel does, the parts make the gradient that one process with the whole batch would have.
"""

import torch
import torch.distributed as dist
from torch.autograd.function import FunctionCtx


def num_processes() -> int:
    return dist.get_world_size() if dist.is_available() and dist.is_initialized() else 1


def process_index() -> int:
    return dist.get_rank() if num_processes() > 1 else 0


class SumOverProcesses(torch.autograd.Function):
    @staticmethod
    def forward(ctx: FunctionCtx, values: torch.Tensor) -> torch.Tensor:
        total = values.clone(memory_format=torch.contiguous_format)
        dist.all_reduce(total)
        return total

    @staticmethod
    def backward(ctx: FunctionCtx, gradient: torch.Tensor) -> torch.Tensor:
        return SumOverProcesses.apply(gradient)


def sum_over_processes(values: torch.Tensor) -> torch.Tensor:
    """The sum of a tensor of every process, of equal shapes; differentiable."""
    return SumOverProcesses.apply(values) if num_processes() > 1 else values


def count_rows(values: torch.Tensor) -> torch.Tensor:
    """How many rows each process has: (num_processes,)."""
    counts = torch.zeros(num_processes(), dtype=torch.long, device=values.device)
    counts[process_index()] = len(values)
    return sum_over_processes(counts)


def batch_mean(values: torch.Tensor) -> torch.Tensor:
    """The mean over the rows of all processes: (n, ...) -> (...), differentiable.

    Examples:
        >>> batch_mean(torch.tensor([[1.0, 2.0], [3.0, 4.0]]))
        tensor([2., 3.])
    """
    if num_processes() == 1:
        return values.mean(0)
    return sum_over_processes(values.sum(0)) / count_rows(values).sum()


def batch_rows(values: torch.Tensor) -> torch.Tensor:
    """The rows of all processes, in the processes' order: (n, ...) -> (sum of n, ...), differentiable."""
    if num_processes() == 1:
        return values
    counts = count_rows(values).tolist()  # they may differ, so the rows are put in their place and added up
    before, after = sum(counts[: process_index()]), sum(counts[process_index() + 1 :])
    rows = [values.new_zeros(before, *values.shape[1:]), values, values.new_zeros(after, *values.shape[1:])]
    return sum_over_processes(torch.cat(rows))


def of_main(values: torch.Tensor) -> torch.Tensor:
    """The first process's tensor, in every process; all are of one shape."""
    if num_processes() > 1:
        dist.broadcast(values, src=0)
    return values
