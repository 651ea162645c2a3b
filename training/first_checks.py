"""What can be known of a run before anything heavy is imported, and is reported within a second."""

from dataclasses import asdict
from pathlib import Path

from wae_rnf.evaluation.model_names import check_model_dir
from wae_rnf.tokenization.corpus_names import kind_of_corpus, local_files

from .arguments import TrainArguments
from .centres_from import check_centres_from
from .run_directory import check_output_dir, dataset_to_read
from .systems import customized_system
from .trackers import trackers_of


def check_run(arguments: TrainArguments) -> None:
    """Raises ValueError where a run cannot begin: options that do not fit together, no such corpus, a directory in
    use, no model to take centres or weights from, no such tracker."""
    customized_system(arguments)
    check_output_dir(arguments.output_dir, asdict(arguments), arguments.resume)
    check_corpus(dataset_to_read(arguments))
    if arguments.centres_from is not None:
        check_centres_from(arguments.centres_from, arguments.latent_size)
    if arguments.init_from is not None and not arguments.resume:  # what a run has gone beyond may be gone
        check_model_dir(arguments.init_from)
    trackers_of(arguments.report_to)


def check_corpus(name: str) -> None:
    """Raises ValueError where a name can be no corpus, or a folder has no train split, as `load_corpus` does."""
    if kind_of_corpus(name) == "local":
        local_files(Path(name))
