"""The real command: what it prints, and one clear sentence with a non-zero exit for every mistake."""

import io
import json
import subprocess
import sys
from pathlib import Path

import pytest

from wae_rnf.commands.main import main

TINY = ["--embedding_size", "8", "--hidden_size", "8", "--latent_size", "4", "--num_centres", "2", "--max_steps", "2"]


@pytest.fixture(scope="module")
def workspace(tmp_path_factory):
    """A corpus and a model that was trained on it for two steps."""
    folder = tmp_path_factory.mktemp("work")
    corpus = folder / "corpus"
    corpus.mkdir()
    for split in ("train", "valid", "test"):
        (corpus / f"{split}.txt").write_text("the cat sat\na dog ran fast\nrain fell all day long\n" * 5)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("datasets.config.HF_DATASETS_CACHE", folder / "cache")
        assert main(["train", "--dataset", str(corpus), "--output_dir", str(folder / "model"), *TINY]) == 0
    return folder


@pytest.fixture(autouse=True)
def cache(workspace, monkeypatch):
    monkeypatch.setattr("datasets.config.HF_DATASETS_CACHE", workspace / "cache")


def test_sample(workspace, capsys):
    arguments = ["sample", str(workspace / "model"), "-n", "4"]
    assert main([*arguments, "--seed", "1"]) == 0
    first = capsys.readouterr().out
    assert first.count("\n") == 4
    main([*arguments, "--seed", "1"])
    assert capsys.readouterr().out == first
    main([*arguments, "--seed", "2", "--prior", "flow_posterior", "--temperature", "0.5"])
    assert capsys.readouterr().out != first


def test_reconstruct_and_interpolate(workspace, capsys, monkeypatch):
    model = str(workspace / "model")
    assert main(["reconstruct", model, "a dog ran", "the cat sat"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[0] == "in   a dog ran"
    assert lines[2] == "in   the cat sat"
    assert [line[:5] for line in lines] == ["in   ", "out  "] * 2
    monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(b"a dog ran\n")))
    assert main(["reconstruct", model]) == 0
    assert capsys.readouterr().out.splitlines() == lines[:2]
    assert main(["interpolate", model, "a dog ran", "the cat sat", "--steps", "5"]) == 0
    points = capsys.readouterr().out.splitlines()
    assert len(points) == 5
    assert (points[0], points[-1]) == (lines[1][5:], lines[3][5:])


def test_text_or_json_to_a_file_or_the_standard_output(workspace, tmp_path, capsys):
    model, file = str(workspace / "model"), tmp_path / "rows.jsonl"
    assert (
        main(["sample", model, "-n", "3", "--prompt", "a dog", "--top_k", "2", "--json", "--output", str(file)]) == 0
    )
    rows = [json.loads(line) for line in file.read_text().splitlines()]
    assert len(rows) == 3
    assert all(row["text"].startswith("a dog") for row in rows)
    assert main(["embed", model, "a dog ran", "the cat sat", "--json"]) == 0
    first, second = map(json.loads, capsys.readouterr().out.splitlines())
    assert (first["text"], len(first["embedding"])) == ("a dog ran", 4)
    assert main(["embed", model, "the cat sat"]) == 0
    numbers = [float(value) for value in capsys.readouterr().out.split("\t")]
    assert numbers == pytest.approx(second["embedding"], rel=1e-4)
    spherical = ["--path", "spherical", "--space", "z_prime", "--json"]
    assert main(["interpolate", model, "a dog ran", "the cat sat", "--steps", "3", *spherical]) == 0
    assert [json.loads(line)["position"] for line in capsys.readouterr().out.splitlines()] == [0.0, 0.5, 1.0]


def test_a_language_model_encodes_nothing(workspace, tmp_path, capsys):
    directory = str(tmp_path / "lm")
    corpus = str(workspace / "corpus")
    sizes = ["--embedding_size", "8", "--hidden_size", "8", "--max_steps", "2"]
    assert main(["train", "--dataset", corpus, "--system", "lstm-lm", "--output_dir", directory, *sizes]) == 0
    capsys.readouterr()
    for command in (["reconstruct", directory, "a"], ["interpolate", directory, "a", "b"]):
        assert main(command) == 2
        assert capsys.readouterr().err.startswith("wae-rnf: error: a language model has no latent variable")
    assert main(["sample", directory, "-n", "2"]) == 0
    assert capsys.readouterr().out.count("\n") == 2


def test_evaluate(workspace, capsys):
    model = workspace / "model"
    arguments = ["evaluate", str(model), "--split", "validation", "--iwae_samples", "4", "--max_sentences", "6"]
    assert main(arguments) == 0
    assert "IWAE, 4 samples" in capsys.readouterr().out
    metrics = json.loads((model / "metrics-corpus-validation-6.json").read_text())
    assert metrics["num_sentences"] == 6
    assert metrics["split"] == "validation"
    assert metrics["training"]["steps"] == 2
    assert metrics["pushforward"]["iwae"]["samples"] == 4


def test_yaml_is_overridden_by_the_command_line(workspace, tmp_path):
    settings = tmp_path / "small.yaml"
    settings.write_text(f"dataset: {workspace / 'corpus'}\nsystem: wae\nseed: 5\nlatents_at_every_step: true\n")
    sizes = ["--embedding_size", "8", "--hidden_size", "8", "--latent_size", "4", "--max_steps", "2"]
    arguments = ["train", "--config", str(settings), "--seed", "6", "--output_dir", str(tmp_path / "run"), *sizes]
    assert main(arguments) == 0
    options = json.loads((tmp_path / "run" / "run.json").read_text())["options"]
    assert (options["system"], options["seed"], options["latents_at_every_step"]) == ("wae", 6, True)


def test_help_needs_no_heavy_library():
    code = (
        "import sys; from wae_rnf.commands.main import main; code = main(['--help']); "
        "print(sorted({'torch', 'transformers', 'datasets', 'numpy'} & set(sys.modules))); sys.exit(code)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert done.returncode == 0
    assert done.stdout.endswith("[]\n")
    for command in ("train", "evaluate", "sample", "reconstruct", "interpolate"):
        assert f"wae-rnf {command}" in done.stdout


def test_sampling_imports_no_library_that_it_does_not_use():
    """Of a process of its own: what is imported once stays. Transformers itself imports more in some releases."""
    model = Path(__file__).parent / "golden" / "models" / "wae-rnf"
    code = (
        f"import sys; from wae_rnf.commands.main import main; main(['sample', {str(model)!r}, '-n', '2']); "
        "print([name for name in ('datasets', 'evaluate', 'matplotlib') if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=240)
    assert done.returncode == 0, done.stderr
    *sentences, imported = done.stdout.splitlines()
    assert (len(sentences), imported) == (2, "[]")
