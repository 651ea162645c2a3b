"""The worked example of docs/extending.md is run: its file, its rows, and what it says they give."""

import re
from pathlib import Path

import pytest
import torch

from modeling_wae_rnf import WaeRnfConfig, WaeRnfModel, components
from wae_rnf.training.systems import SYSTEMS, System

PAGE = Path(__file__).parent.parent / "docs" / "extending.md"
BLOCK = re.compile(r"^```python\n(.*?)^```", flags=re.DOTALL | re.MULTILINE)


@pytest.fixture
def names(monkeypatch):
    """What the page's blocks define, one after the other, with both tables as they were afterwards."""
    monkeypatch.setattr(components, "COMPONENTS", {kind: dict(row) for kind, row in components.COMPONENTS.items()})
    monkeypatch.setattr("wae_rnf.training.systems.SYSTEMS", dict(SYSTEMS))
    found = {
        "__name__": "modeling_wae_rnf.length_loss",
        "__package__": "modeling_wae_rnf",
        "COMPONENTS": components.COMPONENTS,
        "SYSTEMS": dict(SYSTEMS),
        "System": System,
        "WaeRnfConfig": WaeRnfConfig,
        "WaeRnfModel": WaeRnfModel,
    }
    for block in BLOCK.findall(PAGE.read_text(encoding="utf-8")):
        exec(compile(block, PAGE.name, "exec"), found)
    return found


def test_the_loss_is_that_of_the_page(names):
    model, plain = names["model"], WaeRnfModel(WaeRnfConfig(vocab_size=100, latent_size=4))
    plain.load_state_dict(model.state_dict(), strict=False)
    ids = torch.tensor([[1, 5, 6, 7, 2, 0], [1, 8, 2, 0, 0, 0]])  # four and two tokens are scored
    mask = ids.ne(0).long()
    losses = []
    for each in (model.train(), plain.train()):
        torch.manual_seed(0)
        losses.append(each(input_ids=ids, attention_mask=mask))
    log_rate = model.auxiliary_losses["length"].log_rate(model.push(losses[0].latents)[0]).squeeze(-1)
    by_hand = -torch.distributions.Poisson(log_rate.exp()).log_prob(torch.tensor([4.0, 2.0])).mean()
    torch.testing.assert_close(losses[0].loss - losses[1].loss, by_hand, rtol=1e-4, atol=1e-4)


def test_evaluation_leaves_it_out(names):
    ids = torch.tensor([[1, 5, 6, 2]])
    with torch.no_grad():
        output = names["model"].eval()(input_ids=ids, sample=False)
    assert torch.isfinite(output.loss)
    assert "auxiliary" not in output or output["auxiliary"] is None


def test_the_system_is_a_row_like_the_others(names):
    row = names["SYSTEMS"]["vae-length"]
    config = WaeRnfConfig(vocab_size=100, latent_size=4, **row.defaults | row.fixed)
    WaeRnfModel(config)
    assert config.auxiliary_losses == {"length": 1.0}
    assert config.num_flows == 0
