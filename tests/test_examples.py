"""Every example runs, as a user runs it, on a model trained on the generated corpus."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from modeling_wae_rnf import WaeRnfModel
from training_wae_rnf.arguments import TrainArguments
from training_wae_rnf.training import train

from .hub_stand_in import TOKEN, hub

EXAMPLES = Path(__file__).parent.parent / "examples"
TESTED = ("quickstart", "sampling", "interpolation", "sentence_features", "own_text", "publishing", "trainer")


@pytest.fixture(scope="module")
def directory(tmp_path_factory):
    """A model of the generated corpus, after a few hundred steps."""
    folder = tmp_path_factory.mktemp("examples") / "model"
    sizes = {"embedding_size": 64, "hidden_size": 96, "latent_size": 16, "latents_at_every_step": True, "dropout": 0.0}
    sizes |= {"learning_rate": 5e-3, "max_steps": 700, "eval_max_sentences": 50, "eval_iwae_samples": 2}
    train(TrainArguments(system="vae", kl_weight=0.01, output_dir=str(folder), **sizes))
    return folder


def run(name, arguments, tmp_path, **environment):
    offline = {"HF_HUB_OFFLINE": "1"} if "HF_ENDPOINT" not in environment else {}
    environment = os.environ | {"HF_HOME": str(tmp_path / "home")} | offline | environment
    command = [sys.executable, str(EXAMPLES / f"{name}.py"), *map(str, arguments)]
    done = subprocess.run(command, cwd=tmp_path, env=environment, text=True, capture_output=True, timeout=240)
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_all_examples_are_tested():
    assert sorted(TESTED) == sorted(path.stem for path in EXAMPLES.glob("*.py"))


def test_quickstart(directory, tmp_path):
    lines = run("quickstart", [directory], tmp_path).splitlines()
    assert lines[0] == "From the prior:"
    assert all(len(line.split()) > 2 for line in lines[1:6])
    there, back = (next(line for line in lines if line.startswith(start)).split()[1:] for start in ("There", "Back"))
    assert len(set(there) & set(back)) >= 3  # it resembles what went in


def test_sampling(directory, tmp_path):
    printed = run("sampling", [directory], tmp_path)
    assert printed.count("\n  ") == 15
    prompted = printed.split("After a prompt:")[1].splitlines()[1:4]
    assert all(line.startswith("  the ") for line in prompted)


def test_interpolation(directory, tmp_path):
    printed = run("interpolation", [directory], tmp_path).splitlines()
    straight, spherical, behind = printed[1:6], printed[7:12], printed[13:18]
    assert straight[0] == spherical[0] == behind[0]
    assert straight[-1] == spherical[-1] == behind[-1]
    assert straight[0] != straight[-1]
    assert "  is to  " in printed[-1]


def test_sentence_features(directory, tmp_path):
    words = run("sentence_features", [directory], tmp_path).splitlines()[-1].split()
    assert float(words[1].rstrip(";")) > 0.08 + float(words[-1])  # better than the commonest topic


def test_own_text(tmp_path):
    (tmp_path / "text").mkdir()
    for split in ("train", "valid", "test"):
        (tmp_path / "text" / f"{split}.txt").write_text("the cat sat\na dog ran\nrain fell\nit ended\nwe saw it\n" * 3)
    printed = run("own_text", ["text", "runs/mine"], tmp_path)
    assert "nats a sentence at most, perplexity" in printed
    assert (tmp_path / "runs" / "mine" / "model.safetensors").exists()


def test_trainer(tmp_path):
    (tmp_path / "text").mkdir()
    for split in ("train", "valid", "test"):
        (tmp_path / "text" / f"{split}.txt").write_text("the cat sat\na dog ran\nrain fell\nit ended\nwe saw it\n" * 3)
    printed = run("trainer", ["text", "runs/mine", 3], tmp_path).splitlines()
    assert printed[-2].startswith("best: runs/mine/checkpoint-")
    again = run("trainer", ["text", "runs/mine", 6], tmp_path).splitlines()  # goes on from the checkpoint of step 3
    assert again[-1].endswith("of the words are the likeliest")
    state = json.loads((tmp_path / "runs" / "mine" / "checkpoint-6" / "trainer_state.json").read_text())
    steps = [row["step"] for row in state["log_history"] if "eval_loss" in row]
    assert (steps[:3], steps[-1]) == ([1, 2, 3], 6)
    assert WaeRnfModel.from_pretrained(tmp_path / "runs" / "mine").config.eval_latents == "seeded"


def test_publishing(directory, tmp_path):
    with hub(tmp_path / "hub") as server:
        environment = {"HF_ENDPOINT": server.address, "HF_TOKEN": TOKEN}
        printed = run("publishing", [directory, "user/toy"], tmp_path, **environment).splitlines()
    assert printed[0].startswith(f"{server.address}/user/toy/commit/")
    assert len(printed) == 4
