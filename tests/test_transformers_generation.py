"""Transformers' own tests of generation, run on this model: prompts with their latents.

They are in a checkout of the library alone, in `tests/generation/`; see tests/transformers_tests.py.
"""

import unittest

import torch

from modeling_wae_rnf import WaeRnfConfig, WaeRnfModel
from modeling_wae_rnf.recurrent_cache import RecurrentCache

from .transformers_tests import import_tests

generation = import_tests("generation.test_utils")


class Inputs:
    """A tiny configuration, and prompts with a latent each, as the library's tests ask for them."""

    batch_size, seq_length = 4, 7

    def __init__(self, **fields):
        self.fields = fields

    def get_config(self):
        # the library's tests want all hidden states, embeddings too, as wide as the last
        sizes = {"vocab_size": 43, "embedding_size": 8, "hidden_size": 8, "latent_size": 4, "num_centres": 3}
        return WaeRnfConfig(**sizes, **self.fields)

    def prepare_config_and_inputs_for_common(self):
        words = torch.randint(4, 43, (self.batch_size, self.seq_length))
        words[:, 0] = 1  # beginning-of-sentence, without which a prompt grows by it
        inputs = {"input_ids": words, "attention_mask": torch.ones_like(words)}
        return self.get_config(), inputs | {"latents": torch.randn(self.batch_size, 4)}


class GenerationTest(generation.GenerationTesterMixin, unittest.TestCase):
    """Exceptions: only the cache, whose form is the LSTM's: h and c instead of keys and values of each token."""

    all_generative_model_classes = (WaeRnfModel,)
    has_attentions = False
    latents_at_every_step = False

    def setUp(self):
        torch.manual_seed(0)
        self.model_tester = Inputs(latents_at_every_step=self.latents_at_every_step)

    def _check_past_key_values_for_generate(self, batch_size, past_key_values, seq_length, config):
        assert isinstance(past_key_values, RecurrentCache)
        assert past_key_values.get_seq_length() == seq_length
        for state in past_key_values.state:
            assert state.shape == (batch_size, config.hidden_size)

    def _check_cache_for_generate(self, batch_size, cache, seq_length, config):  # its name from 5.24 on
        self._check_past_key_values_for_generate(batch_size, cache, seq_length, config)


class LatentsAtEveryStepTest(GenerationTest):
    latents_at_every_step = True
