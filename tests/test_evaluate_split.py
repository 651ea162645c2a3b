"""Evaluation in batches against one sentence and one sample at a time."""

import math

import pytest
import torch
from datasets import Dataset
from torch.distributions import Normal

from wae_rnf.evaluation import importance_samples
from wae_rnf.evaluation.evaluate_split import evaluate
from wae_rnf.tokenization.batching import numbered_seed, sorted_batches

ROWS = [[1, 5, 6, 7, 2], [1, 4, 2], [1, 9, 8, 7, 6, 5, 2], [1, 12, 10, 2], [1, 3, 3, 4, 2]]
SAMPLES = 7


@pytest.fixture
def sentences():
    columns = {"input_ids": ROWS, "length": [len(row) - 1 for row in ROWS], "log_prob": [-4.0, -1.0, -9.0, -2.0, -3.0]}
    return Dataset.from_dict(columns)


@pytest.fixture
def model(tiny_model):
    model = tiny_model()
    for step in model.flow.steps:
        torch.nn.init.normal_(step.u, std=3.0)
    return model


def by_hand(model):
    """Bounds of every sentence, in the split's order, from single sentences and single samples."""
    model.eval()
    order = sorted_batches([len(row) for row in ROWS], 64)[0]
    noise = torch.randn((SAMPLES, len(ROWS), 4), generator=torch.Generator().manual_seed(numbered_seed(5, 0)))
    bounds = {}
    for place, number in enumerate(order):
        sentence = ROWS[number]
        posterior = model.encode(torch.tensor([sentence]))
        mean, stddev = posterior.mean[0], posterior.stddev[0]
        log_weights = {"pushforward": [], "flow_posterior": []}
        reconstructions = []
        mean, stddev = mean.detach(), stddev.detach()
        for z in mean + stddev * noise[:, place]:
            logits = model(torch.tensor([sentence]), latents=z[None]).logits[0]
            nll = -sum(logits[t].log_softmax(-1)[token] for t, token in enumerate(sentence[1:]))
            z_prime, log_abs_det = model.push(z)
            log_q, prior = Normal(mean, stddev).log_prob(z).sum(), Normal(0.0, 1.0)
            nll, z_prime, log_abs_det = nll.detach(), z_prime.detach(), log_abs_det.detach()
            log_weights["pushforward"].append(-nll + prior.log_prob(z).sum() - log_q)
            log_weights["flow_posterior"].append(-nll + prior.log_prob(z_prime).sum() - log_q + log_abs_det)
            reconstructions.append(nll.item())
        kl = 0.5 * (mean**2 + stddev**2 - 1 - 2 * stddev.log()).sum().item()
        reconstruction = sum(reconstructions) / SAMPLES
        row = {"reconstruction": reconstruction, "pushforward_elbo": reconstruction + kl}
        row["flow_posterior_elbo"] = -sum(log_weights["flow_posterior"]).item() / SAMPLES
        for generative_model, weights in log_weights.items():
            row[f"{generative_model}_iwae"] = -math.log(sum(math.exp(w) for w in weights) / SAMPLES)
        bounds[number] = row
    return [bounds[number] for number in range(len(ROWS))]


def test_batches_equal_a_loop(model, sentences, monkeypatch):
    monkeypatch.setattr(importance_samples, "TOKENS_AT_ONCE", 80)  # several parts of the samples
    metrics, expected = evaluate(model, sentences, samples=SAMPLES, seed=5), by_hand(model)
    tokens = sum(len(row) - 1 for row in ROWS)
    assert (metrics["num_sentences"], metrics["num_tokens"]) == (5, tokens)
    for generative_model in ("pushforward", "flow_posterior"):
        for bound in ("elbo", "iwae"):
            values = [row[f"{generative_model}_{bound}"] for row in expected]
            found = metrics[generative_model][bound]
            assert found["nll"] == pytest.approx(sum(values) / 5, abs=1e-4)
            assert found["ppl"] == pytest.approx(math.exp(sum(values) / tokens), rel=1e-4)
        elbo = metrics[generative_model]["elbo"]
        assert elbo["reconstruction"] == pytest.approx(sum(row["reconstruction"] for row in expected) / 5, abs=1e-4)
        assert elbo["nll"] == pytest.approx(elbo["reconstruction"] + elbo["kl"], abs=1e-4)
        assert metrics[generative_model]["iwae"]["samples"] == SAMPLES
    for name, values in metrics["of_sentences"].items():  # in the split's order
        lengths = [len(row) - 1 for row in ROWS]
        of_sentences = lengths if name == "length" else [row[name] for row in expected]
        assert values == pytest.approx(of_sentences, abs=1e-4)
    assert len(metrics["of_sentences"]) == 5
    excess = [row["pushforward_elbo"] + p for row, p in zip(expected, sentences["log_prob"], strict=True)]
    found = metrics["pushforward"]["elbo"]
    mean = sum(excess) / 5
    assert found["above_entropy"] == pytest.approx(mean, abs=1e-4)
    error = math.sqrt(sum((value - mean) ** 2 for value in excess) / 4 / 5)
    assert found["above_entropy_standard_error"] == pytest.approx(error, abs=1e-4)


def test_published_protocol(model, sentences):
    metrics = evaluate(model.eval(), sentences)["paper_protocol"]
    expected = []
    for sentence in ROWS:
        posterior = model.encode(torch.tensor([sentence]))
        z_prime, log_abs_det = model.push(posterior.mean)
        entropy = (0.5 * math.log(2 * math.pi * math.e) + posterior.stddev.log()).sum()
        nll = model.score(torch.tensor([sentence]), None, z_prime)
        expected.append((nll - Normal(0.0, 1.0).log_prob(z_prime).sum() - entropy - log_abs_det).item())
    assert metrics["nll"] == pytest.approx(sum(expected) / 5, abs=1e-4)
    assert metrics["nll"] == pytest.approx(
        metrics["reconstruction"] + metrics["kl"] - metrics["log_abs_det"], abs=1e-4
    )


def test_the_flow_keeps_mutual_information(model, sentences, tiny_model):
    with torch.no_grad():
        norm, width = model.posterior_head.mean[-1], max(map(len, ROWS))
        norm.momentum = 1.0  # the statistics of these sentences
        model.train().encode(torch.tensor([row + [0] * (width - len(row)) for row in ROWS]))
        norm.weight.fill_(10)  # the posteriors lie apart
    metrics = evaluate(model, sentences)
    assert metrics["mutual_information"] > 0.5
    assert metrics["mutual_information_after_flow"] == pytest.approx(metrics["mutual_information"], abs=1e-4)
    assert 0 < metrics["largest_flow_inversion_error"] < 1e-3
    distances = [(a - b).square().sum().sqrt().item() for i, a in enumerate(model.centres) for b in model.centres[:i]]
    assert metrics["mean_distance_of_centres"] == pytest.approx(sum(distances) / 3, rel=1e-5)
    without = evaluate(tiny_model(num_flows=0, flow_kernel=None), sentences)
    assert "mutual_information_after_flow" not in without


def test_entropy_and_its_absence(model, sentences):
    metrics = evaluate(model, sentences)
    assert metrics["entropy"] == pytest.approx(19 / 5)
    metrics = evaluate(model, sentences.remove_columns("log_prob"))
    assert "entropy" not in metrics
    assert "above_entropy" not in metrics["pushforward"]["elbo"]


def test_seed_and_mode(model, sentences):
    model.train()
    first = evaluate(model, sentences, samples=2, seed=1)
    assert model.training
    assert first["pushforward"] == evaluate(model, sentences, samples=2, seed=1)["pushforward"]
    assert first["pushforward"] != evaluate(model, sentences, samples=2, seed=2)["pushforward"]
    assert {"command", "commit", "seed", "versions", "device", "seconds"} <= first.keys()


def test_one_sentence(model, sentences):
    metrics = evaluate(model, sentences.select([0]))
    assert metrics["mmd"] is None
    assert metrics["mutual_information"] == pytest.approx(0, abs=1e-4)
    assert metrics["pushforward"]["elbo"]["standard_error"] is None


def test_misuse(model, sentences):
    with pytest.raises(ValueError, match="iwae_samples must be at least 1"):
        evaluate(model, sentences, samples=0)
    with pytest.raises(ValueError, match="no sentence"):
        evaluate(model, sentences.select([]))
