"""Every example runs, as a user runs it, and prints what the model says: how well it was trained does not matter."""

import json
import os
import random
import runpy
import subprocess
import sys
from collections import Counter
from pathlib import Path

import numpy as np
import pytest
import torch
from datasets import Dataset
from sklearn.feature_extraction.text import CountVectorizer
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GridSearchCV

from modeling_wae_rnf import WaeRnfModel
from wae_rnf.evaluation.evaluate_split import evaluate
from wae_rnf.evaluation.model_directory import load_model
from wae_rnf.tokenization.toy.grammar import ToyGrammar
from wae_rnf.training.arguments import TrainArguments
from wae_rnf.training.run import train

from .hub_stand_in import TOKEN, hub

EXAMPLES = Path(__file__).parent.parent / "examples"
TESTED = (
    "quickstart", "sampling", "interpolation", "geometry", "sentence_features", "own_text", "trainer", "publishing",
    "onnx_sampling", "likelihood", "edits", "neighbours", "few_labels",
)  # fmt: skip


@pytest.fixture(scope="module")
def directory(tmp_path_factory):
    """A model of the generated corpus, after a few steps."""
    folder = tmp_path_factory.mktemp("examples") / "model"
    sizes = {"embedding_size": 64, "hidden_size": 96, "latent_size": 16, "latents_at_every_step": True, "dropout": 0.0}
    sizes |= {"learning_rate": 5e-3, "max_steps": 60, "eval_max_sentences": 50, "eval_iwae_samples": 2}
    train(TrainArguments(system="vae", kl_weight=0.01, max_words=30, output_dir=str(folder), **sizes))
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


def greedy(model, tokenizer, z):
    """The likeliest words, one after the other, from the logits of the whole sentence so far."""
    words = [model.config.bos_token_id]
    while words[-1] != model.config.eos_token_id and len(words) <= model.config.max_words:
        scores = model(torch.tensor([words]), latents=z).logits[0, -1]
        scores[[model.config.pad_token_id, model.config.bos_token_id]] = -torch.inf
        words.append(int(scores.argmax()))
    return tokenizer.decode(words, skip_special_tokens=True)


@torch.no_grad()
def test_quickstart(directory, tmp_path):
    lines = run("quickstart", [directory], tmp_path).split("\n")
    model, tokenizer = load_model(directory)
    assert lines[0] == "From the prior:"
    assert all(line.startswith("  ") and set(line.split()) <= tokenizer.get_vocab().keys() for line in lines[1:6])
    there, back = lines[7].removeprefix("There: "), lines[8].removeprefix("Back:  ")
    posterior = model.encode(**tokenizer([there], return_tensors="pt"))
    assert back == greedy(model, tokenizer, posterior.mean)
    kl = 0.5 * (posterior.mean**2 + posterior.variance - 1 - posterior.variance.log()).sum().item()
    assert float(lines[10].split()[-2]) == pytest.approx(kl, abs=0.02)  # two digits are printed


def test_sampling(directory, tmp_path):
    printed = run("sampling", [directory], tmp_path)
    assert printed.count("\n  ") == 15
    prompted = printed.split("After a prompt:")[1].splitlines()[1:4]
    assert [line.split()[0] for line in prompted] == ["the"] * 3


@torch.no_grad()
def test_interpolation(directory, tmp_path):
    printed = run("interpolation", [directory], tmp_path).split("\n")
    model, tokenizer = load_model(directory)

    def mean(sentence):
        return model.encode(**tokenizer([sentence], return_tensors="pt")).mean

    ends = [
        "  " + greedy(model, tokenizer, mean(sentence))
        for sentence in ("the soup at the bistro was absolutely delicious .", "shares of the bank rose on monday .")
    ]
    for title in (0, 6, 12):  # straight, spherical, and straight behind the flow, of which a VAE has none
        assert [printed[title + 1], printed[title + 5]] == ends
    z = mean("the soup was delicious .") - mean("the soup was cold .") + mean("the room was dirty .")
    assert printed[18] == "the soup was cold .  is to  the soup was delicious ."
    assert printed[19] == f"as the room was dirty .  is to  {greedy(model, tokenizer, z)}"


@torch.no_grad()
def test_geometry(directory, tmp_path):
    lines = run("geometry", [directory], tmp_path).splitlines()
    model, tokenizer = load_model(directory)
    sentences = ["the soup at the bistro was absolutely delicious .", "shares of the bank rose on monday ."]
    ends = [model.encode(**tokenizer([sentence], return_tensors="pt")).mean for sentence in sentences]
    distance = (ends[0] - ends[1]).norm().item()
    for number, metric in enumerate(("euclidean", "flow", "decoder")):
        title, *texts = lines[6 * number : 6 * number + 6]
        assert [texts[0], texts[-1]] == [f"  {greedy(model, tokenizer, z)}" for z in ends]
        straight, geodesic = (float(title.split()[place].rstrip(",")) for place in (2, 4))
        assert title.startswith(f"{metric}: straight ")
        assert geodesic <= straight * (1 + 1e-3)
        if metric != "decoder":  # a VAE has no flow
            assert straight == geodesic == pytest.approx(distance, abs=1e-3)


@torch.no_grad()
def test_sentence_features(directory, tmp_path):
    words = run("sentence_features", [directory], tmp_path).splitlines()[-1].split()
    model, tokenizer = load_model(directory)
    rng, grammar = random.Random(0), ToyGrammar()
    sentences, attributes = zip(*(grammar.sample_with_attributes(rng) for _ in range(1000)), strict=True)
    topics = [values["topic"] for values in attributes]
    inputs = tokenizer(list(sentences), return_tensors="pt", padding=True)
    features = torch.cat([model.encode(**inputs_of(inputs, rows)).mean for rows in torch.arange(1000).split(100)])
    classifier = LogisticRegression(max_iter=1000).fit(features[:700], topics[:700])
    assert float(words[1].rstrip(";")) == pytest.approx(classifier.score(features[700:], topics[700:]), abs=0.03)
    assert float(words[-1]) == pytest.approx(Counter(topics[700:]).most_common(1)[0][1] / 300, abs=0.005)


@torch.no_grad()
def test_few_labels(directory, tmp_path):
    lines = run("few_labels", [directory], tmp_path).splitlines()
    assert [line.split(":")[0] for line in lines] == [
        f"{number} labels, {name}" for number in (20, 200) for name in ("latents", "untrained", "bag of words")
    ]
    rng, grammar = random.Random(0), ToyGrammar()
    sentences, attributes = zip(*(grammar.sample_with_attributes(rng) for _ in range(1000)), strict=True)
    topics = np.array([values["topic"] for values in attributes])
    bags = CountVectorizer(token_pattern=r"\S+", lowercase=False, binary=True)
    train, test = bags.fit_transform(sentences[:500]), bags.transform(sentences[500:])
    rng, accuracies = np.random.default_rng(0), []
    for drawn in [rng.permutation(500)[:20] for _ in range(3)]:
        classifier = GridSearchCV(LogisticRegression(max_iter=1000), {"C": [0.01, 0.1, 1.0, 10.0]})
        if np.unique(topics[drawn], return_counts=True)[1].min() < 5:  # none in every fold
            classifier = LogisticRegression(max_iter=1000)
        accuracies.append(classifier.fit(train[drawn], topics[drawn]).score(test, topics[500:]))
    assert float(lines[2].split()[-3]) == pytest.approx(np.mean(accuracies), abs=0.011)  # two digits are printed


def inputs_of(inputs, rows):
    return {name: values[rows] for name, values in inputs.items()}


@torch.no_grad()
def test_likelihood(directory, tmp_path):
    lines = run("likelihood", [directory], tmp_path).splitlines()
    model, tokenizer = load_model(directory)
    grammar, rng = ToyGrammar(), random.Random(0)
    sentences = [grammar.sample(rng) for _ in range(8)]
    rows = tokenizer(sentences)["input_ids"]
    prepared = Dataset.from_dict({"input_ids": rows, "length": [len(row) - 1 for row in rows]})
    bounds = evaluate(model, prepared, samples=200)["of_sentences"]["pushforward_iwae"]
    assert lines[0].startswith("importance-weighted bound of 200 samples, pushforward model")
    for line, sentence, bound in zip(lines[1:9], sentences, bounds, strict=True):
        nll, _, _, exact, text = line.split(None, 4)
        assert text == sentence
        assert float(nll) == pytest.approx(bound, abs=0.02)
        assert float(exact) == pytest.approx(-grammar.log_prob(sentence), abs=0.006)
    latent, tokens = float(lines[11].split()[1]), [line.split() for line in lines[12:]]
    assert [token for _, token in tokens] == [*sentences[0].split(), "<eos>"]
    (alone,) = evaluate(model, prepared.select([0]), samples=200)["of_sentences"]["pushforward_iwae"]
    assert latent + sum(float(nats) for nats, _ in tokens) == pytest.approx(alone, abs=0.006 * (1 + len(tokens)))


@torch.no_grad()
def test_edits(directory, tmp_path):
    lines = run("edits", [directory], tmp_path).splitlines()
    model, tokenizer = load_model(directory)
    grammar, rng = ToyGrammar(), random.Random(0)
    drawn = [grammar.sample_with_attributes(rng) for _ in range(3000)]
    means = {tense: mean_features(model, tokenizer, drawn, tense) for tense in ("past", "present")}
    direction = means["present"].mean(0) - means["past"][200:].mean(0)
    assert [line.split(":")[0] for line in lines[:4]] == [f"strength {strength}.0" for strength in range(4)]
    sources = [sentence for sentence, attributes in drawn if attributes["tense"] == "past"][:5]
    assert lines[5::3] == [f"in   {source}" for source in sources]
    edited = [greedy(model, tokenizer, z[None] + 2 * direction) for z in means["past"][:5]]
    assert lines[6::3] == [f"out  {sentence}" for sentence in edited]


def mean_features(model, tokenizer, drawn, tense):
    sentences = [sentence for sentence, attributes in drawn if attributes["tense"] == tense]
    inputs = tokenizer(sentences, return_tensors="pt", padding=True)
    return model.encode(**inputs).mean


@torch.no_grad()
def test_neighbours(directory, tmp_path):
    lines = run("neighbours", [directory], tmp_path).splitlines()
    model, tokenizer = load_model(directory)
    grammar, rng = ToyGrammar(), random.Random(0)
    sentences = [grammar.sample(rng) for _ in range(10_200)]
    inputs = tokenizer(sentences, return_tensors="pt", padding=True)
    features = torch.cat([model.encode(**inputs_of(inputs, rows)).mean for rows in torch.arange(10_200).split(1000)])
    features = (features / features.norm(dim=1, keepdim=True)).double()
    for start, query in enumerate(sentences[:3]):
        similarities = features[200:] @ features[start]
        assert lines[4 * start] == query
        for line in lines[4 * start + 1 : 4 * start + 4]:
            value, text = line.split(None, 1)
            assert float(value) == pytest.approx(similarities[sentences[200:].index(text)].item(), abs=0.001)
        assert float(lines[4 * start + 1].split()[0]) == pytest.approx(similarities.max().item(), abs=0.001)
    assert lines[-1].startswith("the nearest of 10,000 has the topic of ")


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


MISUSE = {"own_text": ["nowhere", "new"], "publishing": ["nowhere", "user/name"]}


@pytest.mark.parametrize("path", sorted(EXAMPLES.glob("*.py")), ids=lambda path: path.stem)
def test_misuse_is_told_in_a_sentence(path, tmp_path, monkeypatch):
    if path.stem.startswith("onnx"):
        pytest.importorskip("onnxruntime", reason="onnxruntime, an extra of the package, is not installed")
    monkeypatch.chdir(tmp_path)
    for arguments in ([], MISUSE.get(path.stem, ["nowhere"]), ["too", "many", "arguments"]):
        monkeypatch.setattr("sys.argv", [path.name, *arguments])
        with pytest.raises(SystemExit) as stopped:
            runpy.run_path(str(path), run_name="__main__")
        assert stopped.value.code  # not zero
        assert isinstance(stopped.value.code, int) or len(stopped.value.code.splitlines()) == 1
    assert not list(tmp_path.iterdir())


def test_publishing(directory, tmp_path):
    with hub(tmp_path / "hub") as server:
        environment = {"HF_ENDPOINT": server.address, "HF_TOKEN": TOKEN}
        printed = run("publishing", [directory, "user/toy"], tmp_path, **environment).splitlines()
    assert printed[0].startswith(f"{server.address}/user/toy/commit/")
    assert len(printed) == 4


def test_onnx_sampling(exported_directory, tmp_path):
    (tmp_path / "torch.py").write_text("raise ImportError('the example has to do without')\n")
    sentence = "the old dog fell asleep in the soup ."
    options = [exported_directory, "-n", 4, "--temperature", 0.5, "--sentence", sentence]
    lines = run("onnx_sampling", options, tmp_path, PYTHONPATH=str(tmp_path)).splitlines()
    model, tokenizer = load_model(EXAMPLES.parent / "tests" / "golden" / "models" / "wae-rnf")
    (ids,) = model.reconstruct(tokenizer([sentence], return_tensors="pt"))
    assert lines[0] == "From the prior:"
    assert all(set(line.split()) <= set(tokenizer.get_vocab()) and line.strip() for line in lines[1:5])
    assert lines[5:] == [f"There: {sentence}", f"Back:  {tokenizer.decode(ids, skip_special_tokens=True)}"]
