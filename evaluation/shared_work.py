"""Work that several processes share: each takes its part, or the first does all of it."""

from collections.abc import Callable, Sequence
from typing import Any, TypeVar

import numpy as np
import torch
import torch.distributed as dist

from modeling_wae_rnf.distributed import num_processes, process_index

Item = TypeVar("Item")
Items = TypeVar("Items", list[Any], np.ndarray)


def my_share(batch: Items) -> Items:
    """The sentences of a batch that are this process's: the parts are disjoint, and their sizes differ by at most one.

    Raises:
        ValueError: fewer sentences than processes.
    """
    check_shares(len(batch))
    return batch[process_index() :: num_processes()]


def check_shares(size: int) -> None:
    """Raises ValueError where a batch of this size has fewer sentences than there are processes."""
    if size < num_processes():
        raise ValueError(f"{num_processes()} processes cannot share a batch of {size}; start fewer processes")


def my_part(items: Sequence[Item]) -> Sequence[Item]:
    """This process's part of a list: together the processes have every item once."""
    return items[process_index() :: num_processes()]


def gather(items: list[Item]) -> list[Item]:
    """The whole list again, in every process, of what each has made of its part."""
    if num_processes() == 1:
        return items
    parts: list[Any] = [None] * num_processes()
    dist.all_gather_object(parts, items)
    whole: list[Any] = [None] * sum(map(len, parts))
    for index, part in enumerate(parts):
        whole[index :: num_processes()] = part
    return whole


def on_main(make: Callable[[], Item]) -> Item:
    """What `make()` returns in the first process, in every process. The others wait for it.

    Raises:
        ValueError, OSError: those of `make()`, in every process.
    """
    if num_processes() == 1:
        return make()
    outcome: list[Any] = [None, None]
    if process_index() == 0:
        try:
            outcome = [make(), None]
        except (ValueError, OSError) as error:
            outcome = [None, error]
    dist.broadcast_object_list(outcome, src=0)
    value, error = outcome
    if error is not None:
        raise error
    return value


def main_first(make: Callable[[], Item]) -> Item:
    """What `make()` returns in this process; the first does it before the others, which find what it left on disk."""
    if num_processes() == 1:
        return make()
    made: list[Item] = []
    on_main(lambda: made.append(make()))
    return made[0] if made else make()


def largest(number: int, device: torch.device) -> int:
    """The largest of a whole number of every process."""
    if num_processes() == 1:
        return number
    value = torch.tensor(number, device=device)
    dist.all_reduce(value, dist.ReduceOp.MAX)
    return int(value)
