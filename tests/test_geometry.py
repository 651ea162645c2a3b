"""The figures of a geometry: each against a plain computation; the command; what it refuses."""

import json
import math
import random
import shutil
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
import torch
from rich.console import Console

from modeling_wae_rnf.decoder_metric import draw_sentences
from modeling_wae_rnf.metric_tensor import in_double
from modeling_wae_rnf.riemannian_metric import straight_line
from wae_rnf.commands import geometry as command
from wae_rnf.commands.main import main
from wae_rnf.evaluation import geometry
from wae_rnf.evaluation.bootstrap import bootstrap
from wae_rnf.evaluation.geometry_table import print_geometry
from wae_rnf.evaluation.latent_volume import far_points, log_volumes
from wae_rnf.evaluation.model_directory import load_model
from wae_rnf.evaluation.path_text import Fluency, edit_distance, path_figures

GOLDEN = Path(__file__).parent / "golden" / "models"


@pytest.fixture(scope="module")
def work(tmp_path_factory):
    """A corpus of the golden models' words, and the figures that the command left of one of them."""
    folder = tmp_path_factory.mktemp("geometry")
    words = sorted(load_model(GOLDEN / "wae-rnf")[1].get_vocab())
    words = [word for word in words if word.isalpha()]
    rng = random.Random(0)
    (folder / "corpus").mkdir()
    for split in ("train", "valid", "test"):
        lines = [" ".join(rng.choices(words, k=rng.randint(2, 5))) for _ in range(30)]
        (folder / "corpus" / f"{split}.txt").write_text("\n".join(lines) + "\n")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("datasets.config.HF_DATASETS_CACHE", folder / "cache")
        assert main([*arguments(folder), "--language_model", str(GOLDEN / "lstm-lm")]) == 0
    return folder


@pytest.fixture(autouse=True)
def cache(work, monkeypatch):
    monkeypatch.setattr("datasets.config.HF_DATASETS_CACHE", work / "cache")


def arguments(folder, name="wae-rnf", pairs="8"):
    given = ["--dataset", str(folder / "corpus"), "--steps", "5", "--output", str(folder / "found.json")]
    return ["geometry", str(GOLDEN / name), "--pairs", pairs, *given]


@pytest.fixture
def figures(work):
    return json.loads((work / "found.json").read_text())


def test_the_options_name_the_metrics_and_the_candidates():
    assert tuple(geometry.METRICS) == command.METRICS
    assert command.CANDIDATES == geometry.CANDIDATES


def test_where_it_comes_from(figures):
    assert {"command", "commit", "seed", "versions", "device", "seconds", "weights", "options"} <= figures.keys()
    assert figures["system"] == "wae-rnf"


def test_lengths_are_those_of_the_sentences(work, figures):
    model, tokenizer = load_model(GOLDEN / "wae-rnf")
    sentences = (work / "corpus" / "test.txt").read_text().splitlines()
    pairs = [(group[0], other) for group in figures["sentences"] for other in group[1:]]
    assert len(pairs) == len(set(pairs)) == 8
    for metric in geometry.METRICS:
        found = figures["of_pairs"][metric]
        for number, pair in enumerate(pairs):
            a, b = (model.embed(**tokenizer([sentences[row]], return_tensors="pt")).double() for row in pair)
            longest = figures["options"]["max_words"]
            straight = model.curve_length(straight_line(a, b, 5), metric=metric, max_words=longest).item()
            assert found["straight"][number] == pytest.approx(straight, rel=1e-3)
        ratios = sorted(one / other for one, other in zip(found["straight"], found["geodesic"], strict=True))
        assert min(ratios) > 1 - 1e-3
        assert figures["lengths"][metric]["ratio"]["value"] == pytest.approx((ratios[3] + ratios[4]) / 2)
        assert figures["lengths"][metric]["unconverged"] == found["converged"].count(False)


def test_the_nearest_neighbours(figures):
    nearest = {}
    for metric in geometry.METRICS:
        lengths = figures["of_pairs"][metric]["geodesic"]
        nearest[metric] = [min(range(4), key=lengths[start : start + 4].__getitem__) for start in (0, 4)]
    for names, found in figures["neighbours"].items():
        one, other = (nearest[name] for name in names.split(", "))
        assert found["value"] == np.mean([a == b for a, b in zip(one, other, strict=True)])
    assert len(figures["neighbours"]) == 6


def test_the_volume_of_the_flow_is_its_determinant():
    model = load_model(GOLDEN / "wae-rnf")[0].double()
    z = torch.randn(5, 4, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    torch.testing.assert_close(log_volumes(model, z, "flow"), model.push(z)[1].detach(), rtol=0, atol=1e-6)


def test_far_points_lie_at_one_distance():
    z = torch.randn(50, 4, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    distances = (far_points(z) - z.mean(0)).norm(dim=1)
    torch.testing.assert_close(distances, torch.full_like(distances, 2 * (z - z.mean(0)).norm(dim=1).mean().item()))


def recursive(one, other):
    if not one or not other:
        return len(one) + len(other)
    same = recursive(one[1:], other[1:]) + (one[0] != other[0])
    return min(same, recursive(one[1:], other) + 1, recursive(one, other[1:]) + 1)


def test_edit_distances():
    rng = random.Random(0)
    for _ in range(30):
        one, other = ("".join(rng.choices("abc", k=rng.randint(0, 5))) for _ in range(2))
        assert edit_distance(one, other) == recursive(one, other)
    found = path_figures(["a b", "a c", "d c", "a b"])
    assert found == {"mean_edits": 4 / 3, "largest_edit": 2, "new_sentences": 2}


def test_fluency_is_the_likelihood_of_the_language_model():
    model, tokenizer = load_model(GOLDEN / "lstm-lm")
    sentences = [" ".join(sorted(filter(str.isalpha, tokenizer.get_vocab()))[start : start + 3]) for start in (0, 4)]
    for sentence, found in zip(sentences, Fluency(model, tokenizer)(sentences), strict=True):
        ids = tokenizer([sentence], return_tensors="pt")["input_ids"]
        log_probs = model(ids, return_logits=True).logits.log_softmax(-1)[0]
        words = [log_probs[place, after].item() for place, (_, after) in enumerate(pairwise(ids[0].tolist()))]
        assert found == pytest.approx(-sum(words) / len(words), rel=1e-4)


def test_an_interval_of_a_mean_is_that_of_its_standard_error():
    values = np.random.default_rng(0).normal(size=(400, 1))
    found = bootstrap(values)
    error = values.std() / math.sqrt(400)
    assert found["value"] == pytest.approx(values.mean())
    assert found["high"] - found["low"] == pytest.approx(2 * 1.96 * error, rel=0.1)


def test_groups_are_drawn_whole():
    """Four copies of a value tell no more than one."""
    values = np.random.default_rng(0).normal(size=(100, 1))
    assert bootstrap(np.repeat(values, 4, axis=1)) == pytest.approx(bootstrap(values))


def test_the_table_fits_a_terminal(figures, capsys):
    print_geometry(figures, Console(width=80))
    printed = capsys.readouterr().out
    assert max(map(len, (line.rstrip() for line in printed.splitlines()))) <= 80
    for words in ("straight/geodesic", "same nearest", "near - far", "NLL per token", "unconverged"):
        assert words in printed


def test_without_a_language_model_fluency_is_left_out_and_that_is_said(work, tmp_path, capsys):
    output = str(tmp_path / "other.json")
    given = [*arguments(work, "vae", "4")[:-1], output, "--metrics", "decoder"]
    assert main(given) == 0
    assert "Fluency is not measured" in capsys.readouterr().out
    found = json.loads(Path(output).read_text())
    assert "nats_per_token" not in found["text"]["straight"]
    assert found["options"]["metrics"] == ["decoder"]


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (["--pairs", "6"], "--pairs must be a multiple of 4, but is 6"),
        (["--pairs", "400"], "400 pairs need 500 sentences, but the split test has 30"),
        (["--steps", "2"], "--steps must be at least 3"),
        (["--metrics", "round"], "invalid choice: 'round'"),
        (["--language_model", str(GOLDEN / "vae")], "must name a model of the system lstm-lm"),
        (["--output", "nowhere/found.json"], "nowhere/found.json"),
    ],
)
def test_misuse(work, change, message, capsys):
    assert main([*arguments(work), *change]) == 2
    assert message in capsys.readouterr().err


def test_models_that_lack_something(work, capsys):
    assert main([*arguments(work, "vae"), "--metrics", "conformal"]) == 2
    assert "has no metric conformal; it has euclidean, decoder" in capsys.readouterr().err
    assert main(arguments(work, "lstm-lm")) == 2
    assert "it has no latent space" in capsys.readouterr().err


def test_the_column_of_the_training_is_read(work, tmp_path):
    """A table with two columns of text, of which run.json names the one that the model was trained on."""
    table = tmp_path / "reviews.csv"
    lines = (work / "corpus" / "train.txt").read_text().splitlines() * 5
    table.write_text("place,review\n" + "".join(f"a cafe,{line}\n" for line in lines))
    shutil.copytree(GOLDEN / "vae", tmp_path / "model")
    options = {"system": "vae", "dataset": str(table), "text_column": "review"}
    (tmp_path / "model" / "run.json").write_text(json.dumps({"options": options}))
    assert main(["geometry", str(tmp_path / "model"), "--pairs", "4", "--steps", "3", "--metrics", "euclidean"]) == 0
    assert json.loads((tmp_path / "model" / "geometry.json").read_text())["options"]["dataset"] == str(table)


def test_sentences_that_do_not_end_are_cut_and_counted(work, capsys):
    """After one word: what has an end by then is counted by drawing as much longer ones."""
    model, _ = load_model(GOLDEN / "wae-rnf")
    folder = work / "cut"
    folder.mkdir()
    command = [*arguments(work)[:-2], "--output", str(folder / "found.json"), "--metrics", "decoder"]
    picture = folder / "map.png"
    assert main([*command, "--max_words", "1", "--map", str(picture), "--map_metric", "decoder"]) == 0
    found = json.loads((folder / "found.json").read_text())
    assert picture.read_bytes().startswith(b"\x89PNG")
    sentences = (work / "corpus" / "test.txt").read_text().splitlines()
    drawn = [row for group in found["sentences"] for other in group[1:] for row in (group[0], other)]
    tokenizer = load_model(GOLDEN / "wae-rnf")[1]
    z = torch.cat([model.embed(**tokenizer([sentences[row]], return_tensors="pt")) for row in drawn]).double()
    parts = [in_double(part) for part in (model.flow, model.decoder, model.embedding)]
    ids, _ = draw_sentences(*parts, model.config, z, 2, max_words=30)
    ended = ids[..., 1:3].eq(model.config.eos_token_id).any(-1)  # at once, or after a word
    assert found["sentences_cut"] == {"drawn": 32, "cut": int((~ended).sum())}
    assert found["sentences_cut"]["cut"] > 0
    assert "were cut after" in " ".join(capsys.readouterr().out.split())


@pytest.mark.parametrize(
    ("given", "message"),
    [
        (["--max_words", "0"], "--max_words must be at least 1, but is 0"),
        (["--map_metric", "flow"], "--map_metric is of --map alone"),
        (["--map", "map.jpg"], "--map must name a .png file, not map.jpg"),
    ],
)
def test_misuse_of_the_map_and_the_cut(work, given, message, capsys):
    assert main([*arguments(work), *given]) == 2
    assert message in capsys.readouterr().err
