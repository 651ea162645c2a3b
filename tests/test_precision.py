"""Mixed precision: latent terms do not lose precision, likelihoods hardly."""

import pytest
import torch

from modeling_wae_rnf import mmd, padded_lstm
from modeling_wae_rnf.precision import full_precision


def autocast():
    return torch.autocast("cpu", dtype=torch.bfloat16)


def test_mmd_is_the_same_under_autocast():
    x, y = torch.randn(2, 12, 8)
    expected = mmd(x, y)
    with autocast():
        assert torch.equal(mmd(x, y), expected)


def test_posterior_and_flow_are_the_same_under_autocast(tiny_model):
    model = tiny_model().eval()
    state, z = torch.randn(5, model.config.hidden_size), torch.randn(5, model.config.latent_size)
    posterior, pushed = model.posterior_head(state), model.push(z)
    with autocast():
        again = model.posterior_head(state)
        for value, expected in zip(model.push(z), pushed, strict=True):
            assert torch.equal(value, expected)
    assert torch.equal(again.mean, posterior.mean)
    assert torch.equal(again.stddev, posterior.stddev)


def test_half_precision_state_becomes_single(tiny_model):
    model = tiny_model().eval()
    with autocast():
        posterior = model.posterior_head(torch.randn(5, model.config.hidden_size, dtype=torch.bfloat16))
    assert posterior.mean.dtype == torch.float32


def test_without_autocast_the_type_is_kept():
    @full_precision
    def double(x):
        return 2 * x

    assert double(torch.ones(1, dtype=torch.bfloat16)).dtype == torch.bfloat16


@pytest.mark.parametrize("lstm", ["this CPU's", "none in bfloat16"])
def test_training_step_in_bfloat16_is_near_single_precision(tiny_model, batch, lstm, monkeypatch):
    if lstm != "this CPU's":  # as on CPUs without AVX-512, whatever this one has
        monkeypatch.setattr(padded_lstm, "has_lstm", lambda dtype: False, raising=False)
    model = tiny_model(dropout=0.0)
    torch.manual_seed(0)
    expected = model(**batch)
    torch.manual_seed(0)
    with autocast():
        output = model(**batch)
    output.loss.backward()
    for name in ("loss", "reconstruction", "kl", "log_abs_det", "mmd"):
        assert output[name].dtype == torch.float32, name
        torch.testing.assert_close(output[name], expected[name], rtol=0.02, atol=0.02)
    assert all(p.grad is None or p.grad.isfinite().all() for p in model.parameters())
