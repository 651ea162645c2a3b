"""The model's configuration, from the options of a run and its system's row."""

from dataclasses import fields

import torch

from modeling_wae_rnf import WaeRnfConfig, WaeRnfModel

from .arguments import TrainArguments
from .network.model_options import ModelOptions
from .systems import System, customized_system

SMALLEST_VOCABULARY = 4  # the special tokens


def model_config(arguments: TrainArguments, system: System, vocab_size: int) -> WaeRnfConfig:
    """The model's configuration: the options of the run, and what makes the system what it is."""
    options = {declared.name: getattr(arguments, declared.name) for declared in fields(ModelOptions)}
    return WaeRnfConfig(vocab_size=vocab_size, **options | system.fixed)


def check_model(arguments: TrainArguments) -> None:
    """Raises ValueError where the options of a run do not fit each other, or its system, or no model can have them."""
    model_config(arguments, customized_system(arguments), SMALLEST_VOCABULARY)


def model_without_memory(arguments: TrainArguments, system: System, vocab_size: int) -> WaeRnfModel:
    """The model of a run on PyTorch's meta device: its names and sizes, but no numbers.

    Raises:
        ValueError: options that no model can have.
    """
    with torch.device("meta"):
        return WaeRnfModel(model_config(arguments, system, vocab_size))
