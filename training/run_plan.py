"""What a run does, in its order: its stages, each with its system, options and directory."""

import math
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from .arguments import TrainArguments, as_system
from .systems import NO_FLOW, NO_MMD, SYSTEMS, System, has_metric
from .training_batches import steps_of_stage, steps_per_epoch

FIRST_STAGE = "vae"
AUTOENCODER = "autoencoder"


@dataclass(frozen=True)
class PlannedStage:
    """A stage that is to be trained.

    Args:
        name: shown beside its progress.
        system: its row of the table.
        arguments: its options.
        directory: becomes its model directory.
    """

    name: str
    system: System
    arguments: TrainArguments
    directory: Path

    def steps_left(self, num_sentences: int, step: int = 0) -> tuple[int, int]:
        """(steps, validations) that come after so many steps, at most."""
        total, of_epoch = self._steps(num_sentences)
        done = math.ceil(step / of_epoch) if step == total else step // of_epoch
        return total - step, math.ceil(total / of_epoch) - done

    def in_words(self, num_sentences: int) -> str:
        """Epochs and steps.

        Examples:
            >>> PlannedStage("vae", SYSTEMS["vae"], TrainArguments(num_epochs=3), Path("runs/vae")).in_words(320)
            'vae: 3 epochs of 10 steps'
        """
        total, of_epoch = self._steps(num_sentences)
        if total % of_epoch:
            return f"{self.name}: {plural(total, 'step')}, {of_epoch:,} an epoch"
        return f"{self.name}: {plural(total // of_epoch, 'epoch')} of {plural(of_epoch, 'step')}"

    def _steps(self, num_sentences: int) -> tuple[int, int]:
        """(steps of the stage, steps of an epoch)."""
        return steps_of_stage(num_sentences, self.arguments), steps_per_epoch(num_sentences, self.arguments)


def plural(number: int, noun: str) -> str:
    """
    Examples:
        >>> plural(1, "step"), plural(2000, "step")
        ('1 step', '2,000 steps')
    """
    return f"{number:,} {noun}" + ("" if number == 1 else "s")


def plan_stages(arguments: TrainArguments, system: System, encoder_given: bool = False) -> list[PlannedStage]:
    """The [`PlannedStage`]s of a run, in their order; the last one is the system's own.

    Args:
        arguments: [`TrainArguments`] of the run.
        system: its row, with the options put in.
        encoder_given: whether there is a trained model already whose posterior means can be clustered.
    """
    directory = Path(arguments.output_dir)
    stages = [PlannedStage(arguments.system, system, arguments, directory)]
    if arguments.autoencoder_epochs:
        return [autoencoder(arguments, system), *stages]
    if has_metric(system) and not arguments.centres_from and not encoder_given:
        return [first_stage(arguments), *stages]
    return stages


def first_stage(arguments: TrainArguments) -> PlannedStage:
    """The VAE whose posterior means are clustered, with the standard normal prior.

    The scale of its means is fixed where they are batch-normalized: a VAE that has collapsed has all of them in one
    place, and the kernel would be the same everywhere.
    """
    epochs = arguments.first_stage_epochs or max(1, arguments.num_epochs // 8)
    gamma = arguments.mean_gamma or (1.0 if arguments.batch_norm else None)
    own = {"free_bits": 0.0, "minimum_rate": 0.0, "prior": None, "input_drop": arguments.input_drop}
    options = as_system(arguments, FIRST_STAGE, num_epochs=epochs, mean_gamma=gamma, lr_milestones=None, **own)
    return PlannedStage(FIRST_STAGE, SYSTEMS[FIRST_STAGE], options, Path(arguments.output_dir) / FIRST_STAGE)


def autoencoder(arguments: TrainArguments, system: System) -> PlannedStage:
    """A model of the system's sizes that is trained on reconstruction alone, and gives its encoder."""
    fixed = system.fixed | NO_FLOW | NO_MMD | {"kl_weight": 0.0, "objective": "pushforward"}
    changes: dict[str, Any] = {"num_epochs": arguments.autoencoder_epochs, "prior": None}
    options = replace(arguments, **changes)
    directory = Path(arguments.output_dir) / AUTOENCODER
    return PlannedStage(AUTOENCODER, System(fixed, sampled=False), options, directory)
