"""Where a stage stands: written into a checkpoint, and restored from it to the bit."""

import math
import warnings
from dataclasses import asdict, dataclass, field, fields
from typing import TYPE_CHECKING

import torch

from modeling_wae_rnf.distributed import num_processes, process_index
from wae_rnf.evaluation.shared_work import gather, on_main
from wae_rnf.tokenization.batching import numbered_seed

from .checkpoints import load_checkpoint, save_checkpoint
from .random_states import random_state, set_random_state

if TYPE_CHECKING:
    from .stage import Stage


@dataclass
class StageState:
    """Where a stage stands: what a checkpoint has beside weights, optimizer, random states and the strategy's own."""

    step: int = 0
    best: float = math.inf  # of the validations so far
    epochs_without_gain: int = 0
    history: list = field(default_factory=list)  # a dictionary for each validation
    seconds: float = 0.0  # of training, validations left out


def save_stage(stage: "Stage") -> None:
    """Writes a checkpoint of a [`Stage`], of all its processes."""
    scaler = stage.accelerator.scaler  # of float16's losses
    progress = asdict(stage.state) | {"loss_scale": {} if scaler is None else scaler.state_dict()}
    progress |= stage.strategy.state_dict()
    random, keep, learned = gather([random_state()]), stage.arguments.keep_checkpoints, stage.strategy.learned()
    on_main(
        lambda: save_checkpoint(
            stage.checkpoints, stage.step, stage.module, stage.optimizer, progress, random, keep, learned
        )
    )


def restore_stage(stage: "Stage") -> None:
    """Takes a [`Stage`] back to its newest checkpoint, where there is one, and gives each process its random numbers.

    A checkpoint of a GPU goes on on a CPU, and the reverse.
    """
    of_strategy = {name: type(value) for name, value in stage.strategy.state_dict().items()}
    own = {name: type(value) for name, value in asdict(StageState()).items()}
    expected = own | {"loss_scale": dict} | of_strategy
    learned = stage.strategy.learned()
    restored = load_checkpoint(stage.checkpoints, stage.module, stage.optimizer, expected, learned)
    if process_index():  # the first process's are those of a single one
        torch.manual_seed(numbered_seed(stage.arguments.seed, process_index()))
    if restored is None:
        return
    progress, random = restored
    stage.state = StageState(**{of.name: progress[of.name] for of in fields(StageState)})
    stage.strategy.load_state_dict(progress)
    if progress["loss_scale"] and stage.accelerator.scaler is not None:
        stage.accelerator.scaler.load_state_dict(progress["loss_scale"])
    if len(random) == num_processes():
        set_random_state(random[process_index()])
    elif not stage.quiet:
        warnings.warn(
            f"the checkpoint of {stage.name} is of {len(random)} processes, and now there are "
            f"{num_processes()}; the run goes on, with other random numbers",
            stacklevel=2,
        )
