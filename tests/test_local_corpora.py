"""Corpora as people have them: every format against plain lists, what is split off, what is said, what is refused."""

import csv
import gzip
import io
import json
import logging
from itertools import chain

import pytest
from datasets import Dataset, DatasetDict

from wae_rnf.tokenization.corpora import load_corpus
from wae_rnf.tokenization.corpus_names import corpus_name, kind_of_corpus
from wae_rnf.tokenization.held_out import HeldOut

TEXTS = ['The soup, "cold", was 7.', "NA", "It's fine; really.", "007", "Déjà vu\ttoo"]
ROWS = [{"review": text, "stars": number} for number, text in enumerate(TEXTS)]


def separated(delimiter):
    stream = io.StringIO()
    writer = csv.DictWriter(stream, ["review", "stars"], delimiter=delimiter)
    writer.writeheader()
    writer.writerows(ROWS)
    return stream.getvalue()


CONTENTS = {
    "a.txt": "\n".join(TEXTS) + "\n",
    "a.csv": separated(","),
    "semicolons.csv": separated(";"),
    "a.tsv": separated("\t"),
    "a.jsonl": "".join(json.dumps(row) + "\n" for row in ROWS),
    "a.json": json.dumps(ROWS),
}


@pytest.fixture
def load(tmp_path):
    """Load a corpus whose Arrow files go with the test."""
    return lambda name, **options: load_corpus(name, cache_dir=tmp_path / "cache", **options)


def warnings_of(caplog):
    return [record.getMessage() for record in caplog.records if record.name.startswith("wae_rnf.tokenization")]


def texts_of(corpus):
    return {split: list(rows["text"] if isinstance(rows, Dataset) else rows) for split, rows in corpus.items()}


def write(path, content):
    if path.suffix == ".gz":
        path.write_bytes(gzip.compress(content.encode()))
    else:
        path.write_text(content, encoding="utf-8")
    return path


@pytest.mark.parametrize("compressed", ["", ".gz"])
@pytest.mark.parametrize("name", CONTENTS)
def test_every_format_gives_the_same_sentences(load, tmp_path, name, compressed):
    path = write(tmp_path / f"{name}{compressed}", CONTENTS[name])
    stored, streamed = (texts_of(load(path, streaming=streaming)) for streaming in (False, True))
    assert stored == streamed
    assert [len(texts) for texts in stored.values()] == [3, 1, 1]
    assert sorted(chain(*stored.values())) == sorted(TEXTS)
    assert stored["train"] == [text for text in TEXTS if text in stored["train"]]  # in their order


def test_parquet_and_saved_datasets(load, tmp_path):
    rows = Dataset.from_dict({"review": TEXTS, "stars": [0] * 5})
    rows.to_parquet(tmp_path / "a.parquet")
    rows.save_to_disk(tmp_path / "rows")
    expected = texts_of(load(write(tmp_path / "a.txt", CONTENTS["a.txt"])))
    for name in ("a.parquet", "rows"):
        assert texts_of(load(tmp_path / name)) == texts_of(load(tmp_path / name, streaming=True)) == expected
    DatasetDict(train=rows, dev=rows.select([0]), test=rows.select([1])).save_to_disk(tmp_path / "splits")
    expected = {"train": TEXTS, "validation": TEXTS[:1], "test": TEXTS[1:2]}
    assert texts_of(load(tmp_path / "splits")) == texts_of(load(tmp_path / "splits", streaming=True)) == expected
    DatasetDict(valid=rows).save_to_disk(tmp_path / "without")
    with pytest.raises(ValueError, match="without has no train split, only valid"):
        load(tmp_path / "without")
    DatasetDict(train=rows, val=rows, dev=rows).save_to_disk(tmp_path / "twice")
    with pytest.raises(ValueError, match="twice has 2 validation splits, val and dev: leave one of them there"):
        load(tmp_path / "twice")


@pytest.mark.parametrize("name", ["valid.csv", "validation.jsonl", "val.tsv.gz", "dev.txt"])
def test_files_of_a_folder_may_be_of_different_formats(load, tmp_path, name):
    kind = name.removesuffix(".gz").partition(".")[2]
    write(tmp_path / name, CONTENTS[f"a.{kind}"])
    write(tmp_path / "train.json", CONTENTS["a.json"])
    write(tmp_path / "test.txt", "one\n")
    write(tmp_path / "notes.md", "no split\n")
    corpus = texts_of(load(tmp_path))
    assert (sorted(corpus["train"]), corpus["test"]) == (sorted(TEXTS), ["one"])
    assert corpus["validation"] == TEXTS


@pytest.mark.parametrize("there", [{"train"}, {"train", "validation"}, {"train", "test"}])
def test_what_is_missing_is_split_off_and_said(load, tmp_path, caplog, there):
    texts = [f"sentence {number}" for number in range(200)]
    write(tmp_path / "train.txt", "\n\n".join(texts))
    others = {"validation": ["a validation"], "test": ["a test"]}
    for split in there - {"train"}:
        write(tmp_path / f"{split}.txt", others[split][0])
    with caplog.at_level(logging.WARNING):
        corpus, streamed = texts_of(load(tmp_path)), texts_of(load(tmp_path, streaming=True))
    assert corpus == streamed
    missing = [split for split in others if split not in there]
    for split in there - {"train"}:
        assert corpus[split] == others[split]
    parts = [corpus[split] for split in ("train", *missing)]
    assert [len(part) for part in parts] == [200 - 10 * len(missing), *[10] * len(missing)]
    assert sorted(chain(*parts)) == sorted(texts)  # none twice, none lost
    names, each = " and no ".join(missing), "each" if len(missing) > 1 else "it"
    said = f"no {names} split: of its 200 sentences, 10 random ones (5%, at most 10,000) serve as {each}"
    assert f"{tmp_path}: {said}" in warnings_of(caplog)
    assert warnings_of(caplog).count(f"{tmp_path / 'train.txt'}: 199 blank lines skipped") == 2


def test_sizes_of_what_is_split_off():
    assert [HeldOut(number, ("test",)).size for number in (2, 19, 40, 200_000, 10**9)] == [1, 1, 2, 10_000, 10_000]
    many = HeldOut(300_000, ("validation", "test"))
    parts = {split: list(many.part(split, map(str, range(300_000)))) for split in ("train", "validation", "test")}
    assert [len(part) for part in parts.values()] == [280_000, 10_000, 10_000]
    assert sum(int(number) for number in parts["test"]) / 10_000 == pytest.approx(150_000, rel=0.05)  # from all of it
    with pytest.raises(ValueError, match="has no validation and no test split, and only 2 sentences"):
        HeldOut(2, ("validation", "test")).check("x")


def test_rows_that_are_skipped_or_changed_are_counted(load, tmp_path, caplog):
    values = ["a", None, "  ", "two\nlines", None, "c", "z\u200bw", "d"]
    write(tmp_path / "a.jsonl", "".join(json.dumps({"body": value}) + "\n" for value in values))
    with caplog.at_level(logging.WARNING):
        corpus = texts_of(load(tmp_path / "a.jsonl"))
    assert sorted(chain(*corpus.values())) == ["a", "c", "d", "two lines", "z\u200bw"]
    path = tmp_path / "a.jsonl"
    zero_width = "characters without width (U+0000, U+FEFF, U+200B, U+2060), which are part of their words"
    assert sorted(warnings_of(caplog)) == [
        f"{path}: 1 blank lines skipped",
        f"{path}: 1 rows have {zero_width}",
        f"{path}: 1 rows have line ends inside, which are read as spaces",
        f"{path}: 2 rows without a value (null) skipped",
        f"{path}: no validation and no test split: of its 5 sentences, 1 random one serves as each",
        f"{path}: the column body is taken for the text",
    ]


def test_the_column_of_the_text(load, tmp_path, caplog):
    header, rows = "title,body,n\n", "".join(f"t{i},b {i},{i}\n" for i in range(5))
    path = write(tmp_path / "a.csv", header + rows)
    with pytest.raises(
        ValueError, match=r"a\.csv has several columns of text, title, body: choose one with --text_col"
    ):
        load(path)
    assert texts_of(load(path, text_column="body"))["train"][0].startswith("b ")
    with pytest.raises(ValueError, match=r"a\.csv has no column 'text', only title, body, n: choose another"):
        load(path, text_column="text")
    named = write(tmp_path / "b.csv", header.replace("body", "text") + rows)
    with caplog.at_level(logging.WARNING):
        assert texts_of(load(named))["train"][0].startswith("b ")
    assert f"{named}: the column text is the text; title is left aside" in warnings_of(caplog)
    with pytest.raises(ValueError, match=r"--text_column body is a column of a table, but .*a\.txt has lines of text"):
        load(write(tmp_path / "a.txt", "a\nb\nc\n"), text_column="body")
    with pytest.raises(ValueError, match="--text_column does not apply to toy, whose text is known"):
        load("toy", text_column="body")


REFUSED = {
    "open quote": ("a.csv", 'text,n\n"a,1\nb,2\n', "cannot be read as csv: .*EOF inside string"),
    "more values": ("a.csv", "text,n\na,1,2\n", "has 2 columns, but its first row has 3 values"),
    "more values later": ("a.csv", "text,n\na,1\nb,1,2\n", "read as csv: .*Expected 2 fields in line 3, saw 3"),
    "twice": ("a.csv", "text,text\na,1\n", "has two columns 'text'"),
    "no row": ("a.csv", "text,n\n", "has no row"),
    "numbers": ("a.csv", "m,n\n1,2\n", "has no column of text, only m, n"),
    "no JSON": ("a.jsonl", '{"text": "a"}\n{"text": b}\n', "cannot be read as json: JSON parse error"),
    "another type": ("a.jsonl", '{"text": "a"}\n' * 200 + '{"text": 3}\n', "text of row 201 is 3, which is no text"),
    "empty": ("a.jsonl", "", "is empty: it needs a row of text"),
    "no Parquet": ("a.parquet", "hello", "cannot be read as parquet: "),
    "another ending": ("a.doc", "hello", r"a\.doc is no file of a corpus: it must end in \.txt, \.csv"),
    "two sentences": ("a.txt", "a\nb\n", "no validation and no test split, and only 2 sentences"),
}  # fmt: skip


@pytest.mark.parametrize(("name", "content", "message"), REFUSED.values(), ids=REFUSED.keys())
def test_flawed_files_are_refused_in_one_sentence(load, tmp_path, name, content, message, caplog):
    with pytest.raises(ValueError, match=message) as caught:
        load(write(tmp_path / name, content))
    assert "\n" not in str(caught.value)
    assert [record for record in caplog.records if record.levelno >= logging.ERROR] == []


def test_damaged_archives_are_refused(load, tmp_path):
    whole = gzip.compress("".join(f"text {number},1\n" for number in range(999)).encode())
    for name in ("a.csv.gz", "a.txt.gz"):
        (tmp_path / name).write_bytes(whole[: len(whole) // 2])
        with pytest.raises(ValueError, match=rf"{name} cannot be (read as csv|unpacked by gzip): "):
            load(tmp_path / name)
        (tmp_path / name).write_text("text\na\n")
        with pytest.raises(ValueError, match=rf"{name} cannot be .*Not a gzipped file"):
            load(tmp_path / name)
    (tmp_path / "a.csv").write_bytes("text,n\nné,1\n".encode("utf-16"))
    with pytest.raises(ValueError, match=r"a\.csv, line 1: byte 1 is not UTF-8, but the byte-order mark of UTF-16"):
        load(tmp_path / "a.csv")


def test_two_files_of_a_split_and_none(load, tmp_path):
    write(tmp_path / "reviews.csv", CONTENTS["a.csv"])
    with pytest.raises(
        ValueError, match=r"has no train split: add train\.txt.* or name a file of it, as .*reviews\.csv"
    ):
        load(tmp_path)
    write(tmp_path / "train.csv", CONTENTS["a.csv"])
    write(tmp_path / "train.txt.gz", CONTENTS["a.txt"])
    with pytest.raises(ValueError, match=r"2 files for the train split, train\.csv and train\.txt\.gz: leave one of"):
        load(tmp_path)


def test_what_a_name_means(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    write(tmp_path / "reviews.CSV", CONTENTS["a.csv"])
    assert kind_of_corpus("reviews.CSV") == kind_of_corpus(tmp_path / "reviews.CSV") == "local"
    assert corpus_name("reviews.CSV") == "reviews"
    with pytest.raises(
        ValueError, match=r"unknown corpus 'data/reviews\.csv': choose .* or an existing file or folder"
    ):
        kind_of_corpus("data/reviews.csv")  # no repository is called so


def test_a_name_with_brackets_and_a_changed_table(load, tmp_path):
    path = write(tmp_path / "a [1]*.csv", "text\n" + "one word\n" * 5)
    assert texts_of(load(path))["train"] == ["one word"] * 3
    write(path, "text\n" + "another one\n" * 5)
    assert texts_of(load(path))["train"] == ["another one"] * 3
