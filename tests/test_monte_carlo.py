"""Monte-Carlo errors against the spread over seeds; both proposals and the bound over k against integrals."""

import math

import pytest
import torch
from datasets import Dataset
from torch.distributions import Normal

from modeling_wae_rnf import GaussianPosterior, VonMisesFisherPosterior
from modeling_wae_rnf.priors import StandardNormal
from wae_rnf.commands.main import main
from wae_rnf.evaluation.estimators import (
    GENERATIVE_MODELS,
    bound_over_k,
    importance_weighted_nll,
    kl_of_units,
    log_importance_weights,
    mixture_log_weights,
    monte_carlo_variance,
    sizes_over,
)
from wae_rnf.evaluation.evaluate_split import evaluate
from wae_rnf.training.arguments import TrainArguments

from .test_estimators import linear_gaussian

NORMAL = StandardNormal()
ROWS = [[1, 5, 6, 7, 2], [1, 4, 2], [1, 9, 8, 7, 6, 5, 2], [1, 12, 10, 2], [1, 3, 3, 4, 2]]
SEEDS = 60  # know their spread to a tenth


def wrong_posterior(num_points=40):
    """Weights of a linear-Gaussian model whose posterior is half as wide as the exact one, and the truth."""
    exact, reconstruction, nll = linear_gaussian(num_points)
    posterior = GaussianPosterior(exact.mean + 0.3 * exact.stddev, 0.5 * exact.stddev)

    def draw(samples, generator=None):
        z = posterior.rsample((samples,), generator=generator)
        none = torch.zeros(samples, num_points)
        weights = log_importance_weights(posterior, z, z, none, reconstruction(z), NORMAL)
        return weights["pushforward"], reconstruction(z)

    def draw_of_prior(samples):
        z = NORMAL.sample((samples, num_points, 3), dtype=torch.float64)
        none = torch.zeros(samples, num_points)
        weights = log_importance_weights(posterior, z, z, none, reconstruction(z), NORMAL)
        return weights["pushforward"], reconstruction(z)

    return draw, draw_of_prior, nll


@pytest.mark.parametrize("samples", [10, 100])
def test_the_jackknife_is_the_spread_over_seeds(samples):
    draw, _, _ = wrong_posterior()
    torch.manual_seed(0)
    bounds, variances = [], []
    for _ in range(SEEDS):
        weights, _ = draw(samples)
        bounds.append(importance_weighted_nll(weights).mean())
        variances.append(monte_carlo_variance(weights).sum() / 40**2)
    spread, told = torch.stack(bounds).std(), torch.stack(variances).mean().sqrt()
    assert told.item() == pytest.approx(spread.item(), rel=0.35)


def test_the_jackknife_is_the_loop():
    torch.manual_seed(0)
    weights = 4 * torch.randn(6, 3, dtype=torch.float64)
    weights[0, 0] = 60  # all but one are next to nothing beside it
    without = [importance_weighted_nll(torch.cat([weights[:i], weights[i + 1 :]])) for i in range(6)]
    without = torch.stack(without)
    expected = 5 / 6 * (without - without.mean(0)).square().sum(0)
    torch.testing.assert_close(monte_carlo_variance(weights), expected, rtol=1e-9, atol=0)
    assert monte_carlo_variance(weights.float())[0].item() == pytest.approx(expected[0].item(), rel=1e-4)
    assert monte_carlo_variance(torch.zeros(4, 1)).item() == pytest.approx(0, abs=1e-12)
    assert monte_carlo_variance(torch.zeros(1, 1)).isnan().all()


def test_a_mixture_s_weights_are_bounded_and_its_likelihood_is_right():
    draw, draw_of_prior, nll = wrong_posterior()
    torch.manual_seed(0)
    of_posterior, of_prior = draw(4000), draw_of_prior(4000)
    weights = mixture_log_weights(of_posterior, of_prior)
    bound = torch.logaddexp(-of_posterior[1], -of_prior[1])  # (2 p(x|z_q) + 2 p(x|z_p)) / 2
    assert (weights <= bound + 1e-9).all()
    assert (draw(4000)[0] > math.log(2) - of_posterior[1].min()).any()  # q's own are not
    errors = (importance_weighted_nll(weights) - nll) / monte_carlo_variance(weights).sqrt()
    assert errors.abs().max() < 5
    assert 0.5 < errors.std() < 1.5


def test_a_pair_of_a_mixture_is_the_formula():
    """(w(z_q) + w(z_p)) / 2 with w = p(x|z) p(z) / ((q(z) + p(z)) / 2), in plain numbers."""
    q, prior, likelihood = Normal(0.7, 0.4), Normal(0.0, 1.0), Normal(1.0, 0.5)
    z = {"q": torch.tensor(0.9), "p": torch.tensor(-0.3)}

    def density(distribution, value):
        return distribution.log_prob(value).exp().item()

    expected, parts = 0.0, {}
    for name, value in z.items():
        mixture = (density(q, value) + density(prior, value)) / 2
        expected += density(likelihood, value) * density(prior, value) / mixture / 2
        reconstruction = -likelihood.log_prob(value)
        ratio = prior.log_prob(value) - q.log_prob(value) - reconstruction
        parts[name] = (ratio.view(1, 1), reconstruction.view(1, 1))
    assert mixture_log_weights(parts["q"], parts["p"]).exp().item() == pytest.approx(expected, rel=1e-5)


@pytest.fixture
def sentences():
    return Dataset.from_dict({"input_ids": ROWS, "length": [len(row) - 1 for row in ROWS]})


@pytest.fixture
def model(tiny_model):
    """A WAE-RNF of one latent dimension."""
    return moved(tiny_model(latent_size=1))


@torch.no_grad()
def moved(model):
    """The model in evaluation mode, with a flow that moves a good deal, and a decoder that reads z'."""
    for number, step in enumerate(model.flow.steps):
        step.u.fill_(4.0 - number), step.w.fill_(1.2), step.b.fill_(0.4)
    model.decoder.initial_state.weight.mul_(6)
    model.decoder.projection.weight.mul_(8)
    return model.eval()


def exact(model, generative_model):
    """-log p(x) of each sentence by numerical integration over z, or over z'."""
    grid = torch.linspace(-9, 9, 3001).unsqueeze(-1)
    z_prime = model.push(grid)[0] if generative_model == "pushforward" else grid
    found = []
    for row in ROWS:
        ids = torch.tensor([row]).repeat(len(grid), 1)
        joint = model.prior.log_prob(grid) - model.score(ids, None, z_prime)
        found.append(-(joint.double().logsumexp(0) + math.log(18 / 3000)).item())
    return found


@torch.no_grad()
def test_a_mixture_with_a_learned_prior_finds_the_likelihood(tiny_model, sentences):
    model = moved(tiny_model(latent_size=1, prior="mixture", prior_components=2))
    model.prior.mean.copy_(torch.tensor([[-1.5], [2.0]]))
    model.prior.log_stddev.fill_(-0.5)
    metrics = evaluate(model, sentences, samples=4000, seed=1, proposal="mixture")
    for generative_model in GENERATIVE_MODELS:
        iwae = metrics[generative_model]["iwae"]
        error = iwae["nll"] - sum(exact(model, generative_model)) / len(ROWS)
        assert 0 < iwae["monte_carlo_error"] < 0.02
        assert abs(error) < 5 * iwae["monte_carlo_error"] + 1e-4
    assert metrics["kl_of_units"] is metrics["units_over_0.05"] is None  # no closed form


@torch.no_grad()
@pytest.mark.parametrize("proposal", ["posterior", "mixture"])
def test_both_proposals_find_the_likelihood_of_both_readings(model, sentences, proposal):
    metrics = evaluate(model, sentences, samples=4000, seed=1, proposal=proposal)
    truth = {generative_model: exact(model, generative_model) for generative_model in GENERATIVE_MODELS}
    assert abs(sum(truth["pushforward"]) - sum(truth["flow_posterior"])) > 0.05  # they are two models
    for generative_model in GENERATIVE_MODELS:
        iwae = metrics[generative_model]["iwae"]
        assert (iwae["samples"], iwae["proposal"]) == (4000, proposal)
        assert 0 < iwae["monte_carlo_error"] < (0.01 if proposal == "mixture" else 0.1)
        error = iwae["nll"] - sum(truth[generative_model]) / len(ROWS)
        assert abs(error) < 5 * iwae["monte_carlo_error"] + 1e-4
        over_k = metrics["bound_over_k"][generative_model]
        assert over_k[-1] == pytest.approx(iwae["nll"], abs=1e-6)
        assert all(bound > sum(truth[generative_model]) / len(ROWS) - 0.02 for bound in over_k)
    first = 2 if proposal == "mixture" else 1
    assert metrics["bound_over_k"]["k"][:4] == [first, 2 * first, 5 * first, 10 * first]
    if proposal == "posterior":  # with one sample it is the ELBO
        elbo = metrics["flow_posterior"]["elbo"]["nll"]
        assert metrics["bound_over_k"]["flow_posterior"][0] == pytest.approx(elbo, abs=1e-4)


@torch.no_grad()
@pytest.mark.parametrize("fields", [{}, {"posterior": "vmf", "num_flows": 0, "flow_kernel": None, "mmd_weight": 0.0}])
def test_errors_are_the_spread_of_an_evaluation_over_seeds(tiny_model, sentences, fields):
    model = tiny_model(**fields)
    model.decoder.initial_state.weight.mul_(6)
    found = [evaluate(model, sentences, samples=16, seed=seed) for seed in range(SEEDS)]
    for generative_model in GENERATIVE_MODELS:
        for bound in ("elbo", "iwae"):
            values = torch.tensor([metrics[generative_model][bound]["nll"] for metrics in found])
            told = torch.tensor([metrics[generative_model][bound]["monte_carlo_error"] for metrics in found])
            spread, told = values.std().item(), told.square().mean().sqrt().item()
            assert told == pytest.approx(spread, rel=0.35, abs=1e-6), (generative_model, bound)
    values = torch.tensor([metrics["mutual_information"] for metrics in found])
    told = torch.tensor([metrics["mutual_information_monte_carlo_error"] for metrics in found])
    assert told.square().mean().sqrt().item() == pytest.approx(values.std().item(), rel=0.35)


@torch.no_grad()
def test_a_mixture_s_error_is_its_spread_over_seeds(model, sentences):
    found = [evaluate(model, sentences, samples=16, seed=seed, proposal="mixture") for seed in range(SEEDS)]
    for generative_model in GENERATIVE_MODELS:
        values = torch.tensor([metrics[generative_model]["iwae"]["nll"] for metrics in found])
        told = torch.tensor([metrics[generative_model]["iwae"]["monte_carlo_error"] for metrics in found])
        assert told.square().mean().sqrt().item() == pytest.approx(values.std().item(), rel=0.35)


def test_one_sample_has_no_error_and_a_language_model_none_at_all(tiny_model, sentences):
    metrics = evaluate(tiny_model(), sentences)
    assert metrics["pushforward"]["iwae"]["monte_carlo_error"] is None
    metrics = evaluate(
        tiny_model(latent_size=0, num_flows=0, flow_kernel=None, mmd_weight=0.0), sentences, 8, proposal="mixture"
    )
    assert (
        metrics["pushforward"]["iwae"] | {"samples": 1, "proposal": "posterior", "monte_carlo_error": 0}
        == (metrics["pushforward"]["iwae"])
    )
    assert metrics["kl_of_units"] == []


def test_the_bound_over_k_is_the_loop():
    torch.manual_seed(0)
    weights = torch.randn(13, 2)
    assert sizes_over(13) == [1, 2, 5, 10, 13]
    for place, size in enumerate(sizes_over(13)):
        groups = [weights[start : start + size] for start in range(0, 13 - size + 1, size)]
        expected = sum(map(importance_weighted_nll, groups)) / len(groups)
        torch.testing.assert_close(bound_over_k(weights)[:, place], expected)
    assert sizes_over(1) == [1]
    assert sizes_over(2000) == [1, 2, 5, 10, 20, 50, 100, 200, 500, 1000, 2000]


def test_units(tiny_model, sentences):
    torch.manual_seed(0)
    posterior = GaussianPosterior(torch.randn(50, 3).double() * torch.tensor([0.0, 0.2, 2.0]), torch.ones(50, 3))
    found = kl_of_units(posterior)
    assert sum(found) == pytest.approx(posterior.kl_divergence().mean().item())
    assert found[1] == pytest.approx((posterior.mean[:, 1].square() / 2).mean().item(), abs=1e-12)
    assert kl_of_units(VonMisesFisherPosterior(torch.nn.functional.normalize(torch.randn(5, 3)), 4.0)) is None
    metrics = evaluate(tiny_model(), sentences)
    assert sum(metrics["kl_of_units"]) == pytest.approx(metrics["pushforward"]["elbo"]["kl"], abs=1e-4)
    assert metrics["units_over_0.05"] == sum(value > 0.05 for value in metrics["kl_of_units"])
    assert metrics["active_units_0.1"] <= metrics["active_units"]
    vmf = tiny_model(posterior="vmf", num_flows=0, flow_kernel=None, mmd_weight=0.0)
    assert evaluate(vmf, sentences)["units_over_0.05"] is None


def test_what_no_proposal_can_be(model, sentences, trained_directory, capsys):
    with pytest.raises(ValueError, match="--iwae_samples must be even where the proposal is a mixture"):
        evaluate(model, sentences, samples=3, proposal="mixture")
    with pytest.raises(ValueError, match="--proposal must be one of posterior, mixture"):
        evaluate(model, sentences, samples=2, proposal="prior")
    with pytest.raises(ValueError, match="--eval_iwae_samples must be even"):
        TrainArguments(eval_proposal="mixture", eval_iwae_samples=3)
    assert main(["evaluate", str(trained_directory), "--proposal", "mixture", "--iwae_samples", "5"]) == 2
    assert "--iwae_samples must be even" in capsys.readouterr().err
