"""The posterior of a split against one sentence at a time."""

import pytest
import torch
from datasets import Dataset

from training_wae_rnf.encoding import encode_split

ROWS = [[1, 5, 6, 7, 2], [1, 4, 2], [1, 9, 8, 7, 6, 5, 2]]
NO_FLOW = {"num_flows": 0, "flow_kernel": None, "mmd_weight": 0.0}


@pytest.mark.parametrize("fields", [{}, NO_FLOW | {"posterior": "vmf"}], ids=["gaussian", "vmf"])
@pytest.mark.parametrize("at_once", [1, 2, 256])
def test_rows_keep_the_order(tiny_model, fields, at_once, monkeypatch):
    monkeypatch.setattr("training_wae_rnf.encoding.BATCH_SIZE", at_once)
    sentences = Dataset.from_dict({"input_ids": ROWS, "length": [len(row) - 1 for row in ROWS]})
    model = tiny_model(**fields).train()
    posterior = encode_split(model, sentences)
    assert model.training
    model.eval()
    for number, row in enumerate(ROWS):
        alone = model.encode(torch.tensor([row]))
        torch.testing.assert_close(posterior.mean[number], alone.mean[0].double(), rtol=0, atol=1e-6)
        torch.testing.assert_close(posterior.entropy()[number], alone.entropy()[0].double(), rtol=0, atol=1e-5)
