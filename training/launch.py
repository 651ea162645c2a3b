"""Work that several processes share: each takes its part, or the first does all of it."""

import ctypes
import os
import sys
import warnings

import torch
import torch.distributed as dist
from accelerate import Accelerator

from modeling_wae_rnf.distributed import num_processes, process_index

# Of glibc's malloc: environment variable, number in malloc.h, bytes. What lies on the heap and stays there when it is
# freed need not be asked of the kernel anew at each step, page by page.
MALLOC = (
    ("MALLOC_MMAP_THRESHOLD_", -3, 2**25),  # the largest that it takes
    ("MALLOC_TRIM_THRESHOLD_", -1, 2**28),  # more than a step's largest tensors
)


def join(**options):
    """The `Accelerator` of this program: one process, or one of those that the launcher started, with or without GPUs.

    Args:
        options: as for `Accelerator`.
    """
    keep_memory_flat()
    if "MASTER_PORT" in os.environ and "WORLD_SIZE" not in os.environ:  # what `accelerate launch --cpu` leaves
        warnings.warn(
            "the launcher was asked for several processes and started one; on CPUs, start N of them with "
            "torchrun --nproc_per_node N train.py",
            stacklevel=2,
        )
    # where there is no GPU, accelerate has to be told, or each process believes to be alone
    return Accelerator(cpu=not torch.accelerator.is_available(), **options)


def keep_memory_flat():
    """Has what batches of changing shapes leave behind on CPUs stay small, and what is used again stay at hand.

    Each of these may be set in the environment too.
    """
    # compiled products, of which a thousand are kept by default
    os.environ.setdefault("ONEDNN_PRIMITIVE_CACHE_CAPACITY", "32")
    if sys.platform != "linux":
        return
    set_option = getattr(ctypes.CDLL(None), "mallopt", None)  # not in every library of C
    for variable, number, size in MALLOC:
        if set_option is not None and variable not in os.environ:
            set_option(number, size)


def leave():
    """Ends what `join` began."""
    if dist.is_available() and dist.is_initialized():
        dist.destroy_process_group()


def my_part(items):
    """This process's part of a list: together the processes have every item once."""
    return items[process_index() :: num_processes()]


def gather(items):
    """The whole list again, in every process, of what each has made of its part."""
    if num_processes() == 1:
        return items
    parts = [None] * num_processes()
    dist.all_gather_object(parts, items)
    whole = [None] * sum(map(len, parts))
    for index, part in enumerate(parts):
        whole[index :: num_processes()] = part
    return whole


def on_main(make):
    """What `make()` returns in the first process, in every process. The others wait for it.

    Raises:
        ValueError, OSError: those of `make()`, in every process.
    """
    if num_processes() == 1:
        return make()
    outcome = [None, None]
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


def main_first(make):
    """What `make()` returns in this process; the first does it before the others, which find what it left on disk."""
    if num_processes() == 1:
        return make()
    made = []
    on_main(lambda: made.append(make()))
    return made[0] if made else make()


def largest(number, device):
    """The largest of a whole number of every process."""
    if num_processes() == 1:
        return number
    value = torch.tensor(number, device=device)
    dist.all_reduce(value, dist.ReduceOp.MAX)
    return int(value)
