"""Samples against the corpus: the perplexity of each under a language model of the other."""

from collections.abc import Mapping
from pathlib import Path

import torch
from datasets import Dataset
from transformers import PreTrainedTokenizerFast

from modeling_wae_rnf import WaeRnfModel
from wae_rnf.evaluation.evaluate_split import evaluate
from wae_rnf.evaluation.model_directory import load_model
from wae_rnf.training.arguments import TrainArguments, as_system
from wae_rnf.training.launch import start_accelerator
from wae_rnf.training.run_context import RunContext
from wae_rnf.training.run_plan import PlannedStage
from wae_rnf.training.run_stage import run_stage
from wae_rnf.training.systems import SYSTEMS
from wae_rnf.training.time_left import TimeLeft

BATCH_SIZE = 1000  # samples drawn at once


@torch.no_grad()
def sample_sentences(model: WaeRnfModel, count: int, seed: int = 0) -> Dataset:
    """Samples from the prior as prepared rows, with `input_ids` and `length`; empty sentences are left out."""
    generator = torch.Generator(model.device).manual_seed(seed)
    special = (model.config.pad_token_id, model.config.bos_token_id, model.config.eos_token_id)
    bos, eos = special[1:]
    counts = [min(BATCH_SIZE, count - done) for done in range(0, count, BATCH_SIZE)]
    rows = []
    for number in counts:
        ids = model.generate(num_samples=number, generator=generator, return_dict_in_generate=False)
        assert isinstance(ids, torch.Tensor)
        sentences = ([i for i in row if i not in special] for row in ids.tolist())
        rows += [[bos, *words, eos] for words in sentences if words]
    return Dataset.from_dict({"input_ids": rows, "length": [len(row) - 1 for row in rows]})


def forward_perplexity(language_model: WaeRnfModel, samples: Dataset) -> float:
    """Perplexity of samples under a language model of the corpus: low where they read like it.

    Args:
        language_model: a model without a latent variable, whose likelihood is exact.
        samples: as `sample_sentences` gives.
    """
    return evaluate(language_model, samples)["pushforward"]["elbo"]["ppl"]


def reverse_perplexity(
    samples: Dataset,
    data: Mapping[str, Dataset],
    tokenizer: PreTrainedTokenizerFast,
    arguments: TrainArguments,
    directory: str | Path,
) -> float:
    """Perplexity of the test split under a language model of the samples: low where they cover the corpus.

    Args:
        samples: as `sample_sentences` gives; the language model is trained on them as the arguments say.
        data: prepared splits; the model is chosen on `validation` and judged on `test`.
        tokenizer: of both.
        arguments: [`TrainArguments`].
        directory: where the language model goes; what it holds is gone on with.
    """
    arguments = as_system(arguments, "lstm-lm", prior=None, auxiliary_losses={}, auxiliary_losses_kwargs={})
    accelerator = start_accelerator(arguments, SYSTEMS["lstm-lm"])
    splits = {"train": samples, "validation": data["validation"]}
    stage = PlannedStage("reverse", SYSTEMS["lstm-lm"], arguments, Path(directory))
    time_left = TimeLeft([stage], {split: len(rows) for split, rows in splits.items()})
    run_stage(RunContext(accelerator, tokenizer, splits, time_left), stage)
    model, _ = load_model(directory, accelerator.device)
    with accelerator.autocast():
        return evaluate(model, data["test"])["pushforward"]["elbo"]["ppl"]
