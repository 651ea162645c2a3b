"""The topics of a model by their words: a decoder whose words are known, and sentences one by one."""

import json
import math
from pathlib import Path

import pytest
import torch

from modeling_wae_rnf import WaeRnfConfig, WaeRnfModel
from modeling_wae_rnf.seeding import seeded_by
from wae_rnf.commands.main import main
from wae_rnf.evaluation.model_directory import save_model_directory
from wae_rnf.text import TextAutoencoder
from wae_rnf.text.topics import OWN_WORDS, topics_of
from wae_rnf.tokenization.tokenizer import build_tokenizer
from wae_rnf.tokenization.vocabulary import build_vocabulary, count_words
from wae_rnf.training.systems import SYSTEMS

from .test_components import SIZES

WORDS = ["bank", "goal", "rain", "soup", "the"]  # four topics, and what all have
GOLDEN = Path(__file__).parent / "golden" / "models" / "wae-rnf"


@pytest.fixture
def tokenizer():
    return build_tokenizer(build_vocabulary(count_words([" ".join(WORDS)])), max_words=6)


@pytest.fixture
def model(tokenizer):
    torch.manual_seed(0)
    fields = SIZES | {"vocab_size": len(tokenizer), "latent_size": 6, "max_words": 6, "dropout": 0.0}
    config = WaeRnfConfig(**fields | SYSTEMS["dirichlet-vae"].config, posterior_kwargs={"num_topics": 4})
    return WaeRnfModel(config).eval()


@pytest.fixture
def planted(model, tokenizer):
    """A model whose state never changes from h = tanh(tanh(t)) on, whatever it reads, and scores word k by h_k."""
    decoder, ids = model.decoder, tokenizer.convert_tokens_to_ids(WORDS)
    with torch.no_grad():
        for parameter in decoder.parameters():
            parameter.zero_()
        gates = decoder.lstm.bias_ih_l0.view(4, -1)  # input, forget, cell, output
        gates[0], gates[1], gates[3] = -50.0, 50.0, 50.0
        cell = decoder.initial_state.weight[SIZES["hidden_size"] :]
        for topic in range(4):
            cell[topic, 2 + topic] = 1.0
            decoder.projection.weight[ids[topic], topic] = 4.0
        decoder.projection.bias[ids[4]] = 2.0
    return model


def test_planted_topics_are_found_with_their_probabilities(planted, tokenizer):
    found = topics_of(planted, tokenizer, words=3, samples=8)
    own, common = math.exp(4 * math.tanh(math.tanh(1.0))), math.exp(2.0)
    whole = own + 3 + common  # the special tokens are left out
    average = (own + 3) / 4 / whole
    for number, topic in enumerate(found):
        assert topic.number == number
        word, *rest = topic.words
        assert all(other.ratio == pytest.approx(1) for other in rest)  # "the", where rounding brings it over 1
        assert word.word == WORDS[number]
        assert word.probability == pytest.approx(own / whole, rel=1e-5)
        assert word.ratio == pytest.approx(own / whole / average, rel=1e-5)
        expected = own / whole * math.log(own / whole / average) + 3 / whole * math.log(1 / whole / average)
        assert topic.divergence == pytest.approx(expected, rel=1e-5)


@torch.no_grad()
def test_words_are_counted_as_sentence_by_sentence(model, tokenizer):
    for parameter in model.decoder.parameters():
        parameter.mul_(8)  # words that depend on t and on what came before
    found = topics_of(model, tokenizer, words=9, samples=20, seed=4)
    rows = []
    for number in range(4):
        generator = torch.Generator().manual_seed(4)
        z = torch.randn(20, 2, generator=generator)
        latents = torch.cat([z, torch.eye(4)[number].expand(20, -1)], dim=1)
        with seeded_by(generator, model.device):
            sentences = model.generate(latents=latents, **OWN_WORDS)
        total = torch.zeros(len(tokenizer))
        for ids, latent in zip(sentences, latents, strict=True):
            length = int(ids.ne(0).sum())
            logits = model(input_ids=ids[None, :length], latents=latent[None]).logits[0, :-1]
            total += logits.softmax(-1).sum(0)
        rows.append(total[4:] / total[4:].sum())
    average = sum(rows) / 4
    names = tokenizer.convert_ids_to_tokens(range(4, len(tokenizer)))
    for topic, row in zip(found, rows, strict=True):
        parts = (row * (row / average).log()).tolist()
        order = sorted((part, name) for part, name in zip(parts, names, strict=True) if part > 0)
        assert [word.word for word in topic.words] == [name for _, name in reversed(order)]
        assert topic.divergence == pytest.approx(sum(parts), abs=1e-5)
    assert max(topic.divergence for topic in found) > 0.005  # which is not nothing


def test_command_and_method(planted, tokenizer, tmp_path, capsys):
    save_model_directory(planted, tokenizer, tmp_path)
    assert main(["topics", str(tmp_path), "--samples", "8", "--json"]) == 0
    rows = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    expected = TextAutoencoder(planted, tokenizer).topics(samples=8)
    assert [row["number"] for row in rows] == [0, 1, 2, 3]
    assert rows == [topic._asdict() | {"words": [word._asdict() for word in topic.words]} for topic in expected]
    assert main(["topics", str(tmp_path), "--samples", "8", "--output", str(tmp_path / "topics.txt")]) == 0
    lines = (tmp_path / "topics.txt").read_text().splitlines()
    assert lines[0].startswith("nats per token by which")
    assert [line.split()[:3:2] for line in lines[1:]] == [[str(number), WORDS[number]] for number in range(4)]


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ([], "the model has no topics; one that has is trained by wae-rnf train --system dirichlet-vae"),
        (["--words", "0"], "--words must be at least 1, but is 0"),
        (["--samples", "-3"], "--samples must be at least 1, but is -3"),
    ],
)
def test_misuse_of_topics(options, message, capsys):
    assert main(["topics", str(GOLDEN), *options]) == 2
    assert message in capsys.readouterr().err


def test_commands_that_a_model_with_topics_has_not(planted, tokenizer, tmp_path, capsys):
    save_model_directory(planted, tokenizer, tmp_path)
    capsys.readouterr()
    for command, message in (
        (["geometry", str(tmp_path), "--dataset", "toy"], "there is no metric for it here"),
        (["interpolate", str(tmp_path), "the", "soup", "--path", "spherical"], "which a spherical path leaves"),
        (["interpolate", str(tmp_path), "the", "soup", "--path", "geodesic"], "there is no metric here"),
        (["export", str(tmp_path), str(tmp_path / "onnx")], "a model with topics cannot be exported"),
    ):
        assert main(command) == 2, command
        error = capsys.readouterr().err
        assert message in error
        assert error.startswith("wae-rnf: error: ")
        assert error.count("\n") == 1
    for command in (["reconstruct", "the soup"], ["edit", "the soup"], ["surprisal", "the soup"], ["sample"]):
        files = ["--from_file", "a.txt", "--to_file", "a.txt"] if command[0] == "edit" else []
        files = [str(tmp_path / name) if name == "a.txt" else name for name in files]
        (tmp_path / "a.txt").write_text("the soup\nthe rain\n")
        assert main([command[0], str(tmp_path), *command[1:], *files]) == 0, capsys.readouterr().err
