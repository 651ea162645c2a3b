"""The transformer decoder beside PyTorch's own layers."""

import math

import pytest
import torch
import torch.nn.functional as F
from torch import nn

from modeling_wae_rnf.decoder_transformer import waves

from .test_components import refusal


@pytest.fixture
def model(tiny_model):
    return tiny_model(decoder_type="transformer", decoder_kwargs={"num_layers": 3}, dropout=0.0).eval()


def layer_of(block):
    """PyTorch's layer with the weights of a block."""
    layer = nn.TransformerEncoderLayer(8, 4, 32, dropout=0.0, activation="gelu", batch_first=True, norm_first=True)
    attention, norms = block.attention.state_dict(), (block.attention_norm, block.mlp_norm)
    layer.load_state_dict({
        **{f"self_attn.in_proj_{name}": values for name, values in attention.items()},
        **{f"self_attn.out_proj.{name}": values for name, values in block.output.state_dict().items()},
        **{f"linear1.{name}": values for name, values in block.mlp[0].state_dict().items()},
        **{f"linear2.{name}": values for name, values in block.mlp[2].state_dict().items()},
        **{f"norm{n}.{name}": values for n, norm in enumerate(norms, 1) for name, values in norm.state_dict().items()},
    })  # fmt: skip
    return layer.eval()


def by_hand(model, ids, z_prime):
    """Scores after each word of one sentence (length,), (latent_size,) by PyTorch's layers under a causal mask."""
    decoder, length = model.decoder, len(ids)
    angle = [[position / 10_000 ** (i / 4) for i in range(4)] for position in range(length)]
    positions = torch.tensor([[f(x) for f in (math.sin, math.cos) for x in row] for row in angle])
    x = (decoder.inputs(model.embedding(ids)) + decoder.latents(z_prime) + positions)[None]
    mask = nn.Transformer.generate_square_subsequent_mask(length)
    for block in decoder.blocks:
        x = layer_of(block)(x, src_mask=mask)
    return decoder.projection(decoder.norm(x[0]))


@torch.no_grad()
def test_loss_by_hand_on_two_sentences(model, batch):
    inputs = {name: ids[1:3] for name, ids in batch.items()}
    output = model(**inputs, kl_weight=0.0, mmd_weight=0.0)
    expected = []
    for ids, z in zip(inputs["input_ids"], model.push(output.latents)[0], strict=True):
        words = ids[ids > 0]
        expected.append(F.cross_entropy(by_hand(model, words[:-1], z), words[1:], reduction="sum"))
    torch.testing.assert_close(output.reconstruction, torch.stack(expected), rtol=1e-5, atol=1e-5)


@torch.no_grad()
def test_word_by_word_as_at_once_with_holes(model):
    decoder, lengths = model.decoder, torch.tensor([40, 31])
    embeddings, z = torch.randn(2, 40, 6), torch.randn(2, 4)
    whole, cache, found = decoder(embeddings, z, lengths), decoder.new_cache(), []
    spread, mask = torch.zeros(2, 80, 6), torch.zeros(2, 80, dtype=torch.bool)
    spread[:, ::2], mask[:, ::2] = embeddings, torch.arange(40) < lengths.unsqueeze(1)
    for start, end in ((0, 1), (1, 6), *((column, column + 1) for column in range(6, 80))):
        found.append(decoder.extend(spread[:, start:end], z, cache, mask[:, start:end]))
        cache.count(end - start)
    found = torch.cat(found, dim=1)
    words = mask[:, ::2]
    torch.testing.assert_close(found[:, ::2][words], whole[words], rtol=1e-5, atol=1e-5)
    torch.testing.assert_close(found[:, 1::2][words], whole[words], rtol=1e-5, atol=1e-5)  # those of the words before


def test_waves():
    expected = [[math.sin(7), math.sin(7 / 100), math.cos(7)]]
    torch.testing.assert_close(waves(torch.tensor([7]), 3), torch.tensor(expected))


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"num_heads": 3}, "hidden_size (8) must be a multiple of the decoder's 3 heads"),
        ({"num_layers": 0}, "decoder_kwargs: num_layers must be a whole number from 1 on, but is 0"),
        ({"num_heads": "two"}, "decoder_kwargs: num_heads must be a whole number from 1 on, but is 'two'"),
    ],
)
def test_refusals(options, message):
    assert refusal(decoder_type="transformer", decoder_kwargs=options) == message
