"""The cache's key follows the code: a changed reader or encoder is never answered from an old file."""

import shutil
from pathlib import Path

import pytest
from datasets import Dataset, DatasetDict

from wae_rnf.tokenization import code_digest, corpora, hub_corpora, local_corpora, preparation
from wae_rnf.tokenization.toy import corpus as toy


def test_the_version_follows_the_source(tmp_path, monkeypatch):
    for name in ("lines", "tokenizer"):
        shutil.copy(Path(code_digest.__file__).with_name(f"{name}.py"), tmp_path)
    monkeypatch.setattr(code_digest, "__file__", str(tmp_path / "code_digest.py"))
    version = code_digest.code_digest.__wrapped__
    before = version("lines")
    (tmp_path / "tokenizer.py").write_text("# another\n")
    assert version("lines") == before
    (tmp_path / "lines.py").write_text((tmp_path / "lines.py").read_text() + "# another\n")
    assert version("lines") != before
    before = version("lines")
    monkeypatch.setattr(code_digest.tokenizers, "__version__", "0")
    assert version("lines") != before
    with pytest.raises(ValueError, match="there is no module reader"):
        version("reader")


def new_code(patch, module, name, changed):
    """Another function in a module, and hence another version of its source."""
    patch.setattr(module, name, changed)
    patch.setattr(module, "code_digest", lambda *modules: "another")


def test_a_changed_reader_reads_anew(tmp_path, monkeypatch):
    for name in ("train.txt", "valid.txt", "test.txt"):
        (tmp_path / name).write_text("the cat\n")

    def load():
        return corpora.load_corpus(tmp_path, cache_dir=tmp_path / "cache")["train"]["text"][:]

    assert load() == ["the cat"]
    new_code(monkeypatch, local_corpora, "read_lines", lambda path, notes=None: iter(["another reader"]))
    assert load() == ["another reader"]


def test_a_changed_grammar_generates_anew(tmp_path, monkeypatch):
    monkeypatch.setattr(toy, "SPLIT_SIZES", {"train": 2, "validation": 2, "test": 2})
    before = corpora.load_corpus("toy", cache_dir=tmp_path)["train"]["text"][:]
    new_code(monkeypatch, toy, "generate", lambda split, size, seed: iter([{"text": "changed", "log_prob": 0.0}]))
    assert corpora.load_corpus("toy", cache_dir=tmp_path)["train"]["text"][:] == ["changed"] != before


def test_a_changed_encoder_encodes_anew(tmp_path, monkeypatch):
    Dataset.from_dict({"text": ["the cat"]}).save_to_disk(tmp_path / "rows")
    corpus = DatasetDict(train=Dataset.load_from_disk(tmp_path / "rows"))
    tokenizer = preparation.train_tokenizer(corpus)
    before = preparation.prepare(corpus, tokenizer)["train"]["input_ids"][:]
    assert before == [[1, 5, 4, 2]]
    new_code(monkeypatch, preparation, "first_words", lambda text, max_words: "cat " + text)
    assert preparation.prepare(corpus, tokenizer)["train"]["input_ids"][:] == [[1, 4, 5, 4, 2]]


def test_a_changed_joining_of_columns_joins_anew(tmp_path, monkeypatch):
    Dataset.from_dict({"a": ["x"], "b": ["y"]}).save_to_disk(tmp_path / "rows")
    rows = Dataset.load_from_disk(tmp_path / "rows")
    assert hub_corpora.join_columns(rows, ("a", "b"), False, "u/n")["text"][:] == ["x y"]
    new_code(monkeypatch, hub_corpora, "join_rows", lambda batch, columns, escaped: ["changed"])
    assert hub_corpora.join_columns(rows, ("a", "b"), False, "u/n")["text"][:] == ["changed"]
