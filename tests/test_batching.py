"""Batches: every sentence once, decided by seed and epoch, grouped by length when asked."""

import numpy as np
import pytest

from wae_rnf.tokenization.batching import length_grouped_batches, sorted_batches

LENGTHS = np.random.default_rng(0).integers(1, 60, size=1003)


@pytest.mark.parametrize("pool", [1, 8, 1000])
def test_every_sentence_once_in_nearly_equal_batches(pool):
    batches = length_grouped_batches(LENGTHS, batch_size=32, pool=pool, seed=0, epoch=0)
    assert sorted(number for batch in batches for number in batch) == list(range(1003))
    sizes = {len(batch) for batch in batches}
    assert max(sizes) <= 32
    assert max(sizes) - min(sizes) <= 1


def test_seed_and_epoch_decide():
    def batches(seed, epoch):
        return [batch.tolist() for batch in length_grouped_batches(LENGTHS, 32, 4, seed, epoch)]

    assert batches(1, 2) == batches(1, 2)
    assert batches(1, 2) != batches(1, 3)
    assert batches(1, 2) != batches(2, 2)


def padding(batches):
    return sum(LENGTHS[batch].max() * len(batch) - LENGTHS[batch].sum() for batch in batches) / LENGTHS.sum()


def test_larger_pools_pad_less():
    shares = [padding(length_grouped_batches(LENGTHS, 32, pool, 0, 0)) for pool in (1, 4, 40)]
    assert shares[0] > 0.8 > shares[1] > 2 * shares[2]


def test_a_pool_of_one_is_a_random_sample():
    means = [LENGTHS[batch].mean() for batch in length_grouped_batches(LENGTHS, 32, 1, 0, 0)]
    assert np.std(means) == pytest.approx(LENGTHS.std() / 32**0.5, rel=0.4)


def test_fewer_sentences_than_a_batch():
    (batch,) = length_grouped_batches([4, 2], batch_size=32, pool=4, seed=0, epoch=0)
    assert sorted(batch) == [0, 1]


def test_sorted_batches():
    batches = sorted_batches([5, 1, 3], batch_size=2)
    assert [batch.tolist() for batch in batches] == [[1, 2], [0]]
