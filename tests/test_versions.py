"""Versions of Transformers: those that are too old are named in one sentence, by remote code as well."""

import importlib.metadata
import runpy

import pytest

CONFIGURATION = "modeling_wae_rnf.configuration_wae_rnf"


def test_a_transformers_that_is_too_old_is_named(monkeypatch):
    monkeypatch.setattr(importlib.metadata, "version", {"transformers": "5.8.1"}.get)
    with pytest.raises(ImportError, match=r"transformers>=5.17 .*found transformers==5.8.1.\nWAE-RNF models need it"):
        runpy.run_module(CONFIGURATION)


def test_the_installed_transformers_is_not_too_old():
    assert runpy.run_module(CONFIGURATION)["WaeRnfConfig"].model_type == "wae_rnf"
