"""The Dirichlet distribution against high-precision values, integrals and moments; and a model that has it."""

import math

import mpmath
import pytest
import torch
from datasets import Dataset

from modeling_wae_rnf import Dirichlet, GaussianDirichletPosterior, GaussianPosterior
from modeling_wae_rnf.dirichlet import FLOOR
from wae_rnf.evaluation.evaluate_split import evaluate
from wae_rnf.training.systems import SYSTEMS

from .test_components import NO_FLOW_NO_MMD, build, refusal

CONCENTRATIONS = (1e-3, 0.05, 1.0, 7.5, 1e4)
PAIRS = [
    ([one, other, 2.0], [third, 0.3, one])
    for one in CONCENTRATIONS for other in CONCENTRATIONS[::2] for third in CONCENTRATIONS[::2]
]  # fmt: skip
TOPICS = {"posterior": "gaussian_dirichlet"} | NO_FLOW_NO_MMD


def log_beta(a):
    """The logarithm of the Dirichlet's normalizer."""
    return mpmath.fsum(map(mpmath.loggamma, a)) - mpmath.loggamma(mpmath.fsum(a))


def precise_kl(a, b):
    """Σ_k (a_k - b_k) E[log t_k] + log B(b) - log B(a)."""
    expected = [mpmath.digamma(own) - mpmath.digamma(mpmath.fsum(a)) for own in a]
    return mpmath.fsum((p - q) * mean for p, q, mean in zip(a, b, expected, strict=True)) + log_beta(b) - log_beta(a)


def precise_entropy(a):
    expected = [mpmath.digamma(own) - mpmath.digamma(mpmath.fsum(a)) for own in a]
    return log_beta(a) - mpmath.fsum((own - 1) * mean for own, mean in zip(a, expected, strict=True))


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_divergence_and_entropy_against_high_precision(dtype):
    a, b = (torch.tensor(values, dtype=dtype) for values in zip(*PAIRS, strict=True))
    with mpmath.workdps(40):
        rows = [
            ([mpmath.mpf(x) for x in p], [mpmath.mpf(x) for x in q])
            for p, q in zip(a.tolist(), b.tolist(), strict=True)
        ]
        kl = torch.tensor([float(precise_kl(p, q)) for p, q in rows], dtype=dtype)
        entropy = torch.tensor([float(precise_entropy(p)) for p, _ in rows], dtype=dtype)
    exact = {"rtol": 1e-6, "atol": 1e-6} if dtype == torch.float32 else {"rtol": 1e-10, "atol": 1e-9}
    torch.testing.assert_close(Dirichlet(a).kl_divergence(Dirichlet(b)), kl, **exact)
    torch.testing.assert_close(Dirichlet(a).entropy(), entropy, **exact)


def test_density_is_that_of_torch_and_its_pairs_are_its_rows():
    torch.manual_seed(0)
    a = torch.rand(4, 5, dtype=torch.float64) * 3 + 0.5
    t = torch.distributions.Dirichlet(a).sample((6,))
    found = Dirichlet(a).log_prob(t)
    torch.testing.assert_close(found, torch.distributions.Dirichlet(a).log_prob(t))
    torch.testing.assert_close(Dirichlet(a).log_prob_of_each(t[:, 2]), Dirichlet(a).log_prob(t[:, 2, None]))
    tiny = torch.tensor([[FLOOR, 0.5, 0.5, 0.0, 0.0]], dtype=torch.float64)
    torch.testing.assert_close(Dirichlet(a).log_prob_of_each(tiny), Dirichlet(a).log_prob(tiny[:, None]))


@pytest.mark.parametrize("a", [[1e-3, 1e-3], [0.01, 2.0], [0.05, 1e-3]])
def test_proportions_under_the_floor_are_an_event(a):
    """Two topics: the probabilities of both ends and the integral between them sum to one; ends against mpmath."""
    beta = Dirichlet(torch.tensor([a], dtype=torch.float64))
    ends = torch.tensor([[0.0, 1.0], [1.0, 0.0]], dtype=torch.float64)
    found = beta.log_prob(ends).exp()
    with mpmath.workdps(60):
        for value, (own, other) in zip(found.tolist(), (a, a[::-1]), strict=True):
            assert value == pytest.approx(float(mpmath.betainc(own, other, 0, FLOOR, regularized=True)), rel=1e-9)
    # between the ends by t = 1 / (1 + exp(-y)), whose dt is t (1 - t) dy
    y = torch.linspace(math.log(FLOOR), -math.log(FLOOR), 400_001, dtype=torch.float64)
    t = torch.stack([y.sigmoid(), (-y).sigmoid()], dim=-1)[1:-1]
    between = (beta.log_prob(t) + t.log().sum(-1)).exp().sum() * (y[1] - y[0])
    assert (found.sum() + between).item() == pytest.approx(1, abs=1e-3)


@pytest.mark.parametrize("a", [1e-3, 0.02, 0.5, 3.0, 300.0, 1e4])
def test_moments_of_the_samples_and_of_their_gradients(a):
    """E[t_1] = a_1 / A, Var = a_1 (A - a_1) / (A² (A + 1)), dE[t_1]/da_1 = (A - a_1) / A²; seeded."""
    count = 20_000
    a = torch.tensor([a, 2 * a, a], dtype=torch.float64)
    given = a.expand(count, 3).clone().requires_grad_()
    t = Dirichlet(given).rsample(generator=torch.Generator().manual_seed(0))
    own, total = a[0].item(), a.sum().item()
    variance = own * (total - own) / (total**2 * (total + 1))
    first = t[:, 0].detach()
    assert abs(first.mean().item() - own / total) < 5 * (variance / count) ** 0.5
    squares = (first - own / total).square()
    assert squares.mean().item() == pytest.approx(variance, abs=5 * squares.std().item() / count**0.5)
    slopes = torch.autograd.grad(t[:, 0].sum(), given)[0][:, 0]
    assert slopes.mean().item() == pytest.approx((total - own) / total**2, abs=5 * slopes.std().item() / count**0.5)


@pytest.mark.parametrize("a", CONCENTRATIONS)
def test_everything_is_finite_in_single_precision(a):
    concentration = torch.full((500, 6), a, requires_grad=True)
    with torch.no_grad():
        concentration[:, 0] = 1e4
        concentration[:, 1] = 1e-3
    q, p = Dirichlet(concentration), Dirichlet(torch.full((500, 6), 0.5))
    t = q.rsample((3,), torch.Generator().manual_seed(0))
    assert t.dtype == torch.float32
    torch.testing.assert_close(t.sum(-1), torch.ones(3, 500))
    assert (t >= FLOOR).all()
    for value in (t, q.log_prob(t) - p.log_prob(t), q.kl_divergence(p), p.kl_divergence(q), q.entropy(), q.mean):
        assert value.isfinite().all()
        (gradient,) = torch.autograd.grad(value.sum(), concentration, retain_graph=True)
        assert gradient.isfinite().all()


def test_samples_follow_from_the_generator_and_leave_the_others_alone():
    posterior = GaussianDirichletPosterior(
        GaussianPosterior(torch.zeros(2, 3), torch.ones(2, 3)), Dirichlet(torch.ones(2, 4))
    )
    state = torch.random.get_rng_state()
    draws = [posterior.rsample((5,), torch.Generator().manual_seed(seed)) for seed in (0, 0, 1)]
    assert draws[0].shape == (5, 2, 7)
    assert torch.equal(draws[0], draws[1])
    assert not torch.equal(draws[0], draws[2])
    assert torch.equal(state, torch.random.get_rng_state())


def test_posterior_is_the_product_of_its_parts():
    torch.manual_seed(0)
    mean, stddev, a = torch.randn(3, 2), torch.rand(3, 2) + 0.5, torch.rand(3, 4) + 0.5
    posterior = GaussianDirichletPosterior(GaussianPosterior(mean, stddev), Dirichlet(a))
    latents = posterior.rsample((5,))
    z, t = latents[..., :2], latents[..., 2:]
    normal = torch.distributions.Independent(torch.distributions.Normal(mean, stddev), 1)
    dirichlet = torch.distributions.Dirichlet(a)
    torch.testing.assert_close(posterior.log_prob(latents), normal.log_prob(z) + dirichlet.log_prob(t))
    torch.testing.assert_close(posterior.entropy(), normal.entropy() + dirichlet.entropy())
    torch.testing.assert_close(posterior.mean, torch.cat([mean, dirichlet.mean], dim=-1))
    pairs = posterior.log_prob_of_each(latents[0])
    assert pairs.shape == (3, 3)
    torch.testing.assert_close(pairs.diagonal(), posterior.log_prob(latents[0]))
    double = GaussianDirichletPosterior.concatenate([posterior, posterior], torch.tensor([5, 0]))
    assert double.mean.dtype == torch.float64
    torch.testing.assert_close(double.mean[1].float(), posterior.mean[0])


@pytest.mark.parametrize("prior", ["dirichlet", "conditional_dirichlet"])
@torch.no_grad()
def test_divergence_is_the_mean_of_the_log_ratio(prior, batch):
    """At many samples, in the model's own parts; `kl_at` has the same mean and less spread."""
    model = build(TOPICS | {"prior": prior}).double().eval()
    posterior = model.encode(**batch)
    latents = posterior.rsample((4000,), torch.Generator().manual_seed(0))
    ratio = posterior.log_prob(latents) - model.prior.log_prob(latents)
    each = model.prior.kl_at(posterior, latents)
    assert ((ratio - each).mean(0).abs() < 5 * (ratio - each).std(0) / 4000**0.5).all()
    if prior == "dirichlet":
        torch.testing.assert_close(model.prior.kl_divergence(posterior).expand(4000, -1), each)
        torch.testing.assert_close(posterior.kl_divergence(), each[0])  # from the uniform distribution, a = 1
    else:
        assert model.prior.kl_divergence(posterior) is None
        assert each.var(0).sum() < 0.5 * ratio.var(0).sum()


@torch.no_grad()
def test_samples_of_a_prior_are_of_its_density():
    """Means of t under p(t|z) by hand, and of one of a = 0.2."""
    model = build(TOPICS | {"prior": "conditional_dirichlet"}).double().eval()
    model.prior.scores[-1].weight.mul_(20)
    sample = model.sample_prior(5000, torch.Generator().manual_seed(0))
    z, t = sample[:, :2], sample[:, 2:]
    bent = (model.prior.scores(z) / math.log(1000)).tanh() * math.log(1000)
    a = bent.exp()
    expected, error = a / a.sum(1, keepdim=True), (t - a / a.sum(1, keepdim=True)).std(0) / 5000**0.5
    assert ((t - expected).mean(0).abs() < 5 * error).all()
    assert expected[:, 0].std() > 0.1  # which z decides
    normal = torch.distributions.Normal(0.0, 1.0).log_prob(z).sum(-1)
    found, inside = model.prior.log_prob(sample), (t > FLOOR).all(1)
    assert inside.sum() > 2500
    torch.testing.assert_close(found[inside], (normal + torch.distributions.Dirichlet(a).log_prob(t))[inside])
    sparse = build(TOPICS | {"prior": "dirichlet", "prior_kwargs": {"concentration": 0.2}})
    assert sparse.sample_prior(5000, torch.Generator().manual_seed(0))[:, 2:].std().item() > 0.4


@torch.no_grad()
def test_moved_points_are_brought_back():
    prior = build(TOPICS).prior
    moved = prior.project(torch.tensor([[5.0, -3.0, 1.5, -0.5], [0.0, 0.0, 0.25, 0.75]]))
    torch.testing.assert_close(moved, torch.tensor([[5.0, -3.0, 1.0, 0.0], [0.0, 0.0, 0.25, 0.75]]))


@pytest.mark.parametrize("prior", ["dirichlet", "conditional_dirichlet"])
def test_evaluation_has_the_parts_own_densities(prior, batch):
    """Bounds of `evaluate` against weights of torch's distributions, over as many other samples."""
    model, samples = build(TOPICS | {"prior": prior}).eval(), 200
    ids = [[word for word in row if word] for row in batch["input_ids"].tolist()]
    sentences = Dataset.from_dict({"input_ids": ids, "length": [len(row) - 1 for row in ids]})
    found = evaluate(model, sentences, samples=samples)
    weights = []
    torch.manual_seed(5)
    with torch.no_grad():
        for row in ids:
            inputs = torch.tensor([row])
            q = model.encode(inputs)
            latents = q.rsample((samples,))
            z, t = latents[..., :2], latents[..., 2:]
            nll = torch.stack([model.score(inputs, None, z_prime=part) for part in latents])
            log_q = torch.distributions.Normal(q.gaussian.mean, q.gaussian.stddev).log_prob(z).sum(-1)
            log_q = log_q + torch.distributions.Dirichlet(q.topics.concentration).log_prob(t)
            a = torch.ones_like(t)
            if prior == "conditional_dirichlet":
                a = ((model.prior.scores(z) / math.log(1000)).tanh() * math.log(1000)).exp()
            log_p = torch.distributions.Normal(0.0, 1.0).log_prob(z).sum(-1)
            weights.append(log_p + torch.distributions.Dirichlet(a).log_prob(t) - log_q - nll)
    weights = torch.cat(weights, dim=1)
    error = (weights.var(0) / samples).sum().sqrt().item() / len(ids)
    for reading in ("pushforward", "flow_posterior"):
        assert found[reading]["elbo"]["nll"] == pytest.approx(-weights.mean().item(), abs=8 * error)
        iwae = (math.log(samples) - weights.logsumexp(0)).mean().item()
        assert found[reading]["iwae"]["nll"] == pytest.approx(iwae, abs=8 * error)
    assert found["kl_of_units"] is None


def test_what_there_is_not_is_refused():
    with pytest.raises(ValueError, match="topics lie on a simplex, for which there is no metric here"):
        build(TOPICS).metric_tensor(torch.zeros(1, 4))
    message = refusal(**TOPICS | {"num_flows": 2})
    assert message.startswith("a model whose latents lie on the simplex has neither flows nor MMD")
    assert refusal(**TOPICS, prior="flow").startswith("the prior of a gaussian_dirichlet posterior cannot be 'flow'")
    assert refusal(prior="dirichlet").startswith("the prior of a gaussian posterior cannot be 'dirichlet'")
    assert refusal(**TOPICS, free_bits=0.1).startswith("free_bits and minimum_rate need a divergence")
    assert refusal(**TOPICS | {"latent_size": 2}) == "with topics, latent_size must be at least 3, not 2"
    for number in (1, 4, 2.0, "two"):
        message = refusal(**TOPICS, posterior_kwargs={"num_topics": number})
        assert message == f"num_topics must be a whole number from 2 to latent_size - 1 = 3, not {number!r}"
    for given in (0, -1.0, math.nan, "a"):
        message = refusal(**TOPICS, prior="dirichlet", prior_kwargs={"concentration": given})
        assert message == f"the topics' concentration must be a number in [0.001, 1000], not {given!r}"


def test_sizes():
    for latent_size, options, number in ((3, {}, 2), (9, {}, 4), (9, {"num_topics": 7}, 7)):
        model = build(TOPICS | {"latent_size": latent_size, "posterior_kwargs": options})
        assert model.posterior_head.num_topics == model.prior.num_topics == number
        sample = model.sample_prior(5)
        torch.testing.assert_close(sample[:, -number:].sum(-1), torch.ones(5))
    assert SYSTEMS["dirichlet-vae"].config["posterior"] == "gaussian_dirichlet"


def test_ways_between_sentences(batch):
    model = build(TOPICS).eval()
    points = []
    model.register_forward_pre_hook(
        lambda module, args, kwargs: points.append(kwargs.get("z_prime")), with_kwargs=True
    )
    model.interpolate(batch, batch, steps=3, max_new_tokens=2)
    model.analogy(batch, batch, batch, max_new_tokens=2)
    points = [z for z in points if z is not None]
    assert points
    for z in points:
        torch.testing.assert_close(z[:, 2:].sum(-1), torch.ones(len(z)))
    with pytest.raises(ValueError, match="which a spherical path leaves"):
        model.interpolate(batch, batch, path="spherical")
    with pytest.raises(ValueError, match="there is no metric here"):
        model.interpolate(batch, batch, path="geodesic")
