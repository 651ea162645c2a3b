"""Importance sampling: `evaluate` against a loop over samples, by batches and sentence by sentence."""

from collections.abc import Mapping
from functools import partial

import numpy as np
import torch
from datasets import Dataset

from wae_rnf.evaluation.evaluate_split import evaluate

from .floor import SQUARE, matrix_rate, sample_flop
from .generated_batches import BATCH_SIZE, SIZES, TINY, Sizes, pad
from .plain_model import PlainModel, score_by_loop
from .timing import Figures, Ways, alternate

SENTENCES, ROUNDS = 64, 5
SAMPLES = {"ours": 100, "loops": 10}  # timed in one round; all samples cost the same
TEST_TOKENS = 82_430  # of the Penn Treebank's test split
QUICK = {"sizes": TINY["ptb"], "count": 3, "samples": {"ours": 2, "loops": 1}, "rounds": 1, "square": 64}


def measure(
    sizes: Sizes = SIZES["ptb"],
    count: int = SENTENCES,
    samples: Mapping[str, int] = SAMPLES,
    rounds: int = ROUNDS,
    square: int = SQUARE,
) -> Figures:
    """Microseconds a token and sample, of ours and of the two loops.

    Args:
        sizes: of the sentences.
        count: how many sentences.
        samples: {"ours", "loops"}, importance samples of one round.
        rounds: how often each is timed.
        square: rows of the product that the floor is measured with.
    """
    rate = matrix_rate(square=square)
    sentences = sizes.sentences(count, np.random.default_rng(0))
    tokens = sum(len(ids) - 1 for ids in sentences)
    rows = Dataset.from_dict({"input_ids": sentences, "length": [len(ids) - 1 for ids in sentences]})
    torch.manual_seed(0)
    ours = sizes.model().eval()
    plain = PlainModel(sizes.config()).eval()
    plain.load_state_dict(ours.state_dict())
    batches = [pad(sentences[start : start + BATCH_SIZE]) for start in range(0, count, BATCH_SIZE)]
    singles = [pad([ids]) for ids in sentences]
    runs: Ways = {
        "ours": partial(evaluate, ours, rows, samples["ours"]),
        "loop over samples, batches of 32": partial(score_by_loop, plain, batches, samples["loops"]),
        "loop over samples and sentences": partial(score_by_loop, plain, singles, samples["loops"]),
    }
    seconds = {
        name: value / samples["ours" if name == "ours" else "loops"] for name, value in alternate(runs, rounds).items()
    }
    floor = sample_flop(sizes.config()) / rate
    return {
        "sentences": count,
        "samples": samples,
        "matrix_rate": rate,
        "microseconds_per_token_and_sample": {name: 1e6 * value / tokens for name, value in seconds.items()},
        "ratio": {name: value / seconds["ours"] for name, value in seconds.items()},
        "fraction_of_floor": {name: floor / (value / tokens) for name, value in seconds.items()},
        "minutes_of_ptb_test_with_500_samples": seconds["ours"] / tokens * TEST_TOKENS * 500 / 60,
    }
