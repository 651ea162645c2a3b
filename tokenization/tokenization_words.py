"""Words: what white space separates, for text that is tokenized already."""

from collections.abc import Callable
from functools import partial

from tokenizers import Regex, normalizers, pre_tokenizers

from .tokenization import WordTokenization
from .vocabulary import BOS, EOS, PAD, UNK, split_words

__all__ = ["WHITE_SPACE", "Words"]

# What `str.split` calls white space: the regular expressions' \s lacks the four ASCII separators.
WHITE_SPACE = r"\s\x1c-\x1f"
LITERAL_SPECIAL = rf"(?<![^{WHITE_SPACE}])(?:{PAD}|{BOS}|{EOS})(?![^{WHITE_SPACE}])"


class Words(WordTokenization):
    """White-space words, exactly as :func:`~wae_rnf.tokenization.vocabulary.split_words` splits them.

    A literal ``<pad>``, ``<bos>`` or ``<eos>`` in the text becomes ``<unk>``, and can never end or pad a sentence.
    """

    lowercase = True
    unit = "words"

    def normalizer(self, lowercase: bool) -> normalizers.Normalizer:
        lower = [normalizers.Lowercase()] if lowercase else []
        return normalizers.Sequence([normalizers.NFC(), *lower, normalizers.Replace(Regex(LITERAL_SPECIAL), UNK)])

    def pre_tokenizer(self) -> pre_tokenizers.PreTokenizer:
        return pre_tokenizers.Split(Regex(f"[{WHITE_SPACE}]+"), behavior="removed")

    def splitter(self, lowercase: bool) -> Callable[[str, int | None], list[str]]:
        return partial(split_words, lowercase=lowercase)
