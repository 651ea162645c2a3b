"""What stands in a module's place, or around it, counts: adapters, hooks, weights that lie elsewhere."""

import copy

import pytest
import torch
from accelerate import cpu_offload, disk_offload
from torch import nn

from modeling_wae_rnf import WaeRnfModel
from modeling_wae_rnf.plain_module import is_plain


class LowRank(nn.Module):
    """A linear layer and what is added to its weight: x (W + A B)ᵀ + b."""

    def __init__(self, base):
        super().__init__()
        self.base, (rows, columns) = base, base.weight.shape
        self.a, self.b = nn.Parameter(torch.randn(rows, 2)), nn.Parameter(torch.randn(2, columns))

    weight = property(lambda self: self.base.weight)  # as peft has it: the weight alone says nothing of the adapter
    bias = property(lambda self: self.base.bias)

    def forward(self, x):
        return self.base(x) + x @ self.b.T @ self.a.T


def seeded_loss(model, batch):
    torch.manual_seed(0)
    return model(**batch).loss


def greedy(model, latents):
    return model.generate(latents=latents, do_sample=False, max_new_tokens=6)


@pytest.fixture
def merged_and_adapted(tiny_model):
    """The same function twice: with the adapter's weight added to the projection's, and with the adapter."""
    merged, adapted = (tiny_model(dropout=0.0).eval() for _ in range(2))
    adapter = LowRank(adapted.decoder.projection)
    adapted.decoder.projection = adapter
    with torch.no_grad():
        merged.decoder.projection.weight += adapter.a @ adapter.b
    return merged, adapted


def test_an_adapter_of_the_projection_counts_in_loss_and_text(merged_and_adapted, batch):
    merged, adapted = merged_and_adapted
    z = torch.randn(4, 4)
    torch.testing.assert_close(seeded_loss(adapted, batch), seeded_loss(merged, batch))
    torch.testing.assert_close(adapted(**batch, latents=z).logits, merged(**batch, latents=z).logits)
    seeded_loss(adapted, batch).backward()
    assert adapted.decoder.projection.a.grad.abs().sum() > 0


def test_lora_of_peft_counts_in_loss_and_text(tiny_model, batch):
    peft = pytest.importorskip("peft", reason="peft is not installed")
    model, z = tiny_model(dropout=0.0), torch.randn(4, 4)
    before = seeded_loss(model.eval(), batch)
    adapted = peft.get_peft_model(model, peft.LoraConfig(target_modules=["decoder.projection"], lora_dropout=0.0))
    with torch.no_grad():
        for name, parameter in adapted.named_parameters():
            if "lora_B" in name:
                parameter.normal_()
    loss, logits = seeded_loss(adapted.eval(), batch), model(**batch, latents=z).logits
    assert abs(loss - before) > 0.1
    merged = adapted.merge_and_unload()
    assert type(merged.decoder.projection) is nn.Linear
    torch.testing.assert_close(seeded_loss(merged, batch), loss)
    torch.testing.assert_close(merged(**batch, latents=z).logits, logits)


@pytest.mark.parametrize("part", ["projection", "lstm"])
def test_hooks_are_called_in_every_pass(part, tiny_model, batch):
    model, calls = tiny_model().eval(), []
    getattr(model.decoder, part).register_forward_hook(lambda *_: calls.append(1))
    with torch.no_grad():
        for run in (lambda: model(**batch), lambda: greedy(model, torch.randn(2, 4))):
            calls.clear()
            run()
            assert calls


@pytest.mark.parametrize("fields", [{}, {"latents_at_every_step": True}, {"posterior_head": "linear"}], ids=str)
@pytest.mark.parametrize("place", ["cpu", "disk"])
def test_weights_that_lie_elsewhere(place, fields, tiny_model, batch, tmp_path):
    model, z = tiny_model(**fields).eval(), torch.randn(3, 4)
    away = copy.deepcopy(model)
    if place == "cpu":
        cpu_offload(away, torch.device("cpu"))
    else:
        disk_offload(away, tmp_path, torch.device("cpu"))
    assert away.decoder.projection.weight.device.type == "meta"
    assert away.device.type == "cpu"
    with torch.no_grad():
        torch.testing.assert_close(seeded_loss(away, batch), seeded_loss(model, batch))
        assert torch.equal(greedy(away, z), greedy(model, z))
        torch.testing.assert_close(away.embed(**batch), model.embed(**batch))
        assert away.generate(num_samples=2, max_new_tokens=3).shape[0] == 2


def test_a_device_map_on_disk(tiny_model, batch, tmp_path):
    model = tiny_model().eval()
    model.save_pretrained(tmp_path / "model")
    away = WaeRnfModel.from_pretrained(tmp_path / "model", device_map={"": "disk"}, offload_folder=tmp_path / "away")
    with torch.no_grad():
        torch.testing.assert_close(seeded_loss(away.eval(), batch), seeded_loss(model, batch))


class Quantized(torch.Tensor):
    """A kind of weight of its own, as torchao's are."""


def test_plain_modules_are_told_from_others():
    assert is_plain(nn.Linear(2, 3))
    assert is_plain(nn.LSTM(2, 3))
    assert not is_plain(LowRank(nn.Linear(2, 3)))
    quantized = nn.Linear(2, 3)
    quantized.weight = nn.Parameter(quantized.weight.detach().as_subclass(Quantized))
    assert not is_plain(quantized)
    normed = nn.utils.parametrizations.weight_norm(nn.Linear(2, 3))
    assert not is_plain(normed)
