"""`wae-rnf train`: corpus, tokenizer, the stages of a system, and the final report."""

from contextlib import ExitStack
from dataclasses import asdict

from datasets import Dataset

from wae_rnf.evaluation.estimators import ALL_PAIRS
from wae_rnf.evaluation.provenance import commit, provenance
from wae_rnf.evaluation.shared_work import on_main
from wae_rnf.evaluation.terminal_table import print_table
from wae_rnf.tokenization.corpus_statistics import corpus_statistics, statistics_table

from .centres import read_centres
from .centres_from import is_file_of_centres
from .first_checks import check_run
from .first_stage import find_centres, train_autoencoder, warn_of_centres
from .launch import start_accelerator
from .model_options import model_config
from .open_corpus import open_corpus_of_run
from .report import report
from .run_directory import claimed, remember
from .run_stage import run_stage
from .systems import customized_system, has_metric


def train(arguments):
    """Trains a system and returns its metrics on the test split; `output_dir` is then a model directory.

    A system with a Riemannian metric is trained in two stages: a VAE, in `output_dir/vae`, whose posterior means
    are clustered, and then the system itself. With `autoencoder_epochs`, the first stage of any system is an
    autoencoder, in `output_dir/autoencoder`, that gives it its encoder, and the means to be clustered.
    `centres_from` names another model for these.

    Args:
        arguments: [`TrainArguments`].

    Raises:
        ValueError: options that do not fit together, or an `output_dir` that holds another run.
    """
    commit()  # of the code that runs, asked before the checkout can change
    system = customized_system(arguments)
    model_config(arguments, system, vocab_size=4)  # impossible sizes are told before any work
    if is_file_of_centres(arguments.centres_from):  # and so is a file that holds something else
        read_centres(arguments.centres_from, arguments.num_centres, arguments.latent_size)
    accelerator = start_accelerator(arguments, system)
    on_main(lambda: check_run(arguments))
    directory = claimed(arguments.output_dir, asdict(arguments), arguments.resume)
    with ExitStack() as held:
        on_main(lambda: held.enter_context(directory))  # in the first process alone, until the run ends
        return train_in_directory(arguments, system, accelerator)


def train_in_directory(arguments, system, accelerator):
    """What `train` does in an `output_dir` that is its own."""
    corpus, tokenizer, data = open_corpus_of_run(arguments)
    accelerator.init_trackers("tensorboard")
    if arguments.streaming:
        accelerator.print(f"train is a stream of {data['train'].num_sentences:,} sentences")
    stored = {split: rows for split, rows in data.items() if isinstance(rows, Dataset)}
    statistics = corpus_statistics(stored, len(tokenizer))
    if accelerator.is_main_process:
        print_table(*statistics_table(statistics), f"{arguments.dataset}, a vocabulary of {len(tokenizer):,} words")

    if (sentences := len(data["validation"])) > ALL_PAIRS:
        accelerator.print(
            f"the mutual information at each validation is of {ALL_PAIRS:,} of its {sentences:,} sentences, drawn at "
            "random, whose pairs take some ten seconds"
        )
    encoder, centres = None, None
    if arguments.centres_from:  # first of all: that model may not suit
        centres = find_centres(arguments, accelerator, tokenizer, corpus, data)
    if arguments.autoencoder_epochs:
        encoder = train_autoencoder(arguments, system, accelerator, tokenizer, data)
    if has_metric(system) and centres is None:
        centres = find_centres(arguments, accelerator, tokenizer, corpus, data, encoder)
    if centres is not None:
        warn_of_centres(arguments, accelerator, centres)
    stage = run_stage(
        arguments.system, system, arguments, accelerator, tokenizer, data, arguments.output_dir, centres, encoder
    )
    for tracker in accelerator.trackers:
        tracker.finish()
    training = provenance(accelerator.device, arguments.seed, stage["seconds"]) | stage
    training |= {"processes": accelerator.num_processes}
    on_main(lambda: remember(arguments.output_dir, options=asdict(arguments), training=training))
    return report(arguments, data["test"], accelerator)
