"""Transformers' own common tests of tokenizers, on ours."""

import tempfile
import unittest
from types import MappingProxyType

from modeling_wae_rnf import WaeRnfConfig
from wae_rnf.tokenization.tokenizer import WaeRnfTokenizer, build_tokenizer
from wae_rnf.tokenization.vocabulary import build_vocabulary, count_words

from .transformers_tests import import_tests

common = import_tests("test_tokenization_common")
backend = import_tests("test_tokenizers_backend_mixin")

TEXT = "this is a test of the first sentence and the second one with some words in it for a tokenizer of ours"

# Tests that ask for what the tokenizer does not have, and why.
KEEP = "refused, with a sentence: the special tokens keep their names"
EXCEPTIONS = {"test_training_new_tokenizer_with_special_tokens_change": KEEP}
NEVER_FOUND = "refused, with a sentence: a special token in a text is a word, unless split_special_tokens is False"
ADDED = {"test_tokenize_special_tokens": NEVER_FOUND, "test_save_and_load_tokenizer": NEVER_FOUND}


class Common(common.TokenizerTesterMixin, backend.TokenizersBackendTesterMixin):
    tokenizer_class = rust_tokenizer_class = WaeRnfTokenizer
    split_special_tokens = True
    exceptions = MappingProxyType(EXCEPTIONS)

    @classmethod
    def setUpClass(cls):
        cls.tmpdirname = tempfile.mkdtemp()
        tokenizer = build_tokenizer(build_vocabulary(count_words([TEXT])), max_words=62)
        tokenizer.split_special_tokens = cls.split_special_tokens
        tokenizer.save_pretrained(cls.tmpdirname)
        WaeRnfConfig().save_pretrained(cls.tmpdirname)
        cls.from_pretrained_id = [cls.tmpdirname]
        cls.tokenizers_list = [(WaeRnfTokenizer, cls.tmpdirname, {})]

    def setUp(self):
        if self._testMethodName in self.exceptions:
            self.skipTest(self.exceptions[self._testMethodName])


class TestTokenizer(Common, unittest.TestCase):
    exceptions = MappingProxyType(EXCEPTIONS | ADDED)


class TestWithSpecialTokensInTheText(Common, unittest.TestCase):
    split_special_tokens = False
