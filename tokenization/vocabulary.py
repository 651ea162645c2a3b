"""The vocabulary: words of the training split, the most frequent first; and the white-space words of a text."""

import heapq
import unicodedata
from collections import Counter
from collections.abc import Callable, Iterable

__all__ = [
    "BOS",
    "EOS",
    "PAD",
    "SPECIAL_TOKENS",
    "UNK",
    "build_vocabulary",
    "count_words",
    "first_words",
    "split_words",
]

PAD, BOS, EOS, UNK = "<pad>", "<bos>", "<eos>", "<unk>"
SPECIAL_TOKENS = (PAD, BOS, EOS, UNK)  # a special token's id is its place in this tuple


def split_words(text: str, max_words: int | None = None, lowercase: bool = True) -> list[str]:
    r"""Split a text into its first ``max_words`` words (all of them if None), in Unicode's form NFC.

    Words are what white space of any kind separates; punctuation stays in its word. The tokenization
    :mod:`~wae_rnf.tokenization.tokenization_words` splits in the same way.

    Examples:
        >>> split_words("The cat\u2028did n't sleep.\tReally ?", max_words=5)
        ['the', 'cat', 'did', "n't", 'sleep.']
    """
    if not text.isascii():
        # Python lowers a word-final capital sigma to another letter than the tokenizer does; "σ" is what both do.
        text = unicodedata.normalize("NFC", text).replace("Σ", "σ" if lowercase else "Σ")
    words = (text.lower() if lowercase else text).split()
    return words if max_words is None else words[:max_words]


def first_words(text: str, max_words: int) -> str:
    """Return the text itself, or its beginning up to the last of its first words where it has more of them.

    Examples:
        >>> first_words("a  cat ", 2), first_words("a  cat purrs", 2)
        ('a  cat ', 'a  cat')
    """
    if len(text) <= 2 * max_words:  # too short for so many words and the spaces between them
        return text
    words = text.split(None, max_words)
    return text if len(words) <= max_words else text.removesuffix(words[-1]).rstrip()


def count_words(
    texts: Iterable[str],
    max_words: int | None = None,
    max_entries: int | None = None,
    split: Callable[[str, int | None], list[str]] = split_words,
) -> Counter[str]:
    """Count the words of the texts, of each at most the first ``max_words`` (all if None).

    The texts are read once, one at a time, so they may be a stream. With ``max_entries``, memory is bounded too:
    wherever twice as many different words have come together, the largest count beyond the first ``max_entries``
    is subtracted from all, and words without a count left are forgotten (Misra and Gries 1982; Agarwal et al. 2012).
    A count is then too small by at most the number of words / ``max_entries``, and exact if there are fewer words.
    ``split`` says what the words of a text are.

    Examples:
        >>> sorted(count_words(["The cat", "the dog"]).items())
        [('cat', 1), ('dog', 1), ('the', 2)]
    """
    counts: Counter[str] = Counter()
    for text in texts:
        counts.update(split(text, max_words))
        if max_entries is not None and len(counts) > 2 * max_entries:
            beyond = heapq.nlargest(max_entries + 1, counts.values())[-1]
            counts = Counter({word: number - beyond for word, number in counts.items() if number > beyond})
    return counts


def build_vocabulary(counts: Counter[str], max_size: int = 20_000) -> dict[str, int]:
    """Number the words: special tokens first (ids 0 to 3), then by descending count, ties alphabetically.

    A special token that occurs in the text, as ``<unk>`` does in the Penn Treebank, keeps its special id and
    leaves no hole: the ids are 0, 1, ..., size - 1.

    Args:
        counts: how often each word occurs in the training split.
        max_size: greatest number of entries, the four special tokens included.

    Raises:
        ValueError: if ``max_size`` leaves no room for a word.

    Examples:
        >>> build_vocabulary(Counter({"b": 2, "a": 2, "<unk>": 5, "c": 1}), max_size=6)
        {'<pad>': 0, '<bos>': 1, '<eos>': 2, '<unk>': 3, 'a': 4, 'b': 5}
    """
    if max_size <= len(SPECIAL_TOKENS):
        raise ValueError(
            f"max_size={max_size} leaves no room for a word: choose at least {len(SPECIAL_TOKENS) + 1}, "
            "since four entries are special tokens"
        )
    words = sorted(counts.keys() - set(SPECIAL_TOKENS), key=lambda word: (-counts[word], word))
    entries = (*SPECIAL_TOKENS, *words)[:max_size]
    return {word: token_id for token_id, word in enumerate(entries)}
