"""The inner loop stops, trains the encoder alone, and ends when the mutual information no longer climbs."""

import itertools

import pytest
import torch

from wae_rnf.training.lagging import encoder_alone, encoder_parameters, run_until_no_better


@pytest.mark.parametrize(
    ("losses", "max_steps", "check_every", "calls"),
    [
        ([5, 4, 3, 2, 1, 0], 6, 2, 6),  # always better: the limit
        ([5, 5, 4, 4, 4, 4, 0, 0], 8, 2, 6),  # no better at the third check
        ([1, 2, 0, 0], 4, 1, 2),  # worse at once
        ([3, 3, 3], 3, 15, 3),  # no check within the limit
        ([5, float("nan"), 0, 0], 4, 1, 2),  # not a number is no gain
    ],
)
def test_stops_when_the_loss_no_longer_falls(losses, max_steps, check_every, calls):
    left = iter(losses)
    assert run_until_no_better(lambda: next(left), max_steps, check_every) == calls
    assert len(list(left)) == len(losses) - calls


def test_tensors_are_read_at_checks_alone():
    reads = []

    class Loss(torch.Tensor):
        def __bool__(self):
            reads.append(1)
            return super().__bool__()

    steps = itertools.repeat(torch.ones(()).as_subclass(Loss))
    assert run_until_no_better(lambda: next(steps), max_steps=100, check_every=10) == 20
    assert len(reads) == 2


def test_only_the_encoder_gets_a_gradient(tiny_model, batch):
    model = tiny_model(num_flows=0, flow_kernel=None, mmd_weight=0.0, mean_gamma=0.5)
    flags = {name: parameter.requires_grad for name, parameter in model.named_parameters()}
    trained = set(encoder_parameters(model))
    with encoder_alone(model):
        model(**batch).loss.backward()
    for name, parameter in model.named_parameters():
        assert (parameter.grad is not None) == (parameter in trained and flags[name]), name
        assert parameter.requires_grad == flags[name]
    assert not any(name.startswith(("decoder", "embedding")) for name, p in model.named_parameters() if p in trained)
