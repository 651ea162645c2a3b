"""The bag-of-words loss: the formula by hand on two sentences, its weight, and that evaluation leaves it out."""

import math

import pytest
import torch

from wae_rnf.training.systems import SYSTEMS


@pytest.fixture
def inputs(batch):
    return {name: values[:2] for name, values in batch.items()}


def step(model, inputs, **options):
    torch.manual_seed(3)
    return model.train()(**inputs, **options)


@torch.no_grad()
@pytest.mark.parametrize("weight", [1.0, 0.25])
@pytest.mark.parametrize("fields", [{}, {"objective": "iwae", "importance_samples": 3}], ids=["flow", "iwae"])
def test_loss_by_hand_on_two_sentences(fields, weight, tiny_model, inputs):
    """loss = that without + weight · mean of -Σ_t log softmax(W2 tanh(W1 z'))_{x_t}, number by number."""
    options = {"hidden_size": 5}
    model = tiny_model(
        auxiliary_losses={"bag_of_words": weight},
        auxiliary_losses_kwargs={"bag_of_words": options},
        dropout=0.0,
        **fields,
    )
    without = tiny_model(dropout=0.0, **fields)
    without.load_state_dict(model.state_dict(), strict=False)
    output, plain = step(model, inputs), step(without, inputs)
    first, _, second = model.auxiliary_losses["bag_of_words"].scores
    assert first.weight.shape == (5, 4)
    expected = []
    for row, z_prime in enumerate(model.push(output.latents)[0].tolist()):
        hidden = [
            math.tanh(sum(w * z for w, z in zip(weights, z_prime, strict=True)) + bias)
            for weights, bias in zip(first.weight.tolist(), first.bias.tolist(), strict=True)
        ]
        scores = [
            sum(w * h for w, h in zip(weights, hidden, strict=True)) + bias
            for weights, bias in zip(second.weight.tolist(), second.bias.tolist(), strict=True)
        ]
        words = [word for word in inputs["input_ids"][row, 1:].tolist() if word != 0]
        expected.append(sum(math.log(sum(map(math.exp, scores))) - scores[word] for word in words))
    assert output.auxiliary["bag_of_words"].tolist() == pytest.approx(expected, rel=1e-5)
    assert output.loss.item() == pytest.approx(plain.loss.item() + weight * sum(expected) / 2, rel=1e-5)
    assert output.terms()["bag_of_words"].item() == pytest.approx(sum(expected) / 2, rel=1e-5)
    assert "bag_of_words" not in plain.terms()
    torch.testing.assert_close(output.bound, plain.bound)  # it is no part of the bound


@torch.no_grad()
def test_words_that_are_not_scored_are_left_out(tiny_model, inputs):
    model = tiny_model(auxiliary_losses={"bag_of_words": 1.0}, dropout=0.0)
    labels = inputs["input_ids"].masked_fill(inputs["attention_mask"].eq(0), -100)
    whole = step(model, inputs, labels=labels).auxiliary["bag_of_words"]
    labels[0, 2] = -100
    part = step(model, inputs, labels=labels).auxiliary["bag_of_words"]
    assert part[0] < whole[0] - 0.1
    assert part[1] == whole[1]


@torch.no_grad()
def test_an_evaluation_has_the_loss_of_a_vae(tiny_model, inputs):
    model = tiny_model(**SYSTEMS["vae-bow"].config).eval()
    output = model(**inputs, sample=False)
    assert output.auxiliary is None
    assert output.loss.item() == pytest.approx((output.reconstruction + output.kl).mean().item(), rel=1e-6)


def test_by_default_it_has_400_hidden_units(tiny_model):
    model = tiny_model(**SYSTEMS["vae-bow"].config)
    assert model.config.auxiliary_losses == {"bag_of_words": 1.0}
    shapes = [tuple(values.shape) for values in model.auxiliary_losses.parameters()]
    assert shapes == [(400, 4), (400,), (13, 400), (13,)]


def test_its_gradient_is_not_weighed_by_the_samples_of_an_importance_weighted_objective(tiny_model, inputs):
    fields = {"objective": "iwae", "importance_samples": 3, "dropout": 0.0, "batch_norm": False}
    found = []
    for alone in (True, False):
        model = tiny_model(auxiliary_losses={"bag_of_words": 2.0}, **fields).double()
        output = step(model, inputs)
        if alone:
            loss = 2 * output.auxiliary["bag_of_words"].mean()
        else:
            without = tiny_model(**fields).double()
            without.load_state_dict(model.state_dict(), strict=False)
            without.encoder, without.posterior_head = model.encoder, model.posterior_head
            loss = output.loss - step(without, inputs).loss
        loss.backward()
        found.append([parameter.grad for parameter in model.encoder.parameters()])
    for one, other in zip(*found, strict=True):
        torch.testing.assert_close(one, other, rtol=1e-8, atol=1e-10)
