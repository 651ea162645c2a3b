"""The tokenization of a corpus where none is given: the one that suits its text."""

import logging
from collections.abc import Mapping
from itertools import islice
from pathlib import Path

from datasets import Dataset

from .corpus_names import kind_of_corpus
from .streams import TextStream
from .text_kind import SAMPLE, is_tokenized
from .tokenizations import TokenizationChoice

__all__ = ["choose_tokenization"]

logger = logging.getLogger(__name__)

KINDS = {True: "tokenized already, with spaces before punctuation", False: "ordinary, with punctuation at its words"}


def choose_tokenization(
    corpus: Mapping[str, Dataset | TextStream],
    name: str | Path,
    tokenization: str | None = None,
    lowercase: bool | None = None,
) -> TokenizationChoice:
    """Return what is given, and for what is not: words for text that is tokenized already, or else punctuation.

    What the text is like is logged where that decides, or where it does not suit the tokenization that is given.

    Args:
        corpus: splits with the column ``text``, or a stream for train.
        name: of the corpus; of those with a name of their own the text is known.
        tokenization: words, punctuation or bpe; None to choose.
        lowercase: whether text is lower-cased; None for the tokenization's own default.
    """
    if kind_of_corpus(name) == "named":
        return TokenizationChoice.of(tokenization or "words", lowercase)
    tokenized = is_tokenized(first_texts(corpus["train"]))
    suits = "words" if tokenized else "punctuation"
    if tokenization is None and tokenized:
        logger.warning("%s: the text is %s: the tokenization is words", name, KINDS[tokenized])
    elif tokenized is not None and tokenization in ("words", "punctuation") and tokenization != suits:
        logger.warning("%s: the text is %s: --tokenization %s suits it", name, KINDS[tokenized], suits)
    return TokenizationChoice.of(tokenization or suits, lowercase)


def first_texts(train: Dataset | TextStream) -> list[str]:
    """The texts that tell what kind of text it is."""
    return train[:SAMPLE]["text"] if isinstance(train, Dataset) else list(islice(train.texts(), SAMPLE))
