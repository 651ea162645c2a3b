"""Batch normalization's statistics are those of the corpus, without dropout."""

import copy
import json
from pathlib import Path

import pytest
import torch
from datasets import Dataset
from transformers import AutoConfig, AutoModel

from modeling_wae_rnf import WaeRnfConfig, WaeRnfModel
from wae_rnf.evaluation.encode_split import encode_split
from wae_rnf.training.batch_norm_statistics import estimate_batch_norm

OLD = Path(__file__).parent / "golden" / "models" / "wae"


@pytest.fixture
def sentences():
    torch.manual_seed(0)
    lengths = torch.randint(1, 9, (300,)).tolist()
    rows = [[1, *torch.randint(4, 13, (n,)).tolist(), 2] for n in lengths]
    return Dataset.from_dict({"input_ids": rows, "length": [n + 1 for n in lengths]})


def test_posterior_means_are_normalized_over_the_corpus(tiny_model, sentences):
    model = tiny_model(dropout=0.5)
    before = encode_split(model.eval(), sentences).mean
    assert (before.mean(0).abs() > 0.02).any()
    estimate_batch_norm(model, sentences)
    means = encode_split(model, sentences).mean
    torch.testing.assert_close(means.mean(0), torch.zeros(4).double(), rtol=0, atol=0.02)
    torch.testing.assert_close(means.std(0), torch.ones(4).double(), rtol=0.05, atol=0)


def test_a_model_without_a_latent_variable_has_none(tiny_model, sentences):
    model = tiny_model(latent_size=0, num_flows=0, flow_kernel=None, mmd_weight=0.0)
    weights = copy.deepcopy(model.state_dict())
    estimate_batch_norm(model, sentences)
    assert all(torch.equal(value, weights[name]) for name, value in model.state_dict().items())


def test_weights_and_momentum_stay(tiny_model, sentences):
    model = tiny_model()
    weights = {name: value.clone() for name, value in model.named_parameters()}
    momenta = [module.momentum for module in model.modules() if isinstance(module, torch.nn.BatchNorm1d)]
    estimate_batch_norm(model, sentences)
    assert all(torch.equal(value, weights[name]) for name, value in model.named_parameters())
    assert momenta == [module.momentum for module in model.modules() if isinstance(module, torch.nn.BatchNorm1d)]
    assert not any(module.training for module in model.modules())


def test_the_result_does_not_depend_on_the_global_random_state(tiny_model, sentences):
    model = tiny_model(dropout=0.5)
    estimate_batch_norm(model, sentences, seed=3)
    state = {name: value.clone() for name, value in model.named_buffers()}
    torch.rand(5)
    estimate_batch_norm(model, sentences, seed=3)
    assert all(torch.equal(value, state[name]) for name, value in model.named_buffers())


def test_models_from_before_the_field_keep_their_eps(tmp_path):
    assert "batch_norm_eps" not in json.loads((OLD / "config.json").read_text())
    assert WaeRnfConfig.from_pretrained(OLD).batch_norm_eps == 1e-5
    assert WaeRnfConfig.from_json_file(OLD / "config.json").batch_norm_eps == 1e-5
    assert AutoConfig.from_pretrained(OLD).batch_norm_eps == 1e-5
    assert WaeRnfConfig.from_pretrained(OLD, batch_norm_eps=1e-9).batch_norm_eps == 1e-9
    model = WaeRnfModel.from_pretrained(OLD)
    assert eps_of(model) == {1e-5}
    model.save_pretrained(tmp_path)
    assert eps_of(WaeRnfModel.from_pretrained(tmp_path)) == {1e-5}


@pytest.mark.parametrize("fields", [{}, {"batch_norm_eps": 1e-5}, {"batch_norm_eps": 0.25}])
def test_new_models_keep_theirs(tiny_model, fields, tmp_path):
    model, expected = tiny_model(**fields), fields.get("batch_norm_eps", 1e-12)
    model.save_pretrained(tmp_path)
    assert json.loads((tmp_path / "config.json").read_text())["batch_norm_eps"] == expected
    assert copy.deepcopy(model.config).batch_norm_eps == expected
    assert WaeRnfConfig.from_dict(model.config.to_dict()).batch_norm_eps == expected
    assert AutoConfig.from_pretrained(tmp_path).batch_norm_eps == expected
    assert eps_of(WaeRnfModel.from_pretrained(tmp_path)) == {expected}
    assert eps_of(AutoModel.from_pretrained(tmp_path, trust_remote_code=True)) == {expected}


def test_a_new_configuration_is_no_old_one():
    assert WaeRnfConfig.from_dict({"vocab_size": 9}).batch_norm_eps == WaeRnfConfig().batch_norm_eps == 1e-12


def eps_of(model):
    return {module.eps for module in model.modules() if isinstance(module, torch.nn.BatchNorm1d)}
