"""The generated corpus: exact probabilities against brute force, sampling against probabilities, English."""

import itertools
import math
import random
import re
import subprocess
import sys
from collections import Counter, defaultdict

import pytest
from datasets import Dataset

from wae_rnf.tokenization.toy.corpus import SPLIT_SIZES, generate
from wae_rnf.tokenization.toy.grammar import ToyGrammar
from wae_rnf.tokenization.toy.rules import ATTRIBUTES, RULES

# One corner of the real language, small enough to write out: restaurants and hotels, {aside} alone.
CORNER = """
topic = restaurant *2 | hotel *1
polarity[restaurant] = good *3 | bad *1
polarity[hotel] = good *1 | bad *1
tense = past | present
sentence = {aside} . | {aside} {when_short} .
when_short[past] = last {weekday} | in {month}
when_short[present] = every {weekday} | in {month}
""" + re.sub(r"(?m)^(topic|form|polarity|tense|length|sentence)\b.*\n(?: .*\n)*", "", RULES)
CORNER_ATTRIBUTES = ("topic", "polarity", "tense")

AMBIGUOUS = """
colour = red *1 | blue *3
sentence[red] = {left} b *1 | a {right} *3 | {left} {rest} *4
sentence[blue] = a b *1 | c *1
left = a *1 | a b *1
right = b *1 | c *1
rest = b c *1 | c *3
"""


def write_out(rules: str, attributes: tuple[str, ...]) -> dict[str, float]:
    """{sentence: probability} by rewriting strings, without a line of the code under test."""
    table = defaultdict(list)
    for line in re.sub(r"\n +", " ", rules).splitlines():
        if " = " not in line:
            continue
        left, right = line.split(" = ")
        symbol, _, values = left.rstrip("]").partition("[")
        options = [option.split("*") for option in right.split("|")]
        weights = [float(o[1]) if len(o) > 1 else 1 / (3 + i) for i, o in enumerate(options, start=1)]
        choices = [(w / sum(weights), o[0].strip()) for w, o in zip(weights, options, strict=True)]
        table[symbol].append(([set(group.split("/")) for group in values.split(",") if group], choices))

    def choices_of(symbol, values):
        (found,) = [c for needs, c in table[symbol] if all(need & values for need in needs)]
        return found

    settings = [(1.0, frozenset())]
    for name in attributes:
        settings = [(p * q, vs | {v}) for p, vs in settings for q, v in choices_of(name, vs)]
    language = Counter()
    open_strings = [(prob, "{sentence}", values) for prob, values in settings]
    while open_strings:
        prob, text, values = open_strings.pop()
        slot = re.search(r"{(\w+)}", text)
        if slot is None:
            language[text] += prob
            continue
        for share, words in choices_of(slot.group(1), values):
            open_strings.append((prob * share, text[: slot.start()] + words + text[slot.end() :], values))
    return language


@pytest.fixture(scope="module")
def grammar():
    return ToyGrammar()


@pytest.fixture(scope="module")
def corner():
    return ToyGrammar(CORNER, CORNER_ATTRIBUTES), write_out(CORNER, CORNER_ATTRIBUTES)


@pytest.fixture(scope="module")
def train():
    return [row["text"] for row in generate("train", SPLIT_SIZES["train"], seed=0)]


def test_probabilities_equal_those_of_the_language_written_out(corner):
    corner_grammar, language = corner
    assert len(language) > 10_000
    assert math.fsum(language.values()) == pytest.approx(1, abs=1e-12)
    for sentence in random.Random(0).sample(sorted(language), 4000):
        assert corner_grammar.log_prob(sentence) == pytest.approx(math.log(language[sentence]), abs=1e-9)


def test_probabilities_sum_to_one(corner):
    corner_grammar, language = corner
    assert math.fsum(math.exp(corner_grammar.log_prob(text)) for text in language) == pytest.approx(1, abs=1e-9)


def test_entropy_of_samples_is_that_of_the_language_written_out(corner):
    corner_grammar, language = corner
    entropy = -math.fsum(prob * math.log(prob) for prob in language.values())
    rng = random.Random(1)
    losses = [-corner_grammar.log_prob(corner_grammar.sample(rng)) for _ in range(4000)]
    mean = math.fsum(losses) / len(losses)
    variance = math.fsum((loss - mean) ** 2 for loss in losses) / (len(losses) - 1)
    assert abs(mean - entropy) < 4 * math.sqrt(variance / len(losses))


def test_samples_are_as_frequent_as_their_probability_says(corner):
    corner_grammar, language = corner
    rng = random.Random(2)
    num_draws = 20_000
    counts = Counter(corner_grammar.sample(rng) for _ in range(num_draws))
    assert set(counts) <= set(language)
    for sentence, prob in language.most_common(50):
        assert abs(counts[sentence] - num_draws * prob) < 5 * math.sqrt(num_draws * prob)


def test_ambiguous_sentences_sum_derivations_and_attributes():
    """Sums over attributes, over alternatives and over the borders between two phrases, by hand.

    `a b` is {left} b and a {right} if red, a b if blue: 1/4 (1/8 · 1/2 + 3/8 · 1/2) + 3/4 · 1/2 = 7/16.
    `a c` is a {right} and {left} {rest}: 1/4 (3/8 · 1/2 + 1/2 · 1/2 · 3/4) = 3/32.
    `a b c` is {left} {rest} with either border: 1/4 · 1/2 (1/2 · 1/4 + 1/2 · 3/4) = 1/16.
    `a b b` is {left} b alone: 1/4 · 1/8 · 1/2 = 1/64.
    """
    grammar = ToyGrammar(AMBIGUOUS, ("colour",))
    for sentence, prob in {"a b": 7 / 16, "a c": 3 / 32, "a b c": 1 / 16, "a b b": 1 / 64}.items():
        assert grammar.log_prob(sentence) == pytest.approx(math.log(prob), abs=1e-12)
    assert grammar.joint("a b") == pytest.approx({("red",): 1 / 16, ("blue",): 3 / 8})


@pytest.mark.parametrize(
    "sentence",
    [
        "",
        " ",
        "the soup was really delicious",
        "the soup was really delicious . .",
        "the soup was really zzz .",
        "soup the was really delicious .",
        "the soup were really delicious .",
        "the soup was really rude .",
        "The soup was really delicious .",
        "the soup  was really delicious .",
    ],
)
def test_other_sentences_are_impossible(grammar, sentence):
    assert grammar.log_prob("the soup was really delicious .") > -30
    assert grammar.log_prob(sentence) == -math.inf


def test_splits_are_deterministic_and_independent():
    rows = {split: list(generate(split, 200, seed=3)) for split in SPLIT_SIZES}
    for split, other in itertools.permutations(rows, 2):
        assert rows[split] == list(generate(split, 200, seed=3))
        assert rows[split][:100] == list(generate(split, 100, seed=3))
        shared = {row["text"] for row in rows[split]} & {row["text"] for row in rows[other]}
        assert len(shared) < 10
    assert rows["train"] != list(generate("train", 200, seed=4))
    with pytest.raises(ValueError, match="split must be one of"):
        next(generate("dev", 1, seed=3))


def test_another_run_of_python_generates_the_same():
    code = "from wae_rnf.tokenization.toy.corpus import generate; print([*generate('test', 5, 3)])"
    runs = {
        subprocess.run(
            [sys.executable, "-c", code], env={"PYTHONHASHSEED": seed}, capture_output=True, check=True
        ).stdout
        for seed in ("1", "2")
    }
    assert runs == {f"{list(generate('test', 5, 3))}\n".encode()}


def test_rows_make_a_dataset(tmp_path):
    kwargs = {"split": "validation", "num_sentences": 20, "seed": 0}
    dataset = Dataset.from_generator(generate, gen_kwargs=kwargs, cache_dir=str(tmp_path))
    assert dataset.to_list() == list(generate(**kwargs))


def test_lengths_vocabulary_and_case(grammar, train):
    lows, highs = grammar.length_bounds
    lengths = [len(text.split(" ")) for text in train]
    # The final mark is a token: 5 to 25 hold with and without it.
    assert lows >= 6
    assert highs <= 25
    assert min(lengths) < 8
    assert max(lengths) > 23
    counts = Counter(word for text in train for word in text.split(" "))
    assert 900 <= len(counts) <= 1100
    assert set(counts) <= grammar.vocabulary
    assert sum(count < 10 for count in counts.values()) < 0.02 * len(counts)
    assert all(re.fullmatch(r"[a-z]+( ,)?( [a-z]+( ,)?)* [.?]", text) for text in train)


def test_articles_agree(train):
    for text in train:
        assert not re.search(r"\b(a [aeiou]|an [^aeiou])", text), text


def test_sentence_entropy_suits_a_small_model(grammar, train):
    losses = [-grammar.log_prob(text) for text in train[:2000]]
    assert 22 < math.fsum(losses) / len(losses) < 32
    assert len(set(train)) > 0.99 * len(train)


def test_every_attribute_shows_in_the_words(grammar):
    """The exact posterior of each attribute is nearly certain, and right, though its prior is not."""
    rng = random.Random(4)
    draws = [grammar.sample_with_attributes(rng) for _ in range(1000)]
    posteriors = [grammar.joint(text) for text, _ in draws]
    for position, name in enumerate(ATTRIBUTES):
        prior = Counter()
        for values, prob in grammar.attribute_probs.items():
            prior[values[position]] += prob
        assert sum(prior.values()) == pytest.approx(1)
        assert -sum(prob * math.log(prob) for prob in prior.values()) > 0.6
        uncertainty = correct = 0.0
        for (_, attributes), joint in zip(draws, posteriors, strict=True):
            posterior = Counter()
            for values, prob in joint.items():
                posterior[values[position]] += prob / sum(joint.values())
            uncertainty -= sum(prob * math.log(prob) for prob in posterior.values()) / len(draws)
            correct += (posterior.most_common(1)[0][0] == attributes[name]) / len(draws)
        assert uncertainty < 0.005
        assert correct > 0.99


@pytest.mark.parametrize(
    ("rules", "message"),
    [
        ("sentence = a {b}\nb = c {sentence}", "cycles"),
        ("sentence = a {b}", "no rule for {b}"),
        ("sentence = a | ", "at least one word"),
        ("sentence: a", "a rule reads"),
        ("sentence = a\nsentence = b", "2 rules instead of one"),
        ("sentence[x] = a", "0 rules instead of one"),
    ],
)
def test_malformed_rules_are_refused(rules, message):
    with pytest.raises(ValueError, match=message):
        ToyGrammar(rules, ())
