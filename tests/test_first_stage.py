"""What is trained before a system, and what it gives: centres and an encoder."""

import functools

import numpy as np
import pytest
import torch
from safetensors.torch import load_file

from modeling_wae_rnf import WaeRnfModel
from wae_rnf.evaluation.json_files import read_json
from wae_rnf.evaluation.model_directory import load_model
from wae_rnf.training.centres import cluster
from wae_rnf.training.run import train

from .small_runs import SMALL, last_checkpoint


def test_autoencoder_comes_first_and_gives_its_encoder(small_run, tmp_path):
    begun = {}

    def remember(stage):
        if stage.step == 0:
            begun[stage.name] = {name: value.clone() for name, value in stage.model.state_dict().items()}

    train(small_run(system="wae-nf", autoencoder_epochs=2), on_step=remember)
    assert list(begun) == ["autoencoder", "wae-nf"]
    trained = load_file(tmp_path / "run" / "autoencoder" / "model.safetensors")
    for name, value in begun["wae-nf"].items():
        taken = name.startswith(("embedding", "encoder", "posterior_head"))
        assert not name.startswith("decoder") or not torch.equal(value, trained[name]), name
        if taken:
            assert torch.equal(value, trained[name]), name
    history = read_json(last_checkpoint(tmp_path / "run" / "autoencoder") / "progress.json")["history"]
    assert len(history) == 2
    assert all(past["loss"] == past["reconstruction"] for past in history)  # no latent term counts


def test_centres_are_of_the_autoencoder_where_there_is_one(small_run, tmp_path, small_corpus):
    (small_corpus / "train.txt").write_text("a b c\nd e\nf g h i\nj\nk l m\nn o p q\n")
    train(small_run(system="wae-rnf", autoencoder_epochs=1, num_epochs=1))
    assert not (tmp_path / "run" / "vae").exists()
    first, tokenizer = load_model(tmp_path / "run" / "autoencoder")
    inputs = tokenizer((small_corpus / "train.txt").read_text().splitlines(), return_tensors="pt", padding=True)
    expected = cluster(first.encode(**inputs).mean.detach(), SMALL["num_centres"], seed=0)
    torch.testing.assert_close(load_model(tmp_path / "run")[0].centres, expected)


def test_stages_sample_but_for_the_autoencoder(small_run, monkeypatch):
    asked = {}
    forward = WaeRnfModel.forward

    @functools.wraps(forward)  # generate() reads its signature
    def remembered(self, *args, **kwargs):
        output = forward(self, *args, **kwargs)
        if not self.training and output.latents is not None:  # at validation
            mean = self.encode(kwargs["input_ids"], kwargs["attention_mask"]).mean
            asked.setdefault(self.config.num_flows, set()).add(torch.equal(output.latents, mean))
        return output

    monkeypatch.setattr(WaeRnfModel, "forward", remembered)
    train(small_run(system="wae-nf", autoencoder_epochs=1, num_epochs=1))
    assert asked == {0: {True}, 3: {False}}


@pytest.mark.parametrize(
    ("given", "epochs", "scale"),
    [
        ({"first_stage_epochs": 2, "mean_gamma": None}, 2, 1.0),
        ({"mean_gamma": 0.7}, 1, 0.7),
        ({"num_epochs": 17}, 2, 0.6),
        ({"batch_norm": False}, 1, None),
    ],
)
def test_the_vae_that_comes_first(small_run, given, epochs, scale):
    stages = []

    def end(stage):
        stages.append(stage)
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        train(small_run(**{"lr_milestones": [1], "num_epochs": 9} | given), on_step=end)
    (stage,) = stages
    assert stage.name == "vae"
    assert stage.num_steps == 4 * epochs
    assert stage.config.mean_gamma == scale  # its means do not fall together
    assert stage.arguments.lr_milestones is None  # epochs of the other stage


def test_centres_of_another_dimension(small_run, tmp_path):
    train(small_run("vae", system="vae", num_epochs=1))
    with pytest.raises(ValueError, match="latent_size 4, but this run has --latent_size 5"):
        train(small_run(centres_from=str(tmp_path / "vae"), latent_size=5))


def test_centres_of_a_file_are_those_of_the_model(small_run, tmp_path):
    centres = np.random.default_rng(0).normal(size=(5, 4))  # more than train has different sentences
    np.save(tmp_path / "c.npy", centres)
    train(small_run(centres_from=str(tmp_path / "c.npy"), num_epochs=1, num_centres=5))
    assert np.array_equal(load_model(tmp_path / "run")[0].centres.numpy(), centres.astype(np.float32))
    assert not (tmp_path / "run" / "vae").exists()
