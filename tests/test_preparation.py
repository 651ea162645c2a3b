"""Preparation: ids against a plain look-up, truncation, the cache across processes, batches."""

import json
import subprocess
import sys
from pathlib import Path

import pytest
import torch
from datasets import Dataset, DatasetDict, Value
from transformers import AutoTokenizer

from wae_rnf.tokenization import preparation
from wae_rnf.tokenization.batching import collate
from wae_rnf.tokenization.corpora import load_corpus
from wae_rnf.tokenization.preparation import prepare, pure_rules, train_tokenizer
from wae_rnf.tokenization.streams import TextStream
from wae_rnf.tokenization.vocabulary import count_words

PTB = Path(__file__).resolve().parents[2] / "shared" / "data" / "ptb"

needs_ptb = pytest.mark.skipif(not PTB.is_dir(), reason=f"the Penn Treebank is not at {PTB}")


def make_corpus(**columns):
    texts = {"train": ["the cat sat", "the dog"], "validation": ["the fish sat"], "test": ["a <eos> cat"]}
    return DatasetDict({split: Dataset.from_dict({"text": rows} | columns) for split, rows in texts.items()})


def test_only_the_training_split_is_counted():
    corpus = make_corpus()
    vocabulary = train_tokenizer(corpus).get_vocab()
    assert sorted(vocabulary, key=vocabulary.get)[4:] == ["the", "cat", "dog", "sat"]
    limited = train_tokenizer(corpus, max_size=6, max_words=2)
    assert sorted(limited.get_vocab(), key=limited.get_vocab().get)[4:] == ["the", "cat"]
    assert limited.model_max_length == 4


def test_ids_and_lengths():
    corpus = make_corpus()
    prepared = prepare(corpus, train_tokenizer(corpus))
    assert prepared["train"].column_names == ["input_ids", "length", "words", "bytes", "cut"]
    assert list(prepared["train"]) == [
        {"input_ids": [1, 4, 5, 7, 2], "length": 4, "words": 3, "bytes": 11, "cut": False},
        {"input_ids": [1, 4, 6, 2], "length": 3, "words": 2, "bytes": 7, "cut": False},
    ]
    assert prepared["validation"]["input_ids"][0] == [1, 4, 3, 7, 2]
    assert prepared["test"]["input_ids"][0] == [1, 3, 3, 5, 2]  # a literal <eos> is an unknown word


@pytest.mark.parametrize("words", [1, 199, 200, 201, 1000])
def test_sentences_are_truncated_to_200_words(words):
    text = " ".join(f"w{i}" for i in range(words))
    corpus = DatasetDict(train=Dataset.from_dict({"text": [text]}))
    tokenizer = train_tokenizer(corpus)
    row = prepare(corpus, tokenizer)["train"][0]
    kept = min(words, 200)
    assert (row["length"], row["cut"]) == (kept + 1, words > 200)
    assert tokenizer.convert_ids_to_tokens(row["input_ids"]) == ["<bos>", *text.split()[:kept], "<eos>"]
    assert row["input_ids"] == tokenizer(text, truncation=True)["input_ids"]


def test_log_prob_is_kept_and_other_columns_are_not():
    rows = Dataset.from_dict({"text": ["a", "b"], "log_prob": [-1.5, -0.25], "label": [1, 2]})
    corpus = DatasetDict(train=rows)
    prepared = prepare(corpus, train_tokenizer(corpus))["train"]
    assert set(prepared.column_names) == {"input_ids", "length", "words", "bytes", "cut", "log_prob"}
    assert prepared["log_prob"][:] == [-1.5, -0.25]
    assert prepared.features["log_prob"] == Value("float64")


def test_what_earlier_calls_left_in_the_tokenizer_does_not_matter():
    corpus = make_corpus()
    tokenizer = train_tokenizer(corpus)
    rules, fresh = pure_rules(tokenizer), prepare(corpus, tokenizer)["train"]["input_ids"][:]
    tokenizer("the <eos>", split_special_tokens=False)
    tokenizer(["the", "the cat"], padding="max_length", truncation=True, max_length=3)
    assert pure_rules(tokenizer) == rules != tokenizer.backend_tokenizer.to_str()
    assert prepare(corpus, tokenizer)["train"]["input_ids"][:] == fresh


def test_an_unsuitable_tokenizer_or_corpus_is_refused():
    corpus = make_corpus()
    tokenizer = train_tokenizer(corpus, max_words=50)
    with pytest.raises(ValueError, match="max_words=200 does not suit this tokenizer: choose 1 to 50"):
        prepare(corpus, tokenizer)
    with pytest.raises(ValueError, match="max_words=0 does not suit"):
        prepare(corpus, tokenizer, max_words=0)
    with pytest.raises(ValueError, match="train split has no column text, only sentence"):
        prepare(DatasetDict(train=Dataset.from_dict({"sentence": ["a"]})), tokenizer, max_words=50)
    tokenizer.backend_tokenizer.post_processor = None
    with pytest.raises(ValueError, match="must put <bos> before and <eos> after"):
        prepare(corpus, tokenizer, max_words=50)


CACHE_PROGRAM = """
import json, sys
from transformers import AutoTokenizer
from wae_rnf.tokenization.corpora import load_corpus
from wae_rnf.tokenization.preparation import prepare
folder, cache, tokenizer_folder, max_words = sys.argv[1:]
tokenizer = AutoTokenizer.from_pretrained(tokenizer_folder)
tokenizer(["a", "a b"], padding=True, truncation=True)
prepared = prepare(load_corpus(folder, cache_dir=cache), tokenizer, max_words=int(max_words))
print(json.dumps({split: rows.cache_files[0]["filename"] for split, rows in prepared.items()}))
"""


def test_another_process_reuses_the_cache(tmp_path):
    for name in ("train.txt", "valid.txt", "test.txt"):
        (tmp_path / name).write_text("the cat sat\nthe dog\n")
    corpus = load_corpus(tmp_path, cache_dir=tmp_path / "cache")
    tokenizer = train_tokenizer(corpus)
    tokenizer.save_pretrained(tmp_path / "tokenizer")
    first = prepare(corpus, tokenizer)
    expected = {split: rows.cache_files[0]["filename"] for split, rows in first.items()}
    stamps = {path: Path(path).stat().st_mtime_ns for path in expected.values()}

    def run(max_words):
        arguments = [tmp_path, tmp_path / "cache", tmp_path / "tokenizer", max_words]
        command = [sys.executable, "-c", CACHE_PROGRAM, *map(str, arguments)]
        output = subprocess.run(command, capture_output=True, text=True, check=True).stdout
        return json.loads(output.splitlines()[-1])

    assert run(max_words=200) == expected
    assert {path: Path(path).stat().st_mtime_ns for path in expected.values()} == stamps
    assert not set(run(max_words=2).values()) & set(expected.values())  # another limit, another cache


def test_two_workers_agree_with_one(tmp_path):
    corpus = make_corpus()
    tokenizer = train_tokenizer(corpus)
    alone = prepare(DatasetDict(train=corpus["train"]), tokenizer)["train"]
    (tmp_path / "rows").mkdir()
    corpus["train"].save_to_disk(tmp_path / "rows")
    on_disk = DatasetDict(train=Dataset.load_from_disk(tmp_path / "rows"))
    assert list(prepare(on_disk, tokenizer, num_proc=2)["train"]) == list(alone)


def test_collate_agrees_with_a_loop():
    generator = torch.Generator().manual_seed(0)
    sentences = [torch.randint(1, 50, (length,), generator=generator).tolist() for length in (3, 7, 2, 7)]
    batch = collate([{"input_ids": ids} for ids in sentences], pad_token_id=9)
    assert batch["input_ids"].shape == batch["attention_mask"].shape == (4, 7)
    assert batch["input_ids"].dtype == batch["attention_mask"].dtype == torch.int64
    for row, ids in enumerate(sentences):
        for column in range(7):
            inside = column < len(ids)
            assert batch["input_ids"][row, column] == (ids[column] if inside else 9)
            assert batch["attention_mask"][row, column] == int(inside)


@needs_ptb
def test_penn_treebank_has_the_published_counts(tmp_path):
    corpus = load_corpus(PTB, cache_dir=tmp_path / "cache")
    assert len(count_words(corpus["train"]["text"])) == 9_999
    tokenizer = train_tokenizer(corpus)
    tokenizer.save_pretrained(tmp_path / "tokenizer")
    tokenizer = AutoTokenizer.from_pretrained(tmp_path / "tokenizer")
    vocabulary = tokenizer.get_vocab()
    assert sorted(vocabulary.values()) == list(range(9_998 + 4))
    prepared = prepare(corpus, tokenizer)
    assert [len(rows) for rows in prepared.values()] == [42_068, 3_370, 3_761]
    assert [sum(rows["length"]) for rows in prepared.values()] == [929_589, 73_760, 82_430]
    lines = (PTB / "valid.txt").read_text().lower().splitlines()
    by_hand = [[1, *(vocabulary.get(word, 3) for word in line.split()), 2] for line in lines]
    assert prepared["validation"]["input_ids"][:] == by_hand
    decoded = tokenizer.batch_decode(by_hand, skip_special_tokens=True)
    assert decoded == [" ".join(w if w in vocabulary else "<unk>" for w in line.split()) for line in lines]


@pytest.mark.parametrize(("text", "max_words"), [("a b c", 2), ("a never seen", 5)], ids=["cut", "unknown word"])
def test_log_prob_of_a_changed_sentence_is_left_out(text, max_words, caplog):
    train = Dataset.from_dict({"text": ["a b c"], "log_prob": [-1.0]})
    test = Dataset.from_dict({"text": ["a", text], "log_prob": [-2.0, -3.0]})
    corpus = DatasetDict(train=train, test=test)
    prepared = prepare(corpus, train_tokenizer(corpus, max_words=5), max_words=max_words)
    assert "log_prob" not in prepared["test"].column_names
    assert "test: sentences are cut or have unknown words" in caplog.text
    assert ("log_prob" in prepared["train"].column_names) == (max_words == 5)


def warnings_of(caplog):
    return [record.getMessage() for record in caplog.records if record.name.startswith("wae_rnf.tokenization")]


def test_cut_sentences_are_told(caplog):
    texts = ["a b c", "a b", "a b c d"]
    stored = DatasetDict(train=Dataset.from_dict({"text": texts}), test=Dataset.from_dict({"text": ["a b c"]}))
    prepare(stored, train_tokenizer(stored, max_words=2), max_words=2)
    assert warnings_of(caplog) == [
        "train: 2 of 3 sentences are cut to 2 words",
        "test: 1 of 1 sentences are cut to 2 words",
    ]
    caplog.clear()
    train_tokenizer(DatasetDict(train=TextStream(lambda: iter([*texts, ""]))), max_words=2)
    assert warnings_of(caplog) == ["train: 1 blank lines skipped", "train: 2 sentences are cut to 2 words"]


def test_lowered_sentences_are_told(caplog):
    train_tokenizer(DatasetDict(train=Dataset.from_dict({"text": ["The cat", "the cat", "NATO"]})))
    assert warnings_of(caplog) == ["train: 2 sentences have capital letters, which are lowered"]


@pytest.mark.parametrize(("unknown", "told"), [(1, False), (2, False), (3, True), (10, True)])
def test_many_unknown_words_are_told(unknown, told, caplog):
    test = " ".join(["new"] * unknown + ["old"] * (10 - unknown))
    corpus = DatasetDict(train=Dataset.from_dict({"text": ["old"]}), test=Dataset.from_dict({"text": [test]}))
    prepare(corpus, train_tokenizer(corpus))
    assert warnings_of(caplog) == [f"test: {10 * unknown}.0% of the words are unknown to the vocabulary"] * told


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("今天天气很好,我们去公园散步吧。", True),
        ("今天 天气 很 好 , 我们 去 公园 散步 吧 。", False),
        ("วันนี้อากาศดีมาก", True),
        ("the cat sat on the mat .", False),
        ("Die Donaudampfschifffahrtsgesellschaft ist groß .", False),
        ("U29tZXRoaW5nIGlzIHdyaXR0ZW4gaGVyZQ==", True),
    ],
)
def test_text_without_white_space_is_told(text, told, caplog):
    train_tokenizer(DatasetDict(train=Dataset.from_dict({"text": [text] * 3})))
    assert any("letters on average" in message for message in warnings_of(caplog)) == told


def test_a_long_text_is_cut_before_it_is_encoded(monkeypatch):
    lengths = []
    whole = preparation.read_rules

    class Watched:
        def __init__(self, rules):
            self.backend = whole(rules)

        def encode_batch_fast(self, texts):
            lengths.extend(map(len, texts))
            return self.backend.encode_batch_fast(texts)

    monkeypatch.setattr(preparation, "read_rules", Watched)
    corpus = DatasetDict(train=Dataset.from_dict({"text": ["ab " * 100_000]}))
    row = prepare(corpus, train_tokenizer(corpus, max_words=7), max_words=7)["train"][0]
    assert row["input_ids"] == [1, *[4] * 7, 2]
    assert lengths == [20]
