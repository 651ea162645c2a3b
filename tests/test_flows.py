"""Planar flows against the golden values, autograd, and a numerical inverse."""

import pytest
import torch

from modeling_wae_rnf import PlanarFlow, WaeRnfConfig, WaeRnfModel
from modeling_wae_rnf.flows import Flow


def golden_flows(golden):
    flow = Flow(4, 3).double()
    for step, values in zip(flow.steps, golden["flows"], strict=True):
        for name, value in values.items():
            getattr(step, name).data = torch.tensor(value, dtype=torch.float64)
    return flow


def random_flow(latent_size, scale):
    torch.manual_seed(3)
    flow = PlanarFlow(latent_size).double()
    for parameter in flow.parameters():
        torch.nn.init.normal_(parameter, std=scale)
    return flow


def test_golden_values(golden):
    z = torch.tensor(golden["z0"], dtype=torch.float64)
    z_prime, log_abs_det, inputs = golden_flows(golden)(z)
    torch.testing.assert_close(z_prime, torch.tensor(golden["z_K"], dtype=z.dtype), rtol=0, atol=1e-9)
    torch.testing.assert_close(log_abs_det, torch.tensor(golden["sum_log_abs_det"], dtype=z.dtype), rtol=0, atol=1e-9)
    assert len(inputs) == 3
    assert inputs[0] is z


@pytest.mark.parametrize("scale", [0.1, 1.0, 4.0])
def test_log_determinant_is_autograds(scale):
    flow = random_flow(5, scale)
    for z in torch.randn(20, 5, dtype=torch.float64):
        jacobian = torch.autograd.functional.jacobian(lambda x: flow(x)[0], z)
        sign, expected = torch.linalg.slogdet(jacobian)
        assert sign == 1
        bias = 2e-8 * torch.exp(-expected)  # of the floor under the logarithm
        torch.testing.assert_close(flow(z)[1], expected, rtol=1e-9, atol=1e-9 + bias.item())


@pytest.mark.parametrize("scale", [0.1, 1.0, 4.0])
def test_inverse_undoes_the_step(scale):
    flow = random_flow(6, scale)
    z = torch.randn(5, 10, 6, dtype=torch.float64)
    torch.testing.assert_close(flow.inverse(flow(z)[0]), z, rtol=1e-6, atol=1e-6)


def test_inverse_of_the_composition(golden):
    flow, z = golden_flows(golden), torch.tensor(golden["z0"], dtype=torch.float64)
    torch.testing.assert_close(flow.inverse(torch.tensor(golden["z_K"], dtype=z.dtype)), z, rtol=0, atol=1e-7)


def test_nearly_flat_flow_stays_finite():
    flow = PlanarFlow(2)
    flow.u.data, flow.w.data, flow.b.data = (
        torch.tensor([-30.0, 0.0]),
        torch.tensor([1.0, 0.0]),
        torch.zeros(1),
    )
    z_prime, log_abs_det = flow(torch.zeros(1, 2))  # softplus(uᵀw) - 1 rounds to -1 here
    assert z_prime.isfinite().all()
    torch.testing.assert_close(log_abs_det, torch.tensor([1e-8]).log(), rtol=1e-4, atol=0)


def test_composition_keeps_leading_shape():
    torch.manual_seed(0)
    flow = Flow(4, 2)
    z = torch.randn(3, 5, 4)
    z_prime, log_abs_det, _ = flow(z)
    assert z_prime.shape == (3, 5, 4)
    torch.testing.assert_close(log_abs_det[2], flow(z[2])[1])
    assert Flow(4, 0)(z)[0] is z


def test_starts():
    """u and w: uniform in ±1/√d, or N(0, 1); b: 0, or 1. Moments within four standard errors."""
    sizes = {"vocab_size": 5, "embedding_size": 2, "hidden_size": 2, "latent_size": 2000, "num_flows": 2}
    torch.manual_seed(0)
    for how, deviation, bias in (("uniform", (3 * 2000) ** -0.5, 0.0), ("normal", 1.0, 1.0)):
        for step in WaeRnfModel(WaeRnfConfig(**sizes, num_centres=1, flow_init=how)).flow.steps:
            assert step.b.item() == bias
            for values in (step.u, step.w):
                assert abs(values.mean()) < 4 * deviation / 2000**0.5
                assert abs(values.std() / deviation - 1) < 4 / (2 * 2000) ** 0.5
            assert how == "normal" or max(step.u.abs().max(), step.w.abs().max()) <= 2000**-0.5


def test_the_embeddings_start():
    torch.manual_seed(0)
    sizes = {"vocab_size": 400, "embedding_size": 50, "hidden_size": 50, "latent_size": 2, "num_centres": 1}
    for fields, deviation in (({}, 1.0), ({"embedding_std": 0.3}, 0.3), ({"tie_word_embeddings": True}, 50**-0.5)):
        weight = WaeRnfModel(WaeRnfConfig(**sizes, **fields)).embedding.weight
        assert abs(weight.std() / deviation - 1) < 4 / (2 * 20_000) ** 0.5
