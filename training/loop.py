"""One stage of training: batches in, the best model on validation out."""

import math
import sys
import time
from pathlib import Path

import numpy as np
import torch
from tqdm.auto import tqdm

from .batch_norm import estimate_batch_norm
from .batching import length_grouped_batches, load_batches, sorted_batches
from .checkpoints import load_checkpoint, random_state, save_checkpoint, set_random_state
from .encoding import encode_split
from .estimators import use_of_the_code
from .lagging import encoder_alone, encoder_parameters, run_until_no_better
from .model_directory import save_model_directory
from .schedules import annealed_weights
from .stopping import Stopped, stop_requests

TERMS = ("reconstruction", "kl", "log_abs_det", "log_kernel", "mmd")
FLOW_IN_POSTERIOR = ("authors", "flow_posterior")  # objectives whose divergence is of z' from the prior
LOG_EVERY = 50  # steps
PROGRESS = ("step", "best", "epochs_without_gain", "lagging", "history", "seconds")  # what a checkpoint holds


class Stage:
    """Trains one model on one corpus, and keeps its best and its last state on disk.

    Args:
        name: shown beside the progress bar and in TensorBoard.
        accelerator: places model and batches, scales and logs.
        model, tokenizer: saved together in `output_dir` whenever validation improves.
        data: prepared splits `train` and `validation`.
        system: its row of the table, whose schedule is followed.
        arguments: the options, see `TrainArguments`.
        output_dir: becomes the model directory; `checkpoints` below it holds what resuming needs.
    """

    def __init__(self, name, accelerator, model, tokenizer, data, system, arguments, output_dir):
        self.name, self.accelerator, self.tokenizer, self.data = name, accelerator, tokenizer, data
        self.system, self.arguments, self.output_dir = system, arguments, Path(output_dir)
        optimizer = torch.optim.Adam(model.parameters(), lr=arguments.learning_rate, fused=True)
        self.model, self.optimizer = accelerator.prepare(model, optimizer)
        self.lengths = data["train"]["length"][:]
        per_epoch = math.ceil(len(self.lengths) / arguments.batch_size)
        self.steps_per_epoch = min(per_epoch, arguments.max_steps_per_epoch)
        self.num_steps = arguments.num_epochs * self.steps_per_epoch
        if arguments.max_steps is not None:
            self.num_steps = min(self.num_steps, arguments.max_steps)
        self.step, self.best, self.epochs_without_gain = 0, math.inf, 0
        self.lagging, self.history, self.seconds = system.lagging, [], 0.0
        self.first_bad_step = torch.full((), -1, device=accelerator.device)

    @property
    def config(self):
        return self.accelerator.unwrap_model(self.model).config

    @property
    def checkpoints(self):
        return self.output_dir / "checkpoints"

    def run(self):
        """Trains to the end, or from the last checkpoint on.

        Returns:
            {steps, best_validation_loss, seconds, history}; `history` has a dictionary for each epoch's validation.
        """
        model = self.accelerator.unwrap_model(self.model)
        restored = load_checkpoint(self.checkpoints, model, self.optimizer, PROGRESS)
        if restored is not None:
            progress, random = restored
            set_random_state(random)
            for name in PROGRESS:
                setattr(self, name, progress[name])
        shown = {"desc": self.name, "unit": "step", "disable": self._quiet or None}
        with tqdm(total=self.num_steps, initial=self.step, **shown) as bar, stop_requests() as self.asked_to_stop:
            while self.step < self.num_steps and not self._stopped_early:
                self._epoch(bar)
        return {
            "steps": self.step,
            "best_validation_loss": self.best,
            "seconds": round(self.seconds, 1),
            "history": self.history,
        }

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
        loaded = self._load(self.data["train"], batches[done:last])
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
            if self._at_epoch_end:
                break
            if self.asked_to_stop or (options.save_steps and self.step % options.save_steps == 0):
                self.seconds += time.perf_counter() - start
                start = time.perf_counter()
                self._save()
        self.seconds += time.perf_counter() - start
        if self._at_epoch_end:
            self._validate(bar)
            self._save()

    def _load(self, sentences, batches):
        return load_batches(sentences, batches, self.config.pad_token_id, self.accelerator.device)

    def _weights(self):
        return annealed_weights(
            self.step / self.num_steps, self.config, self.system.annealing, self.arguments.kl_cycles
        )

    def _train_encoder(self):
        """The inner loop of lagging inference, before this step."""
        options, rng = self.arguments, np.random.default_rng((self.arguments.seed, self.step))
        size = min(options.batch_size, len(self.lengths))
        batches = [rng.choice(len(self.lengths), size, replace=False).tolist() for _ in range(options.inner_steps)]
        loaded, weights = iter(self._load(self.data["train"], batches)), self._weights()

        def encoder_step():
            loss = self.model(**next(loaded), **weights, sample=self.system.sampled).loss
            self.accelerator.backward(loss)
            self.optimizer.step()
            self.optimizer.zero_grad(set_to_none=True)
            return loss.detach()

        with encoder_alone(self.accelerator.unwrap_model(self.model)):
            run_until_no_better(encoder_step, options.inner_steps)

    def _train_step(self, inputs):
        if self.lagging:
            self._train_encoder()
        output = self.model(**inputs, **self._weights(), sample=self.system.sampled)
        self.accelerator.backward(output.loss)
        if self.lagging:  # the encoder has had its steps
            for parameter in encoder_parameters(self.accelerator.unwrap_model(self.model)):
                parameter.grad = None
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
                f"the loss of {self.name} is not finite at step {step}; the run stops, and {self.checkpoints} and the "
                "best model stay as they were. A lower --learning_rate or --max_grad_norm 5 may help"
            )

    def _log(self, bar, means):
        self._check_finite()
        values, weights = dict(zip(("loss", *TERMS), means.tolist(), strict=True)), self._weights()
        bar.set_postfix({name: f"{value:.4g}" for name, value in (values | weights).items()}, refresh=False)
        self.accelerator.log({f"{self.name}/train/{k}": v for k, v in (values | weights).items()}, step=self.step)

    @torch.no_grad()
    def _validate(self, bar):
        """The objective at its last weights, comparable between epochs whatever the schedule is at, and the bound."""
        self._check_finite()
        random = random_state()
        torch.manual_seed(self.arguments.seed)  # the same samples at every validation
        estimate_batch_norm(self.accelerator.unwrap_model(self.model), self.data["train"], self.arguments.seed)
        validation = self.data["validation"]
        batches = sorted_batches(validation["length"][:], self.arguments.batch_size)
        sums = torch.zeros(len(TERMS) + 1, device=self.accelerator.device)
        for inputs in self._load(validation, batches):
            output = self.model(**inputs, sample=self.system.sampled)
            terms = [output.loss, *(output[term].mean() for term in TERMS)]
            sums += torch.stack(terms) * len(inputs["input_ids"])
        values = dict(zip(("loss", *TERMS), (sums / len(validation)).tolist(), strict=True))
        values["bound"] = values["reconstruction"] + values["kl"]
        if self.config.objective in FLOW_IN_POSTERIOR:
            values["bound"] -= values["log_abs_det"]
        values |= use_of_the_code(encode_split(self.accelerator.unwrap_model(self.model), validation))
        set_random_state(random)
        self.accelerator.log({f"{self.name}/validation/{k}": v for k, v in values.items()}, step=self.step)
        epoch = self.step / self.steps_per_epoch
        self.history.append({"epoch": epoch, "step": self.step, "lagging": self.lagging} | values)
        best_information = max((past["mutual_information"] for past in self.history[:-1]), default=-math.inf)
        self.lagging = self.lagging and values["mutual_information"] > best_information
        shown = "  ".join(f"{name} {value:.4g}" for name, value in values.items())
        if not self._quiet:
            bar.write(f"{self.name}  epoch {epoch:.4g}  validation: {shown}", file=sys.stderr)
        if not math.isfinite(values["loss"]):
            raise ValueError(f"the validation loss of {self.name} is not finite at step {self.step}; the run stops")
        if (judged := values[self.arguments.best_by]) < self.best:
            self.best, self.epochs_without_gain = judged, 0
            self._save_best()
        else:
            self.epochs_without_gain += 1

    def _save_best(self):
        if self.accelerator.is_main_process:
            save_model_directory(self.accelerator.unwrap_model(self.model), self.tokenizer, self.output_dir)

    def _save(self):
        self._check_finite()
        if self.accelerator.is_main_process:
            progress = {name: getattr(self, name) for name in PROGRESS}
            model, keep = self.accelerator.unwrap_model(self.model), self.arguments.keep_checkpoints
            save_checkpoint(self.checkpoints, self.step, model, self.optimizer, progress, keep)
        if self.asked_to_stop:
            raise Stopped(self.asked_to_stop[0], self.step)
