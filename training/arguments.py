"""The options of `wae-rnf train`. Their help texts are the documentation."""

import math
from dataclasses import dataclass, field


def option(default, help_text):
    return field(default=default, metadata={"help": help_text})


@dataclass
class TrainArguments:
    """What is trained, on what, for how long. Defaults are the paper's (section 5.2); None leaves a choice to
    the system's row in `training_wae_rnf.systems`."""

    output_dir: str = option("runs/wae-rnf", "Directory of the run; it becomes the model directory.")
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
    num_epochs: int = option(48, "Epochs of each stage.")
    max_steps: int | None = option(None, "At most this many steps in each stage; annealing scales to it.")
    max_steps_per_epoch: int = option(2000, "An epoch ends after this many steps.")
    batch_size: int = option(32, "Sentences a batch, which several processes share.")
    accumulation_steps: int = option(1, "Batches a step; their gradients are averaged over the sentences.")
    length_pool: int = option(
        1, "Group sentences by length among those of this many batches: saves padding, see training/batching.py."
    )
    learning_rate: float = option(1e-3, "Of Adam.")
    max_grad_norm: float = option(0.0, "Clips the gradient to this norm; 0 does not clip.")
    early_stopping: int = option(0, "Stop after so many epochs without a better validation loss; 0 never does.")
    best_by: str = option(
        "loss",
        "What makes a model the best on validation: loss (the objective) or bound (the ELBO, without free bits).",
    )
    save_steps: int | None = option(None, "Steps between checkpoints; one is written after each epoch anyway.")
    keep_checkpoints: int = option(2, "The newest so many checkpoints of a stage stay.")
    seed: int = option(0, "Of initialization, sampling, batches and clustering.")
    mixed_precision: str = option("no", "no, bf16 or fp16.")
    resume: bool = option(False, "Go on with the run in output_dir from its last checkpoint.")

    vocab_size: int = option(20_000, "At most this many words, counted on the training split.")
    max_words: int = option(200, "Longer sentences are cut to this many words.")
    embedding_size: int = option(200, "Width of the word embedding.")
    hidden_size: int = option(200, "Width of both LSTMs.")
    latent_size: int = option(32, "Dimension of the latent code.")
    dropout: float = option(0.2, "On both LSTMs' inputs and on the decoder's outputs.")
    word_dropout: float = option(0.0, "Share of the words that the decoder reads as unknown while training.")
    posterior_head: str = option("mlp", "mlp (two layers on h_n) or linear (one on h_n and c_n, authors' code).")
    latents_at_every_step: bool = option(False, "Feed the latent code to the decoder at every word.")
    num_flows: int | None = option(None, "Planar flows of a system that has them.")
    flow_kernel: str | None = option(None, "Kernel of the Riemannian metric: imq or gaussian.")
    kernel_bandwidth: float = option(10.0, "Beta of the gaussian kernel.")
    num_centres: int = option(20, "Cluster centres of the Riemannian metric.")
    centres_from: str | None = option(
        None,
        "Take the centres from this trained model's posterior means; by default from the autoencoder of "
        "--autoencoder_epochs, or else from a VAE that is trained first.",
    )
    kappa: float = option(80.0, "Concentration of the von Mises-Fisher posterior.")
    batch_norm: bool = option(True, "Batch-normalize the posterior's mean and log variance, as the paper does.")
    mean_gamma: float | None = option(None, "Fixes the scale of the mean's batch normalization (BN-VAE).")
    free_bits: float = option(0.0, "Nats of each dimension's divergence that cost nothing.")
    minimum_rate: float = option(0.0, "Nats of the whole divergence that cost nothing.")
    objective: str | None = option(None, "paper, authors, pushforward or flow_posterior: the latent terms.")
    mmd_kernel: str = option(
        "imq",
        "imq (unbiased, multi-scale), gaussian (the paper's biased statistic, blind from about 9 dimensions on) or "
        "gaussian_scaled (the authors' code for Yelp and Yahoo).",
    )
    kl_weight: float | None = option(None, "Last value of alpha.")
    mmd_weight: float | None = option(None, "Last value of lambda.")
    kl_start: float | None = option(None, "Part of the run after which alpha leaves 0, in [0, 1].")
    kl_end: float | None = option(None, "Part of the run after which alpha has its last value, in [0, 1].")

    kl_cycles: int = option(1, "How often alpha climbs from 0; kl_start and kl_end are then parts of a cycle.")
    autoencoder_epochs: int = option(
        0, "Epochs as a plain autoencoder before; the decoder then starts anew (Li et al. 2019, arXiv 1909.00868)."
    )
    inner_steps: int = option(100, "Lagging: at most this many steps of the encoder before each step.")

    eval_iwae_samples: int = option(50, "Importance samples a sentence in the final report.")
    eval_max_sentences: int | None = option(None, "At most this many test sentences in the final report.")

    def __post_init__(self):
        for name in ("num_epochs", "max_steps_per_epoch", "batch_size", "length_pool", "vocab_size", "max_words",
                     "latent_size", "kl_cycles", "inner_steps", "keep_checkpoints", "accumulation_steps"):  # fmt: skip
            require(getattr(self, name) >= 1, name, "must be at least 1", getattr(self, name))
        for name in ("max_steps", "save_steps", "eval_max_sentences"):
            value = getattr(self, name)
            require(value is None or value >= 1, name, "must be at least 1", value)
        require(self.eval_iwae_samples >= 1, "eval_iwae_samples", "must be at least 1", self.eval_iwae_samples)
        require(0 < self.learning_rate < math.inf, "learning_rate", "must be positive and finite", self.learning_rate)
        require(0 <= self.seed < 2**32, "seed", "must lie in [0, 2**32)", self.seed)
        require(self.output_dir.strip(), "output_dir", "must name a directory", repr(self.output_dir))
        require(self.early_stopping >= 0, "early_stopping", "must not be negative", self.early_stopping)
        require(self.autoencoder_epochs >= 0, "autoencoder_epochs", "must not be negative", self.autoencoder_epochs)
        require(self.max_grad_norm >= 0, "max_grad_norm", "must not be negative", self.max_grad_norm)
        require(self.mixed_precision in ("no", "bf16", "fp16"), "mixed_precision", "must be no, bf16 or fp16",
                self.mixed_precision)  # fmt: skip
        require(self.best_by in ("loss", "bound"), "best_by", "must be loss or bound", self.best_by)
        for name in ("kl_start", "kl_end"):
            value = getattr(self, name)
            require(value is None or 0 <= value <= 1, name, "must lie in [0, 1]", value)


def require(condition, name, rule, value):
    if not condition:
        raise ValueError(f"--{name} {rule}, but is {value}")
