"""Clusters of posterior means: known ones are found, the order of the split is kept."""

import pytest
import torch
from datasets import Dataset

from training_wae_rnf.centres import cluster, posterior_means


def test_known_clusters_are_found():
    torch.manual_seed(0)
    centres = torch.tensor([[0.0, 0.0], [10.0, 0.0], [0.0, 10.0]])
    means = (centres.repeat_interleave(50, 0) + 0.1 * torch.randn(150, 2))[torch.randperm(150)]
    found = cluster(means, num_centres=3, seed=0)
    assert found.dtype == torch.float32
    nearest = torch.cdist(centres, found).min(1)
    assert sorted(nearest.indices.tolist()) == [0, 1, 2]
    assert (nearest.values < 0.1).all()
    assert torch.equal(found, cluster(means, num_centres=3, seed=0))


def test_more_centres_than_sentences():
    with pytest.raises(ValueError, match="4 centres cannot be found in 2 different posterior means"):
        cluster(torch.tensor([[0.0], [0.0], [1.0]]), num_centres=4, seed=0)


def test_posterior_means_keep_the_order(tiny_model):
    rows = [[1, 5, 6, 7, 2], [1, 4, 2], [1, 9, 8, 7, 6, 5, 2]]
    sentences = Dataset.from_dict({"input_ids": rows, "length": [len(row) - 1 for row in rows]})
    model = tiny_model().eval()
    means = posterior_means(model, sentences)
    for row, mean in zip(rows, means, strict=True):
        torch.testing.assert_close(model.encode(torch.tensor([row])).mean[0], mean, rtol=0, atol=1e-6)
