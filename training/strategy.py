"""What a stage may do beside the plain step; a system's row names its strategy."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .stage import Stage


class Strategy:
    """Plain training: every parameter moves at each step, and nothing else happens.

    A strategy overrides what it does otherwise. Each method is given the [`Stage`], of which it may use
    `accelerator`, `arguments`, `batches`, `history`, `model`, `module` (the model itself, unwrapped), `optimizer`,
    `step`, `losses` and `weights`.
    """

    leaves_parameters_out = False  # of a backward pass, which processes that share a model must know

    def before_step(self, stage: "Stage") -> None:
        """Before each step of the model."""

    def after_backward(self, stage: "Stage") -> None:
        """When the gradients of a step are there, before they are clipped and the optimizer moves."""

    def after_validation(self, stage: "Stage") -> None:
        """When a validation is the last of `stage.history`."""

    def state_dict(self) -> dict[str, Any]:
        """What a run that goes on needs, as plain values of JSON: kept in checkpoints and with each validation."""
        return {}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Takes what `state_dict` gave; other names may be beside it."""
