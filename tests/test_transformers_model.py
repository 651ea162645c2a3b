"""Transformers' own common tests of models, configurations and training, on ours."""

import inspect
import unittest
from types import MappingProxyType

import torch

from modeling_wae_rnf import WaeRnfConfig, WaeRnfModel

from .transformers_tests import import_tests

modeling = import_tests("test_modeling_common")
ConfigTester = import_tests("test_configuration_common").ConfigTester

# Tests that ask for what the model cannot have, and why.
EXCEPTIONS = {
    "test_model_base_model_prefix": "a base model and a head are one: the encoder takes a part in the loss",
    "test_inputs_embeds": "refused: the model looks for the sentence's beginning, and scores the words themselves",
}
if "is_floating_point" not in inspect.getsource(modeling.ModelTesterMixin.test_keep_in_fp32_modules):
    EXCEPTIONS["test_keep_in_fp32_modules"] = (
        "in this release it wants the number of batches, an integer, in float16; later releases leave integers out"
    )
NO_LATENTS = {"test_model_outputs_equivalence": "takes the maximum of every output, but its `latents` are (batch, 0)"}


class ModelTester:
    """What the common tests ask of a model: a tiny configuration, and a batch of sentences."""

    batch_size, seq_length, is_training = 3, 7, True
    hidden_size, num_hidden_layers = 12, 1

    def __init__(self, **fields):
        self.fields = fields

    def get_config(self):
        sizes = {"vocab_size": 30, "embedding_size": 12, "hidden_size": 12, "latent_size": 4, "num_centres": 3}
        return WaeRnfConfig(**sizes | self.fields)

    def prepare_config_and_inputs_for_common(self):
        input_ids = torch.randint(4, 30, (self.batch_size, self.seq_length))
        input_ids[:, 0] = 1
        return self.get_config(), {"input_ids": input_ids, "attention_mask": torch.ones_like(input_ids)}


class Common(modeling.ModelTesterMixin, modeling.GenerationTesterMixin):
    all_model_classes = (WaeRnfModel,)
    has_attentions = False
    exceptions = EXCEPTIONS
    fields = MappingProxyType({})

    def setUp(self):
        self.model_tester = ModelTester(**self.fields)
        if self._testMethodName in self.exceptions:
            self.skipTest(self.exceptions[self._testMethodName])

    def test_config(self):
        ConfigTester(self, WaeRnfConfig, common_properties=["hidden_size"], latent_size=4).run_common_tests()


class TestAutoencoder(Common, unittest.TestCase):
    fields = MappingProxyType({"eval_latents": "mean"})


class TestLanguageModel(Common, unittest.TestCase):
    exceptions = MappingProxyType(EXCEPTIONS | NO_LATENTS)
    fields = MappingProxyType({"latent_size": 0, "num_flows": 0, "flow_kernel": None, "mmd_weight": 0.0})
