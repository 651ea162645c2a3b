"""What a run says when it starts: system, device, sizes, data and stages, in 80 columns."""

import textwrap
from collections.abc import Mapping, Sequence
from typing import Any

from accelerate import Accelerator
from datasets import Dataset, DatasetDict
from transformers import PreTrainedTokenizerFast

from wae_rnf.evaluation.estimators import ALL_PAIRS
from wae_rnf.evaluation.provenance import device_in_words
from wae_rnf.evaluation.terminal_table import print_table
from wae_rnf.tokenization.corpus_statistics import corpus_statistics, statistics_table
from wae_rnf.tokenization.tokenizer import tokenization_of

from .arguments import TrainArguments
from .model_options import model_without_memory
from .run_plan import PlannedStage, plural
from .training_batches import size_of

WIDTH, INDENT = 80, 14


def start_block(
    arguments: TrainArguments,
    stages: Sequence[PlannedStage],
    accelerator: Accelerator,
    tokenizer: PreTrainedTokenizerFast,
    data: DatasetDict,
) -> str:
    """Several lines, without the time, which is known after the first steps.

    Args:
        arguments: [`TrainArguments`].
        stages: [`PlannedStage`]s.
        data: prepared splits, of which train may be a stream.
    """
    model = model_without_memory(arguments, stages[-1].system, len(tokenizer))
    sentences = {split: size_of(rows) for split, rows in data.items()}
    test = min(sentences["test"], arguments.eval_max_sentences or sentences["test"])
    samples = f", {plural(arguments.eval_iwae_samples, 'importance sample')} each" if model.config.latent_size else ""
    steps = [*(stage.in_words(sentences["train"]) for stage in stages), f"evaluation: {test:,} sentences{samples}"]
    rows = [
        ("device", [f"{device(accelerator)}, precision {arguments.mixed_precision.replace('no', 'fp32')}"]),
        ("parameters", [f"{model.num_parameters():,}"]),
        ("data", [data_in_words(data, sentences), *sample_of_pairs(sentences)]),
        ("stages", [f"{number}. {step}" for number, step in enumerate(steps, 1)]),
        ("trackers", [", ".join(tracker.name for tracker in accelerator.trackers) or "none"]),
    ]
    lines = [f"{arguments.system} on {arguments.dataset}, into {arguments.output_dir}"]
    for name, paragraphs in rows:
        for number, text in enumerate(paragraphs):
            label = f"  {'' if number else name}".ljust(INDENT)
            hanging: dict[str, Any] = {
                "initial_indent": label,
                "subsequent_indent": " " * INDENT,
                "break_long_words": False,
            }
            lines += textwrap.wrap(text, WIDTH, **hanging)
    return "\n".join(lines)


def device(accelerator: Accelerator) -> str:
    processes = accelerator.num_processes
    return device_in_words(accelerator.device) + (f", {processes} processes" if processes > 1 else "")


def data_in_words(data: DatasetDict, sentences: Mapping[str, int]) -> str:
    """Sizes of the splits, and whether training reads a stream."""
    kind = "" if isinstance(data["train"], Dataset) else " streamed"
    train, validation, test = (f"{sentences[split]:,}" for split in ("train", "validation", "test"))
    return f"{train}{kind} training, {validation} validation and {test} test sentences"


def print_data(arguments: TrainArguments, tokenizer: PreTrainedTokenizerFast, data: DatasetDict) -> None:
    """A table of the splits, but for one that is a stream."""
    stored = {split: rows for split, rows in data.items() if isinstance(rows, Dataset)}
    statistics = corpus_statistics(stored, len(tokenizer))
    choice = tokenization_of(tokenizer)
    title = f"{arguments.dataset}, a vocabulary of {len(tokenizer):,} {choice.unit} ({choice})"
    print_table(*statistics_table(statistics, choice.unit), title)


def sample_of_pairs(sentences: Mapping[str, int]) -> list[str]:
    """A line where the mutual information at each validation is of a part of its sentences."""
    if sentences["validation"] <= ALL_PAIRS:
        return []
    return [
        f"mutual information at each validation: of {ALL_PAIRS:,} random sentences, whose pairs take some ten seconds"
    ]
