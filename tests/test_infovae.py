"""InfoVAE (Zhao et al. 2017, eq. 6): the loss by hand on two sentences for any alpha and lambda, and its schedule."""

import pytest
import torch

from wae_rnf.training.arguments import TrainArguments
from wae_rnf.training.model_options import model_config
from wae_rnf.training.schedules import Annealing
from wae_rnf.training.systems import SYSTEMS, customized_system

from .test_systems import kernel_by_hand


@torch.no_grad()
@pytest.mark.parametrize(("a", "weight"), [(0.5, 10.0), (0.0, 1.0), (1.0, 3.0), (-1.0, 2.5)])
def test_loss_by_hand_on_two_sentences(a, weight, tiny_model, batch):
    """-log p(x|z) + (1 - a) KL(q(z|x) || p) + (a + l - 1) MMD(q(z), p)."""
    fields = SYSTEMS["infovae"].fixed | {"kl_weight": 1 - a, "mmd_weight": a + weight - 1}
    model = tiny_model(**fields, dropout=0.0).double().eval()
    inputs = {name: values[:2] for name, values in batch.items()}
    torch.manual_seed(7)
    output = model(**inputs)
    torch.manual_seed(7)
    noise, prior = (torch.randn(2, 4, dtype=torch.float64) for _ in range(2))
    q = model.encode(**inputs)
    z = q.mean + q.stddev * noise
    nll = model.score(**inputs, z_prime=z)
    kl = torch.distributions.kl_divergence(
        torch.distributions.Normal(q.mean, q.stddev), torch.distributions.Normal(0, 1)
    )
    codes, prior = z.tolist(), prior.tolist()
    across = sum(kernel_by_hand(x, y) for x in codes for y in prior) / 4
    divergence = kernel_by_hand(*codes) + kernel_by_hand(*prior) - 2 * across
    expected = (nll + (1 - a) * kl.sum(-1)).mean().item()
    if a + weight > 1:
        expected += (a + weight - 1) * divergence
    assert output.loss.item() == pytest.approx(expected, rel=1e-9)


def weights_of(options, steps=(0, 5, 10)):
    arguments = TrainArguments(system="infovae", **options)
    system = customized_system(arguments)
    annealing = Annealing(system, model_config(arguments, system, 9), arguments.kl_cycles, 10)
    return [tuple(annealing.weights(step).values()) for step in steps]


def test_its_weights_are_free_and_constant():
    assert weights_of({}) == [(0.5, 9.5)] * 3
    assert weights_of({"kl_weight": 0.1, "mmd_weight": 3.0}) == [(0.1, 3.0)] * 3


def test_where_alpha_climbs_lambda_stays():
    assert weights_of({"kl_end": 0.5}) == [(0.0, 9.5), (0.5, 9.5), (0.5, 9.5)]
