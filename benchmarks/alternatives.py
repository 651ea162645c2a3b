"""Other ways of doing the same, timed beside the one that is used: {what: {way: milliseconds}}."""

from collections.abc import Callable
from functools import partial
from typing import Any
from unittest.mock import patch

import torch
import torch.nn.functional as F
from torch import nn
from torch.nn.utils.rnn import pack_padded_sequence, pad_packed_sequence

from modeling_wae_rnf import linear_cross_entropy, padded_lstm, sampling_loop
from modeling_wae_rnf.dropout import Dropout

from .generated_batches import SIZES, TINY, Sizes
from .timing import Ways, alternate

ROUNDS = 15
WIDTH = 200
TOKENS, SENTENCES = 700, 256
SPARED = (50, 100, 400)
CHUNK_BITS = (20, 21, 22, 24)
QUICK = {"sizes": TINY["ptb"], "tokens": 5, "sentences": 3, "rounds": 1}


def measure(
    sizes: Sizes = SIZES["ptb"], tokens: int = TOKENS, sentences: int = SENTENCES, rounds: int = ROUNDS
) -> dict[str, dict[str, float]]:
    """{what: {way: milliseconds}}; the way that the package goes is called "used: …".

    Args:
        sizes: of the vocabulary and of a batch.
        tokens: of a batch, for projection and dropout.
        sentences: written at once.
        rounds: how often each is timed.
    """
    words = f"{sizes.vocab_size:,} words"
    measured = {
        "both passes of an LSTM, a batch of the Penn Treebank": lstm(sizes),
        f"both passes of projection and cross entropy, {tokens} tokens of {words}": cross_entropy(sizes, tokens),
        f"a dropout mask for {tokens} tokens": dropout(tokens),
        "a step of Adam with WAE-RNF's parameters": adam(sizes),
        f"drawing the next word of {sentences} sentences": draw(sizes, sentences),
        "one step of an LSTM for 16 sentences": lstm_step(),
    }
    return {
        what: {way: 1e3 * seconds for way, seconds in alternate(ways, rounds).items()}
        for what, ways in measured.items()
    }


def lstm(sizes: Sizes) -> Ways:
    torch.manual_seed(0)
    layer = nn.LSTM(WIDTH, WIDTH, batch_first=True)
    (batch,) = sizes.batches(1)
    lengths = batch["attention_mask"].sum(1) - 1
    inputs = torch.randn(len(lengths), int(lengths.max()), WIDTH, requires_grad=True)
    tokens = batch["attention_mask"][:, 1:].unsqueeze(-1)

    def backward(outputs: torch.Tensor) -> None:
        (outputs * tokens).sum().backward()

    def packed() -> None:
        sequence = pack_padded_sequence(inputs, lengths, batch_first=True, enforce_sorted=False)
        backward(pad_packed_sequence(layer(sequence)[0], batch_first=True)[0])

    def stretches() -> None:
        backward(padded_lstm.run_lstm(layer, inputs, lengths))

    others = {
        f"cut where {count} padded tokens are spared": patch.object(padded_lstm, "MIN_PADDING_SAVED", count)(stretches)
        for count in SPARED
    }
    used = {f"used: cut where {padded_lstm.MIN_PADDING_SAVED} padded tokens are spared": stretches}
    return used | others | {"padded": lambda: backward(layer(inputs)[0]), "packed": packed}


def cross_entropy(sizes: Sizes, tokens: int) -> Ways:
    torch.manual_seed(0)
    shapes = [(tokens, WIDTH), (sizes.vocab_size, WIDTH), (sizes.vocab_size,)]
    hidden, weight, bias = ((0.1 * torch.randn(shape)).requires_grad_() for shape in shapes)
    targets, weights = torch.randint(sizes.vocab_size, (tokens,)), torch.rand(tokens)

    def fused() -> None:
        linear_cross_entropy.linear_cross_entropy(hidden, weight, bias, targets).mean().backward()

    def in_backward() -> None:
        (linear_cross_entropy.linear_cross_entropy(hidden, weight, bias, targets) * weights).sum().backward()

    def torchs(**options: Any) -> torch.Tensor:
        return F.linear_cross_entropy(hidden, weight, targets, linear_bias=bias, **options)

    bits = linear_cross_entropy.CHUNK.bit_length() - 1
    others = {
        f"chunks of 2^{size} logits": patch.object(linear_cross_entropy, "CHUNK", 2**size)(fused)
        for size in CHUNK_BITS
    }
    chunked = "gradient in the forward pass"
    return {
        f"used: {chunked}, chunks of 2^{bits} logits": fused,
        **others,
        f"{chunked} and, for weights that differ, again in the backward pass": in_backward,
        "all logits, `F.cross_entropy`": lambda: F.cross_entropy(F.linear(hidden, weight, bias), targets).backward(),
        **(torchs_cross_entropy(torchs) if hasattr(F, "linear_cross_entropy") else {}),
    }


def torchs_cross_entropy(loss: Callable[..., torch.Tensor]) -> Ways:
    """torch's own operation, which asks for the reduction: only a loss for each token can do all that ours does."""
    name, chunks = "`F.linear_cross_entropy`", nn.LinearCrossEntropyOptions()
    return {
        f"{name}, the mean": lambda: loss().backward(),
        f"{name}, the mean, by chunks": lambda: loss(options=chunks).backward(),
        f"{name}, a loss for each token, by chunks": lambda: loss(options=chunks, reduction="none").mean().backward(),
    }


def dropout(tokens: int) -> Ways:
    x = torch.randn(tokens, WIDTH)
    return {"used: uniform numbers": partial(Dropout(0.2), x), "`nn.Dropout`": partial(nn.Dropout(0.2), x)}


def adam(sizes: Sizes) -> Ways:
    def step(**options: Any) -> Callable[[], object]:
        torch.manual_seed(0)
        parameters = list(sizes.model().parameters())
        for parameter in parameters:
            parameter.grad = torch.randn_like(parameter)
        return torch.optim.Adam(parameters, **options).step

    return {"used: fused": step(fused=True), "foreach": step(foreach=True), "default": step()}


def draw(sizes: Sizes, sentences: int) -> Ways:
    torch.manual_seed(0)
    model = sizes.model().eval()
    hidden = torch.randn(sentences, WIDTH)

    @torch.no_grad()
    def cumulative() -> None:
        sampling_loop.draw(model.decoder.logits(hidden))

    @torch.no_grad()
    def multinomial() -> None:
        torch.multinomial(model.decoder.logits(hidden).softmax(-1), 1)

    return {"used: one uniform number a sentence": cumulative, "`torch.multinomial`": multinomial}


def lstm_step() -> Ways:
    layer = nn.LSTM(WIDTH, WIDTH, batch_first=True)
    inputs, state = torch.randn(16, WIDTH), (torch.randn(16, WIDTH), torch.randn(16, WIDTH))
    whole = tuple(part.unsqueeze(0) for part in state)

    @torch.no_grad()
    def cell() -> None:
        torch.lstm_cell(inputs, state, *layer.all_weights[0])

    @torch.no_grad()
    def module() -> None:
        layer(inputs.unsqueeze(1), whole)

    return {"used: `torch.lstm_cell`": cell, "`nn.LSTM`": module}
