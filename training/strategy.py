"""What a stage may do beside the plain step; a system's row names its strategy."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from torch import nn

    from modeling_wae_rnf import WaeRnfOutput

    from .stage import Stage


class Strategy:
    """Plain training: every parameter moves at each step, and nothing else happens.

    A strategy overrides what it does otherwise. Each method is given the [`Stage`], of which it may use
    `accelerator`, `arguments`, `batches`, `config`, `history`, `model`, `module` (the model itself, unwrapped),
    `optimizer`, `step`, `losses` and `weights`.
    """

    leaves_parameters_out = False  # of a backward pass, which processes that share a model must know

    def begin(self, stage: "Stage") -> None:
        """When the stage has its model and its options, before a checkpoint is read."""

    def before_step(self, stage: "Stage") -> None:
        """Before each step of the model."""

    def with_losses(self, stage: "Stage", output: "WaeRnfOutput") -> "WaeRnfOutput":
        """The model's output for a batch of training, with what is added to its loss."""
        return output

    def after_backward(self, stage: "Stage") -> None:
        """When the gradients of a step are there, before they are clipped and the optimizer moves."""

    def after_validation(self, stage: "Stage") -> None:
        """When a validation is the last of `stage.history`."""

    def state_dict(self) -> dict[str, Any]:
        """What a run that goes on needs, as plain values of JSON: kept in checkpoints and with each validation."""
        return {}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Takes what `state_dict` gave; other names may be beside it."""

    def learned(self) -> "Mapping[str, nn.Module]":
        """What it trains beside the model, by name: in checkpoints, and not in the model's directory."""
        return {}
