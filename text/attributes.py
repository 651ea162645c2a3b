"""Attributes of English sentences by lexical rules: what a sentence says plainly, and nothing where it is not plain.

A rule needs no model and no labels, so that edits can be judged by something that was not trained on them.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

TOKEN = re.compile(r"n't|[a-z]+")


def split_words(text: str) -> tuple[str, ...]:
    return tuple(text.split())


PRESENT = split_words(
    """
    is are am has have does goes comes makes takes gets says tells gives knows thinks feels loves likes wants
    needs looks tastes seems serves offers
    """
)
PAST = split_words(
    """
    was were had did went came made took got said told gave knew thought felt loved liked wanted needed looked
    tasted seemed served offered ordered asked tried waited
    """
)
POSITIVE = split_words(
    """
    good great excellent amazing awesome delicious fantastic wonderful perfect best love loved friendly fresh nice
    helpful tasty favorite outstanding beautiful enjoyed pleasant happy clean superb lovely popular
    """
)
NEGATIVE = split_words(
    """
    bad terrible horrible awful worst rude cold disappointing disappointed bland dirty slow overpriced gross
    disgusting poor mediocre dry stale nasty unfriendly greasy hated noisy weak unpleasant
    """
)
NEGATIONS = frozenset(split_words("not n't never no nothing none without hardly"))


@dataclass(frozen=True)
class Attribute:
    """Two values that a sentence can have, each with the words that speak for it.

    Args:
        words: {value: words}; of the two values in order.
        blocked_by: words with which a sentence says nothing plain.
    """

    words: Mapping[str, Sequence[str]]
    blocked_by: frozenset[str] = frozenset()

    @property
    def values(self) -> tuple[str, str]:
        """The two values."""
        first, second = self.words
        return first, second

    def label(self, text: str) -> str | None:
        """The value whose words a sentence has, where it has none of the other's; None otherwise.

        Examples:
            >>> ATTRIBUTES["tense"].label("the soup was cold ."), ATTRIBUTES["tense"].label("it is what it was .")
            ('past', None)
            >>> ATTRIBUTES["sentiment"].label("The soup was cold."), ATTRIBUTES["sentiment"].label("It wasn't cold.")
            ('negative', None)
        """
        tokens = set(TOKEN.findall(text.lower().replace("n't", " n't")))
        if tokens & self.blocked_by:
            return None
        found = [value for value, words in self.words.items() if tokens.intersection(words)]
        return found[0] if len(found) == 1 else None


ATTRIBUTES = {
    "tense": Attribute({"present": PRESENT, "past": PAST}),
    "sentiment": Attribute({"negative": NEGATIVE, "positive": POSITIVE}, NEGATIONS),
}
