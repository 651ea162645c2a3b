"""Printing costs no program its work: other encodings, closed streams, full disks, readers that go."""

import io
import json
import os
import shlex
import shutil
import subprocess
import sys

import pytest

from wae_rnf.commands.main import main
from wae_rnf.commands.terminal import SIGNS, forgiving

COMMAND = "import sys; from wae_rnf.commands.main import main; sys.exit(main(sys.argv[1:]))"


@pytest.fixture
def model(trained_directory, tmp_path, monkeypatch):
    monkeypatch.setattr("datasets.config.HF_DATASETS_CACHE", trained_directory.parent / "cache")
    text = json.loads((trained_directory / "metrics.json").read_text())["text"]
    monkeypatch.setattr("wae_rnf.evaluation.evaluate_directory.judge_text", lambda *_, **__: text)
    return shutil.copytree(trained_directory, tmp_path / "model")


def evaluate(model):
    """The command's exit status; it has done its work."""
    status = main(["evaluate", str(model), "--iwae_samples", "2", "--verbose"])
    assert json.loads((model / "metrics.json").read_text())["evaluation"]["iwae_samples"] == 2
    return status


def without_reader():
    """A pipe that nobody reads any more."""
    reader, writer = os.pipe()
    os.close(reader)
    return open(writer, "w", buffering=1)


@pytest.mark.parametrize("encoding", ["ascii", "cp1252"])
def test_signs_that_the_encoding_does_not_have(model, encoding, monkeypatch):
    stream = io.TextIOWrapper(io.BytesIO(), encoding=encoding)
    monkeypatch.setattr("sys.stdout", stream)
    assert evaluate(model) == 0
    stream.seek(0)
    text = " ".join(stream.read().split())
    assert ": standard error over sentences" in text
    assert "sum log|det|" in text
    assert f"The metrics are in {model}" in text


def on_a_full_disk():
    return open("/dev/full", "w")


@pytest.mark.parametrize("make", [lambda: None, without_reader, on_a_full_disk])
@pytest.mark.parametrize("name", ["sys.stdout", "sys.stderr"])
def test_streams_that_cannot_be_written(model, make, name, monkeypatch):
    stream = make()
    monkeypatch.setattr(name, stream)
    assert evaluate(model) == 0
    if stream is not None:
        stream.close()  # what it held went nowhere


def test_a_reader_that_has_enough(trained_directory):
    """A command that is run for what it prints ends quietly and early, as other programs do."""
    line = 'python -c "$COMMAND" sample "$MODEL" -n 5000 | head -n 1; exit ${PIPESTATUS[0]}'
    names = {"COMMAND": COMMAND, "MODEL": str(trained_directory)}
    line = line.replace("python", shlex.quote(sys.executable))
    done = subprocess.run(["bash", "-c", line], env=os.environ | names, capture_output=True, timeout=240)
    assert done.returncode == 141  # 128 + SIGPIPE
    assert done.stdout.count(b"\n") == 1
    assert b"error" not in done.stderr.lower()
    assert b"Exception ignored" not in done.stderr


def test_output_that_is_lost_is_told(model, monkeypatch, capsys):
    with open("/dev/full", "w") as full:
        monkeypatch.setattr("sys.stdout", full)
        assert main(["sample", str(model), "-n", "2"]) == 2
    assert capsys.readouterr().err == "wae-rnf: error: [Errno 28] No space left on device\n"


def test_signs_and_escapes(monkeypatch):
    stream = io.TextIOWrapper(io.BytesIO(), encoding="ascii")
    monkeypatch.setattr("sys.stdout", stream)
    forgiving(lambda argv: print("Σ log|det| ± 1 – naïve 日"), stops=())(["train"])
    assert sys.stdout is stream
    assert stream.errors == SIGNS
    stream.seek(0)
    assert stream.read() == "sum log|det| +/- 1 - na\\xefve \\u65e5\n"
