"""One stage of training: batches in, the best model on validation out."""

import math
import sys
import time
from pathlib import Path

import torch
from tqdm.auto import tqdm

from .batch_norm import estimate_batch_norm
from .batching import length_grouped_batches, load_batches, sorted_batches
from .checkpoints import load_checkpoint, random_state, save_checkpoint, set_random_state
from .schedules import annealed_weights

TERMS = ("reconstruction", "kl", "log_abs_det", "log_kernel", "mmd")
LOG_EVERY = 50  # steps


class Stage:
    """Trains one model on one corpus, and keeps its best and its last state on disk.

    Args:
        name: shown beside the progress bar and in TensorBoard.
        accelerator: places model and batches, scales and logs.
        model, tokenizer: saved together in `output_dir` whenever validation improves.
        data: prepared splits `train` and `validation`.
        annealing: (start, end) of alpha's climb, as parts of the stage.
        arguments: the options, see `TrainArguments`.
        output_dir: becomes the model directory; `checkpoints/last` below it holds what resuming needs.
    """

    def __init__(self, name, accelerator, model, tokenizer, data, annealing, arguments, output_dir):
        self.name, self.accelerator, self.tokenizer, self.data = name, accelerator, tokenizer, data
        self.annealing, self.arguments, self.output_dir = annealing, arguments, Path(output_dir)
        optimizer = torch.optim.Adam(model.parameters(), lr=arguments.learning_rate, fused=True)
        self.model, self.optimizer = accelerator.prepare(model, optimizer)
        self.lengths = data["train"]["length"][:]
        per_epoch = math.ceil(len(self.lengths) / arguments.batch_size)
        self.steps_per_epoch = min(per_epoch, arguments.max_steps_per_epoch)
        self.num_steps = arguments.num_epochs * self.steps_per_epoch
        if arguments.max_steps is not None:
            self.num_steps = min(self.num_steps, arguments.max_steps)
        self.step, self.best, self.epochs_without_gain = 0, math.inf, 0
        self.first_bad_step = torch.full((), -1, device=accelerator.device)
        self.seconds = 0.0

    @property
    def config(self):
        return self.accelerator.unwrap_model(self.model).config

    @property
    def last(self):
        return self.output_dir / "checkpoints" / "last"

    def run(self):
        """Trains to the end, or from the last checkpoint on. Returns {steps, best_validation_loss, seconds}."""
        restored = load_checkpoint(self.last, self.accelerator.unwrap_model(self.model), self.optimizer)
        if restored is not None:
            progress, random = restored
            set_random_state(random)
            self.step, self.best = progress["step"], progress["best"]
            self.epochs_without_gain, self.seconds = progress["epochs_without_gain"], progress["seconds"]
        with tqdm(
            total=self.num_steps, initial=self.step, desc=self.name, unit="step", disable=self._quiet or None
        ) as bar:
            while self.step < self.num_steps and not self._stopped_early:
                self._epoch(bar)
        return {"steps": self.step, "best_validation_loss": self.best, "seconds": round(self.seconds, 1)}

    @property
    def _quiet(self):
        return not self.accelerator.is_local_main_process

    @property
    def _stopped_early(self):
        patience = self.arguments.early_stopping
        return bool(patience) and self.epochs_without_gain >= patience

    @property
    def _at_epoch_end(self):
        return self.step % self.steps_per_epoch == 0 or self.step == self.num_steps

    def _epoch(self, bar):
        epoch, done = divmod(self.step, self.steps_per_epoch)
        options = self.arguments
        batches = length_grouped_batches(self.lengths, options.batch_size, options.length_pool, options.seed, epoch)
        last = min(self.steps_per_epoch, self.num_steps - epoch * self.steps_per_epoch)
        loaded = load_batches(
            self.data["train"], batches[done:last], self.config.pad_token_id, self.accelerator.device
        )
        start = time.perf_counter()
        self.model.train()
        sums, count = torch.zeros(len(TERMS) + 1, device=self.accelerator.device), 0
        for inputs in loaded:
            sums, count = sums + self._train_step(inputs), count + 1
            bar.update()
            if self.step % LOG_EVERY == 0:
                self._log(bar, sums / count)
                sums, count = torch.zeros_like(sums), 0
            # an epoch's end is saved after its validation alone: resuming would otherwise skip it
            if options.save_steps and self.step % options.save_steps == 0 and not self._at_epoch_end:
                self.seconds += time.perf_counter() - start
                start = time.perf_counter()
                self._save()
        self.seconds += time.perf_counter() - start
        if self._at_epoch_end:
            self._validate(bar)
            self._save()

    def _load(self, sentences, batches):
        return load_batches(sentences, batches, self.config.pad_token_id, self.accelerator.device)

    def _train_step(self, inputs):
        weights = annealed_weights(self.step / self.num_steps, self.config, self.annealing)
        output = self.model(**inputs, **weights)
        self.accelerator.backward(output.loss)
        if self.arguments.max_grad_norm:
            self.accelerator.clip_grad_norm_(self.model.parameters(), self.arguments.max_grad_norm)
        self.optimizer.step()
        self.optimizer.zero_grad(set_to_none=True)
        self.step += 1
        # remembered on the device, read when the host waits for it anyway
        bad = output.loss.isfinite().logical_not() & (self.first_bad_step < 0)
        self.first_bad_step = torch.where(bad, self.step, self.first_bad_step)
        return torch.stack([output.loss.detach(), *(output[term].detach().mean() for term in TERMS)])

    def _check_finite(self):
        if (step := int(self.first_bad_step)) >= 0:
            raise ValueError(
                f"the loss of {self.name} is not finite at step {step}; the run stops, and {self.last} and the best "
                "model stay as they were. A lower --learning_rate or --max_grad_norm 5 may help"
            )

    def _log(self, bar, means):
        self._check_finite()
        values = dict(zip(("loss", *TERMS), means.tolist(), strict=True))
        weights = annealed_weights(self.step / self.num_steps, self.config, self.annealing)
        bar.set_postfix({name: f"{value:.4g}" for name, value in (values | weights).items()}, refresh=False)
        self.accelerator.log({f"{self.name}/train/{k}": v for k, v in (values | weights).items()}, step=self.step)

    @torch.no_grad()
    def _validate(self, bar):
        """The objective at its last weights: comparable between epochs, whatever the schedule says today."""
        self._check_finite()
        random = random_state()
        torch.manual_seed(self.arguments.seed)  # the same samples at every validation
        estimate_batch_norm(self.accelerator.unwrap_model(self.model), self.data["train"], self.arguments.seed)
        validation = self.data["validation"]
        batches = sorted_batches(validation["length"][:], self.arguments.batch_size)
        sums = torch.zeros(len(TERMS) + 1, device=self.accelerator.device)
        for inputs in self._load(validation, batches):
            output = self.model(**inputs)
            terms = [output.loss, *(output[term].mean() for term in TERMS)]
            sums += torch.stack(terms) * len(inputs["input_ids"])
        set_random_state(random)
        values = dict(zip(("loss", *TERMS), (sums / len(validation)).tolist(), strict=True))
        self.accelerator.log({f"{self.name}/validation/{k}": v for k, v in values.items()}, step=self.step)
        epoch = self.step / self.steps_per_epoch
        shown = "  ".join(f"{name} {value:.4g}" for name, value in values.items())
        if not self._quiet:
            bar.write(f"{self.name}  epoch {epoch:.4g}  validation: {shown}", file=sys.stderr)
        if not math.isfinite(values["loss"]):
            raise ValueError(f"the validation loss of {self.name} is not finite at step {self.step}; the run stops")
        if values["loss"] < self.best:
            self.best, self.epochs_without_gain = values["loss"], 0
            self._save_best()
        else:
            self.epochs_without_gain += 1

    def _save_best(self):
        if self.accelerator.is_main_process:
            self.accelerator.unwrap_model(self.model).save_pretrained(self.output_dir)
            self.tokenizer.save_pretrained(self.output_dir)

    def _save(self):
        self._check_finite()
        if self.accelerator.is_main_process:
            progress = {
                "step": self.step,
                "best": self.best,
                "epochs_without_gain": self.epochs_without_gain,
                "seconds": self.seconds,
            }
            save_checkpoint(self.last, self.accelerator.unwrap_model(self.model), self.optimizer, progress)
