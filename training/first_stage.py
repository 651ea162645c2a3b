"""The stage before a system: where the centres of its metric come from, and an autoencoder's encoder."""

import sys
from dataclasses import asdict

import numpy as np
import torch
from accelerate import Accelerator
from datasets import DatasetDict
from transformers import PreTrainedTokenizerFast

from modeling_wae_rnf import WaeRnfModel
from wae_rnf.evaluation.encode_split import encode_split
from wae_rnf.evaluation.latent_use import centres_warning
from wae_rnf.evaluation.model_directory import load_model
from wae_rnf.evaluation.shared_work import on_main
from wae_rnf.tokenization.preparation import prepare, pure_rules

from .arguments import TrainArguments
from .centres import cluster, read_centres
from .centres_from import check_latent_size, is_file_of_centres
from .messages import wrapped
from .remedies import advice
from .run_context import RunContext
from .run_plan import PlannedStage
from .run_stage import run_stage
from .training_batches import sample_of

MAX_CLUSTERED = 100_000  # sentences, at random where there are more


def trained_stage(context: RunContext, planned: PlannedStage) -> tuple[WaeRnfModel, PreTrainedTokenizerFast]:
    """Trains a stage whose model the next one needs: (model, tokenizer)."""
    run_stage(context, planned)
    return load_model(planned.directory, context.accelerator.device)


def named_centres(context: RunContext, arguments: TrainArguments, corpus: DatasetDict) -> torch.Tensor:
    """Centres (num_centres, latent_size) of what `centres_from` names: a file, or a model."""
    name = arguments.centres_from
    assert name is not None  # it was given
    if is_file_of_centres(name):
        return read_centres(name, arguments.num_centres, arguments.latent_size)
    model, tokenizer = load_model(name, context.accelerator.device)
    check_latent_size(name, model.config.latent_size, arguments.latent_size)
    return find_centres(context, arguments, corpus, model, tokenizer)


def find_centres(
    context: RunContext,
    arguments: TrainArguments,
    corpus: DatasetDict,
    model: WaeRnfModel,
    tokenizer: PreTrainedTokenizerFast,
) -> torch.Tensor:
    """Centres (num_centres, latent_size) of a trained model's posterior means of the training split.

    Args:
        tokenizer: the model's own, which need not be that of the run.
    """
    data = context.data
    if pure_rules(tokenizer) != pure_rules(context.tokenizer):
        data = prepare(corpus, tokenizer, max_words=arguments.max_words)
    sentences = sample_of(data["train"])
    if len(sentences) > MAX_CLUSTERED:
        chosen = np.random.default_rng(arguments.seed).choice(len(sentences), MAX_CLUSTERED, replace=False)
        sentences = sentences.select(np.sort(chosen))
    means = encode_split(model, sentences, progress=context.accelerator.is_main_process).mean
    return on_main(lambda: cluster(means, arguments.num_centres, arguments.seed))


def warn_of_centres(arguments: TrainArguments, accelerator: Accelerator, centres: torch.Tensor) -> None:
    """Says so where the centres lie so close together that the kernel is that of one."""
    to_try = advice(asdict(arguments)).centres
    if warning := centres_warning(centres, arguments.flow_kernel, arguments.kernel_bandwidth, to_try):
        accelerator.print(wrapped(f"{arguments.system}: {warning}"), file=sys.stderr)
