"""The vocabulary: order, size, special tokens that occur in the text."""

import random
from collections import Counter

import pytest

from wae_rnf.tokenization.vocabulary import SPECIAL_TOKENS, build_vocabulary, count_words, split_words


def test_counts_agree_with_a_plain_loop():
    generator = random.Random(0)
    texts = [" ".join(generator.choices(["The", "the", "cat", "N", "n't"], k=7)) for _ in range(50)]
    expected = {}
    for text in texts:
        for word in text.lower().split(" "):
            expected[word] = expected.get(word, 0) + 1
    assert count_words(iter(texts)) == expected


def test_counts_only_the_words_within_the_limit():
    assert count_words(["a b c", "a"], max_words=2) == {"a": 2, "b": 1}


def test_order_is_by_count_then_alphabet():
    vocabulary = build_vocabulary(Counter({"b": 3, "zebra": 2, "ant": 2, "c": 9}))
    assert list(vocabulary) == [*SPECIAL_TOKENS, "c", "b", "ant", "zebra"]
    assert list(vocabulary.values()) == list(range(8))


def test_special_tokens_in_the_text_leave_no_hole():
    counts = count_words(["<unk> the <unk> <eos>", "<PAD> <bos> <unk> cat"])
    vocabulary = build_vocabulary(counts)
    assert vocabulary == {"<pad>": 0, "<bos>": 1, "<eos>": 2, "<unk>": 3, "cat": 4, "the": 5}


def test_size_is_capped_special_tokens_included():
    counts = Counter({f"word{i:05}": 30_000 - i for i in range(25_000)})
    vocabulary = build_vocabulary(counts)
    assert len(vocabulary) == 20_000
    assert vocabulary["word19995"] == 19_999
    assert "word19996" not in vocabulary
    assert len(build_vocabulary(counts, max_size=5)) == 5


def test_too_small_a_size_is_refused():
    with pytest.raises(ValueError, match=r"max_size=4 leaves no room .* at least 5"):
        build_vocabulary(Counter("abc"), max_size=4)


def test_every_kind_of_white_space_separates_words():
    assert split_words("a\tb\u2028c\x85d\x0ce\u00a0f\x1cg\r\n h") == list("abcdefgh")
    assert split_words("don't stop.") == ["don't", "stop."]
    assert split_words(" \n") == []
