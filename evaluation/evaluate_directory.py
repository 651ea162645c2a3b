"""A model directory and a split in, a file of metrics out: the one way to metrics.json, of `train` and `evaluate`."""

from collections.abc import Callable
from dataclasses import asdict
from operator import attrgetter
from pathlib import Path
from typing import Any

import torch
from accelerate import Accelerator
from datasets import Dataset
from transformers import PreTrainedTokenizerFast

from modeling_wae_rnf import WaeRnfConfig, WaeRnfModel
from wae_rnf.tokenization.corpora import TOY, load_corpus
from wae_rnf.tokenization.hub_corpora import HUB_CORPORA
from wae_rnf.tokenization.preparation import prepare
from wae_rnf.tokenization.tokenizer import tokenization_of

from .estimators import generative_model_of
from .evaluate_split import evaluate
from .evaluation_target import EvaluationOptions
from .latent_use import Advice, warnings_of_metrics
from .metrics import Metrics
from .metrics_files import write_metrics
from .metrics_table import print_report
from .model_directory import digest_of_weights, load_model
from .run_file import RUN_FILE, read_run
from .shared_work import main_first, on_main
from .text_quality import judge_text

NUM_SAMPLES = 10  # from the prior, in the report


def evaluate_directory(
    directory: str | Path,
    options: EvaluationOptions,
    accelerator: Accelerator,
    path: str | Path,
    sentences: Dataset | None = None,
    system_of: Callable[[WaeRnfConfig], str] = attrgetter("model_type"),
    advise: Callable[[dict], Advice] | None = None,
    verbose: bool = False,
) -> Metrics:
    """Evaluates the model of a directory; writes the metrics and the bounds of each sentence, prints the report.

    Args:
        directory: of the model, or its name on the Hub; what its run.json says of the training goes into the metrics.
        options: what is evaluated.
        accelerator: of all processes; they share the work.
        path: of the file of metrics, see `destination`.
        sentences: the split's prepared rows, where the caller has them; by default they are read.
        system_of: names the system of a model whose directory has no run.json.
        advise: see `warnings_of_metrics`.
        verbose: whether the report shows more than people need first.

    Returns:
        what the file holds, in every process.
    """
    model, tokenizer = load_model(directory, accelerator.device)
    if sentences is None:
        sentences = main_first(lambda: read_split(model, tokenizer, options))
    if options.max_sentences is not None:
        sentences = sentences.select(range(min(options.max_sentences, len(sentences))))
    with accelerator.autocast():
        shown = accelerator.is_main_process
        metrics = evaluate(
            model, sentences, options.iwae_samples, options.seed, progress=shown, proposal=options.proposal
        )

    def finish() -> Metrics:
        complete = (
            metrics
            | described(directory, model, options, system_of)
            | {"tokenization": tokenization_of(tokenizer)._asdict()}
            | judged(model, tokenizer, sentences, options)
        )
        written = write_metrics(path, complete | {"warnings": warnings_of_metrics(complete, model, advise)})
        print_report(written, verbose=verbose)
        return written

    return on_main(finish)


def read_split(model: WaeRnfModel, tokenizer: PreTrainedTokenizerFast, options: EvaluationOptions) -> Dataset:
    """The prepared rows of the split that is evaluated."""
    corpus = load_corpus(options.dataset, text_column=options.text_column)
    return prepare(corpus, tokenizer, max_words=model.config.max_words)[options.split]


def described(
    directory: str | Path, model: WaeRnfModel, options: EvaluationOptions, system_of: Callable[[WaeRnfConfig], str]
) -> dict[str, Any]:
    """What was evaluated, and where it comes from."""
    run = read_run(directory) if Path(directory, RUN_FILE).exists() else {"options": {}}
    evaluation = asdict(options)
    dataset, split = evaluation.pop("dataset"), evaluation.pop("split")
    return {
        "system": run["options"].get("system") or system_of(model.config),
        "dataset": dataset,
        **origin_of_text(dataset),
        "split": split,
        "has_latents": model.config.has_latents,
        "has_flow": model.config.has_flow,
        "generative_model": generative_model_of(model.config.objective),
        "evaluation": evaluation,
        "options": run["options"],
        "training": run.get("training"),
        "weights": digest_of_weights(model),
    }


def origin_of_text(dataset: str) -> dict[str, str | None]:
    """{"hub_dataset": the corpus's repository, "language"}, each None where it is not known.

    Examples:
        >>> origin_of_text("yelp"), origin_of_text("tests")["hub_dataset"]
        ({'hub_dataset': 'Yelp/yelp_review_full', 'language': 'en'}, None)
    """
    local = Path(dataset).exists()
    repository = HUB_CORPORA[dataset].repository if dataset in HUB_CORPORA else dataset
    return {
        "hub_dataset": repository if "/" in repository and not local else None,
        "language": "en" if dataset in (TOY, *HUB_CORPORA) and not local else None,
    }


def judged(
    model: WaeRnfModel, tokenizer: PreTrainedTokenizerFast, sentences: Dataset, options: EvaluationOptions
) -> dict[str, Any]:
    """Samples from the prior, and the quality of more of them and of reconstructions."""
    generator = torch.Generator(model.device).manual_seed(options.seed)
    ids = model.generate(num_samples=NUM_SAMPLES, generator=generator, return_dict_in_generate=False)
    assert isinstance(ids, torch.Tensor)
    samples = tokenizer.batch_decode(ids, skip_special_tokens=True)
    toy = options.dataset == TOY and "log_prob" in sentences.column_names  # a folder of that name has none
    return {"samples": samples, "text": judge_text(model, tokenizer, sentences, seed=options.seed, toy=toy)}
