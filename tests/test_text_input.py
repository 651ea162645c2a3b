"""Sentences from the command line and standard input: a row for each, and a warning for what is not read."""

import io
import json
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from wae_rnf.commands.main import main
from wae_rnf.tokenization.tokenizer import build_tokenizer
from wae_rnf.tokenization.unread import cut_sentences, unknown_words
from wae_rnf.tokenization.vocabulary import build_vocabulary, count_words

MODELS = Path(__file__).parent / "golden" / "models"
MODEL = str(MODELS / "vae")


class Standard(io.TextIOWrapper):
    """A standard input of these bytes."""

    def __init__(self, content, terminal=False):
        super().__init__(io.BytesIO(content), encoding="utf-8")
        self.terminal = terminal

    def isatty(self):
        return self.terminal


@pytest.fixture
def run(monkeypatch, capsys):
    """Run a command with bytes on standard input; returns the exit code, lines of output, lines of errors."""

    def command(*arguments, stdin=b"", terminal=False):
        monkeypatch.setattr("sys.stdin", None if stdin is None else Standard(stdin, terminal))
        code = main(list(arguments))
        found = capsys.readouterr()
        return code, found.out.splitlines(), found.err.splitlines()

    return command


LINES = ["the cat sat", "", "on the mat .", " \t\u3000", "the cat sat"]


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
@pytest.mark.parametrize("start", ["", "\ufeff"])
def test_a_row_for_each_line(run, end, start):
    code, rows, errors = run("embed", MODEL, "--json", stdin=(start + end.join(LINES) + end).encode())
    assert code == 0
    rows = [json.loads(row) for row in rows]
    assert [row["text"] for row in rows] == ["the cat sat", "", "on the mat .", "", "the cat sat"]
    assert rows[0]["embedding"] == pytest.approx(rows[4]["embedding"], rel=1e-5)
    assert rows[1]["embedding"] == pytest.approx(rows[3]["embedding"], rel=1e-5)
    told = ["wae-rnf: warning: standard input: 2 blank lines, each read as a sentence without words"]
    if end == "\r":
        told.insert(
            0, "wae-rnf: warning: standard input: 5 lines end with a carriage return alone, and are read as lines"
        )
    assert errors == told
    assert len(run("reconstruct", MODEL, stdin=end.join(LINES).encode())[1]) == 2 * len(LINES)


def test_arguments_and_lines_are_one(run):
    given = run("embed", MODEL, "the cat sat", "on the mat .")
    assert given == run("embed", MODEL, stdin=b"the cat sat\non the mat .")
    assert given[2] == []


@pytest.mark.parametrize(
    "arguments",
    [["reconstruct", MODEL, "the zebra's cat"], ["embed", MODEL, "the zebra's cat"],
     ["sample", MODEL, "--prompt", "the zebra's"],
     ["interpolate", MODEL, "the zebra's cat", "the cat"], ["reconstruct", MODEL, "猫が座った", "zebra's"]],
    ids=lambda arguments: arguments[0],
)  # fmt: skip
def test_unknown_words_are_named(run, arguments):
    code, rows, errors = run(*arguments)
    assert code == 0
    assert rows
    (message,) = errors
    assert message.startswith("wae-rnf: warning: unknown words")
    assert message.endswith("zebra's")


def test_cut_sentences_are_counted(run):
    limit = json.loads(Path(MODEL, "tokenizer_config.json").read_text())["model_max_length"] - 2
    long = "the " * limit + "cat"
    assert run("embed", MODEL, long)[2] == [f"wae-rnf: warning: words beyond the first {limit} are not read"]
    assert run("embed", MODEL, long)[1] == run("embed", MODEL, "the " * limit)[1]
    errors = run("embed", MODEL, stdin=f"{long}\nthe\n".encode())[2]
    assert errors == [f"wae-rnf: warning: words beyond the first {limit} are not read in 1 of 2 sentences"]


def test_a_terminal_is_told_that_it_is_waited_for(run):
    code, rows, errors = run("reconstruct", MODEL, stdin=b"the cat\n", terminal=True)
    assert (code, len(rows)) == (0, 2)
    assert len(errors) == 1
    assert "sentences are read from the terminal, one a line" in errors[0]


def test_a_closed_standard_input(run):
    code, rows, errors = run("embed", MODEL, stdin=None)
    assert (code, rows) == (2, [])
    assert errors == ["wae-rnf: error: standard input is closed; give the sentences as arguments"]


@pytest.mark.parametrize(
    "command", [["reconstruct", "M", "zebra"], ["interpolate", "M", "zebra", "the"], ["embed", "M"]]
)
def test_a_language_model_is_refused_first(run, command):
    lm = str(MODELS / "lstm-lm")
    code, rows, errors = run(*[lm if part == "M" else part for part in command], stdin=b"zebra\n")
    assert (code, rows) == (2, [])
    assert errors == ["wae-rnf: error: a language model has no latent variable: it encodes no sentence"]


def test_unknown_words_against_the_ids():
    tokenizer = build_tokenizer(build_vocabulary(count_words(["the cat sat on the mat ."])), max_words=3)
    assert unknown_words(tokenizer, ["The CAT sat zebra", "on mat\u00a0."]) == []  # the fourth word is not read
    sentences = ["the cat.", "<eos> the <unk>", "mat", "q w e", "r t y", "u i o", "p a s"]
    assert unknown_words(tokenizer, sentences) == [
        "unknown words in 6 of 7 sentences: cat., <eos>, <unk>, q, w, e, r, t, y, u and 5 more"
    ]
    for sentence in sentences:
        assert bool(unknown_words(tokenizer, [sentence])) == (3 in tokenizer(sentence)["input_ids"])
    assert cut_sentences(tokenizer, ["a b c", " a b c "]) == []
    assert cut_sentences(tokenizer, ["a b c", "a b c\u2028d"]) == [
        "words beyond the first 3 are not read in 1 of 2 sentences"
    ]


@pytest.mark.skipif(sys.platform == "win32", reason="a shell closes standard input")
def test_standard_input_closed_by_a_shell(tmp_path):
    program = f"import sys; from wae_rnf.commands.main import main; sys.exit(main(['embed', {MODEL!r}]))"
    (tmp_path / "run.py").write_text(program)
    done = subprocess.run(
        [shutil.which("sh"), "-c", f"'{sys.executable}' '{tmp_path / 'run.py'}' <&-"], capture_output=True, text=True
    )
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.splitlines()[-1] == "wae-rnf: error: standard input is closed; give the sentences as arguments"
