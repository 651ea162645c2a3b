"""What a run depends on, text and vocabulary, is remembered: one that goes on has the same."""

import json
from pathlib import Path

import pytest
from datasets import Dataset

from wae_rnf.evaluation.json_files import write_json
from wae_rnf.evaluation.run_file import dataset_of, read_run
from wae_rnf.training.fingerprints import BEGINNING, fingerprint_of_vocabulary, fingerprints_of_data
from wae_rnf.training.run import train

from .small_runs import TEXT, killed_at, options

pytestmark = pytest.mark.usefixtures("workplace", "no_steps")


@pytest.mark.parametrize("split", ["train", "valid", "test"])
def test_a_run_of_other_text_does_not_go_on(workplace, monkeypatch, split):
    """The same words as often, in another order: neither the size of the vocabulary nor the length changes."""
    killed_at(monkeypatch, "run.run_stage")
    path = workplace / "corpus" / f"{split}.txt"
    path.write_text("\n".join(reversed(TEXT.splitlines())) + "\n")
    name = "validation" if split == "valid" else split
    with pytest.raises(ValueError, match=f"the {name} split is not the one that the run in run began on; restore it"):
        train(options(resume=True))
    path.write_text(TEXT)
    train(options(resume=True))


def test_a_stream_of_other_text_does_not_go_on(workplace, monkeypatch):
    killed_at(monkeypatch, "run.run_stage", streaming=True)
    assert json.loads(Path("run", "stream", "count.json").read_text()) == {"sentences": 12}
    (workplace / "corpus" / "train.txt").write_text(TEXT + "one more\n")
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


def test_from_another_working_directory(workplace, monkeypatch, tmp_path):
    killed_at(monkeypatch, "run.run_stage")
    monkeypatch.chdir(tmp_path)
    there = {"output_dir": "work/run", "resume": True}
    train(options(**there))
    assert read_run("work/run")["folder"] == str(workplace / "corpus")
    train(options(**there, dataset="work/corpus"))  # by its other name
    (workplace / "corpus").rename(tmp_path / "moved")
    with pytest.raises(ValueError, match=r"was begun on the text in .*corpus, which is gone; --dataset PATH says"):
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
