"""The Gaussian posterior against the golden values and torch's own divergence."""

import pytest
import torch
from torch.distributions import Normal, kl_divergence

from modeling_wae_rnf import GaussianPosterior, WaeRnfConfig, WaeRnfModel
from modeling_wae_rnf.batch_norm import BatchNorm
from modeling_wae_rnf.gaussian import standard_normal_log_prob


def golden_posterior(golden):
    mean, log_var = (torch.tensor(golden["bound"][name], dtype=torch.float64) for name in ("mean", "log_var"))
    return GaussianPosterior(mean, (0.5 * log_var).exp())


def test_golden_values(golden):
    posterior, bound = golden_posterior(golden), golden["bound"]
    z = torch.tensor(bound["z0"], dtype=torch.float64)
    expected = {
        "kl_closed_form_q0_vs_standard_normal": posterior.kl_divergence(),
        "log_q0_z0": posterior.log_prob(z),
        "log_prior_z0": standard_normal_log_prob(z),
        "log_prior_zK": standard_normal_log_prob(torch.tensor(bound["z_K"], dtype=torch.float64)),
    }
    for name, value in expected.items():
        torch.testing.assert_close(value, torch.tensor(bound[name], dtype=torch.float64), rtol=0, atol=1e-9)


def test_kl_is_torchs(golden):
    posterior = golden_posterior(golden)
    expected = kl_divergence(Normal(posterior.mean, posterior.stddev), Normal(0.0, 1.0)).sum(-1)
    torch.testing.assert_close(posterior.kl_divergence(), expected, rtol=0, atol=1e-12)


def test_samples_have_the_posteriors_moments():
    posterior = GaussianPosterior(torch.tensor([[1.0, -2.0]]), torch.tensor([[0.5, 3.0]]))
    z = posterior.rsample((40_000,), generator=torch.Generator().manual_seed(0))
    assert z.shape == (40_000, 1, 2)
    torch.testing.assert_close(z.mean(0), posterior.mean, rtol=0, atol=4 * 3 / 200)
    torch.testing.assert_close(z.std(0), posterior.stddev, rtol=0.03, atol=0)


def test_samples_are_differentiable():
    mean, stddev = torch.zeros(2, 3, requires_grad=True), torch.ones(2, 3, requires_grad=True)
    torch.manual_seed(0)
    z = GaussianPosterior(mean, stddev).rsample()
    z.sum().backward()
    assert torch.equal(mean.grad, torch.ones(2, 3))
    torch.testing.assert_close(stddev.grad, z.detach())


def test_batch_norm_of_one_sentence_uses_running_statistics():
    norm = BatchNorm(3)
    norm(torch.randn(50, 3) * 2 + 1)
    one = torch.randn(1, 3)
    expected = (one - norm.running_mean) / (norm.running_var + norm.eps).sqrt()
    torch.testing.assert_close(norm(one), expected)
    with pytest.raises(ValueError, match="more than 1 value"):  # what torch's own does
        torch.nn.BatchNorm1d(3)(one)


@pytest.fixture(scope="module", params=["mlp", "linear"])
def of_ptb_sizes(request):
    """A new model of the Penn Treebank's sizes, and 64 random sentences."""
    torch.manual_seed(0)
    model = WaeRnfModel(WaeRnfConfig(vocab_size=10_000, posterior_head=request.param))
    input_ids = torch.randint(4, 10_000, (64, 30))
    input_ids[:, 0], input_ids[:, -1] = 1, 2
    return model, input_ids


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
@pytest.mark.parametrize("scale", [1e-3, 1.0, 1e3])
def test_a_new_model_is_normalized_whatever_the_scale_of_what_the_heads_read(of_ptb_sizes, scale, dtype):
    model, input_ids = of_ptb_sizes
    hook = model.posterior_head.register_forward_pre_hook(lambda _, inputs: (scale * inputs[0],))
    with torch.no_grad(), torch.autocast("cpu", dtype=dtype, enabled=dtype != torch.float32):
        posterior = model.train().encode(input_ids)
    hook.remove()
    for values in (posterior.mean, 2 * posterior.stddev.log()):
        torch.testing.assert_close(values.std(0, correction=0), torch.ones(32), rtol=0, atol=0.01)


@pytest.mark.parametrize("embedding_std", [1.0, 0.02])
def test_a_fixed_gamma_bounds_the_divergence_at_every_step(embedding_std):
    """BN-VAE: the batch's mean of mu² is gamma² + bias², and what the variance costs is not negative."""
    fields = {"num_flows": 0, "flow_kernel": None, "mmd_weight": 0.0, "objective": "pushforward", "kl_weight": 100.0}
    fields |= {"vocab_size": 500, "hidden_size": 64, "mean_gamma": 0.6, "embedding_std": embedding_std}
    torch.manual_seed(0)
    model, least = WaeRnfModel(WaeRnfConfig(**fields)).train(), 0.5 * 32 * 0.6**2
    optimizer, found = torch.optim.AdamW(model.parameters(), lr=0.03), []
    for _ in range(40):
        output = model(torch.randint(4, 500, (16, 6)), sample=True)
        output.loss.backward()
        optimizer.step()
        optimizer.zero_grad()
        found.append(output.kl.mean().item())
    assert min(found) > least * (1 - 1e-4)
    assert found[-1] < 0.5 * found[0]  # and the objective does press it down


def test_an_eps_over_the_variance_breaks_the_bound():
    """What the default keeps from happening."""
    fields = {"vocab_size": 500, "mean_gamma": 0.6, "embedding_std": 0.02}
    for eps, least, most in ((1e-5, 0.0, 0.3), (WaeRnfConfig().batch_norm_eps, 0.999, 1.001)):
        torch.manual_seed(0)
        model = WaeRnfModel(WaeRnfConfig(**fields, batch_norm_eps=eps)).train()
        means = model.encode(torch.randint(4, 500, (64, 6))).mean
        assert least < means.square().mean() / 0.6**2 < most


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16])
def test_half_precision_keeps_small_variances(tiny_model, batch, dtype, tmp_path):
    """1e-9 is 0 in float16, and the mean would be a thousand times too large."""
    model = tiny_model(dropout=0.0).eval()
    norm = model.posterior_head.mean[-1]
    norm.running_var.fill_(1e-9)
    norm.running_mean.normal_()
    model.save_pretrained(tmp_path)
    for half in (WaeRnfModel.from_pretrained(tmp_path, dtype=dtype).eval(), model.to(dtype)):
        head = half.posterior_head.mean
        assert torch.equal(head[-1].running_var, torch.full((4,), 1e-9))
        state = torch.randn(5, 8).to(dtype)
        expected = (head[:-1](state).float() - head[-1].running_mean) / (1e-9 + 1e-12) ** 0.5
        found = half.posterior_head(state).mean
        assert found.dtype == half.dtype == dtype
        torch.testing.assert_close(found, expected.to(dtype))
        half.train()(**batch).loss.backward()  # and it trains
        assert head[0].weight.grad.isfinite().all()
