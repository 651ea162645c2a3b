"""What follows from validations: the learning rate decays, and training stops."""

import pytest

from wae_rnf.training.learning_rate import num_decays
from wae_rnf.training.run import train

from .small_runs import assert_same_weights, cut_after


class LearningRates(list):
    """A hook that keeps the learning rate of each epoch's first step, or of the first after a run was resumed."""

    def __init__(self):
        self.epoch = None

    def __call__(self, stage):
        if stage.step // 4 != self.epoch:
            self.epoch = stage.step // 4
            self.append(stage.optimizer.param_groups[0]["lr"])


STILL = {"system": "vae", "learning_rate": 1e-30, "num_epochs": 8}  # no validation after the first is better


def test_early_stopping(small_run):
    metrics = train(small_run(system="vae", num_epochs=200, learning_rate=0.05, early_stopping=2))
    assert metrics["training"]["steps"] < 200 * 4


@pytest.mark.parametrize(
    ("changes", "epochs"),
    [
        ({"kl_end": 0.0}, 1 + 2),
        ({"kl_end": 0.5}, 4 + 1),  # the validations of epochs 4 and 5 are the first that count
        ({"kl_end": 0.5, "kl_cycles": 2}, 6 + 1),
        ({"kl_end": 0.5, "kl_weight": 0.0}, 1 + 2),  # nothing is annealed
    ],
)
def test_early_stopping_counts_after_annealing(small_run, changes, epochs):
    metrics = train(small_run(**STILL, **changes, early_stopping=2))
    assert metrics["training"]["steps"] == 4 * epochs


def test_plateaus_count_after_annealing(small_run):
    learning_rates = LearningRates()
    train(small_run(**STILL, kl_end=0.5, lr_patience=1, lr_milestones=[7], lr_decay=0.25), on_step=learning_rates)
    # of those that count, epoch 4's is the first, and the lowest
    assert learning_rates == [1e-30 * 0.25**n for n in (0, 0, 0, 0, 0, 1, 2, 4)]


@pytest.mark.parametrize("stop", [9, 12])  # within an epoch, and at its end
def test_a_run_with_decay_resumes_to_the_bit(small_run, tmp_path, stop):
    decay = {"lr_patience": 1, "lr_milestones": [2], "weight_decay": 0.1, "kl_end": 0.0, "num_epochs": 5}
    given = {"system": "vae", "learning_rate": 0.1, "save_steps": 1} | decay
    whole, resumed = LearningRates(), LearningRates()
    losses = [past["loss"] for past in train(small_run("whole", **given), on_step=whole)["training"]["history"]]
    assert whole == [0.1 * 0.5 ** num_decays(losses[:epoch], epoch, 1, [2]) for epoch in range(5)]
    assert whole[2] < whole[0]
    with pytest.raises(KeyboardInterrupt):
        train(small_run("cut", **given), on_step=cut_after(stop))
    train(small_run("cut", **given, resume=True), on_step=resumed)
    assert resumed == whole[stop // 4 :]
    assert_same_weights(tmp_path / "whole", tmp_path / "cut")
