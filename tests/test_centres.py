"""Clusters of posterior means: known ones are found."""

import pytest
import torch

from training_wae_rnf.centres import cluster


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
