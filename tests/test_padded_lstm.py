"""The LSTM by stretches of time against one sentence at a time."""

import pytest
import torch

from modeling_wae_rnf import padded_lstm
from modeling_wae_rnf.padded_lstm import run_lstm

LENGTHS = {
    "mixed": [3, 9, 1, 5, 5, 7, 2, 9, 4, 6],
    "equal": [4, 4, 4, 4],
    "one sentence": [6],
    "two sentences": [2, 5],
    "an empty one": [3, 0, 2],
}


@pytest.fixture(autouse=True, params=[1, 8, 1000], ids=["cut everywhere", "cut sometimes", "never cut"])
def _worth(request, monkeypatch):
    monkeypatch.setattr(padded_lstm, "MIN_PADDING_SAVED", request.param)


@pytest.mark.parametrize("lengths", LENGTHS.values(), ids=LENGTHS.keys())
@pytest.mark.parametrize("with_state", [True, False])
def test_outputs_and_gradients_equal_a_loop_over_sentences(lengths, with_state):
    torch.manual_seed(0)
    lstm = torch.nn.LSTM(4, 6, batch_first=True).double()
    inputs = torch.randn(len(lengths), 10, 4, dtype=torch.float64, requires_grad=True)
    start = [torch.randn(len(lengths), 6, dtype=torch.float64, requires_grad=True) for _ in range(2)]
    weights = torch.randn(len(lengths), 10, 6, dtype=torch.float64)
    outputs = run_lstm(lstm, inputs, torch.tensor(lengths), start if with_state else None)
    assert outputs.shape == (len(lengths), 10, 6)
    found, expected = 0, 0
    for row, length in enumerate(lengths):
        if length == 0:
            continue
        state = tuple(values[row].unsqueeze(0) for values in start) if with_state else None
        alone, _ = lstm(inputs[row, :length], state)
        torch.testing.assert_close(outputs[row, :length], alone, rtol=0, atol=1e-12)
        found = found + (outputs[row, :length] * weights[row, :length]).sum()
        expected = expected + (alone * weights[row, :length]).sum()
    variables = [*lstm.parameters(), inputs, *(start if with_state else [])]
    for gradient, other in zip(
        torch.autograd.grad(found, variables), torch.autograd.grad(expected, variables), strict=True
    ):
        torch.testing.assert_close(gradient, other, rtol=0, atol=1e-12)


@pytest.mark.parametrize("fields", [{}, {"posterior_head": "linear"}], ids=str)
def test_where_the_cpu_has_no_lstm_of_the_type_it_runs_in_single_precision(fields, tiny_model, batch, monkeypatch):
    model, kinds = tiny_model(**fields), []
    monkeypatch.setattr(padded_lstm, "has_lstm", lambda dtype: False)
    for lstm in (model.encoder.lstm, model.decoder.lstm):
        lstm.register_forward_hook(lambda *arguments: kinds.append(arguments[2][1][0].dtype))  # h_n's
    with torch.autocast("cpu", dtype=torch.bfloat16):
        model(**batch).loss.backward()
    assert set(kinds) == {torch.float32}
    assert all(p.grad is None or p.grad.isfinite().all() for p in model.parameters())


def test_asking_what_the_cpu_has_leaves_the_random_numbers_alone():
    padded_lstm.has_lstm.cache_clear()
    torch.manual_seed(0)
    padded_lstm.has_lstm(torch.bfloat16)
    drawn = torch.rand(1)
    torch.manual_seed(0)
    assert torch.equal(drawn, torch.rand(1))
