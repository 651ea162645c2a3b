"""A run's directory: held by one training, claimed before any work, remembered with what the run depends on."""

import errno
import json
import os
import resource
import signal
import stat
import subprocess
import sys
import time
from contextlib import contextmanager
from pathlib import Path

import pytest
import torch
from datasets import Dataset

from wae_rnf.commands.main import main
from wae_rnf.evaluation.json_files import write_json
from wae_rnf.evaluation.model_directory import load_model, save_model_directory
from wae_rnf.evaluation.run_file import dataset_of, read_run
from wae_rnf.training import checkpoints, run_lock
from wae_rnf.training.arguments import TrainArguments
from wae_rnf.training.checkpoints import random_state, save_checkpoint, synchronize
from wae_rnf.training.fingerprints import BEGINNING, fingerprint_of_vocabulary, fingerprints_of_data
from wae_rnf.training.run import train
from wae_rnf.training.run_directory import check_output_dir, claimed
from wae_rnf.training.run_lock import LOCK_FILE, locked
from wae_rnf.training.stage import Stage

TEXT = "the cat sat\na dog ran fast\nrain fell all day long\nso it was\n" * 3
HOLD = """
import sys, time
from wae_rnf.training.run_directory import claimed
with claimed(sys.argv[1], {}, resume=len(sys.argv) > 2):
    print("held", flush=True)
    time.sleep(60)
"""


@pytest.fixture(autouse=True)
def place(tmp_path, monkeypatch):
    """A working directory with a corpus in it."""
    monkeypatch.setattr("datasets.config.HF_DATASETS_CACHE", tmp_path / "cache")
    work = tmp_path / "work"
    (work / "corpus").mkdir(parents=True)
    for split in ("train", "valid", "test"):
        (work / "corpus" / f"{split}.txt").write_text(TEXT)
    monkeypatch.chdir(work)
    return work


def options(**changes):
    given = {"dataset": "corpus", "output_dir": "run", "system": "vae", "num_epochs": 1, "eval_iwae_samples": 2}
    given |= {"embedding_size": 6, "hidden_size": 6, "latent_size": 3, "batch_size": 4}
    return TrainArguments(**(given | changes))


@pytest.fixture(autouse=True)
def short(monkeypatch):
    """Has a run end where its first step would be: what is tested here comes before."""
    ended = {"steps": 0, "best_validation_loss": 0.0, "seconds": 0.0, "history": []}
    monkeypatch.setattr(Stage, "run", lambda self: ended)
    monkeypatch.setattr(
        "wae_rnf.training.run.report", lambda arguments, test, accelerator: read_run(arguments.output_dir)["training"]
    )


class Killed(BaseException):
    """What a kill leaves behind is what an exception that nobody catches leaves."""


def killed_at(monkeypatch, name, **changes):
    """Trains until a function is called, which never returns."""

    def killed(*_, **__):
        raise Killed

    with monkeypatch.context() as patch:
        patch.setattr(f"wae_rnf.training.{name}", killed)
        with pytest.raises(Killed):
            train(options(**changes))


@contextmanager
def held_by_another_process(directory, *more):
    process = subprocess.Popen([sys.executable, "-c", HOLD, directory, *more], stdout=subprocess.PIPE, text=True)
    try:
        assert process.stdout.readline() == "held\n"
        yield process
    finally:
        process.kill()
        process.wait(timeout=20)
        process.stdout.close()


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


def test_a_second_process_is_refused_and_a_kill_frees_the_directory():
    with held_by_another_process("run") as first:
        with pytest.raises(ValueError, match="another process is training into --output_dir run"), locked("run"):
            pass
        write_json("run/run.json", {"options": vars(options())})
        with pytest.raises(ValueError, match="another process is training into --output_dir run"):
            train(options(resume=True))
        first.send_signal(signal.SIGKILL)
        first.wait(timeout=20)
    with locked("run"):
        pass


def test_of_many_that_start_at_once_one_trains():
    """A race that check-then-act loses: all of them look before any of them has written."""
    processes = [
        subprocess.Popen(
            [sys.executable, "-c", HOLD, "run"], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
        )
        for _ in range(4)
    ]
    deadline = time.monotonic() + 60
    while sum(process.poll() is None for process in processes) > 1 and time.monotonic() < deadline:
        time.sleep(0.02)
    (winner,) = (process for process in processes if process.poll() is None)
    winner.kill()
    errors = [process.communicate(timeout=20)[1] for process in processes if process is not winner]
    winner.communicate(timeout=20)
    assert len(errors) == 3
    assert all("another process is training" in error or "holds another run" in error for error in errors)


def test_a_training_holds_its_directory_to_its_end(monkeypatch, place):
    monkeypatch.undo()
    monkeypatch.chdir(place)
    monkeypatch.setattr("datasets.config.HF_DATASETS_CACHE", place / "cache")
    found = []

    def second(arguments, *_):
        with pytest.raises(ValueError, match="another process is training"), claimed("run", vars(arguments), True):
            pass
        found.append(main(["sample", "run", "-n", "1"]))  # who reads need not hold it
        found.append(read_run("run")["training"]["history"][0]["mutual_information_sentences"])

    monkeypatch.setattr("wae_rnf.training.run.report", second)
    train(options(max_steps=1))
    assert found == [0, 12]
    with locked("run"):
        pass


def test_a_lock_file_that_was_removed_meanwhile_is_none(monkeypatch, place):
    """Its directory was given up between opening and locking it: the lock would be of a file that nobody sees."""
    (place / "run").mkdir()
    lock, calls = run_lock._lock, []

    def removed_before(descriptor, directory):
        calls.append(descriptor)
        if len(calls) == 1:
            os.unlink(place / "run" / LOCK_FILE)
        lock(descriptor, directory)

    monkeypatch.setattr(run_lock, "_lock", removed_before)
    with locked(place / "run"):
        assert len(calls) == 2
        with pytest.raises(ValueError, match="another process"), locked(place / "run"):
            pass


def test_a_file_system_without_locks_is_said(monkeypatch):
    def none(*_):
        raise OSError(errno.ENOLCK, "No locks available")

    Path("run").mkdir()
    monkeypatch.setattr(run_lock.fcntl, "flock", none)
    with pytest.warns(UserWarning, match="has no locks"), locked("run"):
        pass


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


def test_a_run_that_cannot_begin_gives_its_directory_back(place):
    (place / "corpus" / "train.txt").write_bytes(b"a\n\xff\n")
    for _ in range(2):
        with pytest.raises(ValueError, match="is not UTF-8"):
            train(options(output_dir="runs/new"))
    assert not Path("runs", "new").exists()
    Path("empty").mkdir()
    with pytest.raises(ValueError, match="is not UTF-8"):
        train(options(output_dir="empty"))
    assert os.listdir("empty") == []


@pytest.mark.parametrize("split", ["train", "valid", "test"])
def test_a_run_of_other_text_does_not_go_on(place, monkeypatch, split):
    """The same words as often, in another order: neither the size of the vocabulary nor the length changes."""
    killed_at(monkeypatch, "run.run_stage")
    path = place / "corpus" / f"{split}.txt"
    path.write_text("\n".join(reversed(TEXT.splitlines())) + "\n")
    name = "validation" if split == "valid" else split
    with pytest.raises(ValueError, match=f"the {name} split is not the one that the run in run began on; restore it"):
        train(options(resume=True))
    path.write_text(TEXT)
    train(options(resume=True))


def test_a_stream_of_other_text_does_not_go_on(place, monkeypatch):
    killed_at(monkeypatch, "run.run_stage", streaming=True)
    assert json.loads(Path("run", "stream", "count.json").read_text()) == {"sentences": 12}
    (place / "corpus" / "train.txt").write_text(TEXT + "one more\n")
    with pytest.raises(ValueError, match="the train split is not the one"):
        train(options(resume=True, streaming=True))


def test_another_vocabulary_is_refused(monkeypatch):
    killed_at(monkeypatch, "run.run_stage")
    run = read_run("run")
    write_json("run/run.json", run | {"vocabulary": "0" * 64})  # of a version that counts words in another way
    with pytest.raises(ValueError, match="the vocabulary is not the one that the run in run began with"):
        train(options(resume=True))


def test_a_run_from_before_digests_goes_on_and_has_them_then(monkeypatch):
    killed_at(monkeypatch, "run.run_stage")
    run = read_run("run")
    write_json("run/run.json", {"options": run["options"]})
    train(options(resume=True))
    found = read_run("run")
    assert (found["data"], found["vocabulary"]) == (run["data"], run["vocabulary"])
    assert found["version"] is None  # which one began it is not known
    assert found["training"]["steps"] == 0


def test_another_version_is_said(monkeypatch):
    monkeypatch.setattr("wae_rnf.training.open_corpus.code_version", lambda: "1.0")
    killed_at(monkeypatch, "run.run_stage")
    monkeypatch.setattr("wae_rnf.training.open_corpus.code_version", lambda: "2.0")
    with pytest.warns(UserWarning, match=r"begun by version 1\.0, and goes on with 2\.0"):
        train(options(resume=True))
    assert read_run("run")["version"] == "1.0"


def test_from_another_working_directory(place, monkeypatch, tmp_path):
    killed_at(monkeypatch, "run.run_stage")
    monkeypatch.chdir(tmp_path)
    there = {"output_dir": "work/run", "resume": True}
    train(options(**there))
    assert read_run("work/run")["folder"] == str(place / "corpus")
    train(options(**there, dataset="work/corpus"))  # by its other name
    (place / "corpus").rename(tmp_path / "moved")
    with pytest.raises(ValueError, match=r"was begun on the folder .*corpus, which is gone; --dataset FOLDER says"):
        train(options(**there, dataset="work/corpus"))
    train(options(**there, dataset="moved"))  # the same text, wherever it lies
    assert read_run("work/run")["folder"] == str(tmp_path / "moved")
    Path("corpus").mkdir()
    for split in ("train", "valid", "test"):
        Path("corpus", f"{split}.txt").write_text("other text\n")
    with pytest.raises(ValueError, match="the train split is not the one"):
        train(options(**there))


def test_the_corpus_of_a_run():
    assert dataset_of({"options": {"dataset": "toy"}}) == "toy"
    assert dataset_of({"options": {"dataset": "gone"}, "folder": "/a/gone"}) == "/a/gone"
    assert dataset_of({"options": {"dataset": "corpus"}, "folder": "/a/corpus"}) == "corpus"
    assert dataset_of({"options": {"dataset": 3}, "folder": "/a/corpus"}) == 3
    assert dataset_of({}) is None


def test_options_that_change_nothing_do_not_stand_in_the_way():
    write_json("run.json", {"options": vars(options(system="vae")) | {"inner_steps": 5, "num_centres": 3}})
    check_output_dir(".", vars(options(system="vae")), resume=True)
    with pytest.raises(ValueError, match="--latent_size was 3"):
        check_output_dir(".", vars(options(system="vae", latent_size=4)), resume=True)


def test_digests_are_of_the_text_in_its_order():
    class Stream:
        def __init__(self, texts):
            self.read = lambda: iter(texts)

    def digest(texts, kind=lambda texts: Dataset.from_dict({"text": texts}), dataset="none"):
        return fingerprints_of_data({"train": kind(texts)}, dataset)["train"]

    assert digest(["a b", "c"]) == digest(["a b", "c"]) == digest(["a b", "c"], Stream)
    others = [["c", "a b"], ["a", "b c"], ["a b c"], ["a b", "c", ""], ["a b"]]
    assert len({digest(texts) for texts in [["a b", "c"], *others]}) == 6
    many = ["x"] * BEGINNING
    assert digest([*many, "y"], Stream) == digest([*many, "z"], Stream)  # beyond its beginning it is not read
    before = digest(many, Stream, "corpus")
    Path("corpus", "train.txt").write_text(TEXT + "y\n")
    assert digest(many, Stream, "corpus") != before  # but its size is known


def test_digest_of_a_vocabulary():
    class Words:
        def __init__(self, *words):
            self.words = words

        def get_vocab(self):
            return {word: number for number, word in enumerate(self.words)}

    assert fingerprint_of_vocabulary(Words("a", "b")) == fingerprint_of_vocabulary(Words("a", "b"))
    assert fingerprint_of_vocabulary(Words("a", "b")) != fingerprint_of_vocabulary(Words("b", "a"))


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
def test_directories_that_cannot_be_a_runs(place, output_dir, message, monkeypatch, capsys):
    Path("shut").mkdir()
    access = os.access
    monkeypatch.setattr(os, "access", lambda path, mode: Path(path).name != "shut" and access(path, mode))
    before = sorted(place.rglob("*"))
    assert main(["train", "--dataset", "corpus", "--output_dir", output_dir]) == 2
    assert message in capsys.readouterr().err
    assert sorted(place.rglob("*")) == before


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
    monkeypatch.setattr("wae_rnf.training.run.train_autoencoder", None)
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
    from wae_rnf.commands import text as text_commands

    asked = []
    monkeypatch.setattr(
        "wae_rnf.evaluation.model_directory.load_model", lambda directory, device: asked.append(device)
    )
    text_commands.open_model("m")
    monkeypatch.setattr(torch.accelerator, "current_accelerator", lambda check_available=False: torch.device("mps"))
    text_commands.open_model("m")
    assert list(map(str, asked))[1:] == ["mps"]


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
