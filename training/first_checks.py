"""What can be known of a run before anything heavy is imported, and is told within a second."""

from dataclasses import asdict
from pathlib import Path

from wae_rnf.evaluation.model_names import check_model_dir
from wae_rnf.tokenization.corpus_names import kind_of_corpus, local_files

from .arguments import TrainArguments
from .centres_from import check_centres_from
from .network.objectives import OBJECTIVES
from .run_directory import check_output_dir, dataset_to_read
from .systems import SYSTEMS, customized_system
from .trackers import trackers_of


def check_run(arguments: TrainArguments) -> None:
    """Raises ValueError where a run cannot begin: options that do not fit together, no such corpus, a directory in
    use, no model to take centres or weights from, no such tracker."""
    check_combinations(arguments)
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


def check_combinations(arguments: TrainArguments) -> None:
    """Raises ValueError for options that do not fit each other or the system; `WaeRnfConfig` refuses the same."""
    customized_system(arguments)
    on_sphere = SYSTEMS[arguments.system].fixed.get("posterior") == "vmf"
    if arguments.init_from and arguments.autoencoder_epochs:
        raise ValueError("--init_from and --autoencoder_epochs would both give the encoder; leave one of them out")
    if arguments.mean_gamma is not None and not arguments.batch_norm:
        raise ValueError("mean_gamma is the scale of a batch normalization, but batch_norm is false")
    if on_sphere and arguments.latent_size < 2:
        raise ValueError(f"on the sphere, latent_size must be at least 2, not {arguments.latent_size}")
    if arguments.prior == "uniform_sphere" and not on_sphere:
        raise ValueError("the prior of a gaussian posterior cannot be 'uniform_sphere': it lies elsewhere")
    free = arguments.free_bits or arguments.minimum_rate
    learned = arguments.prior not in (None, "standard_normal")
    if free and (on_sphere or learned or not OBJECTIVES[arguments.objective].closed_form):
        closed = [name for name, objective in OBJECTIVES.items() if objective.closed_form]
        raise ValueError(
            "free_bits and minimum_rate need a divergence that is known for each dimension: a gaussian posterior, the "
            f"standard normal prior and an objective of {', '.join(closed)}"
        )
