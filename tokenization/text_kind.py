"""What kind of text it is, told from the text: tokenized already, or of a script without spaces."""

import logging
import re
from collections import Counter
from collections.abc import Iterable
from itertools import islice

__all__ = ["is_tokenized", "warn_of_long_words"]

logger = logging.getLogger(__name__)

SAMPLE = 1000  # sentences that tell it
CONTRACTION = "(?:n['\u2019]t|['\u2019](?:s|re|ve|ll|d|m))"
APART = re.compile(rf"(?:^|\s)(?:[.,;:!?]|{CONTRACTION})(?=\s|$)", re.IGNORECASE)
ATTACHED = re.compile(rf"[\w)\]\"'](?:[,;:!?](?=\s|$)|\.(?=$)|{CONTRACTION}\b)", re.IGNORECASE)
MAX_LETTERS = 15  # of a word on average; more is no language that puts spaces between its words
MAX_SPACELESS_LETTERS = 5  # where most words are of a script that many write without spaces
SPACELESS = re.compile("[\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u3040-\u30ff\u3400-\u9fff\U00020000-\U0003ffff]")


def is_tokenized(texts: Iterable[str]) -> bool | None:
    """Whether texts are tokenized already: more punctuation marks and contractions stand apart than at a word.

    None where there are none, or as many.

    A full stop counts as at a word only where it ends the text, since abbreviations keep theirs.

    Args:
        texts: of which the first 1,000 are read.

    Examples:
        >>> is_tokenized(["it 's cold , mr. smith ."]), is_tokenized(["It's cold, Mr. Smith."]), is_tokenized(["cold"])
        (True, False, None)
    """
    apart = attached = 0
    for text in islice(texts, SAMPLE):
        apart += len(APART.findall(text))
        attached += len(ATTACHED.findall(text))
    return None if apart == attached else apart > attached


def warn_of_long_words(counts: Counter[str]) -> None:
    """Log where words are so long that white space cannot be what separates them."""
    letters = sum(len(word) * number for word, number in counts.items()) / counts.total()
    spaceless = sum(number for word, number in counts.items() if SPACELESS.search(word)) / counts.total()
    if letters > (MAX_SPACELESS_LETTERS if spaceless > 0.5 else MAX_LETTERS):
        logger.warning(
            "train: words have %.1f letters on average; white space is what separates words: put it between them, or "
            "take the tokenization bpe",
            letters,
        )
