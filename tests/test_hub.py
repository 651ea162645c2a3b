"""A model goes to the Hub, over a real socket, and comes back in a process that has nothing of ours."""

import json
import os
import subprocess
import sys

import pytest
import torch
import yaml
from huggingface_hub import ModelCard

from modeling_wae_rnf import WaeRnfModel
from wae_rnf.sharing.hub import push
from wae_rnf.sharing.model_card import model_card

from .hub_stand_in import TOKEN, hub

COMMAND = "import sys; from wae_rnf.commands.main import main; sys.exit(main(sys.argv[1:]))"
ELSEWHERE = """
import sys
for name in ("modeling_wae_rnf", "wae_rnf"):
    sys.modules[name] = None
import torch
from transformers import AutoModel, AutoTokenizer
model = AutoModel.from_pretrained("user/model", trust_remote_code=True)
tokenizer = AutoTokenizer.from_pretrained("user/model", trust_remote_code=True)
torch.save({name: value for name, value in model.state_dict().items()}, sys.argv[1])
print(tokenizer.batch_decode(model.generate(num_samples=3), skip_special_tokens=True))
"""


def run(code, arguments, endpoint, tmp_path, token=TOKEN):
    """A fresh process whose Hub is at the endpoint."""
    environment = {name: value for name, value in os.environ.items() if name != "HF_HUB_OFFLINE"}
    environment |= {"HF_ENDPOINT": endpoint, "HF_HOME": str(tmp_path / "home"), "HF_TOKEN": token}
    command = [sys.executable, "-c", code, *map(str, arguments)]
    return subprocess.run(command, cwd=tmp_path, env=environment, text=True, capture_output=True, timeout=240)


def test_pushed_and_loaded_back(trained_directory, tmp_path):
    with hub(tmp_path / "hub") as server:
        done = run(COMMAND, ["push", trained_directory, "user/model", "--private"], server.address, tmp_path)
        assert done.returncode == 0, done.stderr
        assert done.stdout.startswith(f"{server.address}/user/model/commit/")
        assert server.created[0]["name"] == "model"
        assert server.created[0].get("private") or server.created[0].get("visibility") == "private"
        loaded = run(ELSEWHERE, [tmp_path / "state.pt"], server.address, tmp_path)
        assert loaded.returncode == 0, loaded.stderr
    files = {path.name for path in (tmp_path / "hub" / "user" / "model").iterdir()}
    assert {"README.md", "metrics.json", "config.json", "generation_config.json", "model.safetensors"} <= files
    assert {"tokenizer.json", "modeling_wae_rnf.py", "configuration_wae_rnf.py"} <= files
    assert not {"checkpoints", "run.json"} & files
    state, expected = (
        torch.load(tmp_path / "state.pt", weights_only=True),
        WaeRnfModel.from_pretrained(trained_directory),
    )
    for name, value in expected.state_dict().items():
        assert torch.equal(state[name], value), name
    assert len(yaml.safe_load(loaded.stdout)) == 3


def test_the_card_says_what_was_measured(trained_directory):
    metrics = json.loads((trained_directory / "metrics.json").read_text())
    config = WaeRnfModel.from_pretrained(trained_directory).config
    card = model_card("user/model", metrics, config)
    assert isinstance(card, ModelCard)
    for generative_model, prior in {"pushforward": "z ~ N(0, I), z' = F(z)", "flow_posterior": "z' ~ N(0, I)"}.items():
        for bound, label in {"iwae": "importance-weighted bound, 3 samples", "elbo": "ELBO"}.items():
            figures = metrics[generative_model][bound]
            assert f"| {label}, {prior} | {figures['nll']:.2f} | {figures['ppl']:.1f} |" in card.text
    protocol = metrics["paper_protocol"]
    assert f"| the paper's protocol, no bound | {protocol['nll']:.2f} | {protocol['ppl']:.1f} |" in card.text
    assert f"| used units | {metrics['units_over_0.05']} | KL over 0.05 nats |" in card.text
    assert 'from_pretrained("user/model", trust_remote_code=True)' in card.text
    assert metrics["training"]["command"] in card.text
    assert all(f"- {line}" in card.text for line in metrics["samples"])
    assert "{{" not in card.content
    results = card.data.eval_results
    best = min(metrics[generative_model]["iwae"]["nll"] for generative_model in ("pushforward", "flow_posterior"))
    assert results[0].metric_type == "nll"
    assert results[0].metric_value == pytest.approx(best, abs=1e-3)
    assert card.data.library_name == "transformers"


@pytest.mark.parametrize(
    ("directory", "repository", "message"),
    [
        (None, "model", "model is no name for a repository: it must have the form user/name"),
        (None, "user/../model", "is no name for a repository"),
        ("nowhere", "user/model", "nowhere has no metrics.json"),
    ],
)
def test_misuse(trained_directory, directory, repository, message):
    with pytest.raises(ValueError, match=message):
        push(directory or trained_directory, repository)


def test_what_the_hub_refuses_is_told_in_a_sentence(trained_directory, tmp_path):
    with hub(tmp_path / "hub") as server:
        done = run(COMMAND, ["push", trained_directory, "user/model"], server.address, tmp_path, token="hf_wrong")
    assert done.returncode == 2
    assert "wae-rnf: error: the Hub did not take user/model: " in done.stderr
    assert "401" in done.stderr
    assert "Traceback" not in done.stderr
