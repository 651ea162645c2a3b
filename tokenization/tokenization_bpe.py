"""Byte-level byte-pair encoding: no word is unknown, and every text comes back as it was."""

from collections.abc import Iterable, Iterator

from tokenizers import Tokenizer, decoders, normalizers, pre_tokenizers
from tokenizers.models import BPE
from tokenizers.trainers import BpeTrainer

from .tokenization import NO_TEXT, Tokenization
from .vocabulary import SPECIAL_TOKENS, first_words

__all__ = ["BytePairs"]

BYTES = sorted(pre_tokenizers.ByteLevel.alphabet())


class BytePairs(Tokenization):
    """Pairs of bytes that are merged in the order of their frequency (Sennrich et al. 2016, arXiv 1508.07909).

    Text is brought to Unicode's form NFC, and is decoded exactly, white space included. What has to lie in memory
    while it is trained are the different words of the text, with their counts.
    """

    def train(
        self, texts: Iterable[str], max_size: int, max_tokens: int, lowercase: bool, max_entries: int | None = None
    ) -> Tokenizer:
        least = len(SPECIAL_TOKENS) + len(BYTES)
        if max_size < least:
            raise ValueError(
                f"a vocabulary of {max_size} entries is too small for bpe: choose at least {least}, one for each byte "
                "and four special tokens"
            )
        backend = Tokenizer(BPE())
        lower = [normalizers.Lowercase()] if lowercase else []
        backend.normalizer = normalizers.Sequence([normalizers.NFC(), *lower, normalizers.Prepend(" ")])
        backend.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
        backend.decoder = decoders.Sequence([decoders.ByteLevel(), decoders.Strip(" ", 1, 0)])
        trainer = BpeTrainer(
            vocab_size=max_size, special_tokens=list(SPECIAL_TOKENS), initial_alphabet=BYTES, show_progress=False
        )
        read = 0

        def beginnings() -> Iterator[str]:
            nonlocal read
            for text in texts:
                read += bool(text.strip())
                yield first_words(text, max_tokens)

        backend.train_from_iterator(beginnings(), trainer)
        if not read:
            raise ValueError(NO_TEXT)
        return backend
