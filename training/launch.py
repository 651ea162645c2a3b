"""How a program starts and ends: its processes, device, precision and memory."""

import ctypes
import os
import sys
import warnings
from logging import ERROR, getLogger
from pathlib import Path
from typing import Any

import torch
import torch.distributed as dist
from accelerate import Accelerator
from accelerate.utils import DistributedDataParallelKwargs, ProjectConfiguration
from datasets import disable_progress_bars
from transformers import logging

from .arguments import TrainArguments
from .systems import System
from .trackers import FOLDER, trackers_of

# Of glibc's malloc: environment variable, number in malloc.h, bytes. What lies on the heap and stays there when it is
# freed need not be asked of the kernel anew at each step, page by page.
MALLOC = (
    ("MALLOC_MMAP_THRESHOLD_", -3, 2**25),  # the largest that it takes
    ("MALLOC_TRIM_THRESHOLD_", -1, 2**28),  # more than a step's largest tensors
)


def join_processes(**options: Any) -> Accelerator:
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


def keep_memory_flat() -> None:
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


def leave_processes() -> None:
    """Ends what `join_processes` began."""
    if dist.is_available() and dist.is_initialized():
        dist.destroy_process_group()


def start_accelerator(arguments: TrainArguments, system: System) -> Accelerator:
    """Device, processes, precision and trackers of the run."""
    distributed = DistributedDataParallelKwargs(find_unused_parameters=system.strategy.leaves_parameters_out)
    folder = Path(arguments.output_dir)
    accelerator = join_processes(
        mixed_precision=arguments.mixed_precision,
        log_with=trackers_of(arguments.report_to) or None,
        project_config=ProjectConfiguration(project_dir=str(folder), logging_dir=str(folder / FOLDER)),
        kwargs_handlers=[distributed],
    )
    logging.disable_progress_bar()
    if not accelerator.is_main_process:
        disable_progress_bars()
        getLogger("wae_rnf.tokenization").setLevel(ERROR)
    return accelerator
