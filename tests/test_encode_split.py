"""The posterior of a split against one sentence at a time."""

import pytest
import torch
from datasets import Dataset

from wae_rnf.evaluation.encode_split import encode_split

ROWS = [[1, 5, 6, 7, 2], [1, 4, 2], [1, 9, 8, 7, 6, 5, 2]]
NO_FLOW = {"num_flows": 0, "flow_kernel": None, "mmd_weight": 0.0}


@pytest.mark.parametrize("fields", [{}, NO_FLOW | {"posterior": "vmf"}], ids=["gaussian", "vmf"])
@pytest.mark.parametrize("at_once", [1, 2, 256])
def test_rows_keep_the_order(tiny_model, fields, at_once, monkeypatch):
    monkeypatch.setattr("wae_rnf.evaluation.encode_split.BATCH_SIZE", at_once)
    sentences = Dataset.from_dict({"input_ids": ROWS, "length": [len(row) - 1 for row in ROWS]})
    model = tiny_model(**fields).train()
    posterior = encode_split(model, sentences)
    assert model.training
    model.eval()
    for number, row in enumerate(ROWS):
        alone = model.encode(torch.tensor([row]))
        torch.testing.assert_close(posterior.mean[number], alone.mean[0].double(), rtol=0, atol=1e-6)
        torch.testing.assert_close(posterior.entropy()[number], alone.entropy()[0].double(), rtol=0, atol=1e-5)


@pytest.mark.parametrize("head", ["mlp", "linear"])
@pytest.mark.parametrize(("encoder_input", "read"), [("eos", slice(1, None)), ("bos", slice(None, -1))])
def test_what_the_encoder_reads(tiny_model, head, encoder_input, read):
    model = tiny_model(encoder_input=encoder_input, posterior_head=head).eval()
    padded = torch.nn.utils.rnn.pad_sequence([torch.tensor(row) for row in ROWS], batch_first=True)
    left = torch.nn.utils.rnn.pad_sequence([torch.tensor(row) for row in ROWS], batch_first=True, padding_side="left")
    without_bos = torch.nn.utils.rnn.pad_sequence([torch.tensor(row[1:]) for row in ROWS], batch_first=True)
    for number, row in enumerate(ROWS):
        _, (hidden, cell) = model.encoder.lstm(model.embedding(torch.tensor([row[read]])))
        state = torch.cat([hidden[0], cell[0]], -1) if head == "linear" else hidden[0]
        expected = model.posterior_head(state).mean[0]
        for ids in (padded, left, without_bos):
            torch.testing.assert_close(model.encode(ids).mean[number], expected, rtol=0, atol=1e-5)


def test_the_encoders_dropout_is_its_own(tiny_model):
    assert (tiny_model(dropout=0.5).encoder.dropout.p, tiny_model(dropout=0.5).decoder.dropout.p) == (0.5, 0.5)
    model = tiny_model(dropout=0.5, encoder_dropout=0.0)
    assert (model.encoder.dropout.p, model.decoder.dropout.p) == (0.0, 0.5)
    with pytest.raises(ValueError, match=r"encoder_dropout must lie in \[0, 1\), but is 1.0"):
        tiny_model(encoder_dropout=1.0)
