"""The adversary of aae: both losses by hand, who learns from which, accumulated batches, runs."""

import copy
import math
from types import SimpleNamespace
from unittest.mock import patch

import pytest
import torch
import torch.distributed as dist
import torch.nn.functional as F
from accelerate.state import AcceleratorState
from safetensors.torch import load_file
from torch.nn.parallel import DistributedDataParallel

from modeling_wae_rnf import GaussianPosterior, WaeRnfConfig, WaeRnfModel
from modeling_wae_rnf.priors import StandardNormal
from wae_rnf.training.adversarial import Adversarial
from wae_rnf.training.arguments import TrainArguments
from wae_rnf.training.discriminator import Discriminator
from wae_rnf.training.run import train
from wae_rnf.training.systems import SYSTEMS

from .small_runs import last_checkpoint

OPTIONS = {"adversarial_weight": 3.0, "discriminator_hidden_size": 5, "discriminator_learning_rate": 0.01}


def begun(model, wrapped=None):
    """The strategy and its stage, of a model."""
    stage = SimpleNamespace(
        arguments=TrainArguments(system="aae", **OPTIONS),
        config=model.config,
        module=model,
        model=wrapped or model,
        accelerator=SimpleNamespace(device=torch.device("cpu")),
    )
    strategy = Adversarial()
    strategy.begin(stage)
    return strategy, stage


def odds_by_hand(discriminator, z):
    """s(z) of one z, number by number."""
    first, _, second = discriminator.layers
    hidden = [
        max(0.0, sum(w * x for w, x in zip(weights, z, strict=True)) + bias)
        for weights, bias in zip(first.weight.tolist(), first.bias.tolist(), strict=True)
    ]
    return sum(w * h for w, h in zip(second.weight[0].tolist(), hidden, strict=True)) + second.bias.item()


def probability(odds):
    return 1 / (1 + math.exp(-odds))


def test_losses_by_hand_on_two_sentences(tiny_model, batch):
    model = tiny_model(**SYSTEMS["aae"].config, dropout=0.0).train()
    strategy, stage = begun(model)
    output = model(**{name: ids[:2] for name, ids in batch.items()})
    reconstruction, codes = output.reconstruction.tolist(), output.latents.tolist()
    torch.manual_seed(5)
    output = strategy.with_losses(stage, output)
    torch.manual_seed(5)
    prior = torch.randn(2, 4).tolist()
    told = [probability(odds_by_hand(strategy.discriminator, z)) for z in codes]
    told_prior = [probability(odds_by_hand(strategy.discriminator, z)) for z in prior]
    fooled = [-math.log(p) for p in told]
    losses = [-math.log(q) - math.log(1 - p) for p, q in zip(told, told_prior, strict=True)]
    assert output.auxiliary["adversarial"].tolist() == pytest.approx(fooled, rel=1e-5)
    assert output.auxiliary["discriminator"].tolist() == pytest.approx(losses, rel=1e-5)
    assert output.loss.item() == pytest.approx((sum(reconstruction) + 3 * sum(fooled)) / 2, rel=1e-5)
    terms = output.terms()
    assert terms["loss"].item() == output.loss.item()
    assert terms["adversarial"].item() == pytest.approx(sum(fooled) / 2, rel=1e-5)


def test_each_side_learns_from_its_own_loss(tiny_model, batch):
    """The gradients against autograd of the losses as the paper has them, by probabilities."""
    model = tiny_model(**SYSTEMS["aae"].config, dropout=0.0).double().train()
    strategy, stage = begun(model)
    discriminator = strategy.discriminator.double()
    torch.manual_seed(1)
    output = model(**batch)
    z = output.latents
    torch.manual_seed(5)
    strategy.with_losses(stage, output).loss.backward(retain_graph=True)
    torch.manual_seed(5)
    prior = torch.randn(4, 4, dtype=torch.float64)
    of_prior, of_z = torch.ones(4).double(), torch.zeros(4).double()
    told = [discriminator(points).sigmoid() for points in (prior, z.detach())]
    loss = 4 * (F.binary_cross_entropy(told[0], of_prior) + F.binary_cross_entropy(told[1], of_z))
    gradients = torch.autograd.grad(loss, discriminator.parameters())
    for parameter, gradient in zip(discriminator.parameters(), gradients, strict=True):
        torch.testing.assert_close(parameter.grad, gradient)
    encoder = list(model.encoder.parameters())
    fooled = F.binary_cross_entropy(discriminator(z).sigmoid(), of_prior)
    expected = torch.autograd.grad(output.reconstruction.mean() + 3 * fooled, encoder)
    for parameter, gradient in zip(encoder, expected, strict=True):
        torch.testing.assert_close(parameter.grad, gradient)


def test_the_encoder_learns_where_the_discriminator_is_sure():
    """d(-log D)/ds = -(1 - D), which is -1 where D is 0; that of log(1 - D) would be 0."""
    discriminator = Discriminator(1, 1, 0.01)
    with torch.no_grad():
        for parameter, value in zip(discriminator.parameters(), (1.0, 0.0, -50.0, 0.0), strict=True):
            parameter.fill_(value)
    z = torch.ones(1, 1, requires_grad=True)  # s(z) = -50 z
    discriminator.loss_of_encoder(z).sum().backward()
    assert z.grad.item() == pytest.approx(50.0)
    assert all(parameter.grad is None for parameter in discriminator.parameters())


def test_a_step_is_adams_over_the_mean_of_all_rows_since_the_last():
    torch.manual_seed(0)
    discriminator, other = Discriminator(3, 4, 0.01), Discriminator(3, 4, 0.01)
    other.load_state_dict(discriminator.state_dict())
    z, prior = torch.randn(7, 3), torch.randn(7, 3)
    for part in (slice(0, 2), slice(2, 7)):
        discriminator.learn(z[part], prior[part])
    discriminator.step()
    (F.softplus(other(z)) + F.softplus(-other(prior))).mean().backward()
    for moved, parameter in zip(discriminator.parameters(), other.parameters(), strict=True):
        gradient = parameter.grad  # both moments of Adam's first step are those of this gradient alone
        torch.testing.assert_close(moved, parameter - 0.01 * gradient / (gradient.abs() + 1e-8), rtol=0, atol=1e-6)
    assert discriminator.rows == 0
    assert discriminator.optimizer.param_groups[0]["betas"] == (0.5, 0.999)


def test_its_state_has_the_optimizers():
    torch.manual_seed(0)
    trained, other = Discriminator(3, 4, 0.01), Discriminator(3, 4, 0.01)
    z, prior = torch.randn(2, 7, 3)
    for _ in range(2):
        trained.learn(z, prior)
        trained.step()
    other.load_state_dict(copy.deepcopy(trained.state_dict()))
    for each in (trained, other):
        each.learn(z, prior)
        each.step()
    assert all(torch.equal(p, q) for p, q in zip(trained.parameters(), other.parameters(), strict=True))


def after_a_step(rows):
    """The model's gradients, and the discriminator after a step, for those of five sentences that have these numbers.

    Several processes do it together, see test_processes.py.
    """
    torch.manual_seed(0)
    sizes = {"vocab_size": 13, "embedding_size": 6, "hidden_size": 8, "latent_size": 4, "dropout": 0.0}
    model = WaeRnfModel(WaeRnfConfig(**sizes | SYSTEMS["aae"].config)).double()
    strategy, stage = begun(model)
    strategy.discriminator.double()
    ids, noise, prior = torch.randint(4, 13, (5, 6)), torch.randn(5, 4).double(), torch.randn(5, 4).double()
    wrapped = DistributedDataParallel(model) if dist.is_initialized() else model
    with (
        patch.object(GaussianPosterior, "rsample", lambda self, **_: self.mean + self.stddev * noise[rows]),
        patch.object(StandardNormal, "sample", lambda self, *_, **__: prior[rows]),
    ):
        output = strategy.with_losses(stage, wrapped.train()(input_ids=ids[rows], sample=True))
    output.loss.backward()
    strategy.after_backward(stage)
    found = {name: parameter.grad for name, parameter in model.named_parameters()}
    return found | dict(strategy.discriminator.named_parameters())


@pytest.fixture(params=["no", "bf16"])
def precision(request):
    AcceleratorState._reset_state(reset_partial_state=True)
    yield request.param
    AcceleratorState._reset_state(reset_partial_state=True)


def test_a_run_has_the_adversary_in_its_checkpoints_alone(small_run, tmp_path, precision):
    metrics = train(small_run(system="aae", num_epochs=1, mixed_precision=precision, **OPTIONS))
    run = tmp_path / "run"
    state = torch.load(last_checkpoint(run) / "optimizer.pt", weights_only=True)["beside"]["discriminator"]
    assert state["layers.0.weight"].shape == (5, 4)
    assert state["layers.0.weight"].dtype == torch.float32
    assert not any("discriminator" in name for name in load_file(run / "model.safetensors"))
    (validation,) = metrics["training"]["history"]
    assert "adversarial" not in validation  # a discriminator that learns is no measure
    assert validation["loss"] == pytest.approx(validation["reconstruction"])
    assert any(warning.startswith("the loss has no KL divergence") for warning in metrics["warnings"])
