"""The evaluation of a model under the name of its system, with what to try where its latent variable has collapsed."""

from pathlib import Path

from accelerate import Accelerator
from datasets import Dataset

from wae_rnf.evaluation.evaluate_directory import evaluate_directory
from wae_rnf.evaluation.evaluation_target import EvaluationOptions
from wae_rnf.evaluation.metrics import METRICS_FILE, Metrics

from .arguments import TrainArguments
from .remedies import advice
from .systems import system_of


def evaluate_model(
    directory: str | Path,
    options: EvaluationOptions,
    accelerator: Accelerator,
    path: str | Path,
    sentences: Dataset | None = None,
    verbose: bool = False,
) -> Metrics:
    """As `evaluate_directory`, which knows neither the table of systems nor the options of a training."""
    return evaluate_directory(
        directory, options, accelerator, path, sentences, system_of=system_of, advise=advice, verbose=verbose
    )


def report(arguments: TrainArguments, test: Dataset, accelerator: Accelerator) -> Metrics:
    """Evaluates the best model on the test split; writes metrics.json and prints it with samples."""
    options = EvaluationOptions(
        dataset=arguments.dataset,
        text_column=arguments.text_column,
        iwae_samples=arguments.eval_iwae_samples,
        proposal=arguments.eval_proposal,
        max_sentences=arguments.eval_max_sentences,
        mixed_precision=arguments.mixed_precision,
        seed=arguments.seed,
    )
    path = Path(arguments.output_dir, METRICS_FILE)
    metrics = evaluate_model(arguments.output_dir, options, accelerator, path, test)
    accelerator.print(f"\nThe model lies in {arguments.output_dir}.")
    return metrics
