"""One stage of training: batches in, the best model on validation out."""

import math
import sys
import time
import warnings
from contextlib import nullcontext
from dataclasses import asdict
from itertools import islice
from pathlib import Path

import numpy as np
import torch
from tqdm.auto import tqdm

from modeling_wae_rnf.distributed import num_processes, process_index, sum_over_processes
from wae_rnf.evaluation.encode_split import encode_split
from wae_rnf.evaluation.estimators import random_rows, use_of_the_code
from wae_rnf.evaluation.latent_use import UNITS, LatentUse, latent_warning
from wae_rnf.evaluation.model_directory import save_model_directory
from wae_rnf.evaluation.shared_work import gather, largest, my_part, on_main, share
from wae_rnf.tokenization.batching import lengths_of, load_batches, numbered_seed, sorted_batches

from .batch_norm_statistics import estimate_batch_norm
from .checkpoints import load_checkpoint, random_state, save_checkpoint, set_random_state
from .interruption import Stopped, stop_requests
from .lagging import encoder_alone, encoder_parameters, run_until_no_better
from .messages import wrapped
from .remedies import advice
from .schedules import annealed_weights, num_decays
from .training_batches import open_source, sample_of

TERMS = ("reconstruction", "kl", "log_abs_det", "log_kernel", "bound", "mmd")
LOG_EVERY = 50  # steps
AGREE_EVERY = 10  # steps, after which several processes ask each other whether one was told to stop
PROGRESS = {  # what a checkpoint holds beside weights, optimizer and random states
    "step": int, "best": float, "epochs_without_gain": int, "lagging": bool, "history": list, "seconds": float,
    "loss_scale": dict,
}  # fmt: skip


def parameter_groups(model, weight_decay):
    """The parameters as AdamW takes them: matrices decay, vectors (biases, batch normalization, flows) do not.

    Example:
        >>> [len(group["params"]) for group in parameter_groups(torch.nn.Linear(2, 2), 0.1)]
        [1, 1]
    """
    if not weight_decay:
        return [{"params": list(model.parameters()), "weight_decay": 0.0}]
    matrices = [parameter for parameter in model.parameters() if parameter.ndim > 1]
    vectors = [parameter for parameter in model.parameters() if parameter.ndim < 2]
    return [{"params": matrices, "weight_decay": weight_decay}, {"params": vectors, "weight_decay": 0.0}]


class Stage:
    """Trains one model on one corpus, and keeps its best and its last state on disk.

    Args:
        name: shown beside the progress bar and in TensorBoard.
        accelerator: places model and batches, scales and logs.
        model, tokenizer: saved together in `output_dir` whenever validation improves.
        data: prepared splits `train`, which may be a stream, and `validation`.
        system: its row of the table, whose schedule is followed.
        arguments: the options, see `TrainArguments`.
        output_dir: becomes the model directory; `checkpoints` below it holds what resuming needs.
    """

    def __init__(self, name, accelerator, model, tokenizer, data, system, arguments, output_dir):
        self.name, self.accelerator, self.tokenizer, self.data = name, accelerator, tokenizer, data
        self.system, self.arguments, self.output_dir = system, arguments, Path(output_dir)
        optimizer = torch.optim.AdamW(
            parameter_groups(model, arguments.weight_decay), arguments.learning_rate, fused=True
        )
        self.model, self.optimizer = accelerator.prepare(model, optimizer)
        self.source, self.sample = open_source(data["train"], arguments), sample_of(data["train"])
        self.steps_per_epoch = self.source.steps_per_epoch
        self.num_steps = arguments.num_epochs * self.steps_per_epoch
        if arguments.max_steps is not None:
            self.num_steps = min(self.num_steps, arguments.max_steps)
        share(range(min(arguments.batch_size, self.source.num_sentences)))  # fails where the processes are too many
        self.step, self.best, self.epochs_without_gain = 0, math.inf, 0
        self.lagging, self.history, self.seconds = system.lagging, [], 0.0
        self.stop_signal = 0
        self.first_bad_step = torch.full((), -1, device=accelerator.device)

    @property
    def config(self):
        return self.accelerator.unwrap_model(self.model).config

    @property
    def checkpoints(self):
        return self.output_dir / "checkpoints"

    @property
    def loss_scale(self):
        """The state of float16's loss scaling; empty without."""
        return self.accelerator.scaler.state_dict() if self.accelerator.scaler is not None else {}

    @loss_scale.setter
    def loss_scale(self, state):
        if state:
            self.accelerator.scaler.load_state_dict(state)

    def run(self):
        """Trains to the end, or from the last checkpoint on.

        Returns:
            {steps, best_validation_loss, seconds, history}; `history` has a dictionary for each epoch's validation.
        """
        model = self.accelerator.unwrap_model(self.model)
        restored = load_checkpoint(self.checkpoints, model, self.optimizer, PROGRESS)
        if process_index():  # dropout and noise of its own; the first process's are those of a single one
            torch.manual_seed(numbered_seed(self.arguments.seed, process_index()))
        if restored is not None:
            progress, random = restored
            if len(random) == num_processes():
                set_random_state(random[process_index()])
            elif not self._quiet:
                warnings.warn(
                    f"the checkpoint of {self.name} is of {len(random)} processes, and now there are "
                    f"{num_processes()}; the run goes on, with other random numbers",
                    stacklevel=2,
                )
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
    def _judged_by(self):
        """The figure of a validation that says whether a model is better than another."""
        return "bound" if self.arguments.best_by == "bound" else "loss"

    def _annealed(self, step):
        """Whether alpha has its last value at a step, for good; one of 0 always has."""
        end, cycles = self.system.annealing[1], self.arguments.kl_cycles
        return not self.config.kl_weight or step / self.num_steps >= (cycles - 1 + end) / cycles

    @property
    def _at_epoch_end(self):
        return self.step % self.steps_per_epoch == 0 or self.step == self.num_steps

    def _set_learning_rate(self):
        """That of the next epoch; it depends on the validations so far alone, so that a resumed run has the same."""
        options = self.arguments
        judged = [past[self._judged_by] for past in self.history if self._annealed(past["step"])]
        epoch = self.step // self.steps_per_epoch
        decays = num_decays(judged, epoch, options.lr_patience, options.lr_milestones or ())
        for group in self.optimizer.param_groups:
            group["lr"] = options.learning_rate * options.lr_decay**decays

    def _epoch(self, bar):
        options = self.arguments
        self._set_learning_rate()
        batches = self.source.batches(self.step, self.config.pad_token_id, self.accelerator.device)
        start = time.perf_counter()
        self.model.train()
        sums, count = torch.zeros(len(TERMS) + 1, device=self.accelerator.device), 0
        while of_step := list(islice(batches, options.accumulation_steps)):
            sums, count = sums + self._train_step(of_step), count + 1
            bar.update()
            if self.step % LOG_EVERY == 0:
                self._log(bar, sums / count)
                sums, count = torch.zeros_like(sums), 0
            # an epoch's end is saved after its validation alone: resuming would otherwise skip it
            if self._at_epoch_end:
                break
            if self._stop_requested() or (options.save_steps and self.step % options.save_steps == 0):
                self.seconds += time.perf_counter() - start
                start = time.perf_counter()
                self._save()
        self.seconds += time.perf_counter() - start
        if self._at_epoch_end:
            self._validate(bar)
            self._save()

    def _stop_requested(self):
        """Whether to stop after this step; where several processes have to agree, only every few steps."""
        if self.step % AGREE_EVERY == 0 or num_processes() == 1:
            self.stop_signal = largest(max(self.asked_to_stop, default=0), self.accelerator.device)
        return self.stop_signal

    def _load(self, sentences, batches):
        return load_batches(sentences, batches, self.config.pad_token_id, self.accelerator.device)

    def _weights(self):
        return annealed_weights(
            self.step / self.num_steps, self.config, self.system.annealing, self.arguments.kl_cycles
        )

    def _train_encoder(self):
        """The inner loop of lagging inference, before this step."""
        options, rng = self.arguments, np.random.default_rng((self.arguments.seed, self.step))
        size = min(options.batch_size, len(self.sample))
        batches = [rng.choice(len(self.sample), size, replace=False).tolist() for _ in range(options.inner_steps)]
        batches = [share(batch) for batch in batches]
        loaded, weights = self._load(self.sample, batches), self._weights()

        def encoder_step():
            loss = self.model(**next(loaded), **weights, sample=self.system.sampled).loss
            self.accelerator.backward(loss)
            self.optimizer.step()
            self.optimizer.zero_grad(set_to_none=True)
            return loss.detach()

        with encoder_alone(self.accelerator.unwrap_model(self.model)):
            run_until_no_better(encoder_step, options.inner_steps)

    def _train_step(self, batches):
        """One step of the optimizer, on (size, inputs) of each batch: the gradient is the mean over all sentences."""
        if self.lagging:
            self._train_encoder()
        terms, total = 0, sum(size for size, _ in batches)
        for number, (size, inputs) in enumerate(batches, start=1):
            last = number == len(batches)
            with nullcontext() if last else self.accelerator.no_sync(self.model):
                output = self.model(**inputs, **self._weights(), sample=self.system.sampled)
                self.accelerator.backward(output.loss * (size / total))
            values = [output.loss.detach(), *(output[term].detach().mean() for term in TERMS)]
            terms = terms + torch.stack(values) * (size / total)
        if self.lagging:  # the encoder has had its steps
            for parameter in encoder_parameters(self.accelerator.unwrap_model(self.model)):
                parameter.grad = None
        if self.arguments.max_grad_norm:
            self.accelerator.clip_grad_norm_(self.model.parameters(), self.arguments.max_grad_norm)
        self.optimizer.step()
        self.optimizer.zero_grad(set_to_none=True)
        self.step += 1
        # remembered on the device, read when the host waits for it anyway
        bad = terms[0].isfinite().logical_not() & (self.first_bad_step < 0)
        self.first_bad_step = torch.where(bad, self.step, self.first_bad_step)
        return terms

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
        random, seed = random_state(), self.arguments.seed
        model = self.accelerator.unwrap_model(self.model)  # the processes' numbers of batches may differ
        model.eval()
        if self.arguments.batch_norm_statistics == "corpus":
            estimate_batch_norm(model, self.sample, seed)
        validation = self.data["validation"]
        batches = sorted_batches(lengths_of(validation), self.arguments.batch_size)
        sums = torch.zeros(len(TERMS) + 1, device=self.accelerator.device)
        loaded = self._load(validation, my_part(batches))
        for number, inputs in zip(my_part(range(len(batches))), loaded, strict=True):
            torch.manual_seed(numbered_seed(seed, number))  # the same samples at every validation
            output = model(**inputs, sample=self.system.sampled, return_logits=False)
            terms = [output.loss, *(output[term].mean() for term in TERMS)]
            sums += torch.stack(terms) * len(inputs["input_ids"])
        sums = sum_over_processes(sums)
        torch.manual_seed(seed)
        values = dict(zip(("loss", *TERMS), (sums / len(validation)).tolist(), strict=True))
        posterior = encode_split(model, validation)
        values |= use_of_the_code(posterior)
        use = LatentUse.of_posterior(posterior, values["mutual_information"])
        values |= {} if use.units is None else {UNITS: use.units}
        set_random_state(random)
        self.accelerator.log({f"{self.name}/validation/{k}": v for k, v in values.items()}, step=self.step)
        epoch = self.step / self.steps_per_epoch
        of_so_many = {"mutual_information_sentences": len(random_rows(len(validation)))}
        self.history.append({"epoch": epoch, "step": self.step, "lagging": self.lagging} | values | of_so_many)
        best_information = max((past["mutual_information"] for past in self.history[:-1]), default=-math.inf)
        self.lagging = self.lagging and values["mutual_information"] > best_information
        shown = "  ".join(f"{name} {value:.4g}" for name, value in values.items())
        if not self._quiet:
            bar.write(f"{self.name}  epoch {epoch:.4g}  validation: {shown}", file=sys.stderr)
        self._warn_of_collapse(use, bar)
        if not math.isfinite(values["loss"]):
            raise ValueError(f"the validation loss of {self.name} is not finite at step {self.step}; the run stops")
        better = values[self._judged_by] < self.best
        self.best = min(self.best, values[self._judged_by])
        # while alpha climbs, the objective at its last weights says nothing of whether training still helps
        waiting = not better and self._annealed(self.step)
        self.epochs_without_gain = self.epochs_without_gain + 1 if waiting else 0
        if better or self.arguments.best_by == "last":
            self._save_best()

    def _warn_of_collapse(self, use, bar):
        """Says once, at the first validation that finds it, that the latent variable has collapsed.

        An autoencoder's may do as it likes, and so may anyone's while alpha is under half its last value.
        """
        matters = self._weights()["kl_weight"] >= self.config.kl_weight / 2
        collapsed = bool(self.config.latent_size) and self.system.sampled and matters and use.collapsed
        told = any(past.get("collapsed") for past in self.history)
        self.history[-1]["collapsed"] = collapsed
        if collapsed and not told and not self._quiet:
            warning = latent_warning(use, advice(asdict(self.arguments)).latent)
            bar.write(wrapped(f"{self.name}: {warning}"), file=sys.stderr)

    def _save_best(self):
        model = self.accelerator.unwrap_model(self.model)
        on_main(lambda: save_model_directory(model, self.tokenizer, self.output_dir))

    def _save(self):
        self._check_finite()
        progress, random = {name: getattr(self, name) for name in PROGRESS}, gather([random_state()])
        model, keep = self.accelerator.unwrap_model(self.model), self.arguments.keep_checkpoints
        on_main(lambda: save_checkpoint(self.checkpoints, self.step, model, self.optimizer, progress, random, keep))
        if self._stop_requested():
            raise Stopped(self.stop_signal, self.step)
