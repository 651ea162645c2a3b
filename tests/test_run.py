"""Training for real, small: a corpus is overfitted, two stages become one model, misuse is reported."""

import json

import pytest

from modeling_wae_rnf import WaeRnfConfig
from wae_rnf.evaluation.model_directory import load_model
from wae_rnf.training.arguments import TrainArguments
from wae_rnf.training.model_options import model_config
from wae_rnf.training.run import train
from wae_rnf.training.systems import SYSTEMS, customized_system

from .small_runs import SENTENCES


def test_four_sentences_are_overfitted(small_run, small_corpus, tmp_path):
    (small_corpus / "train.txt").write_text("\n".join(SENTENCES * 100) + "\n")
    large = {"hidden_size": 100, "embedding_size": 100, "learning_rate": 5e-3, "dropout": 0.0, "kl_weight": 0.01}
    metrics = train(small_run(system="vae", num_epochs=5, **large))
    assert metrics["paper_protocol"]["reconstruction"] < 0.5  # nats a sentence, of about 17 at the start
    model, tokenizer = load_model(tmp_path / "run")
    inputs = tokenizer(SENTENCES, return_tensors="pt", padding=True)
    latents = model.encode(**inputs).mean
    decoded = tokenizer.batch_decode(model.generate(latents=latents, do_sample=False), skip_special_tokens=True)
    assert decoded == SENTENCES


def test_two_stages_leave_a_model_directory(small_run, tmp_path):
    metrics = train(small_run())
    run = tmp_path / "run"
    model, _ = load_model(run)
    assert model.config.flow_kernel == "imq"
    assert model.centres.unique(dim=0).shape == (3, 4)
    assert json.loads((run / "metrics.json").read_text()) == metrics
    vae, _ = load_model(run / "vae")
    assert vae.config.num_flows == 0
    again = train(small_run("again", centres_from=str(run / "vae")))
    for name in ("pushforward", "flow_posterior", "paper_protocol", "mutual_information"):
        assert again[name] == metrics[name]  # a stage does not depend on what ran before it


@pytest.mark.parametrize("name", SYSTEMS)
def test_options_change_their_own_part_of_a_system(name):
    row, given = SYSTEMS[name], TrainArguments(system=name, kl_weight=0.5, kl_start=0.1, kl_end=0.2)
    system = customized_system(given)
    expected = WaeRnfConfig(**row.config | {"vocab_size": 9, "kl_weight": 0.5})
    assert model_config(given, system, 9).to_dict() == expected.to_dict()
    assert system.annealing == (0.1, 0.2)
    assert (system.sampled, system.strategy) == (row.sampled, row.strategy)


def test_output_dir_is_claimed_once(small_run, tmp_path):
    train(small_run(system="vae", num_epochs=1))
    with pytest.raises(ValueError, match="holds another run"):
        train(small_run(system="vae", num_epochs=1))
    with pytest.raises(ValueError, match="--num_epochs was 1"):
        train(small_run(system="vae", num_epochs=2, resume=True))
    (tmp_path / "other").mkdir()
    (tmp_path / "other" / "thesis.tex").write_text("precious")
    with pytest.raises(ValueError, match="is not empty and holds no run"):
        train(small_run("other"))
    with pytest.raises(ValueError, match="holds no run"):
        train(small_run("nowhere", resume=True))


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"system": "gan"}, "unknown system 'gan'"),
        ({"system": "vae", "num_flows": 2}, "--num_flows does not apply to vae"),
        ({"system": "wae", "centres_from": "x"}, "--centres_from does not apply to wae"),
        ({"system": "lstm-lm", "autoencoder_epochs": 1}, "--autoencoder_epochs does not apply to lstm-lm"),
        ({"mean_gamma": 0.5, "batch_norm": False}, "mean_gamma is the scale of a batch normalization"),
        ({"latent_size": 0}, "latent_size must be at least 1"),
        ({"objective": "elbo"}, "objective must be one of"),
        ({"num_centres": 5}, "5 centres cannot be found in 4 different posterior means"),
        ({"dataset": "nowhere"}, "unknown corpus 'nowhere'"),
    ],
)
def test_options_that_do_not_fit(small_run, changes, message):
    with pytest.raises(ValueError, match=message):
        train(small_run(**({"num_epochs": 1} | changes)))
