"""Text metrics against counts by hand, a plain BLEU and sacrebleu's own sentence score; offline and side by side."""

import json
import math
import os
import random
import re
import subprocess
import sys

import numpy as np
import pytest
from sacrebleu.metrics import BLEU

from wae_rnf.evaluation.text_metrics.distinct import Distinct
from wae_rnf.evaluation.text_quality import reconstruction_quality, sample_quality


def plain_bleu(sentence, references):
    """BLEU-4 in percent, straight from its definition, with sacrebleu's `exp` smoothing and effective order."""
    words, references = sentence.split(), [reference.split() for reference in references]
    if not any(word in reference for word in words for reference in references):
        return 0.0
    precisions, zeros = [], 0
    for n in range(1, min(4, len(words)) + 1):
        grams, *reference_grams = [
            [" ".join(text[i : i + n]) for i in range(len(text) - n + 1)] for text in (words, *references)
        ]
        limits = {gram: max(other.count(gram) for other in reference_grams) for gram in grams}
        matches = sum(min(grams.count(gram), limits[gram]) for gram in set(grams))
        if matches == 0:
            zeros += 1
        precisions.append(matches / len(grams) if matches else 1 / (2**zeros * len(grams)))
    nearest = min(sorted(map(len, references)), key=lambda length: abs(length - len(words)))
    brevity = min(1.0, math.exp(1 - nearest / len(words)))
    return 100 * brevity * math.prod(precisions) ** (1 / len(precisions))


def random_sentences(count, max_words, seed=0):
    words = random.Random(seed)
    return [" ".join(words.choices("abcdefg", k=words.randint(0, max_words))) for _ in range(count)]


def self_bleu(sentences, **options):
    return sample_quality(sentences, **options)["self_bleu"]


def test_distinct_by_hand():
    quality = sample_quality(["a a b", "a b"])
    assert quality["distinct_1"] == 2 / 5  # a, b of a, a, b, a, b
    assert quality["distinct_2"] == 2 / 3  # aa, ab of aa, ab, ab: no pair crosses the sentences
    assert quality["distinct_3"] == 1.0  # aab
    assert quality["num_sentences"] == 2


def test_distinct_of_short_and_empty_sentences():
    assert Distinct().compute(predictions=["a", "", " a\t b "]) == {
        "distinct_1": 2 / 3,
        "distinct_2": 1.0,
        "distinct_3": None,
    }
    assert set(Distinct().compute(predictions=["", " "]).values()) == {None}


def test_unicode_words():
    quality = sample_quality(["über 東京 😀 é", "über 東京 😀 e\u0301"])  # not normalized: the last words differ
    assert quality["distinct_1"] == 5 / 8
    assert quality["self_bleu"] == pytest.approx(plain_bleu("a b c d", ["a b c e"]))
    assert reconstruction_quality(["über 東京 😀 é"], ["über 東京 😀 é"])["bleu"] == pytest.approx(100)


def test_self_bleu_by_hand():
    precisions = 4 / 5 * 3 / 4 * 2 / 3 * 1 / 2
    assert self_bleu(["a b c d e", "a b c d f"]) == pytest.approx(100 * precisions**0.25)
    # "a b" has two of three words, one of two pairs, and for no triple 1/2; all of "a b" is there, but it is short
    longer, shorter = (2 / 3 * 1 / 2 * 1 / 2) ** (1 / 3), math.exp(1 - 3 / 2)
    assert self_bleu(["a b c", "a b"]) == pytest.approx(100 * (longer + shorter) / 2)
    # "a b c" lies between two lengths: the shorter reference counts, so there is no brevity penalty
    lengths = ["a b c", "a b", "x y z w"]
    assert self_bleu(lengths) == pytest.approx(100 * (longer + shorter + 0) / 3)


def test_self_bleu_identities():
    assert self_bleu(["a b c d e"] * 3) == pytest.approx(100)
    assert self_bleu(["a b", "a b"]) == pytest.approx(100)  # under four words: the orders that there are
    assert self_bleu(["a b c d", "e f g h", "i j k l"]) == 0
    assert self_bleu(["", ""]) == 0
    assert self_bleu(["a b c d e"]) is None
    assert self_bleu(["a b c d", "a b c d", ""]) == pytest.approx(200 / 3)


@pytest.mark.parametrize("max_words", [3, 12])
def test_self_bleu_is_the_plain_loop(max_words):
    sentences = ["", "a", *random_sentences(40, max_words)]
    others = [sentences[:i] + sentences[i + 1 :] for i in range(len(sentences))]
    value = self_bleu(sentences)
    assert 10 < value < 95
    assert value == pytest.approx(sum(map(plain_bleu, sentences, others)) / len(sentences), abs=1e-9)
    bleu = BLEU(tokenize="none", effective_order=True)
    scores = [bleu.sentence_score(sentence, rest).score for sentence, rest in zip(sentences, others, strict=True)]
    assert value == pytest.approx(sum(scores) / len(scores), abs=1e-9)


def test_self_bleu_of_a_draw():
    sentences = ["a b c d e f", "a b c d x y", "a b x y z", "p q r s"]
    pairs = [(first, second) for first in sentences for second in sentences if first < second]
    possible = {round((plain_bleu(a, [b]) + plain_bleu(b, [a])) / 2, 6) for a, b in pairs}
    draws = [round(self_bleu(sentences, max_sentences=2, seed=seed), 6) for seed in range(60)]
    assert set(draws) == possible
    assert draws == [round(self_bleu(sentences, max_sentences=2, seed=seed), 6) for seed in range(60)]
    assert self_bleu(sentences, max_sentences=4, seed=1) == self_bleu(sentences)
    assert sample_quality(sentences, max_sentences=2)["distinct_1"] == sample_quality(sentences)["distinct_1"]


def test_reconstruction_bleu_by_hand():
    precisions = 6 / 7 * 4 / 5 * 2 / 3 * 1 / 2  # counts of both sentences together
    value = reconstruction_quality(["a b c d e", "x y"], ["a b c d f", "x y z"])["bleu"]
    assert value == pytest.approx(100 * math.exp(1 - 8 / 7) * precisions**0.25)
    assert reconstruction_quality(["x y", "a b"], ["a b", "x y"])["bleu"] == 0  # each against its own input
    sentence, reference = "a b b c d a b", "a b c d b a"
    assert reconstruction_quality([sentence], [reference])["bleu"] == pytest.approx(plain_bleu(sentence, [reference]))


def test_words_are_separated_by_white_space_alone():
    first, second = ["don't a,b $1.5 u.s. (x) end-of"], ["don't a,b $1.5 u.s. (y) end-of"]
    expected = plain_bleu("a b c d x e", ["a b c d y e"])
    assert reconstruction_quality(first, second)["bleu"] == pytest.approx(expected)
    assert self_bleu(first + second) == pytest.approx(expected)
    assert sample_quality(first)["distinct_1"] == 1.0
    assert sample_quality(["a,a a,a"])["distinct_1"] == 1 / 2


def test_reconstruction_identities():
    sentences = random_sentences(30, 9)
    assert reconstruction_quality(sentences, sentences)["bleu"] == pytest.approx(100)
    assert reconstruction_quality(["a b", "c"], ["a b", "c"])["bleu"] == pytest.approx(100)
    assert reconstruction_quality(["", ""], ["a b c d", "e"])["bleu"] == 0
    assert reconstruction_quality(["a b c d"], [""])["bleu"] == 0


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: sample_quality([]), "sentences must not be empty"),
        (lambda: sample_quality("a b c"), "sentences must be a list of strings"),
        (lambda: sample_quality(["a", None]), "sentences must be a list of strings"),
        (lambda: sample_quality(["a", "b"], max_sentences=1), "max_sentences must be at least 2, not 1"),
        (lambda: reconstruction_quality([], []), "reconstructions must not be empty"),
        (lambda: reconstruction_quality(["a"], []), "sentences must not be empty"),
        (
            lambda: reconstruction_quality(["a", "b"], ["a"]),
            "each sentence needs one reconstruction, but there are 2 reconstructions and 1 sentences",
        ),
    ],
)
def test_mistakes_are_told(call, message):
    with pytest.raises(ValueError, match=f"^{re.escape(message)}$"):
        call()


def test_random_states_are_left_alone():
    sentences = random_sentences(30, 9)
    np.random.seed(0)
    random.seed(0)
    expected = np.random.random(), random.random()
    np.random.seed(0)
    random.seed(0)
    sample_quality(sentences, max_sentences=5)
    assert (np.random.random(), random.random()) == expected


MEASURE = """
import json, socket, sys

def refuse(*arguments):
    print("the network was asked for", file=sys.stderr)  # an exception could be caught
    raise OSError("no network")

socket.socket.connect = socket.getaddrinfo = refuse
from wae_rnf.evaluation.text_quality import reconstruction_quality, sample_quality
sentences = ["a b c d e .", "a b c d f ."] * 60
print(json.dumps(sample_quality(sentences) | reconstruction_quality(sentences, sentences)))
"""


@pytest.mark.parametrize("offline", [{}, {"HF_HUB_OFFLINE": "1", "HF_EVALUATE_OFFLINE": "1"}], ids=["", "offline"])
def test_no_network_and_processes_at_once(tmp_path, offline):
    """Three processes fill one empty cache; each writes its result and nothing else, not even sacrebleu's warning."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith("HF_")}
    environment |= {"HF_HOME": str(tmp_path), "OMP_NUM_THREADS": "1"} | offline
    command = [sys.executable, "-c", MEASURE]
    pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True}
    processes = [subprocess.Popen(command, env=environment, **pipes) for _ in range(3)]
    try:
        outputs = [process.communicate(timeout=240) for process in processes]
    finally:
        for process in processes:
            process.kill()
    assert [errors for _, errors in outputs] == [""] * 3
    for printed, _ in outputs:
        quality = json.loads(printed)
        assert quality["bleu"] == pytest.approx(100)
        assert quality["self_bleu"] == pytest.approx(100)
        assert quality["distinct_1"] == 7 / 720
    assert not list(tmp_path.rglob("*.arrow*")), "sentences stay in memory: no file of them, no lock on it"
