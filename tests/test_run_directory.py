"""A run's directory: claimed before any work, given back where it cannot begin, gone on with as it was."""

import json
import os
import resource
import signal
import stat
from contextlib import contextmanager
from pathlib import Path
from types import SimpleNamespace

import pytest
import torch

from wae_rnf.commands.main import main
from wae_rnf.evaluation.json_files import write_json
from wae_rnf.evaluation.model_directory import load_model, save_model_directory
from wae_rnf.evaluation.run_file import read_run
from wae_rnf.text import text_autoencoder
from wae_rnf.training import checkpoints
from wae_rnf.training.checkpoints import save_checkpoint, synchronize
from wae_rnf.training.random_states import random_state
from wae_rnf.training.run import train
from wae_rnf.training.run_directory import check_output_dir, claimed

from .small_runs import killed_at, options

pytestmark = pytest.mark.usefixtures("workplace", "no_steps")


@contextmanager
def files_of_at_most(size):
    """A limit on the size of files stands for the full disk."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    ignored = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
        signal.signal(signal.SIGXFSZ, ignored)


@pytest.mark.parametrize("streaming", [False, True])
@pytest.mark.parametrize(
    "name",
    ["load_corpus", "train_tokenizer", "write_json", "prepare"],
)
def test_a_run_killed_before_it_trains_goes_on(monkeypatch, name, streaming):
    if name == "write_json" and not streaming:
        pytest.skip("only a stream's count is written there")
    killed_at(monkeypatch, f"open_corpus.{name}", streaming=streaming)
    with pytest.raises(ValueError, match="holds another run; go on with it by --resume"):
        check_output_dir("run", {})
    train(options(streaming=streaming, resume=True))
    assert read_run("run")["training"]["steps"] == 0


def test_a_run_that_cannot_begin_gives_its_directory_back(workplace):
    (workplace / "corpus" / "train.txt").write_bytes(b"a\n\xff\n")
    for _ in range(2):
        with pytest.raises(ValueError, match="is not UTF-8"):
            train(options(output_dir="runs/new"))
    assert not Path("runs", "new").exists()
    Path("empty").mkdir()
    with pytest.raises(ValueError, match="is not UTF-8"):
        train(options(output_dir="empty"))
    assert os.listdir("empty") == []


def test_options_that_change_nothing_do_not_stand_in_the_way():
    write_json("run.json", {"options": vars(options(system="vae")) | {"inner_steps": 5, "num_centres": 3}})
    check_output_dir(".", vars(options(system="vae")), resume=True)
    with pytest.raises(ValueError, match="--latent_size was 3"):
        check_output_dir(".", vars(options(system="vae", latent_size=4)), resume=True)


@pytest.mark.parametrize("umask", [0o022, 0o002, 0o077])
def test_every_file_has_the_permissions_of_the_umask(umask, tiny_model, tmp_path):
    tokenizer = load_model(Path(__file__).parent / "golden" / "models" / "wae")[1]
    model = tiny_model()
    before = os.umask(umask)
    try:
        save_model_directory(model, tokenizer, tmp_path / "m")
        save_checkpoint(tmp_path / "c", 1, model, torch.optim.Adam(model.parameters()), {}, [random_state()])
        with claimed(tmp_path / "r", {}):
            pass
    finally:
        os.umask(before)
    files = [path for name in "mcr" for path in (tmp_path / name).rglob("*") if path.is_file()]
    assert {"model.safetensors", "optimizer.pt", "tokenizer.json", "run.json"} <= {path.name for path in files}
    assert not [path for path in files if path.name == ".mode"]
    assert {stat.S_IMODE(path.stat().st_mode) for path in files} == {0o666 & ~umask}
    folders = [tmp_path / name for name in "mcr"] + [path for path in tmp_path.glob("c/*") if path.is_dir()]
    assert {stat.S_IMODE(path.stat().st_mode) for path in folders} == {0o777 & ~umask}


def test_a_full_disk_leaves_no_claim():
    with files_of_at_most(10), pytest.raises(OSError, match=r"run\.json could not be written"):
        train(options())
    assert not Path("run").exists()
    write_json("x.json", {"a": 1})
    with files_of_at_most(10), pytest.raises(OSError, match=r"x\.json could not be written"):
        write_json("x.json", {"a": "long" * 10})
    assert json.loads(Path("x.json").read_text()) == {"a": 1}
    assert not Path("x.json.new").exists()


@pytest.mark.parametrize(
    ("output_dir", "message"),
    [
        ("corpus", "--output_dir corpus is not empty and holds no run of ours"),
        ("corpus/", "--output_dir corpus is not empty and holds no run of ours"),
        (".", "is not empty and holds no run of ours"),  # the corpus lies in it
        ("corpus/train.txt", "corpus/train.txt is a file; name a directory"),
        ("corpus/train.txt/a/b", "train.txt is a file (Not a directory)"),
        ("shut/run", "you may not write into"),
    ],
)
def test_directories_that_cannot_be_a_runs(workplace, output_dir, message, monkeypatch, capsys):
    Path("shut").mkdir()
    access = os.access
    monkeypatch.setattr(os, "access", lambda path, mode: Path(path).name != "shut" and access(path, mode))
    before = sorted(workplace.rglob("*"))
    assert main(["train", "--dataset", "corpus", "--output_dir", output_dir]) == 2
    assert message in capsys.readouterr().err
    assert sorted(workplace.rglob("*")) == before


def test_a_directory_within_the_corpus_and_one_with_a_slash_are_fine(capsys):
    argv = ["train", "--dataset", "corpus/", "--output_dir", "corpus/run/", "--system", "lstm-lm"]
    assert main(argv) == 0
    assert main([*argv[:3], "--output_dir", "corpus/run", "--system", "lstm-lm"]) == 2
    assert "holds another run" in capsys.readouterr().err


GOLDEN = Path(__file__).parent / "golden" / "models"


@pytest.mark.parametrize(
    ("centres_from", "message"),
    [
        ("nowhere", "nowhere is not a model directory: it has no config.json"),
        ("corpus", "corpus is not a model directory: it has no config.json"),
        (str(GOLDEN / "lstm-lm"), "is a language model, without posterior means"),
        (str(GOLDEN / "vae"), "has latent_size 4, but this run has --latent_size 32; the two must be equal"),
        ("other", "other is no model of ours"),
    ],
)
def test_models_that_cannot_give_the_centres(centres_from, message, capsys):
    Path("other").mkdir()
    Path("other", "config.json").write_text('{"model_type": "gpt2"}')
    assert main(["train", "--dataset", "corpus", "--centres_from", centres_from]) == 2
    assert message in capsys.readouterr().err
    assert not Path("runs").exists()


def test_too_few_sentences_for_the_centres_are_told_before_the_first_stage(monkeypatch):
    monkeypatch.setattr("wae_rnf.training.first_stage.run_stage", None)
    with pytest.raises(
        ValueError, match=r"9 centres cannot be found in 4 different posterior means: train has no more"
    ):
        train(options(system="wae-rnf", num_centres=9))
    assert not Path("run").exists() or not Path("run", "vae").exists()


def test_a_model_of_another_machine_for_the_centres_comes_before_the_autoencoder(monkeypatch):
    monkeypatch.setattr("wae_rnf.training.run.trained_stage", None)
    monkeypatch.setattr(
        "wae_rnf.training.first_checks.check_centres_from", lambda *_: None
    )  # as for a name on the Hub
    with pytest.raises(ValueError, match="has latent_size 4, but this run has --latent_size 3"):
        train(options(system="wae-rnf", autoencoder_epochs=1, num_centres=2, centres_from=str(GOLDEN / "vae")))


def test_windows_has_no_fsync_of_folders(monkeypatch, tmp_path):
    asked = []
    monkeypatch.setattr(checkpoints, "WINDOWS", True)
    monkeypatch.setattr(os, "fsync", asked.append)
    (tmp_path / "file").touch()
    synchronize(tmp_path)
    assert asked == []
    synchronize(tmp_path / "file")
    assert len(asked) == 1


def test_out_of_memory_is_a_sentence(monkeypatch, capsys):
    def exhausted(_):
        raise RuntimeError("[enforce fail at alloc_cpu.cpp:121] DefaultCPUAllocator: can't allocate memory: you tried")

    monkeypatch.setattr("wae_rnf.commands.train.train", exhausted)
    assert main(["train"]) == 2
    assert capsys.readouterr().err.startswith("wae-rnf: error: out of memory: ")


def test_an_accelerator_that_is_no_cuda_is_used(monkeypatch):
    asked = []
    model = SimpleNamespace(eval=lambda: None)
    monkeypatch.setattr(
        text_autoencoder, "load_model", lambda directory, device: asked.append(device) or (model, None)
    )
    text_autoencoder.load("m")
    monkeypatch.setattr(torch.accelerator, "current_accelerator", lambda check_available=False: torch.device("mps"))
    text_autoencoder.load("m")
    text_autoencoder.load("m", "cpu")
    assert list(map(str, asked))[1:] == ["mps", "cpu"]


def test_a_run_from_before_the_eps_was_an_option(monkeypatch):
    killed_at(monkeypatch, "run.run_stage")
    run = read_run("run")
    del run["options"]["batch_norm_eps"], run["options"]["preset"]
    write_json("run/run.json", run)
    with pytest.raises(ValueError, match="--batch_norm_eps was 1e-05"):
        check_output_dir("run", vars(options(resume=True)), resume=True)
    train(options(resume=True, batch_norm_eps=1e-5))
    assert read_run("run")["options"]["batch_norm_eps"] == 1e-5


def test_the_name_of_a_preset_changes_nothing(monkeypatch):
    """Its options do, and they are compared one by one."""
    killed_at(monkeypatch, "run.run_stage", dropout=0.5)
    check_output_dir("run", vars(options(dropout=0.5, preset="recipe")), resume=True)
    with pytest.raises(ValueError, match=r"--weight_decay was 0\.0"):
        check_output_dir("run", vars(options(dropout=0.5, preset="recipe", weight_decay=1e-4)), resume=True)
