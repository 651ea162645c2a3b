"""The model's configuration, from the options of a run and its system's row."""

from dataclasses import fields

from modeling_wae_rnf import WaeRnfConfig

from .network.model_options import ModelOptions


def model_config(arguments, system, vocab_size):
    """The model's configuration: the options of the run, and what makes the system what it is."""
    options = {declared.name: getattr(arguments, declared.name) for declared in fields(ModelOptions)}
    return WaeRnfConfig(vocab_size=vocab_size, **options | system.fixed)
