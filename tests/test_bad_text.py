"""Bad text through the command line: one clear sentence, a non-zero exit, before any work."""

import gzip
import io
import os
from pathlib import Path

import pytest

from wae_rnf.commands.main import main

from .test_bad_input import GOOD, OTHER_CORPUS, contents, files

MODEL = str(Path(__file__).parent / "golden" / "models" / "vae")
TOY = ["train", "--dataset", "toy", *OTHER_CORPUS[3:]]
CAT = "the cat sat\n" * 9


def corpus(train, **others):
    return files(**{"c__train_txt": train, "c__valid_txt": GOOD, "c__test_txt": GOOD} | others)


def pipe(_):
    corpus(GOOD)(_)
    Path("c/train.txt").unlink()
    os.mkfifo("c/train.txt")


CORPORA = {
    **{
        encoding: (corpus(CAT.encode(encoding)), f"{name} without a byte-order mark")
        for encoding, name in (("utf-16-le", "UTF-16"), ("utf-16-be", "UTF-16"), ("utf-32-le", "UTF-32"))
    },
    "utf-16": (corpus(CAT.encode("utf-16")), "the byte-order mark of UTF-16; save the file as UTF-8"),
    "utf-32": (corpus(CAT.encode("utf-32")), "the byte-order mark of UTF-32; save the file as UTF-8"),
    "a NUL": (corpus(b"good\nnul \0 inside\n"), "train.txt, line 2: byte 5 is NUL"),
    "a NUL after a megabyte": (corpus(b"good line\n" * 110_000 + b"\0\n"), "line 110001: byte 1 is NUL"),
    "gzip": (corpus(gzip.compress(CAT.encode())), "train.txt is no text, but compressed by gzip"),
    "latin-1": (corpus("né\n".encode("latin-1")), "train.txt, line 1: byte 2 is not UTF-8"),
    "one endless line": (corpus("word " * 300_000), "train.txt, line 1 has more than 1,048,576 bytes"),
    "invisible lines": (corpus("\ufeff\n\u00a0\u3000\n \u2028\x0c\n"), "train.txt has only blank lines"),
    "a pipe": (pipe, "train.txt is a pipe or a device, which cannot be read twice"),
    "a directory": (files(c__train_txt__x=GOOD), "c has no train split: train.txt is a directory"),
}


@pytest.fixture
def refused(tmp_path, monkeypatch, capsys):
    """Run a command that is refused, and return its sentence."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("datasets.config.HF_DATASETS_CACHE", tmp_path.parent / f"{tmp_path.name}-cache")

    def run(argv, stdin=b""):
        before = contents(tmp_path)
        monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(stdin)))
        assert main(argv) == 2
        found = capsys.readouterr()
        assert found.out == ""
        assert contents(tmp_path) == before
        error = found.err.splitlines()[-1]
        assert error.startswith("wae-rnf: error: ")
        return error

    return run


@pytest.mark.parametrize("streaming", [[], ["--streaming", "true"]], ids=["stored", "streamed"])
@pytest.mark.parametrize(("prepare", "message"), CORPORA.values(), ids=CORPORA.keys())
def test_bad_corpora(refused, prepare, message, streaming):
    prepare(None)
    if streaming and "only blank" in message:
        message = "the train split has no words"
    assert message in refused([*OTHER_CORPUS, *streaming])


def test_a_folder_beside_a_known_name(refused):
    files(toy__train_txt=GOOD, toy__valid_txt=GOOD, toy__test_txt=GOOD)(None)
    assert "'toy' is a corpus of that name, and a folder of texts here: name the folder ./toy" in refused(TOY)


LINES = {
    "UTF-16": (CAT.encode("utf-16"), "standard input, line 1: byte 1 is not UTF-8, but the byte-order mark of UTF-16"),
    "UTF-16 without a mark": (CAT.encode("utf-16-le"), "standard input is not UTF-8, but UTF-16 without"),
    "a NUL": (b"the cat\na\0b\n", "standard input, line 2: byte 2 is NUL"),
    "latin-1": (b"the cat\n\xe9\n", "standard input, line 2: byte 1 is not UTF-8"),
    "an endless line": (b"the " * 300_000, "standard input, line 1 has more than 1,048,576 bytes"),
    "nothing": (b"", "there is no sentence"),
    "blank lines": (b" \n\r\n\t\r", "there is no sentence"),
    "gzip": (gzip.compress(CAT.encode()), "standard input is no text, but compressed by gzip"),
}


@pytest.mark.parametrize("command", ["embed", "reconstruct"])
@pytest.mark.parametrize(("content", "message"), LINES.values(), ids=LINES.keys())
def test_bad_lines(refused, command, content, message):
    Path("kept").write_text("x")
    assert message in refused([command, MODEL, "--output", "kept"], content)


@pytest.mark.parametrize("sentence", ["", " ", "\t\n", "\u00a0\u3000"])
@pytest.mark.parametrize(
    "command", [["embed", MODEL], ["reconstruct", MODEL, "the cat"], ["interpolate", MODEL, "the"]]
)
def test_blank_arguments(refused, command, sentence):
    assert f"the sentence {sentence!r} is blank; write at least one word" in refused([*command, sentence])
