"""What all stages of a run share."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from accelerate import Accelerator
from datasets import DatasetDict
from transformers import PreTrainedTokenizerFast

from .time_left import TimeLeft

if TYPE_CHECKING:
    from .stage import Stage


@dataclass
class RunContext:
    """Made once, by `wae_rnf.training.run`.

    Args:
        accelerator: places models and batches, scales losses, keeps the trackers.
        tokenizer: saved with each model.
        data: prepared splits: `train`, which may be a stream, `validation` and `test`.
        time_left: of the run.
        on_step: called with the [`Stage`] before each of its steps; what it raises ends the run. None calls nothing.
    """

    accelerator: Accelerator
    tokenizer: PreTrainedTokenizerFast
    data: DatasetDict
    time_left: TimeLeft
    on_step: "Callable[[Stage], object] | None" = None
