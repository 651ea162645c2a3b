"""Saved models through the Auto classes: with the package, and from their own directory alone."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
import torch
from transformers import AutoConfig, AutoModel, AutoModelForCausalLM, AutoTokenizer, pipeline

from modeling_wae_rnf import WaeRnfConfig, WaeRnfModel
from wae_rnf.tokenization.tokenizer import build_tokenizer

WORDS = ["<pad>", "<bos>", "<eos>", "<unk>", "the", "cat", "sat", "on", "a", "mat", "dog", "ran", "."]

# As where the package is not installed: it, and what comes with it, cannot be imported.
ELSEWHERE = """
import sys
for name in ("modeling_wae_rnf", "wae_rnf", "datasets", "accelerate"):
    sys.modules[name] = None
import torch
from transformers import AutoConfig, AutoModel, AutoModelForCausalLM, AutoTokenizer, pipeline
directory = sys.argv[1]
for auto in (AutoModel, AutoModelForCausalLM):
    model = auto.from_pretrained(directory, trust_remote_code=True)
    tokenizer = AutoTokenizer.from_pretrained(directory, trust_remote_code=True)
    ids = model.generate(num_samples=3, generator=torch.Generator().manual_seed(0))
    print(len(tokenizer.batch_decode(ids, skip_special_tokens=True)), ids.sum().item())
mean = model.embed(**tokenizer("the cat", return_tensors="pt"))[0].tolist()
latent = pipeline("text-latent", model=directory, trust_remote_code=True)
print(latent("the cat")["latents"] == mean, type(latent).__module__.split(".")[0])
features = pipeline("feature-extraction", model=directory, trust_remote_code=True)
print(features("the cat")[0] == [mean] * 4)
print(AutoConfig.from_pretrained(directory, trust_remote_code=True).latent_size)
latent.model.save_pretrained(sys.argv[2])  # `pipeline` has changed its configuration
"""


@pytest.fixture
def directory(tiny_model, tmp_path):
    """A model directory: weights, configurations, tokenizer, code."""
    model = tiny_model(max_words=6).eval()
    model.save_pretrained(tmp_path / "model")
    build_tokenizer({word: number for number, word in enumerate(WORDS)}).save_pretrained(tmp_path / "model")
    return tmp_path / "model"


def test_with_the_package(directory, tiny_model):
    assert isinstance(AutoConfig.from_pretrained(directory), WaeRnfConfig)
    for auto in (AutoModel, AutoModelForCausalLM):
        model = auto.from_pretrained(directory)
        assert type(model) is WaeRnfModel
        state, expected = model.state_dict(), tiny_model(max_words=6).state_dict()
        assert state.keys() == expected.keys()
        assert all(torch.equal(state[name], expected[name]) for name in state)
    assert AutoTokenizer.from_pretrained(directory)("the cat")["input_ids"] == [1, 4, 5, 2]


def test_from_the_directory_alone(directory, tmp_path):
    environment = os.environ | {"HF_HOME": str(tmp_path / "home"), "HF_HUB_OFFLINE": "1"}
    command = [sys.executable, "-c", ELSEWHERE, str(directory), str(tmp_path / "again")]
    printed = subprocess.check_output(command, cwd=tmp_path, env=environment, text=True, timeout=240).split()
    expected = AutoModel.from_pretrained(directory).generate(num_samples=3, generator=torch.Generator().manual_seed(0))
    assert printed == ["3", str(expected.sum().item())] * 2 + ["True", "transformers_modules", "True", "4"]
    again = {path.name: path.read_bytes() for path in (tmp_path / "again").glob("*.py")}
    assert again == {path.name: path.read_bytes() for path in directory.glob("*.py")}  # loaded and saved again
    assert json.loads((tmp_path / "again" / "config.json").read_text())["custom_pipelines"] == {
        "text-latent": {"impl": "text_latent_pipeline.TextLatentPipeline", "pt": ["AutoModel"], "type": "text"}
    }


def test_the_directory_holds_what_is_needed_and_no_pickle(directory):
    files = {path.name for path in directory.iterdir()}
    model_files = {path.name for path in (Path(__file__).parent.parent / "modeling_wae_rnf").glob("*.py")}
    assert model_files - {"__init__.py"} <= files
    assert {"model.safetensors", "config.json", "generation_config.json", "tokenizer.json"} <= files
    assert not [name for name in files if name.endswith((".bin", ".pt", ".pkl"))]


@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float16, torch.float32])
def test_dtypes(directory, dtype, batch):
    model = AutoModel.from_pretrained(directory, dtype=dtype)
    assert {parameter.dtype for parameter in model.parameters()} == {dtype}
    output, exact = model(**batch), AutoModel.from_pretrained(directory)(**batch)
    torch.testing.assert_close(output.reconstruction.float(), exact.reconstruction, rtol=0.05, atol=0.05)
    assert output.loss.isfinite()
    assert model.generate(num_samples=4).shape[0] == 4


def test_half_and_device_map(directory, batch):
    model = AutoModel.from_pretrained(directory, device_map="cpu").half()
    assert model(**batch).loss.isfinite()
    assert model.generate(num_samples=2).shape[0] == 2


def test_compiled_forward(directory, batch):
    model = AutoModel.from_pretrained(directory).eval()
    compiled = torch.compile(model, backend="aot_eager")
    torch.manual_seed(0)
    expected = model(**batch).loss
    torch.manual_seed(0)
    torch.testing.assert_close(compiled(**batch).loss, expected, rtol=1e-4, atol=1e-4)


def test_pipeline(directory):
    generator = pipeline("text-generation", model=str(directory), tokenizer=str(directory))
    (first, *others) = generator("the cat ", num_return_sequences=3, max_new_tokens=3)
    assert len(others) == 2
    words = first["generated_text"].split(" ")
    assert words[:2] == ["the", "cat"]
    assert len(words) <= 5
    assert set(words) <= set(WORDS)
    several = generator(["a ", "the dog ran "], max_new_tokens=2, return_full_text=False)
    assert all(set(row[0]["generated_text"].split()) <= set(WORDS) for row in several)
    longest = generator(["the cat "] * 30, max_new_tokens=3, return_full_text=False)
    assert max(len(row[0]["generated_text"].split()) for row in longest) == 3


def test_latent_pipeline(directory):
    latent = pipeline("text-latent", model=str(directory), tokenizer=str(directory))
    one, other = latent(["the cat sat", "a dog ran on the mat"], batch_size=2)
    model, tokenizer = AutoModel.from_pretrained(directory), AutoTokenizer.from_pretrained(directory)
    batch = tokenizer(["the cat sat"], return_tensors="pt")
    assert one["latents"] == pytest.approx(model.embed(**batch)[0].tolist(), abs=1e-6)
    assert one["reconstruction"] == tokenizer.decode(model.reconstruct(batch)[0], skip_special_tokens=True)
    assert other["latents"] != one["latents"]
    assert latent("the cat", reconstruct=False).keys() == {"latents"}
    assert len(latent("the cat", max_new_tokens=1)["reconstruction"].split()) <= 1


@pytest.mark.parametrize("side", ["left", "right"])
def test_latent_pipeline_of_a_padded_batch(directory, side):
    tokenizer = AutoTokenizer.from_pretrained(directory, padding_side=side)
    latent = pipeline("text-latent", model=str(directory), tokenizer=tokenizer)
    sentences = ["the cat", "a dog ran on the mat", "sat"]
    batched, alone = latent(sentences, batch_size=3), [latent(sentence) for sentence in sentences]
    assert [row["reconstruction"] for row in batched] == [row["reconstruction"] for row in alone]
    for row, expected in zip(batched, alone, strict=True):
        assert row["latents"] == pytest.approx(expected["latents"], abs=1e-6)


def test_feature_extraction_gives_the_posterior_mean(directory):
    extract = pipeline("feature-extraction", model=str(directory))
    (features,) = extract("the cat sat")
    tokens = AutoTokenizer.from_pretrained(directory)("the cat sat", return_tensors="pt")
    mean = AutoModel.from_pretrained(directory).embed(**tokens)[0]
    torch.testing.assert_close(torch.tensor(features), mean.expand(5, -1))
    model = AutoModelForCausalLM.from_pretrained(directory)
    pooled = model(**tokens).last_hidden_state.mean(1)  # as libraries of sentence embeddings pool
    torch.testing.assert_close(pooled[0], mean)
