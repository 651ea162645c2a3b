"""One stage of training: batches in, the best model on validation out."""

import math
import time
from collections.abc import Mapping, Sequence
from contextlib import nullcontext
from dataclasses import asdict
from typing import Any

import torch

from modeling_wae_rnf import WaeRnfModel, WaeRnfOutput
from modeling_wae_rnf.distributed import num_processes
from wae_rnf.evaluation.latent_use import latent_warning
from wae_rnf.evaluation.model_directory import save_model_directory
from wae_rnf.evaluation.shared_work import largest, on_main
from wae_rnf.tokenization.batching import lengths_of

from .checkpoints import CHECKPOINTS
from .interruption import Stopped, stop_requests
from .learning_rate import learning_rate
from .loss_terms import FirstBadStep, WeightedSums
from .optimizer import build_optimizer
from .progress import Progress, columns_of
from .random_states import kept_random_state
from .remedies import advice
from .run_context import RunContext
from .run_plan import PlannedStage
from .schedules import Annealing
from .stage_state import StageState, restore_stage, save_stage
from .trackers import samples_in_words, track
from .training_batches import Batch, open_batches
from .validation import Validation, has_collapsed, validate

LOG_EVERY = 50  # steps
AGREE_EVERY = 10  # steps, after which several processes ask each other whether one was told to stop


class Stage:
    """Trains one model on one corpus, and keeps its best and its last state on disk.

    Args:
        context: [`RunContext`], what all stages of the run share.
        planned: [`PlannedStage`]: its directory becomes the model directory, and holds the checkpoints.
        model: a new `WaeRnfModel`.
    """

    def __init__(self, context: RunContext, planned: PlannedStage, model: WaeRnfModel) -> None:
        self.context, self.accelerator = context, context.accelerator
        self.name, self.system, self.arguments = planned.name, planned.system, planned.arguments
        self.directory, self.checkpoints = planned.directory, planned.directory / CHECKPOINTS
        self.model, self.optimizer = self.accelerator.prepare(model, build_optimizer(model, self.arguments))
        self.config, device = self.module.config, self.accelerator.device
        self.batches = open_batches(context.data["train"], self.arguments, self.config.pad_token_id, device)
        self.num_steps, self.steps_per_epoch = self.batches.num_steps, self.batches.steps_per_epoch
        self.annealing = Annealing(self.system, self.config, self.arguments.kl_cycles, self.num_steps)
        self.strategy, self.state, self.bad = self.system.strategy(), StageState(), FirstBadStep(device)
        self.asked_to_stop: list[int] = []
        self.stop_signal = 0
        self.quiet = not self.accelerator.is_local_main_process
        self.progress = Progress(self.name, self.num_steps, context.time_left, self.quiet)
        self.strategy.begin(self)

    @property
    def module(self) -> WaeRnfModel:
        """The model itself, without what several processes wrap around it."""
        return self.accelerator.unwrap_model(self.model)

    @property
    def step(self) -> int:
        """How many steps are done."""
        return self.state.step

    @property
    def history(self) -> list[dict[str, Any]]:
        """A dictionary for each validation so far."""
        return self.state.history

    @property
    def weights(self) -> dict[str, float]:
        """The weights of the loss at this step, by name."""
        return self.annealing.weights(self.step)

    def losses(self, inputs: Mapping[str, torch.Tensor], weights: Mapping[str, float]) -> WaeRnfOutput:
        """The model's output, a loss and its terms, for a batch."""
        return self.strategy.with_losses(self, self.model(**inputs, **weights, sample=self.system.sampled))

    def run(self) -> dict[str, Any]:
        """Trains to the end, or from the last checkpoint on.

        Returns:
            {steps, best_validation_loss, seconds, history}; `history` has a dictionary for each epoch's validation.
        """
        restore_stage(self)
        self.progress.start(self.step)
        try:
            with stop_requests() as self.asked_to_stop:
                while self.step < self.num_steps and not self._stopped_early:
                    self._epoch()
        finally:
            self.progress.stop()
        return {
            "steps": self.step,
            "best_validation_loss": self.state.best,
            "seconds": round(self.state.seconds, 1),
            "history": self.history,
        }

    def _epoch(self) -> None:
        """Steps to the end of the epoch, and what comes with it."""
        self._set_learning_rate()
        self.model.train()
        self.context.time_left.pause()
        start, sums, count = time.perf_counter(), WeightedSums(), 0
        for batches in self.batches.of_steps(self.step):
            if self.context.on_step is not None:
                self.context.on_step(self)
            self._step(batches, sums)
            self.progress.step(self.step)
            count += 1
            if self.step % LOG_EVERY == 0:
                self._log(sums.over(count))
                sums, count = WeightedSums(), 0
            # an epoch's end is saved after its validation alone: resuming would otherwise skip it
            if self._at_epoch_end:
                break
            if self._stop_requested() or (self.arguments.save_steps and self.step % self.arguments.save_steps == 0):
                self.state.seconds += time.perf_counter() - start
                start = time.perf_counter()
                self._save()
        self.state.seconds += time.perf_counter() - start
        if self._at_epoch_end:
            self._validate()
            self._save()

    def _step(self, batches: Sequence[Batch], sums: WeightedSums) -> None:
        """One step of the optimizer, on (size, inputs) of each batch: the gradient is the mean over all sentences."""
        self.strategy.before_step(self)
        total, weights = sum(size for size, _ in batches), self.weights
        losses = WeightedSums()
        for number, (size, inputs) in enumerate(batches, start=1):
            last = number == len(batches)
            with nullcontext() if last else self.accelerator.no_sync(self.model):
                output = self.losses(inputs, weights)
                assert output.loss is not None  # a forward of sentences gives one
                self.accelerator.backward(output.loss * (size / total))
            losses.add(output.terms(), weight=size / total)
        self.strategy.after_backward(self)
        if self.arguments.max_grad_norm:
            self.accelerator.clip_grad_norm_(self.model.parameters(), self.arguments.max_grad_norm)
        self.optimizer.step()
        self.optimizer.zero_grad(set_to_none=True)
        self.state.step += 1
        sums.add_sums(losses)
        self.bad.see(losses.loss, self.step)

    def _set_learning_rate(self) -> None:
        judged = [past[self._judged_by] for past in self.history if self.annealing.is_over(past["step"])]
        rate = learning_rate(self.arguments, self.step // self.steps_per_epoch, judged)
        for group in self.optimizer.param_groups:
            group["lr"] = rate

    @property
    def _at_epoch_end(self) -> bool:
        return self.step % self.steps_per_epoch == 0 or self.step == self.num_steps

    @property
    def _stopped_early(self) -> bool:
        patience = self.arguments.early_stopping
        return bool(patience) and self.state.epochs_without_gain >= patience

    @property
    def _judged_by(self) -> str:
        """The figure of a validation that says whether a model is better than another."""
        return "bound" if self.arguments.best_by == "bound" else "loss"

    def _stop_requested(self) -> int:
        """Whether to stop after this step; where several processes have to agree, only every few steps."""
        if self.step % AGREE_EVERY == 0 or num_processes() == 1:
            self.stop_signal = largest(max(self.asked_to_stop, default=0), self.accelerator.device)
        return self.stop_signal

    def _check_finite(self) -> None:
        if (step := self.bad.step) is not None:
            raise ValueError(
                f"the loss of {self.name} is not finite at step {step}; the run stops, and {self.checkpoints} and the "
                "best model stay as they were. A lower --learning_rate or --max_grad_norm 5 may help"
            )

    def _log(self, means: dict[str, float]) -> None:
        self._check_finite()
        self.progress.loss = means["loss"]
        rate = {"learning_rate": self.optimizer.param_groups[0]["lr"]}
        track(self.accelerator, self.name, "train", means | self.weights | rate, self.step)

    def _validate(self) -> None:
        """Judges the model, keeps it where it is the best, and says so."""
        self._check_finite()
        start = time.perf_counter()
        found = validate(
            self.module, self.context.data["validation"], self.batches.sample, self.arguments, self.system.sampled
        )
        figures = found.figures
        collapsed = has_collapsed(found.use, self.weights, self.config, self.system.sampled)
        told = any(past.get("collapsed") for past in self.history)
        place = {"epoch": self.step / self.steps_per_epoch, "step": self.step} | self.strategy.state_dict()
        of_so_many = {"mutual_information_sentences": found.sentences, "collapsed": collapsed}
        self.history.append(place | figures | of_so_many)
        self.strategy.after_validation(self)
        if not math.isfinite(figures["loss"]):
            raise ValueError(f"the validation loss of {self.name} is not finite at step {self.step}; the run stops")
        better = self._judge(figures[self._judged_by])
        self._track_validation(figures)
        self.context.time_left.validated(time.perf_counter() - start)
        self._show(found, better)
        warning = latent_warning(found.use, advice(asdict(self.arguments)).latent)
        if collapsed and not told and warning is not None:
            self.progress.warn(warning)

    def _judge(self, value: float) -> bool:
        """Saves the model where it is the best so far; returns whether it is."""
        better = value < self.state.best
        self.state.best = min(self.state.best, value)
        # while alpha climbs, the objective at its last weights says nothing of whether training still helps
        waiting = not better and self.annealing.is_over(self.step)
        self.state.epochs_without_gain = self.state.epochs_without_gain + 1 if waiting else 0
        if better or self.arguments.best_by == "last":
            on_main(lambda: save_model_directory(self.module, self.context.tokenizer, self.directory))
        return better

    def _track_validation(self, figures: Mapping[str, float]) -> None:
        track(self.accelerator, self.name, "validation", figures, self.step)
        if self.accelerator.trackers and self.accelerator.is_main_process:
            with kept_random_state():
                text = samples_in_words(self.module, self.context.tokenizer, self.arguments.seed)
            track(self.accelerator, self.name, "validation", {"samples": text}, self.step)

    def _show(self, found: Validation, better: bool) -> None:
        """The line of this epoch."""
        validation, figures, use = self.context.data["validation"], found.figures, found.use
        columns = columns_of(self.config, self.system.sampled, use.units is not None)
        tokens = int(lengths_of(validation).sum())
        shown = figures | {
            "epoch": math.ceil(self.step / self.steps_per_epoch),
            "epochs": math.ceil(self.num_steps / self.steps_per_epoch),
            "perplexity": math.exp(min(figures["loss"] * len(validation) / tokens, 700)),
            "units": f"{use.units}/{use.latent_size}",
            "learning_rate": self.optimizer.param_groups[0]["lr"],
            "seconds_left": self.context.time_left.seconds(self.name, self.step),
        }
        self.progress.epoch(columns, shown, better)

    def _save(self) -> None:
        self._check_finite()
        save_stage(self)
        if self._stop_requested():
            raise Stopped(self.stop_signal, self.step)
