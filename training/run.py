"""`wae-rnf train`: corpus, tokenizer, the stages of a system, and the final report."""

from collections.abc import Callable, Sequence
from contextlib import ExitStack
from dataclasses import asdict
from pathlib import Path
from typing import Any

from accelerate import Accelerator
from datasets import DatasetDict
from transformers import PreTrainedTokenizerFast

from modeling_wae_rnf import WaeRnfModel
from wae_rnf.evaluation.metrics import Metrics
from wae_rnf.evaluation.model_directory import load_model
from wae_rnf.evaluation.provenance import note_commit, provenance
from wae_rnf.evaluation.run_file import read_run
from wae_rnf.evaluation.shared_work import main_first, on_main

from .arguments import TrainArguments
from .centres import read_centres
from .centres_from import is_file_of_centres
from .checkpoints import CHECKPOINTS, checkpoints
from .first_checks import check_run
from .first_stage import find_centres, named_centres, trained_stage, warn_of_centres
from .init_from import copy_weights, in_words
from .launch import start_accelerator
from .messages import wrapped
from .model_options import SMALLEST_VOCABULARY, model_without_memory
from .open_corpus import open_corpus_of_run
from .report import report
from .run_context import RunContext
from .run_directory import claimed, remember
from .run_plan import PlannedStage, plan_stages
from .run_stage import copy_encoder, run_stage
from .stage import Stage
from .start_block import print_data, start_block
from .systems import System, customized_system, has_metric
from .time_left import TimeLeft
from .trackers import finish_trackers, start_trackers
from .training_batches import size_of


def train(arguments: TrainArguments, on_step: Callable[[Stage], object] | None = None) -> Metrics:
    """Trains a system and returns its metrics on the test split; `output_dir` is then a model directory.

    A system with a Riemannian metric is trained in two stages: a VAE, in `output_dir/vae`, whose posterior means
    are clustered, and then the system itself. With `autoencoder_epochs`, the first stage of any system is an
    autoencoder, in `output_dir/autoencoder`, that gives it its encoder, and the means to be clustered.
    `centres_from` names another model for these, and so does `init_from`, the model whose weights the run begins with.

    Args:
        arguments: [`TrainArguments`].
        on_step: called with the [`Stage`] before each of its steps; what it raises ends the run.

    Raises:
        ValueError: options that do not fit together, or an `output_dir` that holds another run.
    """
    note_commit()
    system = customized_system(arguments)
    for planned in plan_stages(arguments, system):  # impossible sizes are reported before any work
        model_without_memory(planned.arguments, planned.system, SMALLEST_VOCABULARY)
    if is_file_of_centres(arguments.centres_from):  # and so is a file that holds something else
        read_centres(arguments.centres_from, arguments.num_centres, arguments.latent_size)
    accelerator = start_accelerator(arguments, system)
    on_main(lambda: check_run(arguments))
    directory = claimed(arguments.output_dir, asdict(arguments), arguments.resume)
    with ExitStack() as held:
        on_main(lambda: held.enter_context(directory))  # in the first process alone, until the run ends
        return train_in_directory(arguments, system, accelerator, on_step)


def train_in_directory(
    arguments: TrainArguments,
    system: System,
    accelerator: Accelerator,
    on_step: Callable[[Stage], object] | None = None,
) -> Metrics:
    """What `train` does in an `output_dir` that is its own."""
    corpus, tokenizer, data = open_corpus_of_run(arguments)
    begun = bool(checkpoints(Path(arguments.output_dir, CHECKPOINTS)))  # they hold all that came before them
    initial, source = None, arguments.init_from
    if source and not begun:
        initial = main_first(lambda: load_model(source, accelerator.device))
    gives_means = initial is not None and initial[0].config.latent_size == arguments.latent_size
    stages = plan_stages(arguments, system, encoder_given=gives_means)
    stages = stages[-1:] if begun else stages
    start_trackers(accelerator, arguments)
    if accelerator.is_main_process:
        print_data(arguments, tokenizer, data)
    accelerator.print(start_block(arguments, stages, accelerator, tokenizer, data))
    time_left = TimeLeft(stages, {split: size_of(rows) for split, rows in data.items()})
    context = RunContext(accelerator, tokenizer, data, time_left, on_step)
    if begun:
        stage = run_stage(context, stages[0])
    else:
        stage = train_stages(context, stages, arguments, corpus, initial, gives_means)
    finish_trackers(accelerator)
    training = provenance(accelerator.device, arguments.seed, stage["seconds"]) | stage
    training |= {"processes": accelerator.num_processes, "init_from": read_run(arguments.output_dir).get("init_from")}
    on_main(lambda: remember(arguments.output_dir, options=asdict(arguments), training=training))
    return report(arguments, data["test"], accelerator)


def train_stages(
    context: RunContext,
    stages: Sequence[PlannedStage],
    arguments: TrainArguments,
    corpus: DatasetDict,
    initial: tuple[WaeRnfModel, PreTrainedTokenizerFast] | None,
    gives_means: bool,
) -> dict[str, Any]:
    """Trains the stages of a run from the first on, each with what it is given; returns what the last one returns.

    Args:
        initial: (model, tokenizer) whose weights the last stage begins with, or None.
        gives_means: whether its posterior means can be clustered.
    """
    *before, last = stages
    encoder, centres = initial if gives_means else None, None
    if arguments.centres_from:  # first of all: that model may not suit
        centres = named_centres(context, arguments, corpus)
    for planned in before:
        encoder = trained_stage(context, planned)
    if has_metric(last.system) and centres is None:
        centres = find_centres(context, arguments, corpus, *encoder)
    if centres is not None:
        warn_of_centres(arguments, context.accelerator, centres)

    def prepare(model: WaeRnfModel) -> None:
        if centres is not None:
            model.set_centres(centres)
        if arguments.autoencoder_epochs and encoder is not None:
            copy_encoder(encoder[0], model)
        if initial is not None:
            record = copy_weights(*initial, model, context.tokenizer, str(arguments.init_from))
            on_main(lambda: remember(arguments.output_dir, init_from=record))
            context.accelerator.print(wrapped(f"{last.name}: {in_words(record)}"))

    return run_stage(context, last, prepare)
