"""Sentences on their way into a model, of a program, a command or a page: what it does not read is said."""

import sys
import warnings
from collections.abc import Iterable, Sequence

from transformers import BatchEncoding, PreTrainedTokenizerFast

from modeling_wae_rnf import WaeRnfModel
from wae_rnf.tokenization.unread import cut_sentences, unknown_words
from wae_rnf.tokenization.vocabulary import first_words


class UnreadTextWarning(UserWarning):
    """A model does not read all of a text: words that it does not know, or words beyond its limit."""


def check_texts(texts: Sequence[str]) -> list[str]:
    """Returns texts as a list.

    Raises:
        ValueError: one string instead of a list of them, or something that is no string.

    Examples:
        >>> check_texts("the soup was cold .")
        Traceback (most recent call last):
        ValueError: texts must be a list of strings, not one string; write [text]
    """
    if isinstance(texts, str):
        raise ValueError("texts must be a list of strings, not one string; write [text]")
    texts = list(texts)
    for number, text in enumerate(texts):
        if not isinstance(text, str):
            raise ValueError(f"texts must be strings, but texts[{number}] is a {type(text).__name__}")
    return texts


def token_ids(tokenizer: PreTrainedTokenizerFast, texts: Sequence[str]) -> list[list[int]]:
    """The token ids of each text, from beginning- to end-of-sentence, cut to the tokenizer's limit."""
    return tokenizer(shortened(tokenizer, texts), truncation=True)["input_ids"] if texts else []


def encode(model: WaeRnfModel, tokenizer: PreTrainedTokenizerFast, texts: Sequence[str]) -> BatchEncoding:
    """The inputs of a model, padded and cut to its limit: {input_ids, attention_mask}, (texts, length)."""
    short = shortened(tokenizer, texts)
    return tokenizer(short, return_tensors="pt", padding=True, truncation=True).to(model.device)


def shortened(tokenizer: PreTrainedTokenizerFast, texts: Sequence[str]) -> list[str]:
    """Texts without the words that no limit leaves room for: to encode a line of a megabyte takes a hundred."""
    return [first_words(text, tokenizer.model_max_length - 2) for text in texts]


def unread(tokenizer: PreTrainedTokenizerFast, texts: Sequence[str]) -> list[str]:
    """Messages on what a model does not read of texts."""
    return unknown_words(tokenizer, texts) + cut_sentences(tokenizer, texts)


def tell(messages: Iterable[str], stacklevel: int = 3) -> None:
    """Warns a program by `UnreadTextWarning`, at the line that called the caller of this."""
    for message in messages:
        warnings.warn(message, UnreadTextWarning, stacklevel=stacklevel)


def warn_of_unread(tokenizer: PreTrainedTokenizerFast, texts: Sequence[str]) -> list[str]:
    """Tells a user on standard error what the model does not read of texts; returns these messages."""
    messages = unread(tokenizer, texts)
    warn(messages)
    return messages


def warn(messages: Iterable[str]) -> None:
    """Prints warnings of a command on standard error."""
    for message in messages:
        print(f"wae-rnf: warning: {message}", file=sys.stderr)
