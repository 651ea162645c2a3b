"""An LSTM over sentences of different lengths, with little work on padding."""

import warnings
from collections.abc import Sequence
from functools import lru_cache
from typing import Any

import torch
import torch.nn.functional as F
from torch.nn.utils.rnn import PackedSequence

from .plain_module import is_plain

# Padded tokens that must be spared for the time to be cut: starting anew costs about as much as these.
MIN_PADDING_SAVED = 200


def run_lstm(
    lstm: torch.nn.LSTM, inputs: torch.Tensor, lengths: torch.Tensor, state: tuple[torch.Tensor, ...] | None = None
) -> torch.Tensor:
    """The LSTM's output at each token.

    On a CPU, padding costs as much as words do. The time is therefore cut into stretches, and each is run on
    the sentences that still go on. A GPU waits for steps, not for sentences, and takes the padded batch at
    once.

    Args:
        lstm: one layer, `batch_first`.
        inputs: (batch, length, input_size), padded on the right.
        lengths: (batch,), tokens of each sentence.
        state: (h0, c0), each (batch, hidden_size); zeros when None.

    Returns:
        (batch, length, hidden_size); what stands at padding means nothing.

    Examples:
        >>> lstm = torch.nn.LSTM(3, 5, batch_first=True)
        >>> run_lstm(lstm, torch.zeros(2, 4, 3), torch.tensor([4, 2])).shape
        torch.Size([2, 4, 5])
    """
    if state is not None:
        state = tuple(values.unsqueeze(0) for values in state)  # (layers, batch, hidden_size), as PyTorch has it
    if inputs.device.type != "cpu":
        return call_lstm(lstm, inputs, state)[0]
    lengths, order = lengths.clamp_min(1).sort(descending=True)
    ends = stretches(lengths.tolist())
    if state is not None:
        state = tuple(values[:, order] for values in state)
    outputs, start = [], 0
    for end, part in zip(ends, inputs[:, : ends[-1]].tensor_split(ends[:-1], dim=1), strict=True):
        running = order[: int((lengths > start).sum())]
        if state is not None:
            state = tuple(values[:, : len(running)] for values in state)
        hidden, state = call_lstm(lstm, part[running], state)
        everybody = hidden.new_zeros(len(inputs), *hidden.shape[1:])
        outputs.append(everybody.index_copy(0, running, hidden))
        start = end
    return F.pad(torch.cat(outputs, dim=1), (0, 0, 0, inputs.shape[1] - ends[-1]))


def stretches(lengths: list[int]) -> list[int]:
    """Where to cut the time: the ends of the stretches, ascending, for lengths in descending order.

    Examples:
        >>> stretches([190, 30, 20, 10]), stretches([30, 20, 10])
        ([30, 190], [30])
    """
    ends = [lengths[0]]
    for running, length in enumerate(lengths):
        if (len(lengths) - running) * (ends[0] - length) >= MIN_PADDING_SAVED:
            ends.insert(0, length)
    return ends


def call_lstm(
    lstm: torch.nn.LSTM, inputs: torch.Tensor | PackedSequence, state: tuple[torch.Tensor, ...] | None = None
) -> Any:
    """`lstm(inputs, state)`; under autocast on a CPU without an LSTM of its type, in the precision of the weights.

    Args:
        lstm: a `torch.nn.LSTM`.
        inputs: (batch, length, input_size), or a packed sequence.
        state: (h0, c0), each (1, batch, hidden_size); zeros when None.
    """
    device = lstm.weight_ih_l0.device.type
    if device != "cpu" or not torch.is_autocast_enabled(device) or has_lstm(torch.get_autocast_dtype(device)):
        return lstm(inputs, state)
    dtype: torch.dtype = lstm.weight_ih_l0.dtype  # type: ignore[assignment]  # PyTorch makes its weights by name
    with torch.autocast(device, enabled=False):
        return lstm(inputs.to(dtype), None if state is None else tuple(values.to(dtype) for values in state))


def run_shared(
    lstm: torch.nn.LSTM,
    words: torch.Tensor,
    others: Sequence[torch.Tensor],
    lengths: torch.Tensor,
    state: tuple[torch.Tensor, ...],
) -> torch.Tensor:
    """The output of an LSTM that is plain at each token, where several sequences share the words of their inputs.

    What the words give to the gates is computed once for all sequences, and what does not change from word to word
    once for all words. Rows that have ended are left out. It has a forward derivative on every device.

    Args:
        lstm: one layer; its inputs are [words ; others].
        words: (batch, length, size), shared by the sequences of a row.
        others: each (batch, sequences, length, size), or of length 1 where it is the same at every word.
        lengths: (batch,).
        state: (h0, c0), each (batch, sequences, hidden_size).

    Returns:
        (batch, sequences, length, hidden_size), zero at padding.
    """
    weight, recurrent, *biases = lstm.all_weights[0]
    of_words, *of_others = weight.split([words.shape[-1], *(values.shape[-1] for values in others)], dim=1)
    lengths, order = lengths.sort(descending=True)
    gates_of_words = (words[order] @ of_words.t() + sum(biases)).unsqueeze(1)  # (batch, 1, length, 4 hidden_size)
    parts = [values[order] @ of_them.t() for values, of_them in zip(others, of_others, strict=True)]
    hidden, cell = (values[order] for values in state)
    states = []
    for position, running in enumerate((lengths > torch.arange(words.shape[1])[:, None]).sum(1).tolist()):
        gates = hidden[:running] @ recurrent.t()
        for part in (*parts, gates_of_words):
            gates = gates + part[:running, :, position if part.shape[2] > 1 else 0]
        entry, kept, new, shown = gates.chunk(4, dim=-1)
        cell = kept.sigmoid() * cell[:running] + entry.sigmoid() * new.tanh()
        hidden = shown.sigmoid() * cell.tanh()
        states.append(F.pad(hidden, (0, 0, 0, 0, 0, len(order) - running)))
    return torch.stack(states, dim=2)[order.argsort()]


def step_lstm(lstm: torch.nn.LSTM, inputs: torch.Tensor, state: tuple[torch.Tensor, ...]) -> tuple[torch.Tensor, ...]:
    """One token further: the LSTM's new state.

    Args:
        lstm: a `torch.nn.LSTM` of one layer.
        inputs: (batch, input_size).
        state: (h, c), each (batch, hidden_size).
    """
    if is_plain(lstm):  # several times as fast for one token
        return torch.lstm_cell(inputs, state, *lstm.all_weights[0])
    _, state = call_lstm(lstm, inputs.unsqueeze(1), tuple(values.unsqueeze(0) for values in state))
    return tuple(values.squeeze(0) for values in state)


@lru_cache
def has_lstm(dtype: torch.dtype) -> bool:
    """Whether this CPU has an LSTM of a type for autocast: oneDNN's in bfloat16 needs AVX-512. Warns once if not."""
    with torch.random.fork_rng(devices=[]):  # its weights must not take from the random numbers of a run
        lstm = torch.nn.LSTM(1, 1)
    try:
        with torch.autocast("cpu", dtype=dtype):
            lstm(torch.zeros(1, 1, 1))
    except RuntimeError:
        warnings.warn(f"this CPU has no LSTM in {dtype}: LSTMs run in the precision of their weights", stacklevel=4)
        return False
    return True
