"""The options of `wae-rnf train`. Their help texts are the documentation."""

import math
import os
from dataclasses import dataclass, field, fields
from pathlib import Path

from wae_rnf.evaluation.proposals import PROPOSAL_HELP, PROPOSALS, check_proposal
from wae_rnf.tokenization.corpus_names import corpus_name

from .objectives import OBJECTIVES
from .systems import SYSTEMS

PRESETS = sorted(path.stem for path in Path(__file__).with_name("presets").glob("*.yaml"))
LARGEST = 2**31 - 1  # of any number of things
WIDEST = 2**16  # of a layer


def option(default, help_text, rule=None):
    """A field with a help text and a rule, a pair of a test and of what it tests, which `check_rules` applies."""
    return field(default=default, metadata={"help": help_text, "rule": rule})


def one_of(*choices):
    return lambda value: value in choices, f"must be one of {', '.join(choices)}"


def at_least(least, most=LARGEST):
    bounds = f"must be at least {least}" + (f" and at most {most:,}" if most != LARGEST else "")
    return lambda value: least <= value <= most, bounds


NOT_NEGATIVE = (lambda value: value >= 0, "must not be negative")
POSITIVE = (lambda value: 0 < value < math.inf, "must be positive and finite")
RATE = (lambda value: 0 <= value < 1, "must lie in [0, 1)")
PART = (lambda value: 0 <= value <= 1, "must lie in [0, 1]")
EPOCHS = (lambda epochs: all(1 <= epoch <= LARGEST for epoch in epochs), "must be epochs, from 1 on")
SEED = (lambda value: 0 <= value < 2**32, "must lie in [0, 2**32)")


def check_rules(arguments):
    """Raises ValueError where an option that is not None breaks its rule, or is too large for any."""
    for of_option in fields(arguments):
        name, value, rule = of_option.name, getattr(arguments, of_option.name), of_option.metadata.get("rule")
        if value is None:
            continue
        if rule is not None:
            require(rule[0](value), name, rule[1], value)
        if isinstance(value, float):
            require(math.isfinite(value), name, "must be finite", value)
        if isinstance(value, int) and rule is not SEED:
            require(value <= LARGEST, name, f"must be at most {LARGEST:,}", value)


@dataclass
class TrainArguments:
    """What is trained, on what, for how long. Defaults are the paper's (section 5.2); None leaves a choice to
    the system's row in `wae_rnf.training.systems`."""

    output_dir: str | None = option(
        None, "Directory of the run; it becomes the model directory. By default runs/SYSTEM-DATASET."
    )
    system: str = option("wae-rnf", "lstm-lm, vae, vae-nf, lagging-vae, vmf-vae, wae, wae-nf or wae-rnf.")
    dataset: str = option(
        "toy",
        "toy (generated, needs no network), ptb, yelp, yahoo, a Hub name user/name, or a folder with train.txt, "
        "valid.txt and test.txt.",
    )
    streaming: bool = option(
        False,
        "Read the training split anew in every pass and never store it, for a corpus larger than memory or disk.",
    )
    preset: str | None = option(
        None,
        "Options under a name, for any system: authors (the configuration of the authors' code) or recipe (what makes "
        "every system better). `with_preset` puts them in; those of --config, and of the command line, come first.",
        one_of(*PRESETS),
    )
    num_epochs: int = option(48, "Epochs of each stage.", at_least(1))
    max_steps: int | None = option(None, "At most this many steps in each stage; annealing scales to it.", at_least(1))
    max_steps_per_epoch: int = option(2000, "An epoch ends after this many steps.", at_least(1))
    batch_size: int = option(32, "Sentences a batch, which several processes share.", at_least(1))
    accumulation_steps: int = option(
        1, "Batches a step; their gradients are averaged over the sentences.", at_least(1)
    )
    length_pool: int = option(
        1,
        "Group sentences by length among those of this many batches: saves padding, see tokenization/batching.py.",
        at_least(1),
    )
    learning_rate: float = option(1e-3, "Of Adam.", POSITIVE)
    lr_decay: float = option(0.5, "Factor of the learning rate at --lr_patience and --lr_milestones.", RATE)
    lr_patience: int = option(
        0,
        "Decay the learning rate after this many epochs without a better validation, counted once alpha has its last "
        "value; 0 never does.",
        at_least(0),
    )
    lr_milestones: list[int] | None = option(  # noqa: RUF009
        None, "Epochs after which the learning rate decays.", EPOCHS
    )
    weight_decay: float = option(
        0.0, "Of AdamW, on matrices; vectors (biases, batch normalization, flows) do not decay.", NOT_NEGATIVE
    )
    max_grad_norm: float = option(0.0, "Clips the gradient to this norm; 0 does not clip.", NOT_NEGATIVE)
    early_stopping: int = option(
        0,
        "Stop after so many epochs without a better validation loss, counted once alpha has its last value; 0 never "
        "does.",
        at_least(0),
    )
    best_by: str = option(
        "loss",
        "What makes a model the best on validation: loss (the objective) or bound (the ELBO, without free bits); or "
        "last, the model of the last epoch whatever validation says.",
        one_of("loss", "bound", "last"),
    )
    save_steps: int | None = option(
        None, "Steps between checkpoints; one is written after each epoch anyway.", at_least(1)
    )
    keep_checkpoints: int = option(2, "The newest so many checkpoints of a stage stay.", at_least(1))
    seed: int = option(0, "Of initialization, sampling, batches and clustering.", SEED)
    mixed_precision: str = option("no", "no, bf16 or fp16.", one_of("no", "bf16", "fp16"))
    resume: bool = option(False, "Go on with the run in output_dir from its last checkpoint.")
    init_from: str | None = option(
        None,
        "Begin with the weights of this trained model, a directory or a Hub name, as far as they have the same names "
        "and shapes; those of a token go by the token. Its posterior means give the centres, too.",
    )
    report_to: str = option(
        "tensorboard", "Trackers of the training: tensorboard, none, all, or names with commas, as wandb,mlflow."
    )

    vocab_size: int = option(20_000, "At most this many words, counted on the training split.", at_least(5))
    max_words: int = option(200, "Longer sentences are cut to this many words.", at_least(1))
    embedding_size: int = option(200, "Width of the word embedding.", at_least(1, WIDEST))
    hidden_size: int = option(200, "Width of both LSTMs.", at_least(1, WIDEST))
    latent_size: int = option(32, "Dimension of the latent code.", at_least(1, WIDEST))
    dropout: float = option(0.2, "On both LSTMs' inputs and on the decoder's outputs.", RATE)
    encoder_dropout: float | None = option(None, "On the encoder's input, where it is not that of --dropout.", RATE)
    word_dropout: float = option(0.0, "Share of the words that the decoder reads as unknown while training.", RATE)
    posterior_head: str = option(
        "mlp", "mlp (two layers on h_n) or linear (one on h_n and c_n, authors' code).", one_of("mlp", "linear")
    )
    encoder_input: str = option(
        "eos",
        "What the encoder reads: eos (words, end-of-sentence) or bos (beginning-of-sentence, words; authors' code).",
        one_of("eos", "bos"),
    )
    embedding_std: float = option(1.0, "Standard deviation of the word embedding at the start.", NOT_NEGATIVE)
    latents_at_every_step: bool = option(False, "Feed the latent code to the decoder at every word.")
    num_flows: int | None = option(None, "Planar flows of a system that has them.", NOT_NEGATIVE)
    flow_init: str = option(
        "uniform",
        "Planar flows at the start: uniform (near the identity) or normal (authors' code).",
        one_of("uniform", "normal"),
    )
    flow_kernel: str | None = option(
        None, "Kernel of the Riemannian metric: imq or gaussian.", one_of("imq", "gaussian")
    )
    kernel_bandwidth: float = option(10.0, "Beta of the gaussian kernel.", NOT_NEGATIVE)
    num_centres: int = option(20, "Cluster centres of the Riemannian metric.", at_least(1))
    centres_from: str | None = option(
        None,
        "Take the centres from this trained model's posterior means, or from this .npy file of shape (num_centres, "
        "latent_size); by default from the autoencoder of --autoencoder_epochs, or else from a VAE that is trained "
        "first.",
    )
    first_stage_epochs: int | None = option(
        None,
        "Epochs of that VAE; by default an eighth of --num_epochs. The scale of its means is fixed, so that it does "
        "not collapse and the centres lie apart.",
        at_least(1),
    )
    kappa: float = option(80.0, "Concentration of the von Mises-Fisher posterior.", POSITIVE)
    batch_norm: bool = option(True, "Batch-normalize the posterior's mean and log variance, as the paper does.")
    batch_norm_eps: float = option(
        1e-12, "Added to the variance that batch normalization divides by; PyTorch's default is 1e-5.", NOT_NEGATIVE
    )
    batch_norm_statistics: str = option(
        "corpus",
        "What the batch normalization of an evaluation takes: corpus (of 10,240 training sentences without dropout) "
        "or running (of the last batches of training; authors' code).",
        one_of("corpus", "running"),
    )
    mean_gamma: float | None = option(None, "Fixes the scale of the mean's batch normalization (BN-VAE).", POSITIVE)
    free_bits: float = option(0.0, "Nats of each dimension's divergence that cost nothing.", NOT_NEGATIVE)
    minimum_rate: float = option(0.0, "Nats of the whole divergence that cost nothing.", NOT_NEGATIVE)
    objective: str | None = option(
        None,
        "paper, authors, pushforward or flow_posterior: the latent terms; iwae or iwae_flow_posterior: the "
        "importance-weighted bound, of the pushforward or of the flow-posterior model.",
        one_of(*OBJECTIVES),
    )
    importance_samples: int = option(
        8,
        "Samples of a sentence in a step with an iwae objective; the decoder reads this many times the batch.",
        at_least(1, 10_000),
    )
    prior: str | None = option(
        None,
        "What the latent code is drawn from: standard_normal, or learned: mixture (of Gaussians), vamp (of posteriors "
        "of learned pseudo-inputs) or flow (affine coupling layers). By default standard_normal.",
        one_of("standard_normal", "mixture", "vamp", "flow"),
    )
    prior_components: int = option(20, "Gaussians of --prior mixture, pseudo-inputs of --prior vamp.", at_least(1))
    prior_layers: int = option(4, "Affine coupling layers of --prior flow.", at_least(1))
    mmd_kernel: str = option(
        "imq",
        "imq (unbiased, multi-scale), gaussian (the paper's biased statistic, blind from about 9 dimensions on) or "
        "gaussian_scaled (the authors' code for Yelp and Yahoo).",
        one_of("imq", "gaussian", "gaussian_scaled"),
    )
    kl_weight: float | None = option(None, "Last value of alpha.", NOT_NEGATIVE)
    mmd_weight: float | None = option(None, "Last value of lambda.", NOT_NEGATIVE)
    kl_start: float | None = option(None, "Part of the run after which alpha leaves 0, in [0, 1].", PART)
    kl_end: float | None = option(None, "Part of the run after which alpha has its last value, in [0, 1].", PART)

    kl_cycles: int = option(
        1, "How often alpha climbs from 0; kl_start and kl_end are then parts of a cycle.", at_least(1)
    )
    autoencoder_epochs: int = option(
        0,
        "Epochs as a plain autoencoder before; the decoder then starts anew (Li et al. 2019, arXiv 1909.00868).",
        NOT_NEGATIVE,
    )
    inner_steps: int = option(100, "Lagging: at most this many steps of the encoder before each step.", at_least(1))

    eval_iwae_samples: int = option(50, "Importance samples a sentence in the final report.", at_least(1, 100_000))
    eval_proposal: str = option("posterior", PROPOSAL_HELP, one_of(*PROPOSALS))
    eval_max_sentences: int | None = option(None, "At most this many test sentences in the final report.", at_least(1))

    def __post_init__(self):
        if self.system not in SYSTEMS:
            raise ValueError(f"unknown system {self.system!r}; choose one of {', '.join(SYSTEMS)}")
        check_rules(self)
        check_proposal(self.eval_proposal, self.eval_iwae_samples, "eval_iwae_samples")
        for name in (
            "output_dir",
            "dataset",
            "centres_from",
            "init_from",
        ):  # a shell expands ~ neither after = nor in a file
            if getattr(self, name) is not None:
                setattr(self, name, os.path.expanduser(getattr(self, name)))
        if self.output_dir is None:
            self.output_dir = str(Path("runs", f"{self.system}-{corpus_name(self.dataset)}"))
        require(self.output_dir.strip(), "output_dir", "must name a directory", repr(self.output_dir))


def require(condition, name, rule, value):
    if not condition:
        raise ValueError(f"--{name} {rule}, but is {value}")
