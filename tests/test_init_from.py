"""A run that begins with a trained model's weights: what is copied, what starts anew, and what is said of it."""

import pytest
import torch
from safetensors.torch import load_file

from wae_rnf.commands.main import main
from wae_rnf.evaluation.model_directory import digest_of_weights, load_model
from wae_rnf.evaluation.run_file import read_run
from wae_rnf.training.init_from import copy_weights, vocabulary_weights
from wae_rnf.training.run import train
from wae_rnf.training.systems import SYSTEMS

from .small_runs import assert_same_weights, cut_after

FIRST = {"system": "vae", "num_epochs": 1}


class Words:
    """A tokenizer, as far as the copy needs one."""

    def __init__(self, *words):
        self.words = words

    def get_vocab(self):
        return {word: number for number, word in enumerate(self.words)}

    def __len__(self):
        return len(self.words)


class Begun:
    """A hook that keeps the weights that each stage begins with."""

    def __init__(self):
        self.weights = {}

    def __call__(self, stage):
        if stage.step == 0:
            self.weights[stage.name] = {name: value.clone() for name, value in stage.module.state_dict().items()}


@pytest.fixture
def source(small_run, tmp_path):
    train(small_run("source", **FIRST))
    return tmp_path / "source"


def test_the_whole_model_of_the_same_system(small_run, source, tmp_path):
    begun = Begun()
    metrics = train(small_run(system="vae", init_from=str(source)), on_step=begun)
    trained = load_file(source / "model.safetensors")
    assert begun.weights["vae"].keys() == trained.keys()
    assert all(torch.equal(value, trained[name]) for name, value in begun.weights["vae"].items())
    record = read_run(tmp_path / "run")["init_from"]
    assert record == metrics["training"]["init_from"]
    assert record["anew"] == []
    assert record["parameters"] == record["of_parameters"]
    assert (record["tokens"], record["of_tokens"]) == (22, 22)
    assert record["weights"] == digest_of_weights(load_model(source)[0])
    assert metrics["options"]["init_from"] == str(source)


def test_it_gives_the_centres_too(small_run, source, tmp_path, capsys):
    begun = Begun()
    train(small_run(system="wae-rnf", num_epochs=1, init_from=str(source)), on_step=begun)
    assert list(begun.weights) == ["wae-rnf"]  # no other stage is trained for them
    again = train(small_run("again", system="wae-rnf", num_epochs=1, centres_from=str(source)))
    centres = [load_file(tmp_path / name / "model.safetensors")["centres"] for name in ("run", "again")]
    assert torch.equal(*centres)
    assert again["training"]["init_from"] is None
    record = read_run(tmp_path / "run")["init_from"]
    assert {name.partition(".")[0] for name in record["anew"]} == {"flow"}
    assert "flow starts anew" in " ".join(capsys.readouterr().out.split())


def test_weights_of_tokens_go_by_the_token(tiny_model):
    source, target = tiny_model(vocab_size=9), tiny_model(vocab_size=7)
    with torch.no_grad():
        for parameter in source.parameters():
            parameter.add_(1.0)
    fresh = {name: value.clone() for name, value in target.state_dict().items()}
    theirs = Words("<pad>", "<bos>", "<eos>", "<unk>", "a", "b", "c", "d", "e")
    own = Words("<pad>", "<bos>", "<eos>", "<unk>", "d", "new", "a")
    record = copy_weights(source, theirs, target, own, "m")
    pairs = [(0, 0), (1, 1), (2, 2), (3, 3), (4, 7), (6, 4)]
    assert vocabulary_weights(target.config) == {
        "embedding.weight", "decoder.projection.weight", "decoder.projection.bias",
    }  # fmt: skip
    for name, value in target.state_dict().items():
        given = source.state_dict()[name]
        if name in vocabulary_weights(target.config):
            assert all(torch.equal(value[ours], given[other]) for ours, other in pairs), name
            assert torch.equal(value[5], fresh[name][5]), name
        elif name == "centres":
            assert torch.equal(value, fresh[name])
        else:
            assert torch.equal(value, given), name
    assert (record["tokens"], record["of_tokens"]) == (6, 7)
    without = [value.numel() for name, value in fresh.items() if name != "centres"]
    one_token = 6 + 8 + 1  # of the embedding, of the projection and its bias
    assert (record["parameters"], record["of_parameters"]) == (sum(without) - one_token, sum(without))


def test_other_shapes_start_anew(tiny_model):
    source, target = tiny_model(hidden_size=10), tiny_model()
    fresh = {name: value.clone() for name, value in target.state_dict().items()}
    words = Words(*map(str, range(13)))
    record = copy_weights(source, words, target, words, "m")
    assert "decoder.projection.weight" in record["anew"]
    for name, value in target.state_dict().items():
        same_shape = source.state_dict()[name].shape == value.shape
        assert (name in record["anew"]) == (not same_shape) or name == "centres"
        if not same_shape:
            assert torch.equal(value, fresh[name])


@pytest.mark.parametrize("system", ["vae", "cnn-vae"])
def test_an_encoder_starts_as_a_language_model(tiny_model, system):
    language_model = tiny_model(**SYSTEMS["lstm-lm"].config)
    with torch.no_grad():
        for parameter in language_model.parameters():
            parameter.add_(1.0)
    model, words = tiny_model(**SYSTEMS[system].config), Words(*map(str, range(13)))
    fresh = {name: value.clone() for name, value in model.decoder.state_dict().items()}
    record = copy_weights(language_model, words, model, words, "m")
    assert torch.equal(model.embedding.weight, language_model.embedding.weight)
    for name, value in language_model.decoder.lstm.state_dict().items():
        assert torch.equal(model.encoder.lstm.state_dict()[name], value)
        if system == "vae":
            assert torch.equal(model.decoder.lstm.state_dict()[name], value)
    kept = [name for name, value in model.decoder.state_dict().items() if torch.equal(value, fresh[name])]
    assert {f"decoder.{name}" for name in kept} == {name for name in record["anew"] if name.startswith("decoder.")}
    assert not any(name.startswith("encoder.") for name in record["anew"])


def test_a_model_of_which_no_matrix_fits(tiny_model):
    source, words = tiny_model(embedding_size=7, hidden_size=9, latent_size=5), Words("x")
    with pytest.raises(ValueError, match="--init_from m has no weight matrix in the shape of this run's"):
        copy_weights(source, words, tiny_model(), words, "m")


def test_a_run_goes_on_from_its_checkpoint_not_from_the_model(small_run, source, tmp_path):
    given = {"system": "wae-nf", "save_steps": 1}
    train(small_run("whole", **given, init_from=str(source)))
    with pytest.raises(KeyboardInterrupt):
        train(small_run("cut", **given, init_from=str(source)), on_step=cut_after(5))
    source.rename(tmp_path / "gone")
    with pytest.raises(ValueError, match="--init_from was "):
        train(small_run("cut", **given, resume=True))
    assert main(["train", "--output_dir", str(tmp_path / "cut"), "--resume"]) == 0  # with the options of its start
    assert_same_weights(tmp_path / "whole", tmp_path / "cut")
    found = read_run(tmp_path / "cut")
    assert found["options"]["init_from"] == found["init_from"]["model"] == str(source)


def test_a_run_killed_before_its_first_checkpoint_still_begins_there(small_run, source, tmp_path):
    with pytest.raises(KeyboardInterrupt):
        train(small_run(system="vae", init_from=str(source)), on_step=cut_after(0))
    begun = Begun()
    train(small_run(system="vae", resume=True, init_from=str(source)), on_step=begun)
    trained = load_file(source / "model.safetensors")
    assert all(torch.equal(value, trained[name]) for name, value in begun.weights["vae"].items())


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--resume"], "--init_from is where a run starts, but --resume continues one"),
        (["--autoencoder_epochs", "1"], "--init_from and --autoencoder_epochs would both give the encoder"),
        ([], "nowhere is not a model directory: it has no config.json"),
    ],
)
def test_misuse_is_told_before_any_work(workplace, capsys, options, message):
    assert main(["train", "--dataset", "corpus", "--init_from", "nowhere", *options]) == 2
    assert message in capsys.readouterr().err
    assert not (workplace / "runs").exists()
