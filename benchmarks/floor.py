"""The floor: the matrix products that cannot be left out, at the rate at which this machine multiplies matrices."""

import torch

from modeling_wae_rnf import WaeRnfConfig

from .timing import alternate

SQUARE = 2048  # rows


def forward_flop(config: WaeRnfConfig) -> dict[str, int]:
    """Floating-point operations of the products of one token: {"encoder", "decoder", "projection"}.

    An LSTM multiplies input and state with four gates' weights, 2 (E + H) 4H; the projection is 2 H V.
    """
    lstm = 2 * (config.embedding_size + config.hidden_size) * 4 * config.hidden_size
    return {"encoder": lstm, "decoder": lstm, "projection": 2 * config.hidden_size * config.vocab_size}


def training_flop(config: WaeRnfConfig) -> int:
    """Of a token's forward and backward pass: each product has two of its size in the backward pass."""
    return 3 * sum(forward_flop(config).values())


def sample_flop(config: WaeRnfConfig) -> int:
    """Of a token under one importance sample: the decoder alone, the encoder runs once for all samples."""
    forward = forward_flop(config)
    return forward["decoder"] + forward["projection"]


def matrix_rate(rounds: int = 15, square: int = SQUARE) -> float:
    """Floating-point operations a second of a large square product in single precision."""
    left, right = torch.randn(2, square, square)
    return 2 * square**3 / alternate({"matrix product": lambda: left @ right}, rounds)["matrix product"]
