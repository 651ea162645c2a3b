"""What a model does not read of a sentence: unknown words, and words beyond its limit."""

from collections.abc import Iterator, Sequence

from transformers import PreTrainedTokenizerFast

from .tokenizer import tokenization_of
from .vocabulary import SPECIAL_TOKENS, UNK, first_words

__all__ = ["cut_sentences", "unknown_words"]

SHOWN = 10  # unknown words that are written out
BATCH = 1000
UNK_ID = SPECIAL_TOKENS.index(UNK)


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
    lowercase = tokenization_of(tokenizer).lowercase
    unknown: dict[str, None] = {}
    affected = 0
    for found in unknown_pieces(tokenizer, sentences):
        unknown |= dict.fromkeys(word.lower() if lowercase else word for word in found)  # in order, each once
        affected += bool(found)
    if not unknown:
        return []
    more = f" and {len(unknown) - SHOWN:,} more" if len(unknown) > SHOWN else ""
    return [f"unknown words{share(affected, sentences)}: {', '.join(list(unknown)[:SHOWN])}{more}"]


def unknown_pieces(tokenizer: PreTrainedTokenizerFast, sentences: Sequence[str]) -> Iterator[list[str]]:
    """Yield of each sentence the pieces that are read as ``<unk>``, as they are written."""
    limit = tokenizer.model_max_length - 2
    for start in range(0, len(sentences), BATCH):
        short = [first_words(sentence, limit) for sentence in sentences[start : start + BATCH]]
        encoded = tokenizer(short, truncation=True, return_offsets_mapping=True)
        for text, ids, places in zip(short, encoded["input_ids"], encoded["offset_mapping"], strict=True):
            ends = [end for _, end in places]
            # from the end of the token before: where a rule has replaced text, the beginning of its place is not known
            pieces = zip(ids, [0, *ends[:-1]], ends, strict=True)
            yield [text[begin:end].strip() for token, begin, end in pieces if token == UNK_ID]


def cut_sentences(tokenizer: PreTrainedTokenizerFast, sentences: Sequence[str]) -> list[str]:
    """Return a message that counts the sentences longer than a tokenizer's limit, or none where none is.

    Examples:
        >>> from wae_rnf.tokenization.tokenizer import build_tokenizer
        >>> tokenizer = build_tokenizer({"<pad>": 0, "<bos>": 1, "<eos>": 2, "<unk>": 3}, max_words=2)
        >>> cut_sentences(tokenizer, ["cats purr loudly"])
        ['words beyond the first 2 are not read']
    """
    limit, unit = tokenizer.model_max_length - 2, tokenization_of(tokenizer).unit
    affected = 0
    for sentence in sentences:
        short = first_words(sentence, limit)
        # a word has one token or more; a token has a byte or more, of three that a character's may become in form NFC
        long = unit != "words" and 3 * len(short.encode("utf-8", "surrogatepass")) > limit
        affected += short is not sentence or (long and len(tokenizer(short)["input_ids"]) > limit + 2)
    return [f"{unit} beyond the first {limit} are not read{share(affected, sentences)}"] if affected else []


def share(number: int, sentences: Sequence[str]) -> str:
    return f" in {number:,} of {len(sentences):,} sentences" if len(sentences) > 1 else ""
