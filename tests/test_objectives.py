"""Importance-weighted objectives: a linear-Gaussian model of known log p(x), gradients, the loss by hand."""

import math

import pytest
import torch
from torch.distributions import Independent, MultivariateNormal, Normal

from modeling_wae_rnf import GaussianPosterior
from modeling_wae_rnf.flows import Flow
from modeling_wae_rnf.latent_code import LatentCode
from modeling_wae_rnf.objectives import OBJECTIVES
from modeling_wae_rnf.priors import StandardNormal

LOADING = torch.tensor([[0.8, -0.3], [0.5, 1.1]], dtype=torch.float64)  # x | z ~ N(LOADING z, NOISE² I), z ~ N(0, I)
NOISE = 0.7
X = torch.tensor([1.2, -0.4], dtype=torch.float64)
COVARIANCE = LOADING @ LOADING.T + NOISE**2 * torch.eye(2, dtype=torch.float64)
LOG_P = MultivariateNormal(torch.zeros(2, dtype=torch.float64), COVARIANCE).log_prob(X).item()


def normal(z, mean, stddev):
    return Normal(mean, stddev).log_prob(z).sum(-1)


def build_flow():
    torch.manual_seed(4)
    return Flow(2, 2).double()


def parameters(repeats, mean=(0.9, 0.2), log_stddev=(-0.2, 0.1)):
    """q's mean and log standard deviation, (repeats, 2) each: one row for a draw, so that each has its gradient."""
    values = (torch.tensor(row, dtype=torch.float64).expand(repeats, 2).clone() for row in (mean, log_stddev))
    return [value.requires_grad_() for value in values]


def ours(name, noise, mean, log_stddev, alpha, loading=LOADING, flow=None):
    """The loss and the bound of each row, by the objective of the table."""
    flow, objective = flow or build_flow(), OBJECTIVES[name]
    posterior = GaussianPosterior(mean, log_stddev.exp())
    z = mean + log_stddev.exp() * noise
    z_prime, log_abs_det, _ = flow(z)
    code = LatentCode(posterior, z, z_prime, log_abs_det, [], None)
    reconstruction = -normal(X, z_prime @ loading.T, NOISE)
    kl = objective.kl(code, StandardNormal())
    return objective.loss(reconstruction, kl, code, alpha), objective.bound(reconstruction, kl, code)


def plain(name, noise, mean, log_stddev, alpha, loading=LOADING, flow=None, score=True):
    """Burda et al. 2016, eq. 8, written down anew; without `score`, q's parameters are constants in log q."""
    flow = flow or build_flow()
    z = mean + log_stddev.exp() * noise
    z_prime, log_abs_det, _ = flow(z)
    of_q = (mean, log_stddev.exp()) if score else (mean.detach(), log_stddev.exp().detach())
    ratio = normal(z, *of_q) - normal(z, torch.zeros(2), torch.ones(2))
    if name == "iwae_flow_posterior":
        ratio = normal(z, *of_q) - log_abs_det - normal(z_prime, torch.zeros(2), torch.ones(2))
    log_weights = normal(X, z_prime @ loading.T, NOISE) - alpha * ratio
    return -(log_weights.logsumexp(0) - math.log(len(noise)))


def gradients(function, name, noise, alpha, **options):
    """Of each row's loss with respect to q's four parameters: (repeats, 4)."""
    values = parameters(noise.shape[1])
    loss = function(name, noise, *values, alpha, **options)
    loss = loss[0] if isinstance(loss, tuple) else loss
    return torch.cat(torch.autograd.grad(loss.sum(), values), dim=-1)


def standard_errors(values):
    """By how many of its standard errors each column's mean is from zero."""
    return values.mean(0).abs() / (values.std(0) / len(values) ** 0.5)


def draw(samples, repeats, seed=0):
    generator = torch.Generator().manual_seed(seed)
    return torch.randn(samples, repeats, 2, dtype=torch.float64, generator=generator)


IMPORTANCE_WEIGHTED = ("iwae", "iwae_flow_posterior")


@pytest.mark.parametrize("alpha", [0.0, 0.5, 1.0])
@pytest.mark.parametrize("samples", [1, 4])
@pytest.mark.parametrize("name", IMPORTANCE_WEIGHTED)
def test_the_gradient_has_the_expectation_of_the_plain_one(name, samples, alpha):
    noise = draw(samples, 100_000)
    expected = gradients(plain, name, noise, alpha)
    found = gradients(ours, name, noise, alpha)
    assert (standard_errors(found - expected)[(found - expected).abs().amax(0) > 1e-9] < 5).all()
    if alpha == 1.0:  # and the comparison tells: with the score left out but nothing in its place, it is another
        wrong = gradients(plain, name, noise, alpha, score=False)
        if samples > 1:
            assert standard_errors(wrong - expected).max() > 50
        assert found.std(0).sum() < expected.std(0).sum()


@pytest.mark.parametrize("name", IMPORTANCE_WEIGHTED)
def test_what_is_not_of_the_encoder_gets_the_ordinary_gradient(name):
    noise, results = draw(5, 20), []
    for function in (ours, plain):
        loading, flow = LOADING.clone().requires_grad_(), build_flow()
        loss = function(name, noise, *parameters(20), 0.7, loading=loading, flow=flow)
        loss = loss[0] if isinstance(loss, tuple) else loss
        results.append(torch.autograd.grad(loss.sum(), [loading, *flow.parameters()]))
    for found, expected in zip(*results, strict=True):
        torch.testing.assert_close(found, expected, rtol=1e-10, atol=1e-10)


@pytest.mark.parametrize("name", IMPORTANCE_WEIGHTED)
def test_of_one_sample_it_sticks_to_the_landing(name):
    """Roeder et al. 2017: the ELBO's gradient along the path alone."""
    noise = draw(1, 50)
    expected = gradients(plain, name, noise, 1.0, score=False)
    torch.testing.assert_close(gradients(ours, name, noise, 1.0), expected, rtol=1e-10, atol=1e-10)


def test_at_the_exact_posterior_the_gradient_has_no_noise():
    """The weights are all p(x) there, whatever z is; the plain gradient is zero in the mean alone."""
    loading = torch.diag(torch.tensor([0.8, 1.3], dtype=torch.float64))
    precision = 1 + loading.diagonal() ** 2 / NOISE**2
    mean = (loading.diagonal() * X / NOISE**2 / precision).tolist()
    noise, found = draw(4, 30), []
    for function in (ours, plain):
        values = parameters(30, mean, (-0.5 * precision.log()).tolist())
        loss = function("iwae", noise, *values, 1.0, loading=loading, flow=Flow(2, 0))
        loss = loss[0] if isinstance(loss, tuple) else loss
        found.append(torch.cat(torch.autograd.grad(loss.sum(), values)).abs().max().item())
    assert found[0] < 1e-10
    assert found[1] > 0.1


def test_the_bound_lies_above_and_comes_down_to_the_likelihood():
    bounds, before = {}, None
    for samples in (1, 8, 64, 512):
        loss, bound = ours("iwae", draw(samples, 4000), *parameters(4000), 1.0, flow=Flow(2, 0))
        assert torch.equal(loss.detach(), bound)
        bounds[samples] = bound
        error = bound.std().item() / 4000**0.5
        assert bound.mean().item() > -LOG_P - 5 * error
        if before is not None:
            assert before - bound.mean().item() > 5 * error
        before = bound.mean().item()
    assert before == pytest.approx(-LOG_P, abs=0.01)
    assert bounds[1].mean().item() > -LOG_P + 0.1


def test_the_bound_is_that_of_alpha_1_whatever_is_trained():
    noise = draw(3, 10)
    loss, bound = ours("iwae_flow_posterior", noise, *parameters(10), 0.3)
    torch.testing.assert_close(bound, plain("iwae_flow_posterior", noise, *parameters(10), 1.0).detach())
    torch.testing.assert_close(loss, plain("iwae_flow_posterior", noise, *parameters(10), 0.3))


@torch.no_grad()
@pytest.mark.parametrize("prior", ["standard_normal", "mixture", "vamp", "flow"])
@pytest.mark.parametrize("name", IMPORTANCE_WEIGHTED)
def test_loss_by_hand_on_two_sentences(name, prior, tiny_model, batch):
    model = tiny_model(objective=name, prior=prior, importance_samples=3, prior_components=2, prior_layers=2).eval()
    inputs, alpha, losses, bounds = {key: ids[:2] for key, ids in batch.items()}, 0.4, [], []
    torch.manual_seed(7)
    output = model(**inputs, kl_weight=alpha, mmd_weight=0.0)
    torch.manual_seed(7)
    noise = torch.randn(3, 2, 4)
    posterior = model.encode(**inputs)
    for row in range(2):
        log_weights, honest = [], []
        for sample in noise:
            z = posterior.mean[row] + posterior.stddev[row] * sample[row]
            z_prime, volume = model.push(z)
            ids = inputs["input_ids"][row : row + 1]
            scores = model(ids, latents=z[None]).logits[0].log_softmax(-1)
            nll = -sum(scores[t, word].item() for t, word in enumerate(ids[0, 1:].tolist()) if word != 0)
            ratio = normal(z, posterior.mean[row], posterior.stddev[row])
            if name == "iwae":
                ratio = (ratio - model.prior.log_prob(z[None])[0]).item()
            else:
                ratio = (ratio - volume - model.prior.log_prob(z_prime[None])[0]).item()
            log_weights.append(-nll - alpha * ratio)
            honest.append(-nll - ratio)
        losses.append(-math.log(sum(map(math.exp, log_weights)) / 3))
        bounds.append(-math.log(sum(map(math.exp, honest)) / 3))
    assert output.loss.item() == pytest.approx(sum(losses) / 2, rel=1e-5)
    assert output.bound.tolist() == pytest.approx(bounds, rel=1e-5)
    # Jensen: what a sample pays in the mean is more
    volume = output.log_abs_det if name == "iwae_flow_posterior" else 0.0
    assert (output.reconstruction + output.kl - volume >= output.bound).all()


@pytest.mark.parametrize("name", OBJECTIVES)
def test_the_bound_of_every_objective_is_that_of_its_generative_model(name, tiny_model, batch):
    model = tiny_model(objective=name, importance_samples=1).eval()
    torch.manual_seed(0)
    output = model(**batch, kl_weight=0.0, mmd_weight=0.0)
    z, q = output.latents, model.encode(**batch)
    z_prime, volume = model.push(z)
    log_q = Independent(Normal(q.mean, q.stddev), 1).log_prob(z)
    nll = model.score(**batch, z_prime=z_prime)
    zeros, ones = torch.zeros(4), torch.ones(4)
    kl = torch.distributions.kl_divergence(Normal(q.mean, q.stddev), Normal(0.0, 1.0)).sum(-1)
    expected = {
        "paper": nll + kl,
        "pushforward": nll + kl,
        "authors": nll + log_q - volume - normal(z_prime, zeros, ones),
        "flow_posterior": nll + log_q - volume - normal(z_prime, zeros, ones),
        "iwae": nll + log_q - normal(z, zeros, ones),
        "iwae_flow_posterior": nll + log_q - volume - normal(z_prime, zeros, ones),
    }[name]
    torch.testing.assert_close(output.bound, expected, rtol=1e-5, atol=1e-4)


def test_closed_forms():
    closed = [name for name, objective in OBJECTIVES.items() if objective.closed_form]
    assert closed == ["paper", "pushforward"]


@pytest.mark.parametrize("fields", [{}, {"batch_norm": False}, {"mean_gamma": 0.6}, {"latents_at_every_step": True}])
def test_a_step_of_training_has_a_gradient_everywhere(fields, tiny_model, batch):
    model = tiny_model(objective="iwae", prior="flow", word_dropout=0.2, **fields).train()
    with torch.autocast("cpu", dtype=torch.bfloat16):
        output = model(**batch)
    output.loss.backward()
    assert output.latents.shape == (4, 4)
    missing = [name for name, p in model.named_parameters() if p.requires_grad and (p.grad is None)]
    assert missing == []
    assert all(p.grad.isfinite().all() for p in model.parameters() if p.grad is not None)


def test_the_mmds_gradient_is_not_weighed(tiny_model, batch):
    """With the reconstruction and the divergence taken out, what reaches the encoder is the MMD's own gradient."""
    model = tiny_model(objective="iwae", dropout=0.0, importance_samples=3).double().eval()
    found = []
    for full in (False, True):
        model.zero_grad()
        torch.manual_seed(3)
        output = model(**batch, mmd_weight=2.0)
        if full:
            torch.manual_seed(3)
            rest = model(**batch, mmd_weight=0.0)
            (output.loss - rest.loss).backward()
        else:
            (2 * output.mmd).backward()
        found.append({name: p.grad.clone() for name, p in model.encoder.named_parameters()})
    for name, gradient in found[0].items():
        torch.testing.assert_close(found[1][name], gradient, rtol=1e-7, atol=1e-9)


def test_labels_and_logits(tiny_model, batch):
    """Words that are not scored leave every sample's weight; logits are those at the first sample."""
    model = tiny_model(objective="iwae", importance_samples=2).eval()
    labels = batch["input_ids"].masked_fill(batch["attention_mask"] == 0, -100)
    results = []
    for given in (labels, labels.clone().index_fill_(1, torch.tensor([2]), -100)):
        torch.manual_seed(1)
        results.append(model(**batch, labels=given))
    assert (results[0].reconstruction > results[1].reconstruction)[:3].all()
    again = model(batch["input_ids"], latents=results[0].latents).logits
    words = batch["attention_mask"].bool()
    torch.testing.assert_close(results[0].logits[words], again[words])


def test_the_posteriors_mean_is_one_sample(tiny_model, batch):
    model = tiny_model(objective="iwae").eval()
    output = model(**batch, sample=False)
    assert torch.equal(output.latents, model.encode(**batch).mean)
    assert output.loss.isfinite()
