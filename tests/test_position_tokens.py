"""The loss of tokens by position: what it leaves out, and where it has no place. Its formula by hand is in
test_decoder_hybrid.py."""

import pytest
import torch

from .test_components import refusal
from .test_decoder_hybrid import hybrid

NAME = "position_tokens"


def auxiliary(model, inputs, **options):
    torch.manual_seed(3)
    return model.train()(**inputs, **options).auxiliary[NAME]


@torch.no_grad()
def test_words_that_are_not_scored_are_left_out(tiny_model, batch):
    model = hybrid(tiny_model)
    labels = batch["input_ids"].masked_fill(batch["attention_mask"].eq(0), -100)
    whole = auxiliary(model, batch)
    torch.testing.assert_close(auxiliary(model, batch, labels=labels), whole)
    parts = []
    for word in range(1, 5):  # of the first sentence, each alone in turn; its last stays, for the statistics
        part = labels.clone()
        part[0, 1:4] = -100
        part[0, word] = labels[0, word]
        parts.append(auxiliary(model, batch, labels=part))
        torch.testing.assert_close(parts[-1][1:], whole[1:])
    last = parts.pop()[0]
    torch.testing.assert_close(sum(part[0] - last for part in parts) + last, whole[0])


@torch.no_grad()
@pytest.mark.parametrize("objective", ["iwae", "paper"])
def test_its_weight_and_the_bound(tiny_model, batch, objective):
    fields = {"objective": objective, "importance_samples": 3, "kl_weight": 1.0}
    outputs, first = [], hybrid(tiny_model, **fields)
    for weights in ({NAME: 0.2}, {NAME: 2.0}, {}):
        model = hybrid(tiny_model, auxiliary_losses=weights, **fields)
        model.load_state_dict(first.state_dict(), strict=False)
        torch.manual_seed(3)
        outputs.append(model.train()(**batch))
        if weights:
            found = outputs[-1].auxiliary[NAME]
    for output, weight in zip(outputs, (0.2, 2.0, 0.0), strict=True):
        assert output.loss.item() == pytest.approx(outputs[2].loss.item() + weight * found.mean().item(), rel=1e-5)
        torch.testing.assert_close(output.bound, outputs[2].bound)  # it is no part of the bound
    assert outputs[0].terms()[NAME] == pytest.approx(found.mean().item(), rel=1e-5)


def test_it_teaches_the_deconvolution_alone(tiny_model, batch):
    """Neither the LSTM nor the projection of the decoder hears of it; the encoder does, by way of z'."""
    model = hybrid(tiny_model)
    auxiliary(model, batch).sum().backward()
    reached = {name for name, parameter in model.named_parameters() if parameter.grad is not None}
    assert not any(name.startswith(("decoder.lstm", "decoder.projection")) for name in reached)
    for part in ("decoder.deconvolution", f"auxiliary_losses.{NAME}", "encoder"):
        assert {name for name, _ in model.get_submodule(part).named_parameters(prefix=part)} <= reached


def test_it_needs_a_decoder_with_features():
    message = "auxiliary_losses: position_tokens needs a decoder with a feature of each position, hybrid, but "
    for decoder in ("lstm", "cnn", "transformer"):
        assert refusal(decoder_type=decoder, auxiliary_losses={NAME: 1.0}) == f"{message}decoder_type is {decoder}"
