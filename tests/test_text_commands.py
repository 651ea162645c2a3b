"""score, surprisal, edit and nearest: what they print is what the object gives, a row for each sentence."""

import io
import json
from pathlib import Path

import pytest

from wae_rnf.commands.main import main
from wae_rnf.text import load

MODELS = Path(__file__).parent / "golden" / "models"
MODEL = str(MODELS / "wae-rnf")
SENTENCES = ["the cat sat on the mat .", "a dog ran", "the cat"]
LONG = " ".join(["the cat sat on the mat and a dog ran fast in the park"] * 4)


@pytest.fixture
def run(monkeypatch, capsys):
    """Run a command that succeeds, with text on standard input; returns its lines, and those of its errors."""

    def command(*arguments, stdin=""):
        monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(stdin.encode())))
        code = main(list(map(str, arguments)))
        found = capsys.readouterr()
        assert code == 0, found.err
        return found.out.splitlines(), found.err.splitlines()

    return command


@pytest.fixture(scope="module")
def text():
    return load(MODEL, "cpu")


def write(path, lines):
    path.write_text("\n".join(lines) + "\n")
    return path


def test_score(run, text):
    rows, errors = run("score", MODEL, "--json", "--samples", 7, "--seed", 3, stdin="\n".join([*SENTENCES, "", LONG]))
    rows = [json.loads(row) for row in rows]
    found = text.nll([*SENTENCES, "", LONG], samples=7, seed=3)
    assert [row["text"] for row in rows] == [*SENTENCES, "", LONG]
    assert [row["nll"] for row in rows] == found.nll.tolist()
    assert [row["tokens"] for row in rows] == [8, 4, 3, 1, 57]
    assert [row["nats_per_token"] for row in rows] == pytest.approx([row["nll"] / row["tokens"] for row in rows])
    assert {(row["bound"], row["generative_model"], row["samples"]) for row in rows} == {
        ("importance-weighted", "pushforward", 7)
    }
    assert errors == ["wae-rnf: warning: standard input: 1 blank lines, each read as a sentence without words"]


def test_score_as_text(run, text):
    lines, _ = run("score", MODEL, *SENTENCES, LONG)
    found = text.nll([*SENTENCES, LONG])
    assert lines[0] == "importance-weighted bound of 100 samples, pushforward model"
    first = f"{found.nll[0]:.2f} ± {found.monte_carlo_error[0]:.2f}"
    assert lines[2].split(None, 5) == [*first.split(), "8", f"{found.nll[0] / 8:.3f}", SENTENCES[0]]
    assert max(map(len, lines)) <= 80
    assert " ".join(line[36:] for line in lines[5:-2]) == LONG
    assert lines[-1].endswith(f"perplexity {found.perplexity:.1f}")


def test_score_of_one_sample_and_of_a_language_model(run):
    (row,), _ = run("score", MODEL, "the cat", "--samples", 1, "--json", "--generative-model", "flow_posterior")
    assert json.loads(row)["monte_carlo_error"] is None
    assert json.loads(row)["generative_model"] == "flow_posterior"
    lines, _ = run("score", MODELS / "lstm-lm", "the cat")
    assert lines[0] == "exact likelihood of a language model"
    assert "±" not in lines[2]
    assert len(lines) == 3


def test_surprisal(run, text):
    rows, _ = run("surprisal", MODEL, "--json", "--samples", 9, stdin="\n".join(["", *SENTENCES]))
    for row, expected in zip(map(json.loads, rows), text.surprisal(["", *SENTENCES], samples=9), strict=True):
        assert (row["tokens"], row["surprisals"]) == (expected.tokens, expected.nats)
        assert sum(row["surprisals"]) + row["latent"] == pytest.approx(row["nll"], rel=1e-5)
        assert (row["bound"], row["samples"]) == ("importance-weighted", 9)


def test_surprisal_as_text(run, text):
    lines, _ = run("surprisal", MODEL, LONG)
    (found,) = text.surprisal([LONG])
    assert lines[1].startswith(f"{found.nll:.2f} nats = {found.latent:.2f} for the latent + ")
    assert max(map(len, lines)) <= 80
    assert " ".join(lines[2::2]).split() == found.tokens
    assert [float(value) for line in lines[3::2] for value in line.split()] == pytest.approx(found.nats, abs=0.006)


def test_edit(run, text, tmp_path):
    bad = write(tmp_path / "bad.txt", ["the cat sat", "", "the cat"])
    good = write(tmp_path / "good.txt", ["a dog ran", "on the mat ."])
    files = ["--from_file", bad, "--to_file", good]
    expected = text.edit(SENTENCES, text.direction(["the cat sat", "the cat"], ["a dog ran", "on the mat ."]), -2)
    rows, errors = run("edit", MODEL, *files, "--strength", "-2", *SENTENCES, "--json")
    assert [json.loads(row) for row in rows] == [
        {"input": a, "edited": b, "strength": -2.0} for a, b in zip(SENTENCES, expected, strict=True)
    ]
    assert errors == [f"wae-rnf: warning: {bad}: 1 blank lines skipped"]
    lines, _ = run("edit", MODEL, *files, "--strength", "0", stdin="\n".join(SENTENCES))
    assert lines[::2] == [f"in   {sentence}" for sentence in SENTENCES]
    assert lines[1::2] == [f"out  {sentence}" for sentence in text.reconstruct(SENTENCES)]


def test_nearest(run, text, tmp_path):
    corpus = ["a dog ran", "the cat sat on the mat .", "the cat", "the dog", LONG]
    file = write(tmp_path / "corpus.txt", corpus)
    for metric in ("cosine", "euclidean"):
        rows, _ = run("nearest", MODEL, "--corpus", file, "-k", 2, "--metric", metric, "--json", *SENTENCES)
        expected = text.nearest(SENTENCES, corpus, k=2, metric=metric)
        for row, sentence, neighbours in zip(map(json.loads, rows), SENTENCES, expected, strict=True):
            assert (row["text"], row["metric"]) == (sentence, metric)
            assert row["nearest"] == [neighbour._asdict() for neighbour in neighbours]
            assert row["nearest"][0]["text"] == sentence
    lines, _ = run("nearest", MODEL, "--corpus", file, stdin="the cat\n")
    assert lines[:3] == ["cosine similarity of the latents", "the cat", "   1.000  the cat"]
    assert max(map(len, lines)) <= 80


def test_options_may_stand_before_the_sentences(run):
    for command in ("reconstruct", "embed", "score", "surprisal"):
        assert run(command, MODEL, "--json", "the cat") == run(command, MODEL, "the cat", "--json")
    assert run("reconstruct", MODEL, "--", "the cat") == run("reconstruct", MODEL, "the cat")


def test_rows_do_not_depend_on_how_many_there_are(run, monkeypatch):
    monkeypatch.setattr("wae_rnf.commands.text_parser.SENTENCES_AT_ONCE", 2)
    rows, _ = run("reconstruct", MODEL, "--json", *SENTENCES, *SENTENCES)
    assert [json.loads(row)["input"] for row in rows] == SENTENCES * 2
    assert rows[:3] == rows[3:]
    assert len(run("sample", MODEL, "-n", "5")[0]) == 5


def test_unknown_words_are_named_once(run, tmp_path):
    file = write(tmp_path / "corpus.txt", ["the zebra", "the cat"])
    assert run("score", MODEL, "the zebra")[1] == ["wae-rnf: warning: unknown words: zebra"]
    assert run("nearest", MODEL, "the cat", "--corpus", file, "-k", 1)[1] == [
        "wae-rnf: warning: unknown words in 1 of 2 sentences: zebra"
    ]
