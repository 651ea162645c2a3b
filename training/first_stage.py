"""What is trained before a system: the VAE whose posterior means are clustered, or an autoencoder."""

import sys
from dataclasses import asdict, replace
from pathlib import Path

import numpy as np

from wae_rnf.evaluation.encode_split import encode_split
from wae_rnf.evaluation.latent_use import centres_warning
from wae_rnf.evaluation.model_directory import load_model
from wae_rnf.evaluation.shared_work import on_main
from wae_rnf.tokenization.preparation import prepare

from .arguments import as_system
from .centres import cluster, read_centres
from .centres_from import check_latent_size, is_file_of_centres
from .messages import wrapped
from .remedies import advice
from .run_stage import run_stage
from .systems import NO_FLOW, NO_MMD, SYSTEMS, System
from .training_batches import sample_of

FIRST_STAGE = "vae"
AUTOENCODER = "autoencoder"
MAX_CLUSTERED = 100_000  # sentences, at random where there are more


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


def warn_of_centres(arguments, accelerator, centres):
    """Says so where the centres lie so close together that the kernel is that of one."""
    to_try = advice(asdict(arguments)).centres
    if warning := centres_warning(centres, arguments.flow_kernel, arguments.kernel_bandwidth, to_try):
        accelerator.print(wrapped(f"{arguments.system}: {warning}"), file=sys.stderr)


def first_stage_arguments(arguments):
    """The options of the VAE whose posterior means are clustered, with the standard normal prior.

    The scale of its means is fixed where they are batch-normalized: a VAE that has collapsed has all of them in one
    place, and the kernel would be the same everywhere.
    """
    epochs = arguments.first_stage_epochs or max(1, arguments.num_epochs // 8)
    gamma = arguments.mean_gamma or (1.0 if arguments.batch_norm else None)
    free = {"free_bits": 0.0, "minimum_rate": 0.0, "prior": None}
    return as_system(arguments, FIRST_STAGE, num_epochs=epochs, mean_gamma=gamma, lr_milestones=None, **free)


def train_autoencoder(arguments, system, accelerator, tokenizer, data):
    """A model of the system's sizes, trained on reconstruction alone in `output_dir/autoencoder`."""
    directory = Path(arguments.output_dir) / AUTOENCODER
    fixed = system.fixed | NO_FLOW | NO_MMD | {"kl_weight": 0.0, "objective": "pushforward"}
    options = replace(arguments, num_epochs=arguments.autoencoder_epochs, prior=None)
    run_stage(AUTOENCODER, System(fixed, sampled=False), options, accelerator, tokenizer, data, directory)
    return load_model(directory, accelerator.device)[0]
