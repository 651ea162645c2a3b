"""Words and punctuation, for ordinary text: "It's cold." has the tokens " It", "'s", " cold" and "."."""

from tokenizers import Regex, decoders, normalizers, pre_tokenizers

from .tokenization import WordTokenization
from .tokenization_words import WHITE_SPACE
from .vocabulary import UNK

__all__ = ["Punctuation"]

LETTER = r"[\p{L}\p{M}\p{N}]"
APOSTROPHE = "['\N{RIGHT SINGLE QUOTATION MARK}]"
# The first that fits: the word before n't, n't itself, 's and its like, a word, an ellipsis, any other character.
PIECES = (
    rf"{LETTER}+?(?=n{APOSTROPHE}t(?!{LETTER}))",
    rf"n{APOSTROPHE}t(?!{LETTER})",
    rf"{APOSTROPHE}(?:s|re|ve|ll|d|m)(?!{LETTER})",
    rf"{LETTER}+",
    r"\.\.\.",
    r"\S",
)


class Punctuation(WordTokenization):
    """Words, contractions and punctuation marks apart; the space before a token is a part of it.

    So no space is lost or added: decoded text is the text itself, but for white space, of which only single spaces
    between words are left, and for words that the vocabulary lacks.
    """

    def normalizer(self, lowercase: bool) -> normalizers.Normalizer:
        lower = [normalizers.Lowercase()] if lowercase else []
        spaces = [normalizers.Replace(Regex(f"[{WHITE_SPACE}]+"), " "), normalizers.Strip(), normalizers.Prepend(" ")]
        return normalizers.Sequence([normalizers.NFC(), *lower, *spaces])

    def pre_tokenizer(self) -> pre_tokenizers.PreTokenizer:
        return pre_tokenizers.Split(Regex(f" ?(?i:{'|'.join(PIECES)})"), behavior="isolated")

    def decoder(self) -> decoders.Decoder:
        # an unknown word has most often been one of its own, with a space before it
        return decoders.Sequence([decoders.Replace(UNK, f" {UNK}"), decoders.Fuse(), decoders.Strip(" ", 1, 0)])
