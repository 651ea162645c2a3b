"""What a model does not read of a sentence: unknown words, and words beyond its limit."""

from collections.abc import Sequence

from transformers import PreTrainedTokenizerFast

from .vocabulary import SPECIAL_TOKENS, split_words

__all__ = ["cut_sentences", "unknown_words"]

SHOWN = 10  # unknown words that are written out


def unknown_words(tokenizer: PreTrainedTokenizerFast, sentences: Sequence[str]) -> list[str]:
    """Return a message that names the words that a tokenizer does not know, or none where it knows all.

    Args:
        tokenizer: of a model.
        sentences: as they are given to it.

    Examples:
        >>> from wae_rnf.tokenization.tokenizer import build_tokenizer
        >>> tokenizer = build_tokenizer({"<pad>": 0, "<bos>": 1, "<eos>": 2, "<unk>": 3, "cats": 4})
        >>> unknown_words(tokenizer, ["Cats", "cats purr loudly"])
        ['unknown words in 1 of 2 sentences: purr, loudly']
    """
    known, limit = tokenizer.get_vocab().keys() - set(SPECIAL_TOKENS), tokenizer.model_max_length - 2
    unknown: dict[str, None] = {}
    affected = 0
    for sentence in sentences:
        found = [word for word in split_words(sentence, limit) if word not in known]
        unknown |= dict.fromkeys(found)  # in order, each once
        affected += bool(found)
    if not unknown:
        return []
    more = f" and {len(unknown) - SHOWN:,} more" if len(unknown) > SHOWN else ""
    return [f"unknown words{share(affected, sentences)}: {', '.join(list(unknown)[:SHOWN])}{more}"]


def cut_sentences(tokenizer: PreTrainedTokenizerFast, sentences: Sequence[str]) -> list[str]:
    """Return a message that counts the sentences longer than a tokenizer's limit, or none where none is.

    Examples:
        >>> from wae_rnf.tokenization.tokenizer import build_tokenizer
        >>> tokenizer = build_tokenizer({"<pad>": 0, "<bos>": 1, "<eos>": 2, "<unk>": 3}, max_words=2)
        >>> cut_sentences(tokenizer, ["cats purr loudly"])
        ['words beyond the first 2 are not read']
    """
    limit = tokenizer.model_max_length - 2
    affected = sum(len(sentence.split(None, limit)) > limit for sentence in sentences)
    return [f"words beyond the first {limit} are not read{share(affected, sentences)}"] if affected else []


def share(number: int, sentences: Sequence[str]) -> str:
    return f" in {number:,} of {len(sentences):,} sentences" if len(sentences) > 1 else ""
