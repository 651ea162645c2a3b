"""Lagging inference (He et al. 2019, arXiv 1901.05534): the encoder is trained until it keeps up with the decoder.

Before each step of the model, the encoder alone is trained on random batches until its loss stops improving, and the
step itself then moves the decoder alone. This goes on while the mutual information on validation still climbs from
epoch to epoch; from then on training is the plain one.
"""

import math
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from .strategy import Strategy

if TYPE_CHECKING:
    import torch

    from modeling_wae_rnf import WaeRnfModel

    from .stage import Stage

CHECK_EVERY = 15  # steps of the encoder, as in the authors' experiments


class Lagging(Strategy):
    """The encoder first, at most `inner_steps` times before each step, for as long as that adds information."""

    leaves_parameters_out = True

    def __init__(self) -> None:
        self.lagging = True

    def before_step(self, stage: "Stage") -> None:
        if not self.lagging:
            return
        steps, weights = stage.arguments.inner_steps, stage.weights
        batches = stage.batches.random(stage.step, steps)

        def encoder_step() -> "torch.Tensor":
            loss = stage.losses(next(batches), weights).loss
            assert loss is not None  # a forward of sentences gives one
            stage.accelerator.backward(loss)
            stage.optimizer.step()
            stage.optimizer.zero_grad(set_to_none=True)
            return loss.detach()

        with encoder_alone(stage.module):
            run_until_no_better(encoder_step, steps)

    def after_backward(self, stage: "Stage") -> None:
        if self.lagging:  # the encoder has had its steps
            for parameter in encoder_parameters(stage.module):
                parameter.grad = None

    def after_validation(self, stage: "Stage") -> None:
        *before, now = (past["mutual_information"] for past in stage.history)
        self.lagging = self.lagging and now > max(before, default=-math.inf)

    def state_dict(self) -> dict[str, Any]:
        return {"lagging": self.lagging}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        self.lagging = state["lagging"]


def run_until_no_better(
    step: "Callable[[], float | torch.Tensor]", max_steps: int, check_every: int = CHECK_EVERY
) -> int:
    """Calls `step` until the mean of what it returns stops falling from one check to the next.

    Args:
        step: called without arguments; returns a loss, a number or a scalar tensor.
        max_steps: the most calls.
        check_every: calls between two checks.

    Returns:
        how often it was called.

    Examples:
        >>> losses = iter([3.0, 2.0, 1.0, 1.0, 9.0])
        >>> run_until_no_better(lambda: next(losses), max_steps=5, check_every=1)
        4
    """
    before: float | torch.Tensor = math.inf
    total: float | torch.Tensor = 0.0
    for number in range(1, max_steps + 1):
        total = total + step()
        if number % check_every == 0:
            if not total < before:
                return number
            before, total = total, 0.0
    return max_steps


def encoder_parameters(model: "WaeRnfModel") -> "list[torch.nn.Parameter]":
    """The parameters that the inner loop trains: those of q(z|x) but the shared word embedding."""
    return [*model.encoder.parameters(), *model.posterior_head.parameters()]


@contextmanager
def encoder_alone(model: "WaeRnfModel") -> Iterator[None]:
    """Within it, no other parameter of the model gets a gradient."""
    trained = set(encoder_parameters(model))
    frozen = [parameter for parameter in model.parameters() if parameter.requires_grad and parameter not in trained]
    for parameter in frozen:
        parameter.requires_grad_(False)
    try:
        yield
    finally:
        for parameter in frozen:
            parameter.requires_grad_(True)
