"""`import wae_rnf`: quick, and in whatever order things are imported the model is registered with the Auto classes."""

import subprocess
import sys

import pytest

from modeling_wae_rnf import WaeRnfConfig
from wae_rnf.registration import Registrar
from wae_rnf.tokenization.tokenizer import build_tokenizer

PROGRAM = """
import sys
from transformers import AutoConfig, AutoModel, AutoTokenizer
config = AutoConfig.from_pretrained(sys.argv[1])
found = type(config), type(AutoModel.from_config(config)), type(AutoTokenizer.from_pretrained(sys.argv[1]))
print([kind.__name__ for kind in found], [finder for finder in sys.meta_path if "Registrar" in repr(finder)])
"""
ORDERS = [
    "import wae_rnf",
    "import transformers, wae_rnf",
    "import wae_rnf, modeling_wae_rnf",
    "import modeling_wae_rnf, wae_rnf",
    "from wae_rnf.tokenization.tokenizer import build_tokenizer",
]


def output_of(program, *arguments):
    command = [sys.executable, "-c", program, *map(str, arguments)]
    return subprocess.run(command, check=True, capture_output=True, text=True, timeout=240).stdout


@pytest.fixture(scope="module")
def directory(tmp_path_factory):
    """A configuration and a tokenizer."""
    folder = tmp_path_factory.mktemp("model")
    WaeRnfConfig(vocab_size=5, embedding_size=2, hidden_size=2, latent_size=2).save_pretrained(folder)
    build_tokenizer({"<pad>": 0, "<bos>": 1, "<eos>": 2, "<unk>": 3, "a": 4}).save_pretrained(folder)
    return folder


@pytest.mark.parametrize("order", ORDERS)
def test_registered_in_every_order(directory, order):
    assert output_of(f"{order}\n{PROGRAM}", directory) == "['WaeRnfConfig', 'WaeRnfModel', 'WaeRnfTokenizer'] []\n"


def test_the_import_loads_nothing_heavy():
    program = "import sys, wae_rnf; print(sorted({'torch', 'transformers', 'datasets', 'numpy'} & set(sys.modules)))"
    assert output_of(program) == "[]\n"


def test_public_names():
    program = "import wae_rnf; print([getattr(wae_rnf, name).__name__ for name in wae_rnf.__all__] == wae_rnf.__all__)"
    program += "; print(set(wae_rnf.__all__) <= set(dir(wae_rnf)), hasattr(wae_rnf, 'nothing'))"
    assert output_of(program).split() == ["True", "True", "False"]


def test_a_folder_without_code_is_no_awaited_module(tmp_path, monkeypatch):
    """It is a namespace, which has nothing that could be executed, and is left to Python."""
    (tmp_path / "folder_without_code").mkdir()
    monkeypatch.syspath_prepend(tmp_path)
    registrar = Registrar()
    registrar.awaited = {"folder_without_code"}
    spec = registrar.find_spec("folder_without_code")
    assert list(spec.submodule_search_locations) == [str(tmp_path / "folder_without_code")]
    assert registrar.awaited == {"folder_without_code"}
