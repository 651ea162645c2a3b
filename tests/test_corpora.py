"""Corpora: folders and their flaws, the toy corpus, the Hub (local Parquet files stand in for it)."""

import logging
import os
from pathlib import Path

import datasets
import pytest
from datasets import Dataset, Features, Value

from wae_rnf.tokenization.corpora import load_corpus
from wae_rnf.tokenization.hub_corpora import HUB_CORPORA, guess_text_column
from wae_rnf.tokenization.toy import corpus as toy

SPLITS = ["train", "validation", "test"]


def write_folder(folder, train=b"the cat\nthe dog\n", valid=b"a cat\n", test=b"a dog", valid_name="valid.txt"):
    folder.mkdir(exist_ok=True)
    for name, content in [("train.txt", train), (valid_name, valid), ("test.txt", test)]:
        if content is not None:
            (folder / name).write_bytes(content)
    return folder


@pytest.fixture
def load(tmp_path):
    """Load a corpus whose Arrow files go with the test."""
    return lambda name, **options: load_corpus(name, cache_dir=tmp_path / "cache", **options)


@pytest.mark.parametrize("valid_name", ["valid.txt", "validation.txt", "val.txt", "dev.txt"])
def test_folder(load, tmp_path, valid_name):
    corpus = load(write_folder(tmp_path / "texts", valid_name=valid_name))
    assert list(corpus) == SPLITS
    assert {split: list(rows["text"]) for split, rows in corpus.items()} == {
        "train": ["the cat", "the dog"],
        "validation": ["a cat"],
        "test": ["a dog"],
    }
    assert corpus["train"].column_names == ["text"]


def test_a_changed_file_is_read_anew(load, tmp_path):
    folder = write_folder(tmp_path / "texts")
    assert len(load(str(folder))["train"]) == 2
    write_folder(folder, train=b"one\ntwo\nthree\n")
    assert list(load(str(folder))["train"]["text"]) == ["one", "two", "three"]


def test_blank_lines_are_skipped_and_counted(load, tmp_path, caplog):
    folder = write_folder(tmp_path / "texts", train=b"\na\n \t \n\xe2\x80\xa8\nb\n\n")
    with caplog.at_level(logging.WARNING):
        assert list(load(folder)["train"]["text"]) == ["a", "b"]
    messages = [record.getMessage() for record in caplog.records if "tokenization" in record.name]
    assert messages == [f"{folder / 'train.txt'}: 4 blank lines skipped"]


def test_odd_characters_do_no_harm(load, tmp_path):
    lines = ["a\tb", "sep\u2028arated", "next\x85line", "form\x0cfeed", "vt\x0b\x1c\x1d\x1e"]
    content = "\ufeff" + "\r\n".join([*lines, "last"])
    rows = load(write_folder(tmp_path / "texts", train=content.encode()))["train"]
    assert list(rows["text"]) == [line.strip() for line in lines] + ["last"]


@pytest.mark.parametrize(
    ("flaw", "message"),
    [
        ({"train": None}, r"no train split: add train\.txt"),
        ({"valid": b""}, r"valid\.txt is empty: it needs one sentence a line"),
        ({"test": b"\n \n\r\n"}, r"test\.txt has only blank lines"),
        ({"train": b"good\nb\xff\n"}, r"train\.txt, line 2: byte 2 is not UTF-8"),
        ({"train": "wide".encode("utf-16")}, r"train\.txt, line 1: byte 1 is not UTF-8, but .* of UTF-16"),
    ],
)
def test_a_flawed_folder_is_refused(load, tmp_path, flaw, message):
    with pytest.raises(ValueError, match=message) as caught:
        load(write_folder(tmp_path / "texts", **flaw))
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("name", ["pbt", "./missing", "/missing/folder", "", "https://example.org/a/b"])
def test_an_unknown_name_lists_the_known_ones(load, name):
    with pytest.raises(ValueError, match=r"unknown corpus .*toy, ptb, yelp, yahoo, a Hub name user/name"):
        load(name)


def test_toy(load, monkeypatch):
    monkeypatch.setattr(toy, "SPLIT_SIZES", {"train": 30, "validation": 10, "test": 5})
    corpus = load("toy", seed=1)
    assert {split: len(rows) for split, rows in corpus.items()} == toy.SPLIT_SIZES
    assert list(corpus["test"]) == list(toy.generate("test", 5, 1))
    assert corpus["test"].features["log_prob"] == Value("float64")
    assert list(load("toy", seed=1)["train"]["text"]) == list(corpus["train"]["text"])
    assert list(load("toy", seed=2)["train"]["text"]) != list(corpus["train"]["text"])


@pytest.fixture
def hub(tmp_path, monkeypatch):
    """A Hub of local Parquet files: `hub(rows by split)`; `hub.calls` holds what was asked of it."""
    read = datasets.load_dataset

    class LocalHub:
        def __init__(self):
            self.calls = []

        def __call__(self, rows, config="default"):
            for split, columns in rows.items():
                (tmp_path / "hub" / config / split).mkdir(parents=True)
                path = tmp_path / "hub" / config / split / "0000.parquet"
                Dataset.from_dict(columns).to_parquet(path)

        def load(self, *arguments, cache_dir, streaming, **options):
            self.calls.append((*arguments, options))
            return read(str(tmp_path / "hub"), cache_dir=cache_dir, streaming=streaming)

    local = LocalHub()
    monkeypatch.setattr(datasets, "load_dataset", local.load)
    return local


def test_ptb_reads_the_converted_branch(load, hub):
    hub({split: {"sentence": [f"{split} one", f"{split} two"]} for split in SPLITS}, config="penn_treebank")
    corpus = load("ptb")
    assert hub.calls == [("ptb-text-only/ptb_text_only", None, {"revision": "refs/convert/parquet"})]
    assert {split: list(rows["text"]) for split, rows in corpus.items()} == {
        split: [f"{split} one", f"{split} two"] for split in SPLITS
    }


def test_yahoo_joins_its_columns_and_holds_out_validation(load, hub, caplog):
    train = {
        "id": list(range(30)),
        "question_title": [f"title {i}" for i in range(30)],
        "question_content": ["" if i % 2 else "line\\none" for i in range(30)],
        "best_answer": [None if i == 28 else f'say \\"{i}\\"' for i in range(30)],
    }
    test = {column: values[:2] for column, values in train.items()}
    blank = {"id": 2, "question_title": " ", "question_content": "\\n", "best_answer": None}
    hub({"train": train, "test": {column: [*values, blank[column]] for column, values in test.items()}})
    corpus = load("yahoo")
    assert [len(corpus[split]) for split in SPLITS] == [27, 3, 2]
    assert corpus["train"]["text"][0] == 'title 0 line one say "0"'
    assert [text.split() for text in corpus["validation"]["text"]] == [
        ["title", "27", "say", '"27"'],
        ["title", "28", "line", "one"],
        ["title", "29", "say", '"29"'],
    ]
    assert "community-datasets/yahoo_answers_topics: 1 blank rows skipped" in caplog.text


def test_any_hub_name(load, hub):
    rows = {"label": [0, 1], "review": ["good", "bad"]}
    hub({"train": rows, "valid": rows, "test": rows})
    assert list(load("some-user/some.reviews")["validation"]["text"]) == ["good", "bad"]
    assert hub.calls == [("some-user/some.reviews", None, {"revision": None})]


def test_a_hub_corpus_without_test_is_refused(load, hub):
    hub({"train": {"text": ["a"]}, "validation": {"text": ["a"]}})
    with pytest.raises(ValueError, match="'user/name' has no test split, only train, validation"):
        load("user/name")


def test_the_text_column_is_guessed_or_the_columns_listed():
    string, number = Value("string"), Value("int64")
    assert guess_text_column(Features(n=number, body=string), "u/n") == "body"
    assert guess_text_column(Features(title=string, sentence=string), "u/n") == "sentence"
    assert guess_text_column(Features(sentence=string, text=string), "u/n") == "text"
    for features in (Features(title=string, body=string, n=number), Features(n=number)):
        with pytest.raises(ValueError, match=f"text column of 'u/n' among {', '.join(features)}: it needs"):
            guess_text_column(features, "u/n")


def test_the_hub_out_of_reach_is_said_so(load, monkeypatch):
    monkeypatch.setattr(datasets.config, "HF_HUB_OFFLINE", True)
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", True)
    for name, repository in [("user/name", "user/name"), ("ptb", HUB_CORPORA["ptb"].repository)]:
        with pytest.raises(ConnectionError, match=f"'{repository}' .* cannot be reached .* pass a folder"):
            load(name)


def test_what_the_hub_lacks_is_said_so(load, monkeypatch):
    def refuse(name, *arguments, **options):
        raise datasets.exceptions.DatasetNotFoundError(f"Dataset '{name}' doesn't exist\non the Hub")

    monkeypatch.setattr(datasets, "load_dataset", refuse)
    with pytest.raises(ValueError, match=r"'user/name' is neither a folder here .*exist on the Hub") as caught:
        load("user/name")
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("validation", [True, False])
def test_a_streamed_hub_corpus(load, hub, monkeypatch, validation):
    monkeypatch.setattr("wae_rnf.tokenization.hub_corpora.MAX_HELD_OUT", 2)
    rows = {"train": [f"train {number}" for number in range(7)] + [" "], "test": ["test 0"]}
    rows |= {"validation": ["validation 0"]} if validation else {}
    hub({split: {"text": texts, "label": [0] * len(texts)} for split, texts in rows.items()})
    corpus = load("user/name", streaming=True)
    first = 0 if validation else 2
    for _ in range(2):  # as often as it is asked for
        assert list(corpus["train"]) == rows["train"][first:7]
    assert corpus["train"].num_sentences == 7 - first
    assert list(corpus["validation"]["text"]) == (["validation 0"] if validation else rows["train"][:2])
    assert list(corpus["test"]["text"]) == ["test 0"]


def test_streamed_splits_are_the_stored_ones(load, tmp_path, monkeypatch):
    monkeypatch.setattr(toy, "SPLIT_SIZES", {"train": 30, "validation": 10, "test": 5})
    for split in ("train", "valid", "test"):
        (tmp_path / f"{split}.txt").write_text(f"{split} a\n\n {split} b \n")
    for name in ("toy", tmp_path):
        stored, streamed = load(name), load(name, streaming=True)
        assert list(streamed["train"]) == list(stored["train"]["text"])
        for split in ("validation", "test"):
            assert list(streamed[split]) == list(stored[split])


def warnings_of(caplog):
    return [record.getMessage() for record in caplog.records if record.name.startswith("wae_rnf.tokenization")]


@pytest.mark.parametrize("name", ["toy", "ptb", "yelp", "yahoo"])
def test_a_folder_of_the_name_of_a_corpus(load, tmp_path, monkeypatch, name):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(toy, "SPLIT_SIZES", {"train": 3, "validation": 1, "test": 1})
    write_folder(tmp_path / name)
    with pytest.raises(ValueError, match=rf"'{name}' is a corpus of that name, and a folder .* the folder \./{name}"):
        load(name)
    for folder in (f"./{name}", Path(name), tmp_path / name):
        assert list(load(folder)["train"]["text"]) == ["the cat", "the dog"]
    for file in (tmp_path / name).iterdir():
        file.unlink()
    if name == "toy":  # a folder without texts is not meant
        assert len(load(name)["train"]) == 3


def test_lines_of_old_macs_are_read_and_told(load, tmp_path, caplog):
    folder = write_folder(tmp_path / "texts", train=b"the cat\rthe dog\r\ra fish\nlast\r\n")
    assert list(load(folder)["train"]["text"]) == ["the cat", "the dog", "a fish", "last"]
    assert warnings_of(caplog) == [
        f"{folder / 'train.txt'}: 3 lines end with a carriage return alone, and are read as lines",
        f"{folder / 'train.txt'}: 1 blank lines skipped",
    ]


def test_a_stream_tells_what_a_stored_split_tells(load, tmp_path, caplog):
    folder = write_folder(tmp_path / "texts", train="a\rb\n\n\ufeffc\nz\u200bw\n".encode().replace(b"a", b"aa"))
    stored = list(load(folder)["train"]["text"])
    told = sorted(warnings_of(caplog))
    assert len(told) == 4
    caplog.clear()
    stream = load(folder, streaming=True)["train"]
    assert warnings_of(caplog) == []
    for _ in range(2):  # once, however often it is read
        assert list(stream) == stored
        assert sorted(warnings_of(caplog)) == told


def test_two_files_of_one_split_are_refused_and_copies_told(load, tmp_path, caplog):
    folder = write_folder(tmp_path / "texts", train=b"same\n", test=b"same\n")
    load(folder)
    assert warnings_of(caplog) == [f"{folder / 'train.txt'} and test.txt are the same text"]
    (folder / "dev.txt").write_text("other\n")
    with pytest.raises(ValueError, match=r"2 files for the validation split, valid\.txt and dev\.txt: leave one of"):
        load(folder)


def test_what_is_no_file_is_refused(load, tmp_path):
    folder = write_folder(tmp_path / "texts", train=None)
    os.mkfifo(folder / "train.txt")
    with pytest.raises(
        ValueError, match=r"no train split: train\.txt is a pipe or a device, which cannot be read twice"
    ):
        load(folder)
    (folder / "train.txt").unlink()
    (folder / "train.txt").mkdir()
    with pytest.raises(ValueError, match=r"no train split: train\.txt is a directory; it must be a file"):
        load(folder)


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() == 0, reason="everything can be read by root")
def test_an_unreadable_file_is_named(load, tmp_path):
    folder = write_folder(tmp_path / "texts")
    (folder / "train.txt").chmod(0)
    with pytest.raises(PermissionError, match=r"train\.txt"):
        load(folder)


@pytest.mark.parametrize("streaming", [False, True])
def test_what_is_guessed_or_left_out_of_hub_rows_is_told(load, hub, caplog, streaming):
    body = ["a", " ", "b\0c", "d", "e", None]
    hub({split: {"body": body, "label": [0] * 6} for split in ("train", "test")})
    corpus = load("user/name", streaming=streaming)
    list(corpus["train"])
    told = "\n".join(warnings_of(caplog))
    assert "user/name: the column body is taken for the text" in told
    where = "the first 10000 rows" if streaming else "the last 1 rows"
    assert f"user/name has no validation split: {where} of train serve as one" in told
    assert "1 rows have characters without width" in told
    skipped = [message for message in warnings_of(caplog) if message.endswith("blank rows skipped")]
    expected = ["user/name: 1", "user/name: 1", "user/name: 2"]  # the last one of train is blank, and held out
    if streaming:
        expected = ["user/name, validation: 2", "user/name, test: 2"]
    assert skipped == [f"{count} blank rows skipped" for count in expected]
