"""What the grammar says of text is what it was drawn from."""

import random

import pytest

from wae_rnf.evaluation.toy_quality import likeliest_attributes, toy_quality
from wae_rnf.tokenization.toy.grammar import ToyGrammar


@pytest.fixture(scope="module")
def drawn():
    grammar, rng = ToyGrammar(), random.Random(0)
    return [grammar.sample_with_attributes(rng) for _ in range(200)]


def test_the_likeliest_attributes_are_most_often_those_that_were_drawn(drawn):
    """The posterior is exact, so the share that it finds is its own mean confidence; topic is all but certain."""
    found = [(likeliest_attributes(text), attributes) for text, attributes in drawn]
    for name, least in {"topic": 0.9, "form": 0.9, "polarity": 0.7, "tense": 0.9, "length": 0.9}.items():
        assert sum(likeliest[name] == attributes[name] for likeliest, attributes in found) >= least * len(found), name


def test_shares_are_counted(drawn):
    texts = [text for text, _ in drawn[:4]]
    broken = " ".join(reversed(texts[3].split()))
    quality = toy_quality([*texts[:3], broken], texts, [*texts[:3], broken])
    assert quality["grammatical_samples"] == quality["grammatical_reconstructions"] == 0.75
    assert quality["kept"] == dict.fromkeys(ToyGrammar().attributes, 0.75)


def test_another_topic_is_not_kept():
    food, room = "the salmon was very bland .", "the mattress was very lumpy ."
    kept = toy_quality([food], [food], [room])["kept"]
    assert (kept["topic"], kept["polarity"], kept["tense"]) == (0.0, 1.0, 1.0)


def test_without_reconstructions():
    assert toy_quality(["the the"], [], []) == {"grammatical_samples": 0.0}
