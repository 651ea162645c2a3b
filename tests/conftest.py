"""Shared fixtures: the golden values, a tiny model, a tiny batch."""

import json
from pathlib import Path

import pytest
import torch

from modeling_wae_rnf import WaeRnfConfig, WaeRnfModel
from wae_rnf.commands.main import main
from wae_rnf.training.arguments import TrainArguments
from wae_rnf.training.run import train

torch.set_num_threads(min(2, torch.get_num_threads()))  # more do not help models so small


@pytest.fixture(scope="session")
def golden():
    """Inputs and outputs of the authors' formulas, float64."""
    path = Path(__file__).parent / "golden" / "reference_values.json"
    return json.loads(path.read_text())


@pytest.fixture
def tiny_model():
    """Builds a small model of any configuration, always with the same weights."""

    def build(**fields):
        torch.manual_seed(0)
        sizes = {"vocab_size": 13, "embedding_size": 6, "hidden_size": 8, "latent_size": 4, "num_centres": 3}
        model = WaeRnfModel(WaeRnfConfig(**(sizes | fields)))
        model.set_centres(torch.randn(model.centres.shape))
        return model

    return build


@pytest.fixture
def batch():
    """Four sentences of 1 to 5 words, padded on the right."""
    sentences = [[1, 5, 6, 7, 2], [1, 4, 2], [1, 9, 8, 7, 6, 5, 2], [1, 12, 10, 2]]
    input_ids = torch.zeros(4, 7, dtype=torch.long)
    for row, sentence in enumerate(sentences):
        input_ids[row, : len(sentence)] = torch.tensor(sentence)
    return {"input_ids": input_ids, "attention_mask": input_ids.ne(0).long()}


@pytest.fixture(scope="session")
def trained_directory(tmp_path_factory):
    """A model directory as `wae-rnf train` leaves it, after three steps on three sentences."""
    folder = tmp_path_factory.mktemp("trained")
    corpus = folder / "corpus"
    corpus.mkdir()
    for split in ("train", "valid", "test"):
        (corpus / f"{split}.txt").write_text("the cat sat\na dog ran fast\nrain fell all day long\n" * 5)
    sizes = {"embedding_size": 8, "hidden_size": 8, "latent_size": 4, "num_centres": 2, "max_steps": 3}
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("datasets.config.HF_DATASETS_CACHE", folder / "cache")
        train(TrainArguments(dataset=str(corpus), output_dir=str(folder / "model"), eval_iwae_samples=3, **sizes))
    return folder / "model"


@pytest.fixture(scope="session")
def exported_directory(tmp_path_factory):
    """What `wae-rnf export` makes of the golden WAE-RNF."""
    for name in ("onnx", "onnxscript", "onnxruntime"):
        pytest.importorskip(name, reason=f"{name} is not installed")
    folder = tmp_path_factory.mktemp("exported") / "onnx"
    assert main(["export", str(Path(__file__).parent / "golden" / "models" / "wae-rnf"), str(folder)]) == 0
    return folder
