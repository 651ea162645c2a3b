"""The penalty on the log variance: the formula by hand, its weight in the loss, and where it has no meaning."""

import math

import pytest
import torch

from modeling_wae_rnf import WaeRnfConfig
from wae_rnf.training.systems import SYSTEMS


@torch.no_grad()
def test_by_hand_on_two_sentences(tiny_model, batch):
    inputs = {name: ids[:2] for name, ids in batch.items()}
    fields = SYSTEMS["aae"].config | {"dropout": 0.0, "batch_norm": False}
    model = tiny_model(**fields, auxiliary_losses={"log_variance": 0.25}).train()
    spread = model.encode(**inputs).stddev.tolist()
    expected = [sum(abs(math.log(s * s)) for s in row) for row in spread]
    output = model(**inputs)
    assert output.auxiliary["log_variance"].tolist() == pytest.approx(expected, rel=1e-4)
    whole = output.reconstruction.mean().item() + 0.25 * sum(expected) / 2
    assert output.loss.item() == pytest.approx(whole, rel=1e-6)


def test_a_posterior_without_a_variance_is_refused():
    with pytest.raises(ValueError, match="log_variance is of a gaussian posterior, not of vmf"):
        WaeRnfConfig(vocab_size=9, **SYSTEMS["vmf-vae"].config, auxiliary_losses={"log_variance": 1.0})
