"""Edits by vector arithmetic: labels by the rules, and the figures against edits made and counted by hand."""

import json
from pathlib import Path

import pytest
import sacrebleu
import torch

from wae_rnf.commands.arithmetic import ATTRIBUTES as NAMES
from wae_rnf.commands.main import main
from wae_rnf.text import load
from wae_rnf.text.attributes import ATTRIBUTES, Attribute
from wae_rnf.text.edit_quality import LabelledTexts, edit_quality

MODELS = Path(__file__).parent / "golden" / "models"


@pytest.mark.parametrize(
    ("name", "sentence", "value"),
    [
        ("tense", "the soup was cold .", "past"),
        ("tense", "the soup is cold .", "present"),
        ("tense", "The soup wasn't cold .", "past"),
        ("tense", "it is what it was .", None),
        ("tense", "very fresh food .", None),
        ("sentiment", "Great friendly staff .", "positive"),
        ("sentiment", "the worst , really .", "negative"),
        ("sentiment", "not good .", None),
        ("sentiment", "it did n't taste good .", None),
        ("sentiment", "good but cold .", None),
    ],
)
def test_labels(name, sentence, value):
    assert ATTRIBUTES[name].label(sentence) == value


def test_the_command_knows_every_rule():
    assert set(NAMES) == ATTRIBUTES.keys()
    for attribute in ATTRIBUTES.values():
        first, second = (set(words) for words in attribute.words.values())
        assert not first & second


def test_examples_are_the_first_of_each_value():
    texts = ["it was", "it is", "what", "she was", "he is", "they were"]
    found = LabelledTexts.of(texts, ATTRIBUTES["tense"], 2)
    assert found == (["it is", "he is"], ["it was", "she was"])
    with pytest.raises(ValueError, match="none of the 1 sentences is past by the rule"):
        LabelledTexts.of(["it is"], ATTRIBUTES["tense"], 2)


@pytest.mark.filterwarnings("ignore::wae_rnf.text.text_input.UnreadTextWarning")
def test_figures_are_those_of_edits_by_hand():
    text, judge = load(MODELS / "wae-rnf", "cpu"), load(MODELS / "lstm-lm", "cpu")
    words = [word for word in text.tokenizer.get_vocab() if word.isalpha()]
    attribute = Attribute({"one": words[::2], "other": words[1::2]})
    examples = LabelledTexts([f"{words[0]} {words[2]}", words[4]], [f"{words[1]} {words[3]}", words[5]])
    sentences = LabelledTexts([words[0], f"{words[2]} {words[0]}"], [words[1]])
    means = [text.encode(texts).double().mean(0) for texts in examples]
    found = edit_quality(text, attribute, examples, sentences, [0.0, 4.0], judge)
    assert [one.strength for one in found] == [0.0, 4.0]
    for one in found:
        moved = []
        for texts, sign in zip(sentences, (1, -1), strict=True):
            latents = text.encode(texts) + (sign * one.strength * (means[1] - means[0])).float()
            moved += text.decode(latents)
        right = [attribute.label(moved[0]) == "other", attribute.label(moved[1]) == "other",
                 attribute.label(moved[2]) == "one"]  # fmt: skip
        assert one.accuracy == pytest.approx(sum(right) / 3)
        sources = [*sentences.first, *sentences.second]
        bleu = sacrebleu.corpus_bleu(moved, [sources], tokenize="none", force=True).score
        assert one.bleu == pytest.approx(bleu)
        exact = judge.nll(moved)
        expected = torch.exp(exact.nll.double().sum() / exact.num_tokens.sum()).item()
        assert one.perplexity == pytest.approx(expected, rel=1e-4)  # of single precision, before the exponential
    assert edit_quality(text, attribute, examples, sentences, [1.0])[0].perplexity is None
    with pytest.raises(ValueError, match="judged by a language model"):
        edit_quality(text, attribute, examples, sentences, [1.0], text)


def test_the_command(trained_directory, tmp_path, capsys, monkeypatch):
    monkeypatch.setattr("datasets.config.HF_DATASETS_CACHE", tmp_path / "cache")
    corpus = tmp_path / "corpus"
    corpus.mkdir()
    for split in ("train", "valid", "test"):
        (corpus / f"{split}.txt").write_text("the cat is fast\nthe dog was fast\nthe cat sat\n")
    argv = ["arithmetic", str(trained_directory), "--dataset", str(corpus), "--output", str(tmp_path / "found.json")]
    assert main([*argv, "--strengths", "0", "2"]) == 0
    shown, found = capsys.readouterr().out, json.loads((tmp_path / "found.json").read_text())
    assert [one["strength"] for one in found["edits"]] == [0, 2]
    assert (found["values"], found["examples"], found["sentences"]) == (["present", "past"], [1, 1], [1, 1])
    assert found["commit"] is None or len(found["commit"]) >= 40
    assert "2 edited sentences, both ways; the direction is of 1 and 1 training" in " ".join(shown.split())
    assert main([*argv, "--max_sentences", "0"]) == 2
    assert "--max_sentences must be at least 1, but is 0" in capsys.readouterr().err
    assert main([*argv[:-1], str(tmp_path / "nowhere" / "found.json")]) == 2  # before any work
    assert "can be written" in capsys.readouterr().err
    assert main(["arithmetic", str(MODELS / "lstm-lm"), "--dataset", str(corpus)]) == 2
    assert "a language model has no latent variable" in capsys.readouterr().err
