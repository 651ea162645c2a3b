"""The schedules: alpha and lambda against the paper and the authors' code, the learning rate against torch's own."""

import random

import pytest
import torch

from modeling_wae_rnf import WaeRnfConfig
from wae_rnf.training.learning_rate import num_decays
from wae_rnf.training.schedules import annealed_weights
from wae_rnf.training.systems import SYSTEMS


@pytest.mark.parametrize("epoch", [0, 2, 3, 5, 11, 19, 30, 48])
def test_wae_rnf_follows_the_authors_clip(epoch):
    t = 2000 * epoch
    alpha = min(max((t - 6000) / 40000, 0.0), 0.8)
    weights = annealed_weights(epoch / 48, WaeRnfConfig(), SYSTEMS["wae-rnf"].annealing)
    assert weights["kl_weight"] == pytest.approx(alpha)
    assert weights["mmd_weight"] == pytest.approx(10 - alpha)


def test_vae_reaches_one_at_epoch_21():
    system = SYSTEMS["vae"]
    config = WaeRnfConfig(**system.config)
    alpha = [annealed_weights(epoch / 48, config, system.annealing)["kl_weight"] for epoch in (0, 10.5, 21, 48)]
    assert alpha == pytest.approx([0, 0.5, 1, 1])
    assert annealed_weights(0.0, config, system.annealing)["mmd_weight"] == 0


def test_the_sum_of_the_weights_or_lambda_alone_is_constant():
    for progress in (0.0, 0.3, 1.0):
        weights = [
            annealed_weights(progress, WaeRnfConfig(), (0.2, 0.4), constant_sum=choice) for choice in (True, False)
        ]
        assert weights[0]["kl_weight"] == weights[1]["kl_weight"]
        assert sum(weights[0].values()) == pytest.approx(10.0)
        assert weights[1]["mmd_weight"] == 9.2


def test_a_climb_of_no_length_is_a_step():
    config = WaeRnfConfig(kl_weight=1.0, mmd_weight=0.0)
    assert annealed_weights(0.49, config, (0.5, 0.5))["kl_weight"] == 0
    assert annealed_weights(0.5, config, (0.5, 0.5))["kl_weight"] == 1


def test_cycles_repeat_the_climb():
    config = WaeRnfConfig(kl_weight=1.0, mmd_weight=0.0)
    alpha = [annealed_weights(t / 8, config, (0.0, 0.5), cycles=2)["kl_weight"] for t in range(9)]
    assert alpha == pytest.approx([0, 0.5, 1, 1, 0, 0.5, 1, 1, 1])


@pytest.mark.parametrize("patience", [1, 2, 4])
def test_plateaus_are_torchs(patience):
    generator = random.Random(patience)
    losses = [generator.choice([3.0, 2.0, 1.0]) + 1 / (1 + epoch) for epoch in range(40)]
    optimizer = torch.optim.SGD([torch.zeros(1)], lr=1.0)
    # torch waits for one more than its patience
    torchs = torch.optim.lr_scheduler.ReduceLROnPlateau(
        optimizer, factor=0.5, patience=patience - 1, threshold=0, eps=0
    )
    for number, loss in enumerate(losses, 1):
        torchs.step(loss)
        assert 0.5 ** num_decays(losses[:number], number, patience) == optimizer.param_groups[0]["lr"]
    assert optimizer.param_groups[0]["lr"] < 1
    assert num_decays(losses, 40) == 0


def test_milestones_are_torchs():
    optimizer = torch.optim.SGD([torch.zeros(1)], lr=1.0)
    torchs = torch.optim.lr_scheduler.MultiStepLR(optimizer, [2, 5, 5, 9], gamma=0.5)
    for epoch in range(12):
        assert 0.5 ** num_decays([], epoch, milestones=[2, 5, 5, 9]) == optimizer.param_groups[0]["lr"]
        optimizer.step()
        torchs.step()
