"""Shared fixtures: the golden values, a tiny model, a tiny batch."""

import json
from pathlib import Path

import pytest
import torch

from modeling_wae_rnf import WaeRnfConfig, WaeRnfModel
from wae_rnf.commands.main import main
from wae_rnf.evaluation.run_file import read_run
from wae_rnf.training.arguments import TrainArguments
from wae_rnf.training.run import train
from wae_rnf.training.stage import Stage

from .small_runs import SENTENCES, SMALL, TEXT

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


@pytest.fixture
def small_corpus(tmp_path, monkeypatch):
    """A folder of four sentences, of which train has eight copies."""
    monkeypatch.setattr("datasets.config.HF_DATASETS_CACHE", tmp_path / "cache")
    folder = tmp_path / "corpus"
    folder.mkdir()
    for split, repeat in (("train", 8), ("valid", 1), ("test", 1)):
        (folder / f"{split}.txt").write_text("\n".join(SENTENCES * repeat) + "\n")
    return folder


@pytest.fixture
def small_run(small_corpus, tmp_path):
    """The options of a run under a name, of three epochs of four steps."""

    def build(name="run", **changes):
        fixed = {"dataset": str(small_corpus), "output_dir": str(tmp_path / name), "batch_size": 8, "num_epochs": 3}
        own = SMALL if changes.get("system") != "lstm-lm" else SMALL | {"latent_size": 0}
        return TrainArguments(**(fixed | own | changes))

    return build


@pytest.fixture
def workplace(tmp_path, monkeypatch):
    """A working directory with a corpus in it."""
    monkeypatch.setattr("datasets.config.HF_DATASETS_CACHE", tmp_path / "cache")
    work = tmp_path / "work"
    (work / "corpus").mkdir(parents=True)
    for split in ("train", "valid", "test"):
        (work / "corpus" / f"{split}.txt").write_text(TEXT)
    monkeypatch.chdir(work)
    return work


@pytest.fixture
def no_steps(monkeypatch):
    """Has a run end where its first step would be, for tests of what comes before."""
    ended = {"steps": 0, "best_validation_loss": 0.0, "seconds": 0.0, "history": []}
    monkeypatch.setattr(Stage, "run", lambda self: ended)
    monkeypatch.setattr(
        "wae_rnf.training.run.report", lambda arguments, test, accelerator: read_run(arguments.output_dir)["training"]
    )


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
