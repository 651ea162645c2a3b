"""Mutual information of a large split: of a random sample, whose size is said; of all sentences otherwise."""

import math
import statistics

import pytest
import torch
from datasets import Dataset

from modeling_wae_rnf import GaussianPosterior, VonMisesFisherPosterior
from wae_rnf.evaluation import estimators
from wae_rnf.evaluation.estimators import active_units, latent_usage, random_rows
from wae_rnf.evaluation.evaluate_split import evaluate


@pytest.fixture
def posterior():
    torch.manual_seed(0)
    mean = torch.randn(120, 3, dtype=torch.float64)
    mean[100:, 2] += 9
    return GaussianPosterior(mean, torch.rand_like(mean) + 0.2)


def by_the_loop(mean, stddev, z):
    """E[log q(z|x) - log q(z)] with q(z) the mean density of the same sentences, in plain numbers."""
    mean, stddev, z = mean.tolist(), stddev.tolist(), z.tolist()

    def density(i, j):
        terms = zip(z[i], mean[j], stddev[j], strict=True)
        return math.prod(math.exp(-(((a - b) / c) ** 2) / 2) / (c * math.sqrt(2 * math.pi)) for a, b, c in terms)

    of_each = (density(i, i) / statistics.mean(density(i, j) for j in range(len(z))) for i in range(len(z)))
    return statistics.mean(map(math.log, of_each))


def test_all_sentences_up_to_the_bound(posterior):
    z = posterior.rsample(generator=torch.Generator().manual_seed(7))
    found = latent_usage(posterior, torch.Generator().manual_seed(7))
    assert found["mutual_information"] == pytest.approx(by_the_loop(posterior.mean, posterior.stddev, z), abs=1e-9)


def test_a_sample_beyond_it(posterior, monkeypatch):
    monkeypatch.setattr(estimators, "ALL_PAIRS", 40)
    rows = random_rows(120)
    assert len(set(rows.tolist())) == 40
    assert rows.tolist() == sorted(rows.tolist()) == random_rows(120).tolist()
    assert rows.max() > 80  # not the first ones
    mean, stddev = posterior.mean[rows], posterior.stddev[rows]
    z = GaussianPosterior(mean, stddev).rsample(generator=torch.Generator().manual_seed(7))
    found = latent_usage(posterior, torch.Generator().manual_seed(7))
    assert found["mutual_information"] == pytest.approx(by_the_loop(mean, stddev, z), abs=1e-9)
    assert found["active_units"] == active_units(posterior.mean)


def test_no_pair_is_taken_beyond_the_bound(posterior, monkeypatch):
    monkeypatch.setattr(estimators, "ALL_PAIRS", 40)
    asked, each = [], GaussianPosterior.log_prob_of_each

    def counted(self, z):
        asked.append(len(z) * len(self.mean))
        return each(self, z)

    monkeypatch.setattr(GaussianPosterior, "log_prob_of_each", counted)
    latent_usage(posterior)
    assert sum(asked) == 40**2


def test_on_the_sphere(monkeypatch):
    monkeypatch.setattr(estimators, "ALL_PAIRS", 40)
    torch.manual_seed(0)
    mean = torch.nn.functional.normalize(torch.randn(120, 3, dtype=torch.float64), dim=-1)
    found = latent_usage(VonMisesFisherPosterior(mean, 5.0))
    assert 0 < found["mutual_information"] < math.log(40)


def test_evaluation_says_of_how_many(tiny_model, monkeypatch):
    generator = torch.Generator().manual_seed(0)
    ids = [[1, *torch.randint(4, 13, (1 + number % 5,), generator=generator).tolist(), 2] for number in range(30)]
    sentences = Dataset.from_dict({"input_ids": ids, "length": [len(row) - 1 for row in ids]})
    whole = evaluate(tiny_model(), sentences)
    assert whole["mutual_information_sentences"] == 30
    monkeypatch.setattr(estimators, "ALL_PAIRS", 10)
    part = evaluate(tiny_model(), sentences)
    assert part["mutual_information_sentences"] == 10
    assert part["mutual_information"] < math.log(10)
    assert part["largest_flow_inversion_error"] == whole["largest_flow_inversion_error"]
    # an invertible flow leaves it as it is, on the same sentences
    assert part["mutual_information_after_flow"] == pytest.approx(part["mutual_information"], abs=1e-3)
    changed = {name for name in whole if whole[name] != part[name]} - {"seconds"}
    assert all(name.startswith("mutual_information") for name in changed)
