"""Statistics against counting by hand."""

import random

import pytest
from datasets import Dataset, DatasetDict

from wae_rnf.tokenization.corpus_statistics import corpus_statistics, statistics_table
from wae_rnf.tokenization.preparation import prepare, train_tokenizer


def test_statistics_agree_with_counting_the_text():
    generator = random.Random(0)
    words = ["cat", "dog", "fish", "<unk>"]
    texts = [" ".join(generator.choices(words, k=generator.randint(1, 9))) for _ in range(40)]
    unseen = [text.replace("fish", "whale") for text in texts[:7]]
    corpus = DatasetDict(train=Dataset.from_dict({"text": texts}), test=Dataset.from_dict({"text": unseen}))
    tokenizer = train_tokenizer(corpus)
    statistics = corpus_statistics(prepare(corpus, tokenizer), len(tokenizer))
    for split, lines, unknown in [("train", texts, {"<unk>"}), ("test", unseen, {"<unk>", "whale"})]:
        flat = [word for line in lines for word in line.split()]
        assert statistics[split] == {
            "sentences": len(lines),
            "average_words": pytest.approx(len(flat) / len(lines)),
            "maximum_words": max(len(line.split()) for line in lines),
            "cut": 0,
            "tokens": len(flat) + len(lines),
            "fraction_unk": pytest.approx(sum(word in unknown for word in flat) / len(flat)),
            "vocabulary": 4 + 3,
        }


@pytest.mark.parametrize("limit", [1, 3, 8, 9])
def test_cut_sentences_are_counted(limit):
    texts = [" ".join(["word"] * number) for number in (1, 3, 4, 8, 9, 9, 2)]
    corpus = DatasetDict(train=Dataset.from_dict({"text": texts}))
    tokenizer = train_tokenizer(corpus, max_words=9)
    row = corpus_statistics(prepare(corpus, tokenizer, max_words=limit), len(tokenizer))["train"]
    assert row["cut"] == sum(len(text.split()) > limit for text in texts)
    assert row["maximum_words"] == limit


def test_an_empty_split_is_refused():
    rows = Dataset.from_dict({"input_ids": [], "length": [], "cut": []})
    with pytest.raises(ValueError, match="the test split has no sentence"):
        corpus_statistics(DatasetDict(test=rows), vocabulary_size=5)


def test_the_table_has_a_row_a_split():
    row = {
        "sentences": 1234,
        "average_words": 2.25,
        "maximum_words": 9,
        "cut": 1100,
        "tokens": 4000,
        "fraction_unk": 0.051,
    }
    header, lines = statistics_table({"train": row | {"vocabulary": 10}, "test": row | {"vocabulary": 10}})
    assert header == ["split", "sentences", "tokens", "words, mean", "most", "<unk>", "cut"]
    assert lines == [[split, "1,234", "4,000", "2.2", "9", "5.10%", "1,100"] for split in ("train", "test")]
    header, _ = statistics_table({"train": row | {"vocabulary": 10, "cut": 0}})
    assert "cut" not in header
