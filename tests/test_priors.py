"""Priors against torch.distributions, numerical integration, autograd's Jacobian, and the model that has them."""

import math

import pytest
import torch
from torch.distributions import Categorical, Independent, MixtureSameFamily, Normal

from modeling_wae_rnf import GaussianPosterior, WaeRnfConfig
from modeling_wae_rnf.priors import FlowPrior, MixturePrior, StandardNormal, UniformSphere, VampPrior
from wae_rnf.evaluation.estimators import importance_weighted_nll, log_importance_weights
from wae_rnf.evaluation.evaluate_split import evaluate

from .test_evaluate_split import sentences  # noqa: F401  a fixture

GAUSSIAN = ("standard_normal", "mixture", "vamp", "flow")
SMALL = {"prior_components": 3, "prior_layers": 3}


def far_from_the_start(prior, seed=1, scale=0.5):
    """Moves the parameters of a prior by noise, in double precision."""
    generator = torch.Generator().manual_seed(seed)
    for parameter in prior.double().parameters():
        parameter.data += scale * torch.randn(parameter.shape, generator=generator, dtype=torch.float64)
    return prior


def prior_of(name, size, tiny_model):
    """A prior of a tiny model, with parameters as training may leave them."""
    model = tiny_model(prior=name, latent_size=size, flow_kernel=None, **SMALL).double().eval()
    if name == "vamp":  # the pseudo-inputs' posteriors, of which the batch normalization has to know something
        model.posterior_head.mean[-1].running_var.fill_(1e-2)
    return far_from_the_start(model.prior, scale=0.3 if name == "flow" else 0.5), model


def grid(size, reach=12.0, points=601):
    """Every point of a square grid, (n, size), and the volume around each."""
    axis = torch.linspace(-reach, reach, points, dtype=torch.float64)
    return torch.cartesian_prod(*[axis] * size).view(-1, size), (axis[1] - axis[0]).item() ** size


@pytest.mark.parametrize("size", [1, 2])
@pytest.mark.parametrize("name", GAUSSIAN)
def test_density_integrates_to_one_and_has_the_samples_moments(name, size, tiny_model):
    prior, _ = prior_of(name, size, tiny_model)
    points, volume = grid(size)
    with torch.no_grad():
        mass = prior.log_prob(points).exp() * volume
    # the rule of rectangles has many digits on densities so smooth; within its reach lies all but 1e-6 of them
    assert mass.sum().item() == pytest.approx(1, abs=1e-4)
    count = 20_000
    z = prior.sample((count, size), torch.Generator().manual_seed(0))
    assert not z.requires_grad
    for power in (1, 2):
        expected = (mass[:, None] * points**power).sum(0)
        error = (z**power).std(0) / count**0.5
        assert ((z**power).mean(0) - expected).abs().lt(6 * error).all()


def test_mixture_is_that_of_torch():
    prior = far_from_the_start(MixturePrior(WaeRnfConfig(latent_size=5, prior_components=4)))
    components = Independent(Normal(prior.mean, prior.log_stddev.exp()), 1)
    expected = MixtureSameFamily(Categorical(logits=prior.logits), components)
    z = torch.randn(3, 7, 5, dtype=torch.float64)
    torch.testing.assert_close(prior.log_prob(z), expected.log_prob(z), rtol=1e-10, atol=1e-10)


def test_vamp_is_the_mixture_of_the_posteriors_of_its_pseudo_inputs(tiny_model):
    """By hand: each sequence of embeddings alone through LSTM and head of a model in evaluation mode."""
    prior, model = prior_of("vamp", 4, tiny_model)
    z = torch.randn(6, 4, dtype=torch.float64)
    posteriors = [
        model.posterior_head(model.encoder.lstm(sequence[None])[0][:, -1]) for sequence in prior.pseudo_inputs
    ]
    each = torch.stack([Normal(q.mean, q.stddev).log_prob(z).sum(-1) for q in posteriors])
    expected = each.exp().mean(0).log()
    torch.testing.assert_close(prior.log_prob(z), expected, rtol=1e-9, atol=1e-9)
    statistics = {name: buffer.clone() for name, buffer in model.named_buffers()}
    model.train()  # with dropout and statistics of the batch, which are not for pseudo-inputs
    torch.testing.assert_close(prior.log_prob(z), expected, rtol=1e-9, atol=1e-9)
    assert all(module.training for module in model.modules())
    assert all(torch.equal(buffer, statistics[name]) for name, buffer in model.named_buffers())


@pytest.mark.parametrize("size", [1, 4, 5])
def test_flow_prior_is_the_change_of_variables(size):
    prior = far_from_the_start(FlowPrior(WaeRnfConfig(latent_size=size, hidden_size=8, prior_layers=3)))

    def push(y):
        for layer in prior.layers:
            y, _ = layer(y)
        return y

    for y in torch.randn(5, size, dtype=torch.float64):
        volume = torch.linalg.slogdet(torch.autograd.functional.jacobian(push, y))[1]
        expected = Normal(0.0, 1.0).log_prob(y).sum() - volume
        torch.testing.assert_close(prior.log_prob(push(y)), expected, rtol=1e-9, atol=1e-9)
    assert prior.log_prob(push(torch.zeros(size, dtype=torch.float64))).item() != pytest.approx(
        -0.5 * size * math.log(2 * math.pi), abs=1e-3
    )


@pytest.mark.parametrize("name", ["mixture", "flow"])
def test_a_learned_prior_starts_near_the_standard_normal(name, tiny_model):
    prior, z = tiny_model(prior=name).prior, torch.randn(50, 4)
    found, expected = prior.log_prob(z), StandardNormal().log_prob(z)
    assert not torch.equal(found, expected)
    torch.testing.assert_close(found, expected, rtol=0, atol=0.5)


def test_priors_without_parameters():
    z = torch.randn(3, 4)
    assert StandardNormal().state_dict() == UniformSphere().state_dict() == {}
    torch.testing.assert_close(StandardNormal().log_prob(z), Normal(0.0, 1.0).log_prob(z).sum(-1))
    assert UniformSphere().log_prob(z)[0].item() == pytest.approx(-math.log(2 * math.pi**2))  # the area in R^4
    sample = UniformSphere().sample((5, 4), torch.Generator().manual_seed(0))
    torch.testing.assert_close(sample.norm(dim=-1), torch.ones(5))


@pytest.mark.parametrize("name", GAUSSIAN)
def test_every_parameter_learns_and_the_mmd_moves_none_of_the_prior(name, tiny_model, batch):
    model = tiny_model(prior=name, objective="iwae", **SMALL).train()
    model(**batch, mmd_weight=0.0).loss.backward()
    assert all(p.grad is not None and p.grad.abs().max() > 0 for p in model.prior.parameters())
    model.zero_grad()
    output = model(**batch, mmd_weight=1.0)
    output.mmd.backward()
    assert all(p.grad is None for p in model.prior.parameters())
    assert any(p.grad is not None for p in model.encoder.parameters())


@pytest.mark.parametrize("objective", ["authors", "flow_posterior", "iwae", "iwae_flow_posterior"])
def test_mixture_of_one_standard_component_is_the_standard_normal(objective, tiny_model, batch):
    fields = {"objective": objective, "prior_components": 1, "mmd_weight": 0.0}
    standard = tiny_model(**fields, prior="standard_normal").double().eval()
    mixture = tiny_model(**fields, prior="mixture").double().eval()
    mixture.load_state_dict(standard.state_dict(), strict=False)
    mixture.prior.mean.data.zero_()
    losses = []
    for model in (standard, mixture):
        torch.manual_seed(0)
        losses.append(model(**batch).loss)
    torch.testing.assert_close(*losses, rtol=1e-12, atol=1e-12)


@pytest.mark.parametrize("name", [None, *GAUSSIAN])
def test_generate_draws_from_the_prior_in_both_readings(name, tiny_model):
    model = tiny_model(prior=name, **SMALL).eval()
    far_from_the_start(model.prior, scale=2.0).float()

    def text(**given):
        return model.generate(generator=torch.Generator().manual_seed(5), do_sample=False, max_new_tokens=6, **given)

    with torch.random.fork_rng():
        seed = torch.Generator().manual_seed(5)
        torch.randint(2**62, (), generator=seed)  # what `generate` seeds the words with
        z = model.sample_prior(8, seed)
    assert torch.equal(text(num_samples=8), text(latents=z))
    assert torch.equal(text(num_samples=8, prior="flow_posterior"), text(z_prime=z))


@pytest.mark.parametrize("name", GAUSSIAN)
def test_evaluation_has_the_prior_that_is_sampled(name, tiny_model, sentences):  # noqa: F811
    """Bounds of `evaluate` against weights that are put together from the prior's own density."""
    model = tiny_model(prior=name, vocab_size=30, dropout=0.0, **SMALL).eval()
    far_from_the_start(model.prior, scale=0.3).float()
    found = evaluate(model, sentences, samples=200, seed=1)
    total = {"pushforward": [], "flow_posterior": []}
    torch.manual_seed(2)
    with torch.no_grad():
        for ids in sentences["input_ids"]:
            ids = torch.tensor([ids])
            q = model.encode(ids)
            z = q.rsample((200,))
            z_prime, volume = model.push(z)
            nll = torch.stack([model.score(ids, None, z_prime=part) for part in z_prime])
            log_q = Normal(q.mean, q.stddev).log_prob(z).sum(-1)
            total["pushforward"].append(nll + log_q - model.prior.log_prob(z))
            total["flow_posterior"].append(nll + log_q - volume - model.prior.log_prob(z_prime))
    for generative_model, values in total.items():
        values = torch.cat(values, dim=1)  # (samples, sentences)
        error = (values.var(0) / 200).mean().div(values.shape[1]).sqrt().item()
        assert found[generative_model]["elbo"]["nll"] == pytest.approx(
            values.mean().item(), abs=6 * (2**0.5) * error + 1e-4
        )
        assert found[generative_model]["iwae"]["nll"] <= found[generative_model]["elbo"]["nll"] + 6 * error


def test_log_importance_weights_take_a_prior():
    prior = far_from_the_start(MixturePrior(WaeRnfConfig(latent_size=2, prior_components=2))).double()
    posterior = GaussianPosterior(torch.zeros(3, 2).double(), torch.ones(3, 2).double())
    z = torch.randn(4, 3, 2, dtype=torch.float64)
    zeros = torch.zeros(4, 3, dtype=torch.float64)
    weights = log_importance_weights(posterior, z, z + 1, zeros, zeros, prior)
    torch.testing.assert_close(weights["pushforward"], prior.log_prob(z) - posterior.log_prob(z))
    torch.testing.assert_close(weights["flow_posterior"], prior.log_prob(z + 1) - posterior.log_prob(z))
    assert importance_weighted_nll(weights["pushforward"]).shape == (3,)


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"prior": "gaussian"}, "prior must be one of"),
        ({"prior": "uniform_sphere"}, "the prior of a gaussian posterior cannot be 'uniform_sphere'"),
        ({"posterior": "vmf", "prior": "flow", "num_flows": 0, "flow_kernel": None, "mmd_weight": 0.0}, "of a vmf"),
        ({"latent_size": 0, "prior": "flow", "num_flows": 0, "flow_kernel": None, "mmd_weight": 0.0}, "has no prior"),
        ({"prior": "flow", "free_bits": 0.1}, "the standard normal prior"),
        ({"prior_components": 0}, "prior_components must be at least 1"),
    ],
)
def test_impossible_priors_are_refused(fields, message):
    with pytest.raises(ValueError, match=message):
        WaeRnfConfig(**fields)


def test_the_parts_of_a_vamp_prior_are_the_models(tiny_model):
    model = tiny_model(prior="vamp", **SMALL)
    assert [name for name, _ in model.prior.named_parameters()] == ["pseudo_inputs"]
    assert isinstance(model.prior, VampPrior)
    assert model.prior._parts[0] is model.encoder
