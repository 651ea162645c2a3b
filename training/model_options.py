"""The model's configuration, from the options of a run and its system's row."""

import torch

from modeling_wae_rnf import WaeRnfConfig, WaeRnfModel

SHARED_FIELDS = (
    "embedding_size", "hidden_size", "latent_size", "dropout", "posterior_head", "batch_norm", "latents_at_every_step",
    "kernel_bandwidth", "num_centres", "mmd_kernel", "max_words", "word_dropout", "kappa", "mean_gamma", "free_bits",
    "minimum_rate", "encoder_dropout", "encoder_input", "embedding_std", "batch_norm_eps", "flow_init",
    "prior", "prior_components", "prior_layers", "importance_samples",
)  # fmt: skip


def model_config(arguments, system, vocab_size):
    """The model's configuration: sizes from the options, the rest from the system's row."""
    shared = {name: getattr(arguments, name) for name in SHARED_FIELDS}
    return WaeRnfConfig(vocab_size=vocab_size, **shared | system.config)


def model_without_memory(arguments, system, vocab_size):
    """The model of a run on PyTorch's meta device: its names and sizes, but no numbers.

    Raises:
        ValueError: options that no model can have.
    """
    with torch.device("meta"):
        return WaeRnfModel(model_config(arguments, system, vocab_size))
