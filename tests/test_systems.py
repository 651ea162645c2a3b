"""Every system is a configuration that the model accepts, and trains."""

import pytest
import torch

from training_wae_rnf.systems import SYSTEMS


@pytest.mark.parametrize("name", SYSTEMS)
def test_system_learns(name, tiny_model, batch):
    model = tiny_model(**SYSTEMS[name].config, dropout=0.0).train()
    optimizer = torch.optim.Adam(model.parameters(), lr=1e-2)
    losses = []
    for _ in range(80):
        output = model(**batch)
        output.loss.backward()
        optimizer.step()
        optimizer.zero_grad()
        losses.append(output.reconstruction.mean().item())
    assert losses[-1] < 0.6 * losses[0]


def test_the_table_says_what_the_names_say():
    config = {name: system.config for name, system in SYSTEMS.items()}
    assert config["wae-rnf"] == {}
    assert config["wae-nf"] == {"flow_kernel": None}
    assert config["wae"]["num_flows"] == config["vae"]["num_flows"] == 0
    assert config["vae"]["mmd_weight"] == config["vae-nf"]["mmd_weight"] == 0
    assert "mmd_weight" not in config["wae"]
    assert config["lstm-lm"]["latent_size"] == 0
    assert config["vmf-vae"]["posterior"] == "vmf"
    assert config["lagging-vae"] == config["vae"]
    assert [name for name, system in SYSTEMS.items() if system.lagging] == ["lagging-vae"]
