"""Every tokenization, by its name. A new one is a file and a row here."""

from typing import NamedTuple

from .tokenization import Tokenization
from .tokenization_bpe import BytePairs
from .tokenization_punctuation import Punctuation
from .tokenization_words import Words

__all__ = ["TOKENIZATIONS", "TokenizationChoice", "find_tokenization"]

TOKENIZATIONS: dict[str, Tokenization] = {"words": Words(), "punctuation": Punctuation(), "bpe": BytePairs()}


def find_tokenization(name: str) -> Tokenization:
    """The row of a name.

    Raises:
        ValueError: there is none.

    Examples:
        >>> find_tokenization("words").unit
        'words'
    """
    if name not in TOKENIZATIONS:
        raise ValueError(f"tokenization must be one of {', '.join(TOKENIZATIONS)}, but is {name!r}")
    return TOKENIZATIONS[name]


class TokenizationChoice(NamedTuple):
    """A tokenization, and whether text is lower-cased.

    Examples:
        >>> TokenizationChoice.of("words"), str(TokenizationChoice.of("bpe", lowercase=True))
        (TokenizationChoice(tokenization='words', lowercase=True), 'bpe, lower case')
    """

    tokenization: str
    lowercase: bool

    @classmethod
    def of(cls, tokenization: str, lowercase: bool | None = None) -> "TokenizationChoice":
        """The choice with the tokenization's own default of ``lowercase`` where it is None."""
        default = find_tokenization(tokenization).lowercase
        return cls(tokenization, default if lowercase is None else lowercase)

    @property
    def unit(self) -> str:
        """What messages call a token."""
        return find_tokenization(self.tokenization).unit

    def __str__(self) -> str:
        return f"{self.tokenization}, {'lower case' if self.lowercase else 'cased'}"
