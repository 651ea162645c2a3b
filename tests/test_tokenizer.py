"""The tokenizer, as built and as any program reads it back with AutoTokenizer."""

import json
import subprocess
import sys
from pathlib import Path

import pytest
from transformers import AutoConfig, AutoTokenizer, PreTrainedConfig
from transformers.models.auto.configuration_auto import CONFIG_MAPPING

from wae_rnf.tokenization.tokenizer import build_tokenizer
from wae_rnf.tokenization.vocabulary import UNK, build_vocabulary, count_words, split_words

TEXT = "the cat sat on the mat . the dog did n't"
VOCABULARY = build_vocabulary(count_words([TEXT]))


@pytest.fixture(params=["built", "reloaded", "reloaded twice"])
def tokenizer(request, tmp_path):
    built = build_tokenizer(VOCABULARY, max_words=5)
    for folder in {"built": [], "reloaded": ["1"], "reloaded twice": ["1", "2"]}[request.param]:
        built.save_pretrained(tmp_path / folder)
        (tmp_path / folder / "config.json").write_text(json.dumps({"model_type": "wae_rnf"}))
        built = AutoTokenizer.from_pretrained(tmp_path / folder)
    return built


def test_ids_agree_with_a_look_up(tokenizer):
    expected = [1, *(VOCABULARY.get(word, 3) for word in ["the", "cat", "sat", "on", "fish", "."]), 2]
    assert tokenizer("The CAT sat\ton  fish .")["input_ids"] == expected
    assert tokenizer("")["input_ids"] == [1, 2]


def test_settings(tokenizer):
    assert tokenizer.model_max_length == 7
    assert tokenizer.padding_side == "right"
    assert tokenizer.model_input_names == ["input_ids", "attention_mask"]
    assert list(tokenizer("the")) == ["input_ids", "attention_mask"]
    assert (tokenizer.pad_token_id, tokenizer.bos_token_id, tokenizer.eos_token_id) == (0, 1, 2)
    assert tokenizer.convert_tokens_to_ids(UNK) == 3
    assert tokenizer.get_vocab() == VOCABULARY
    assert len(tokenizer) == len(VOCABULARY)


def test_decoding_keeps_unk_and_drops_the_special_tokens(tokenizer):
    ids = tokenizer("the fish did n't . ", padding="max_length", max_length=9)["input_ids"]
    assert ids[-2:] == [0, 0]
    assert tokenizer.decode(ids, skip_special_tokens=True) == "the <unk> did n't ."
    assert tokenizer.batch_decode([ids], skip_special_tokens=True) == ["the <unk> did n't ."]
    assert tokenizer.decode(ids) == "<bos> the <unk> did n't . <eos> <pad> <pad>"


@pytest.mark.parametrize("literal", ["<eos>", "<pad>", "<bos>", "<EOS>", "<unk>", "<UNK>"])
def test_literal_special_tokens_are_unknown_words(tokenizer, literal):
    the, cat = VOCABULARY["the"], VOCABULARY["cat"]
    assert tokenizer(f"the {literal} cat")["input_ids"] == [1, the, 3, cat, 2]
    assert tokenizer(f"{literal} {literal}")["input_ids"] == [1, 3, 3, 2]
    assert tokenizer(f"the{literal}cat.{literal}")["input_ids"] == [1, 3, 2]  # one word, as white space says


def test_truncation_keeps_the_end(tokenizer):
    ids = tokenizer(TEXT, truncation=True)["input_ids"]
    assert ids == [1, *(VOCABULARY[word] for word in TEXT.split()[:5]), 2]
    assert len(tokenizer(TEXT)["input_ids"]) == len(TEXT.split()) + 2  # only on request


def test_splits_and_lowers_as_the_vocabulary_does():
    skipped = {0x1C89}  # a letter newer than Python 3.11
    for start in range(0, 0x3100, 64):
        characters = [chr(code) for code in range(start, start + 64) if code not in skipped]
        text = " ".join(f"x{character}Y" for character in characters) + " ΑΣ ΑΣ. İstanbul"
        words = split_words(text)
        vocabulary = build_vocabulary(count_words([text]))
        assert build_tokenizer(vocabulary, max_words=999)(text)["input_ids"][1:-1] == [
            vocabulary[word] for word in words
        ], hex(start)


def test_reads_without_our_code(tmp_path):
    build_tokenizer(VOCABULARY).save_pretrained(tmp_path)
    (tmp_path / "config.json").write_text(json.dumps({"model_type": "wae_rnf"}))
    program = (
        "import sys; from transformers import AutoTokenizer\n"
        f"tokenizer = AutoTokenizer.from_pretrained({str(tmp_path)!r})\n"
        "ids = tokenizer('The <eos> cat')['input_ids']\n"
        "print(ids, tokenizer.decode(ids, skip_special_tokens=True), 'wae_rnf' in sys.modules)"
    )
    output = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True).stdout
    the, cat = VOCABULARY["the"], VOCABULARY["cat"]
    assert output.splitlines()[-1] == f"{[1, the, 3, cat, 2]} the <unk> cat False"


def test_reads_beside_a_registered_config(tmp_path):
    class RegisteredConfig(PreTrainedConfig):
        model_type = "wae_rnf_tokenizer_test"

    AutoConfig.register(RegisteredConfig.model_type, RegisteredConfig)
    try:
        tokenizer = build_tokenizer(VOCABULARY)
        tokenizer.save_pretrained(tmp_path)
        RegisteredConfig().save_pretrained(tmp_path)
        assert AutoTokenizer.from_pretrained(tmp_path)(TEXT)["input_ids"] == tokenizer(TEXT)["input_ids"]
    finally:
        CONFIG_MAPPING._extra_content.pop(RegisteredConfig.model_type)


def test_a_pair_is_two_sentences(tokenizer):
    first, second = tokenizer("the cat")["input_ids"], tokenizer("a dog .")["input_ids"]
    assert tokenizer("the cat", "a dog .")["input_ids"] == first + second
    assert tokenizer("the cat", "a dog .").sequence_ids() == [None, 0, 0, None, None, 1, 1, 1, None]


def test_an_added_special_token_is_found_or_refused(tokenizer):
    with pytest.raises(ValueError, match=r"<sep> would never be found.* set split_special_tokens = False"):
        tokenizer.add_special_tokens({"extra_special_tokens": ["<sep>"]})
    assert len(tokenizer) == len(VOCABULARY)
    tokenizer.add_tokens(["<plain>"])
    assert tokenizer("the <plain> <eos> cat")["input_ids"][2:4] == [len(VOCABULARY), 3]
    tokenizer.split_special_tokens = False
    tokenizer.add_special_tokens({"extra_special_tokens": ["<sep>"]})
    ids = tokenizer("the <sep> cat")["input_ids"]
    assert ids[2] == len(VOCABULARY) + 1
    assert tokenizer.decode(ids, skip_special_tokens=True) == "the cat"


def test_a_new_tokenizer_of_other_texts_is_one_of_ours(tokenizer):
    texts = ["A new text .", "with new <eos> words , a new one"]
    expected = build_tokenizer(build_vocabulary(count_words(texts, 5), 9), max_words=5)
    for iterator in (iter(texts), [texts], [[text] for text in texts]):
        new = tokenizer.train_new_from_iterator(iterator, vocab_size=9)
        assert new.get_vocab() == expected.get_vocab()
        assert new("never a <eos>")["input_ids"] == expected("never a <eos>")["input_ids"] == [1, 3, 7, 3, 2]
        assert new.model_max_length == 7
    for options in ({"new_special_tokens": ["<x>"]}, {"special_tokens_map": {"<eos>": "</s>"}}, {"min_frequency": 2}):
        with pytest.raises(ValueError, match=f"{next(iter(options))} cannot be chosen"):
            tokenizer.train_new_from_iterator(texts, 9, **options)


def test_the_tokenizers_of_earlier_models_encode_the_same():
    for folder in sorted((Path(__file__).parent / "golden" / "models").iterdir()):
        tokenizer = AutoTokenizer.from_pretrained(folder)
        assert tokenizer("The <eos> zebra")["input_ids"] == [1, tokenizer.get_vocab()["the"], 3, 3, 2]


def test_refuses_a_vocabulary_with_a_hole_or_without_special_tokens():
    with pytest.raises(ValueError, match="ids of the vocabulary must be 0 to 4"):
        build_tokenizer({"<pad>": 0, "<bos>": 1, "<eos>": 2, "<unk>": 3, "cat": 5})
    with pytest.raises(ValueError, match="must start with <pad>, <bos>, <eos>, <unk>"):
        build_tokenizer({"<pad>": 0, "<bos>": 1, "<eos>": 2, "cat": 3, "<unk>": 4})
    with pytest.raises(ValueError, match="max_words=0 leaves no room"):
        build_tokenizer(VOCABULARY, max_words=0)
