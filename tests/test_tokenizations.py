"""Tokenizations: tokens against hand-written ones, text that comes back, what is said of text that does not suit."""

import json
import logging
import re
import subprocess
import sys
import unicodedata
from collections import Counter

import pytest
from datasets import Dataset, DatasetDict
from hypothesis import given, settings
from hypothesis import strategies as st
from transformers import AutoTokenizer

from wae_rnf.evaluation.text_quality import spaced_by
from wae_rnf.text.text_input import encode
from wae_rnf.tokenization.choose_tokenization import choose_tokenization
from wae_rnf.tokenization.preparation import prepare, train_tokenizer
from wae_rnf.tokenization.streams import TextStream
from wae_rnf.tokenization.text_kind import is_tokenized
from wae_rnf.tokenization.tokenization_punctuation import Punctuation
from wae_rnf.tokenization.tokenizations import TOKENIZATIONS
from wae_rnf.tokenization.tokenizer import build_tokenizer, tokenization_of
from wae_rnf.tokenization.unread import cut_sentences, unknown_words

TEXTS = [
    "The soup was cold.",
    "It's the chef's best; don't miss it!",
    'He said: "I can\'t pay $5.50 (or 1,000) for well-known food..." — really?!',
]
TOKENS = [
    [" The", " soup", " was", " cold", "."],
    [" It", "'s", " the", " chef", "'s", " best", ";", " do", "n't", " miss", " it", "!"],
    [" He", " said", ":", ' "', "I", " ca", "n't", " pay", " $", "5", ".", "50", " (", "or", " 1", ",", "000", ")",
     " for", " well", "-", "known", " food", "...", '"', " —", " really", "?", "!"],
]  # fmt: skip


def corpus_of(texts):
    return DatasetDict({split: Dataset.from_dict({"text": texts}) for split in ("train", "validation", "test")})


def tokenizer_of(texts, **options):
    return train_tokenizer(DatasetDict(train=TextStream(lambda: iter(texts))), **options)


@pytest.mark.parametrize(("text", "tokens"), zip(TEXTS, TOKENS, strict=True))
def test_punctuation_against_tokens_by_hand(text, tokens):
    assert Punctuation().splitter(lowercase=False)(text, None) == tokens
    tokenizer = tokenizer_of(TEXTS, tokenization="punctuation")
    ids = tokenizer(text)["input_ids"]
    assert tokenizer.convert_ids_to_tokens(ids) == ["<bos>", *tokens, "<eos>"]
    assert tokenizer.decode(ids, skip_special_tokens=True) == text


@pytest.mark.parametrize(
    ("text", "pieces"),
    [
        ("WON'T she\N{RIGHT SINGLE QUOTATION MARK}ll", [" WO", "N'T", " she", "\N{RIGHT SINGLE QUOTATION MARK}ll"]),
        ("'some rock'n'roll o'clock", [" '", "some", " rock", "'", "n", "'", "roll", " o", "'", "clock"]),
        ("3rd a.m. 10:30", [" 3rd", " a", ".", "m", ".", " 10", ":", "30"]),
        ("wait.... a_b", [" wait", "...", ".", " a", "_", "b"]),
        ("<eos> <unk>", [" <", "eos", ">", " <", "unk", ">"]),
        ("did n't , he 's", [" did", " n't", " ,", " he", " 's"]),
    ],
)
def test_pieces_of_punctuation(text, pieces):
    assert Punctuation().splitter(lowercase=False)(text, None) == pieces


MARKS = st.sampled_from(
    ["'", '"', "(", ")", "-", "...", ".", ",", "$", "—", "n't", "'s", "%", "é", "ß", "猫", "👍", "_", "<"]
)
WORDS = st.lists(st.one_of(st.text("abcXYZ019", min_size=1, max_size=4), MARKS), min_size=1, max_size=4).map("".join)
ORDINARY = st.lists(WORDS, min_size=1, max_size=8).map(" ".join)


@settings(deadline=None, max_examples=60)
@given(ORDINARY)
def test_punctuation_gives_ordinary_text_back(text):
    tokenizer = tokenizer_of([text], tokenization="punctuation")
    ids = tokenizer(text)["input_ids"]
    assert 3 not in ids
    assert tokenizer.decode(ids, skip_special_tokens=True) == text


BYTE_PAIRS = tokenizer_of(TEXTS, tokenization="bpe", max_size=300)


@settings(deadline=None, max_examples=200)
@given(st.text(st.characters(exclude_categories=["Cs"]), max_size=40))
def test_bpe_gives_any_text_back(text):
    ids = BYTE_PAIRS(text)["input_ids"]
    assert 3 not in ids
    assert {0, 1, 2}.isdisjoint(ids[1:-1])
    assert BYTE_PAIRS.decode(ids, skip_special_tokens=True) == unicodedata.normalize("NFC", text)


def test_bpe_has_so_many_entries_and_is_always_the_same():
    vocabulary = BYTE_PAIRS.get_vocab()
    assert len(vocabulary) == len(set(vocabulary.values())) == 300
    assert sorted(vocabulary, key=vocabulary.get)[:4] == ["<pad>", "<bos>", "<eos>", "<unk>"]
    again = train_tokenizer(corpus_of(TEXTS), tokenization="bpe", max_size=300)
    assert again.backend_tokenizer.to_str() == BYTE_PAIRS.backend_tokenizer.to_str()  # a stream and a stored split
    with pytest.raises(ValueError, match="a vocabulary of 259 entries is too small for bpe: choose at least 260"):
        tokenizer_of(TEXTS, tokenization="bpe", max_size=259)
    with pytest.raises(ValueError, match="the train split has no words"):
        tokenizer_of([], tokenization="bpe")


def test_the_most_frequent_pair_of_bytes_is_merged_first():
    tokenizer = tokenizer_of(["abab abab cd"], tokenization="bpe", max_size=263)
    assert sorted(tokenizer.get_vocab(), key=tokenizer.get_vocab().get)[260:] == ["ab", "Ġab", "Ġabab"]
    assert tokenizer.convert_ids_to_tokens(tokenizer("abab cd")["input_ids"][1:-1]) == ["Ġabab", "Ġ", "c", "d"]


@pytest.mark.parametrize("name", TOKENIZATIONS)
def test_saved_tokenizers_read_without_our_code(name, tmp_path):
    tokenizer = tokenizer_of([*TEXTS, "Café <eos> cat"], tokenization=name, lowercase=False, max_words=20)
    tokenizer.save_pretrained(tmp_path)
    (tmp_path / "config.json").write_text(json.dumps({"model_type": "wae_rnf"}))
    reloaded = AutoTokenizer.from_pretrained(tmp_path)
    assert tokenization_of(reloaded) == tokenization_of(tokenizer) == (name, False)
    if name == "words":  # tests/test_tokenizer.py has that
        return
    program = (
        "import json, sys; from transformers import AutoTokenizer\n"
        f"tokenizer = AutoTokenizer.from_pretrained({str(tmp_path)!r})\n"
        "ids = [tokenizer(text, truncation=True)['input_ids'] for text in json.loads(sys.argv[1])]\n"
        "print(json.dumps([ids, tokenizer.batch_decode(ids, skip_special_tokens=True), 'wae_rnf' in sys.modules]))"
    )
    texts = ["The soup was cold.", "Cafe\u0301 <eos> cat", TEXTS[2]]
    command = [sys.executable, "-c", program, json.dumps(texts)]
    output = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    ids = [tokenizer(text, truncation=True)["input_ids"] for text in texts]
    assert json.loads(output.splitlines()[-1]) == [ids, tokenizer.batch_decode(ids, skip_special_tokens=True), False]
    assert tokenizer.batch_decode(ids, skip_special_tokens=True)[:2] == ["The soup was cold.", "Café <eos> cat"]
    assert 2 not in ids[1][:-1]  # a literal end of a sentence is text


@pytest.mark.parametrize("name", TOKENIZATIONS)
def test_case_and_composed_characters(name):
    cased, lower = (tokenizer_of(["Éa ÉA"], tokenization=name, lowercase=lowercase) for lowercase in (False, True))
    for tokenizer in (cased, lower):
        ids = tokenizer("Éa ÉA")["input_ids"]
        assert ids == tokenizer("E\u0301a E\u0301A")["input_ids"]
        assert 3 not in ids
    assert cased.decode(cased("Éa ÉA")["input_ids"], skip_special_tokens=True) == "Éa ÉA"
    assert lower.decode(lower("Éa ÉA")["input_ids"], skip_special_tokens=True) == "éa éa"


def test_an_unknown_word_keeps_its_place():
    tokenizer = tokenizer_of(TEXTS, tokenization="punctuation")
    ids = tokenizer("The zebra was (very) cold.")["input_ids"]
    assert tokenizer.decode(ids, skip_special_tokens=True) == "The <unk> was ( <unk>) cold."
    assert unknown_words(tokenizer, ["The zebra was (very) cold."]) == ["unknown words: zebra, very"]
    assert unknown_words(tokenizer, TEXTS) == []
    assert unknown_words(BYTE_PAIRS, ["zebra ☃"]) == []


def test_the_first_tokens_of_a_long_text_are_read():
    """Against a plain loop: ids of whole texts, cut after them; words and bytes of what they decode to."""
    for name, tokens in (("words", 3), ("punctuation", 9), ("bpe", 9)):
        tokenizer = tokenizer_of(TEXTS, tokenization=name, lowercase=False, max_size=300, max_words=tokens)
        rows = prepare(corpus_of(TEXTS), tokenizer, max_words=tokens)["test"]
        for text, row in zip(TEXTS, rows, strict=True):
            whole = tokenizer(text)["input_ids"][1:-1]
            assert row["input_ids"] == [1, *whole[:tokens], 2] == tokenizer(text, truncation=True)["input_ids"]
            assert encode(Device, tokenizer, [text])["input_ids"].tolist() == [row["input_ids"]]
            assert (row["cut"], row["length"]) == (len(whole) > tokens, min(len(whole), tokens) + 1)
            read = tokenizer.decode(row["input_ids"], skip_special_tokens=True)
            assert text.startswith(read)
            assert (row["words"], row["bytes"]) == (len(read.split()), len(read.encode()))
            unit = "words" if name == "words" else "tokens"
            told = [f"{unit} beyond the first {tokens} are not read"] if row["cut"] else []
            assert cut_sentences(tokenizer, [text]) == told


class Device:
    device = "cpu"


def test_cut_sentences_of_a_stream_are_told(caplog):
    stream = DatasetDict(train=TextStream(lambda: iter(TEXTS)))
    tokenizer = train_tokenizer(stream, tokenization="punctuation", max_words=9)
    prepare(stream, tokenizer, max_words=9)
    assert "train, its first 3 sentences: 2 of 3 sentences are cut to 9 tokens" in caplog.text


def test_a_new_tokenizer_has_the_tokenization_of_the_old_one():
    for name, lowercase in (("punctuation", True), ("bpe", False)):
        old = tokenizer_of(TEXTS, tokenization=name, lowercase=lowercase, max_size=300)
        new = old.train_new_from_iterator(["Another text, isn't it?"], vocab_size=300)
        expected = tokenizer_of(["Another text, isn't it?"], tokenization=name, lowercase=lowercase, max_size=300)
        assert new.backend_tokenizer.to_str() == expected.backend_tokenizer.to_str()
        assert tokenization_of(new) == (name, lowercase)


def test_unknown_tokenizations_are_refused():
    with pytest.raises(ValueError, match="tokenization must be one of words, punctuation, bpe, but is 'letters'"):
        tokenizer_of(TEXTS, tokenization="letters")
    with pytest.raises(ValueError, match="a vocabulary is not all of the tokenization bpe"):
        build_tokenizer({"<pad>": 0, "<bos>": 1, "<eos>": 2, "<unk>": 3}, tokenization="bpe")


@pytest.mark.parametrize(
    ("texts", "expected"),
    [
        (["it 's cold , he said .", "no ?"], True),
        (["mr. smith of acme corp. is n't at home"], True),
        (["It's cold, he said.", "No?"], False),
        (["We paid $5.50 (or so)."], False),
        (["the cat sat on the mat"], None),
        ([], None),
    ],
)
def test_text_that_is_tokenized_already(texts, expected):
    assert is_tokenized(texts) is expected


@pytest.mark.parametrize(
    ("text", "given", "choice", "told"),
    [
        ("it 's cold .", None, ("words", True), "is tokenized already, .*: the tokenization is words"),
        ("It's cold.", None, ("punctuation", False), None),
        ("the cat", None, ("punctuation", False), None),
        (
            "it 's cold .",
            "punctuation",
            ("punctuation", False),
            "is tokenized already, .*: --tokenization words suits",
        ),
        ("It's cold.", "words", ("words", True), "is ordinary, .*: --tokenization punctuation suits it"),
        ("It's cold.", "bpe", ("bpe", False), None),
    ],
)
def test_the_tokenization_follows_the_text(text, given, choice, told, tmp_path, caplog):
    stored, stream = Dataset.from_dict({"text": [text]}), TextStream(lambda: iter([text]))
    for train in (stored, stream):
        caplog.clear()
        with caplog.at_level(logging.WARNING):
            assert choose_tokenization({"train": train}, tmp_path, given) == choice
        assert len(caplog.messages) == bool(told)
        assert told is None or re.search(told, caplog.messages[0])
    assert choose_tokenization({"train": stored}, "yelp") == ("words", True)  # of its own name


def test_texts_of_every_tokenization_are_judged_by_the_same_words():
    words = tokenizer_of(TEXTS)
    assert spaced_by(words)(["It's cold."]) == ["It's cold."]
    for name in ("punctuation", "bpe"):
        tokenizer = tokenizer_of(TEXTS, tokenization=name)
        assert spaced_by(tokenizer)(["It's <unk>, I know..."]) == ["It 's <unk> , I know ..."]


def test_words_of_punctuation_are_counted_by_a_plain_loop():
    tokenizer = tokenizer_of(TEXTS, tokenization="punctuation", max_size=10)
    counts = Counter(token for tokens in TOKENS for token in tokens)
    expected = sorted(counts, key=lambda token: (-counts[token], token))[:6]
    assert sorted(tokenizer.get_vocab(), key=tokenizer.get_vocab().get)[4:] == expected
