"""Models that were saved by commit cabc32b load, and give what they gave: losses, bounds, greedy text."""

import json
from pathlib import Path

import pytest
import torch

from modeling_wae_rnf import WaeRnfModel
from wae_rnf.evaluation.model_directory import load_model
from wae_rnf.training.systems import SYSTEMS

from .golden.make_models import figures

MODELS = Path(__file__).parent / "golden" / "models"


def assert_close(found, expected, name=""):
    """Equal text, and numbers within 1e-5 of those expected, whatever the nesting."""
    if isinstance(expected, dict):
        assert found.keys() == expected.keys(), name
        for key in expected:
            assert_close(found[key], expected[key], f"{name}/{key}")
    elif isinstance(expected, list) and expected and isinstance(expected[0], str):
        assert found == expected, name
    else:
        found, expected = (torch.tensor(values, dtype=torch.float64) for values in (found, expected))
        torch.testing.assert_close(found, expected, rtol=1e-5, atol=1e-5, msg=lambda text: f"{name}: {text}")


def test_there_is_one_of_each_system_of_then():
    systems = {"lstm-lm", "vae", "vae-nf", "lagging-vae", "vmf-vae", "wae", "wae-nf", "wae-rnf"}
    assert {path.name for path in MODELS.iterdir()} >= systems
    assert systems <= set(SYSTEMS)


@pytest.mark.parametrize("system", sorted(path.name for path in MODELS.iterdir()))
def test_a_saved_model_gives_what_it_gave(system):
    expected = json.loads((MODELS / system / "expected.json").read_text())
    assert_close(figures(MODELS / system), expected)


def test_loading_and_saving_keeps_every_weight(tmp_path):
    model, _ = load_model(MODELS / "wae-rnf")
    model.save_pretrained(tmp_path)
    again = WaeRnfModel.from_pretrained(tmp_path).state_dict()
    assert all(torch.equal(value, again[name]) for name, value in model.state_dict().items())
