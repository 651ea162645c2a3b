"""`wae-rnf train`: corpus, tokenizer, the stages of a system, and the final report."""

import sys
import warnings
from contextlib import ExitStack
from dataclasses import asdict, replace
from logging import ERROR, getLogger
from pathlib import Path

import numpy as np
from accelerate.utils import DistributedDataParallelKwargs, set_seed
from datasets import Dataset, disable_progress_bars
from transformers import AutoTokenizer, logging

from modeling_wae_rnf import WaeRnfConfig, WaeRnfModel
from wae_rnf.commands.terminal import wrapped
from wae_rnf.evaluation.encode_split import encode_split
from wae_rnf.evaluation.estimators import ALL_PAIRS
from wae_rnf.evaluation.evaluate_directory import evaluate_directory
from wae_rnf.evaluation.evaluation_target import EvaluationOptions
from wae_rnf.evaluation.latent_use import centres_warning
from wae_rnf.evaluation.metrics import METRICS_FILE
from wae_rnf.evaluation.model_directory import load_model
from wae_rnf.evaluation.provenance import code_version, commit, provenance
from wae_rnf.tokenization.corpora import load_corpus
from wae_rnf.tokenization.corpus_names import kind_of_corpus
from wae_rnf.tokenization.corpus_statistics import corpus_statistics, format_statistics
from wae_rnf.tokenization.preparation import prepare, train_tokenizer

from .centres import check_enough, cluster, read_centres
from .centres_from import check_latent_size, is_file_of_centres
from .fingerprints import fingerprint_of_vocabulary, fingerprints_of_data
from .first_checks import check_run
from .launch import join, main_first, on_main
from .run_directory import claimed, dataset_to_read, read_json, read_run, remember, write_json
from .stage import Stage
from .systems import NO_FLOW, SYSTEMS, WAE_RNF, System, customized_system, has_metric
from .training_batches import sample_of

SHARED_FIELDS = (
    "embedding_size", "hidden_size", "latent_size", "dropout", "posterior_head", "batch_norm", "latents_at_every_step",
    "kernel_bandwidth", "num_centres", "mmd_kernel", "max_words", "word_dropout", "kappa", "mean_gamma", "free_bits",
    "minimum_rate", "encoder_dropout", "encoder_input", "embedding_std", "batch_norm_eps", "flow_init",
    "prior", "prior_components", "prior_layers", "importance_samples",
)  # fmt: skip
FIRST_STAGE = "vae"
AUTOENCODER = "autoencoder"
MAX_CLUSTERED = 100_000  # sentences, at random where there are more
STREAM, COUNT_FILE = "stream", "count.json"


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
    accelerator.print(format_statistics(corpus_statistics(stored, len(tokenizer))))

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
        warn_of_centres(arguments, accelerator, system, centres)
    stage = run_stage(
        arguments.system, system, arguments, accelerator, tokenizer, data, arguments.output_dir, centres, encoder
    )
    for tracker in accelerator.trackers:
        tracker.finish()
    training = provenance(accelerator.device, arguments.seed, stage["seconds"]) | stage
    training |= {"processes": accelerator.num_processes}
    on_main(lambda: remember(arguments.output_dir, options=asdict(arguments), training=training))
    return report(arguments, data["test"], accelerator)


def open_corpus_of_run(arguments):
    """As `open_corpus`, of a run whose directory remembers what it began on."""
    corpus = main_first(lambda: load_corpus(dataset_to_read(arguments), streaming=arguments.streaming))
    on_main(lambda: remember_data(arguments, corpus))
    corpus, tokenizer, data = main_first(lambda: open_corpus(arguments, corpus))
    on_main(lambda: remember(arguments.output_dir, vocabulary=fingerprint_of_vocabulary(tokenizer)))
    if has_metric(customized_system(arguments)):
        check_enough(sample_of(data["train"]), arguments.num_centres)
    return corpus, tokenizer, data


def remember_data(arguments, corpus):
    """Has run.json say which text the run is of, or makes sure that it is the text it began on."""
    dataset, run = dataset_to_read(arguments), read_run(arguments.output_dir)
    folder = str(Path(dataset).resolve()) if kind_of_corpus(dataset) == "folder" else None
    began = run.get("version", None if arguments.resume else code_version())
    if None not in (began, code_version()) and began != code_version():
        warnings.warn(f"the run was begun by version {began}, and goes on with {code_version()}", stacklevel=2)
    found = {"data": fingerprints_of_data(corpus, dataset), "folder": folder, "version": began}
    remember(arguments.output_dir, **found)


def open_corpus(arguments, corpus=None):
    """The corpus, its tokenizer, and its prepared splits.

    What a pass over a stream has counted lies in `output_dir/stream`, and is not counted again.

    Args:
        arguments: [`TrainArguments`].
        corpus: as `load_corpus` gives it; None to load it.
    """
    if corpus is None:
        corpus = load_corpus(arguments.dataset, streaming=arguments.streaming)
    counted = Path(arguments.output_dir, STREAM)
    if arguments.streaming and (counted / COUNT_FILE).exists():
        tokenizer = AutoTokenizer.from_pretrained(counted)
        corpus["train"].num_sentences = read_json(counted / COUNT_FILE)["sentences"]
    else:
        tokenizer = train_tokenizer(corpus, max_size=arguments.vocab_size, max_words=arguments.max_words)
        if arguments.streaming:
            tokenizer.save_pretrained(counted)
            write_json(counted / COUNT_FILE, {"sentences": corpus["train"].num_sentences})
    return corpus, tokenizer, prepare(corpus, tokenizer, max_words=arguments.max_words)


def start_accelerator(arguments, system):
    """Device, processes, precision and TensorBoard of the run."""
    # the inner loop of lagging inference leaves out parameters, which the processes must know of
    distributed = DistributedDataParallelKwargs(find_unused_parameters=system.lagging)
    accelerator = join(
        mixed_precision=arguments.mixed_precision,
        log_with="tensorboard",
        project_dir=arguments.output_dir,
        kwargs_handlers=[distributed],
    )
    logging.disable_progress_bar()
    if not accelerator.is_main_process:
        disable_progress_bars()
        getLogger("wae_rnf.tokenization").setLevel(ERROR)
    return accelerator


def model_config(arguments, system, vocab_size):
    """The model's configuration: sizes from the options, the rest from the system's row."""
    shared = {name: getattr(arguments, name) for name in SHARED_FIELDS}
    return WaeRnfConfig(vocab_size=vocab_size, **shared | system.config)


def find_centres(arguments, accelerator, tokenizer, corpus, data, encoder=None):
    """Centres (num_centres, latent_size): of `centres_from`, or of the encoder, or of a VAE that is trained now."""
    if is_file_of_centres(arguments.centres_from):
        return read_centres(arguments.centres_from, arguments.num_centres, arguments.latent_size)
    if arguments.centres_from:
        model, own_tokenizer = load_model(arguments.centres_from, accelerator.device)
        check_latent_size(arguments.centres_from, model.config.latent_size, arguments.latent_size)
        if own_tokenizer.get_vocab() != tokenizer.get_vocab():
            data = prepare(corpus, own_tokenizer, max_words=arguments.max_words)
    elif encoder is not None:
        model = encoder
    else:
        directory = Path(arguments.output_dir) / FIRST_STAGE
        options = first_stage_arguments(arguments)
        run_stage(FIRST_STAGE, SYSTEMS[FIRST_STAGE], options, accelerator, tokenizer, data, directory)
        model, _ = load_model(directory, accelerator.device)
    sentences = sample_of(data["train"])
    if len(sentences) > MAX_CLUSTERED:
        chosen = np.random.default_rng(arguments.seed).choice(len(sentences), MAX_CLUSTERED, replace=False)
        sentences = sentences.select(np.sort(chosen))
    means = encode_split(model, sentences, progress=accelerator.is_main_process).mean
    return on_main(lambda: cluster(means, arguments.num_centres, arguments.seed))


def warn_of_centres(arguments, accelerator, system, centres):
    """Says so where the centres lie so close together that the kernel is that of one."""
    kernel = (WAE_RNF | system.config)["flow_kernel"]
    if warning := centres_warning(centres, kernel, arguments.kernel_bandwidth, asdict(arguments)):
        accelerator.print(wrapped(f"{arguments.system}: {warning}"), file=sys.stderr)


def first_stage_arguments(arguments):
    """The options of the VAE whose posterior means are clustered, with the standard normal prior.

    The scale of its means is fixed where they are batch-normalized: a VAE that has collapsed has all of them in one
    place, and the kernel would be the same everywhere.
    """
    epochs = arguments.first_stage_epochs or max(1, arguments.num_epochs // 8)
    gamma = arguments.mean_gamma or (1.0 if arguments.batch_norm else None)
    free = {"free_bits": 0.0, "minimum_rate": 0.0, "prior": None}
    return replace(arguments, num_epochs=epochs, mean_gamma=gamma, lr_milestones=None, **free)


def train_autoencoder(arguments, system, accelerator, tokenizer, data):
    """A model of the system's sizes, trained on reconstruction alone in `output_dir/autoencoder`."""
    directory = Path(arguments.output_dir) / AUTOENCODER
    config = system.config | NO_FLOW | {"kl_weight": 0.0, "mmd_weight": 0.0, "objective": "pushforward"}
    options = replace(arguments, num_epochs=arguments.autoencoder_epochs, prior=None)
    run_stage(AUTOENCODER, System(config, sampled=False), options, accelerator, tokenizer, data, directory)
    return load_model(directory, accelerator.device)[0]


def copy_encoder(source, model):
    """Gives a model another's way from words to posterior; its flow and its decoder stay as they are."""
    for part in ("embedding", "encoder", "posterior_head"):
        getattr(model, part).load_state_dict(getattr(source, part).state_dict())


def run_stage(name, system, arguments, accelerator, tokenizer, data, output_dir, centres=None, encoder=None):
    """Trains one system into `output_dir`; returns {steps, best_validation_loss, seconds, history}.

    Args:
        centres: (num_centres, latent_size), for a Riemannian metric.
        encoder: a model whose way from words to posterior this one starts from.
    """
    set_seed(arguments.seed)  # a stage does not depend on what ran before it
    model = WaeRnfModel(model_config(arguments, system, len(tokenizer)))
    if centres is not None:
        model.set_centres(centres)
    if encoder is not None:
        copy_encoder(encoder, model)
    return Stage(name, accelerator, model, tokenizer, data, system, arguments, output_dir).run()


def report(arguments, test, accelerator):
    """Evaluates the best model on the test split; writes metrics.json and prints it with samples."""
    options = EvaluationOptions(
        dataset=arguments.dataset,
        iwae_samples=arguments.eval_iwae_samples,
        proposal=arguments.eval_proposal,
        max_sentences=arguments.eval_max_sentences,
        mixed_precision=arguments.mixed_precision,
        seed=arguments.seed,
    )
    path = Path(arguments.output_dir, METRICS_FILE)
    metrics = evaluate_directory(arguments.output_dir, options, accelerator, path, test)
    accelerator.print(f"\nThe model lies in {arguments.output_dir}.")
    return metrics
