"""The convolutional encoder beside its equations, position by position, of one sentence after the other."""

import pytest
import torch
import torch.nn.functional as F

from modeling_wae_rnf import WaeRnfConfig
from modeling_wae_rnf.encoder_cnn import CNNEncoder


@pytest.fixture
def encoder():
    torch.manual_seed(0)
    config = WaeRnfConfig(vocab_size=9, embedding_size=3, max_words=10, dropout=0.0)
    encoder = CNNEncoder(config, channels=[4, 5]).double()
    with torch.no_grad():
        for layer in encoder.layers:
            for values in (layer.norm.running_mean, layer.norm.running_var, layer.norm.weight, layer.norm.bias):
                values.uniform_(0.3, 1.5)
    return encoder


def vectors_by_hand(encoder, sentences):
    """Position i of a layer comes from 2i - 1, 2i and 2i + 1 of the one before; then each has its place."""
    rows = list(sentences)
    for layer in encoder.layers:
        before, own, after = layer.convolution.weight.unbind(-1)  # (channels, size) each
        shorter = []
        for x in rows:
            zero = torch.zeros_like(x[0])
            at = lambda position, x=x, zero=zero: x[position] if 0 <= position < len(x) else zero  # noqa: E731
            shorter.append(torch.stack([
                before @ at(2 * i - 1) + own @ at(2 * i) + after @ at(2 * i + 1) for i in range((len(x) + 1) // 2)
            ]))  # fmt: skip
        norm, every = layer.norm, torch.cat(shorter)
        mean, variance = norm.running_mean, norm.running_var
        if encoder.training:
            mean, variance = every.mean(0), every.var(0, correction=0)
        rows = [F.relu((x - mean) / (variance + 1e-5).sqrt() * norm.weight + norm.bias) for x in shorter]
    return torch.stack([F.pad(x, (0, 0, 0, 3 - len(x))).flatten() for x in rows])


@pytest.mark.parametrize("training", [True, False])
def test_vectors_by_hand(encoder, training):
    """Of every length that there is room for, and whatever stands at the padding."""
    encoder.train(training)
    lengths = torch.arange(1, 13)
    embeddings = torch.randn(12, 17, 3, dtype=torch.float64)
    expected = vectors_by_hand(encoder, [x[:length] for x, length in zip(embeddings, lengths, strict=True)])
    found = encoder(embeddings, lengths)
    assert encoder.state_size == found.shape[1] == 15
    torch.testing.assert_close(found, expected)


def test_the_vector_says_what_stands_where(encoder):
    """Two sentences of the same tokens in another order, which a mean over the tokens would not tell apart."""
    tokens = torch.randn(8, 3, dtype=torch.float64)
    one, other = encoder.eval()(torch.stack([tokens, tokens.flip(0)]), torch.tensor([8, 8]))
    assert (one - other).abs().max() > 0.1


def test_room_for_the_longest_sentence():
    for words in range(1, 40):
        for layers in (1, 2, 3):
            encoder = CNNEncoder(WaeRnfConfig(vocab_size=9, embedding_size=3, max_words=words), channels=[2] * layers)
            tokens = words + 1  # with one of its marks
            assert encoder.longest >= tokens + 1
            assert encoder(torch.zeros(2, tokens, 3), torch.tensor([tokens, 1])).shape[1] == encoder.state_size
