"""Sentences of the training split that serve as the splits which a corpus lacks."""

import random
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

__all__ = ["HeldOut"]

SHARE, MOST = 20, 10_000  # one sentence in so many for each split that is missing, and no more than so many


@dataclass(frozen=True)
class HeldOut:
    """Which sentences of train are split off: random ones, the same whenever there are as many.

    Args:
        num_sentences: of train and what is split off, together.
        missing: the splits that the corpus lacks.

    Examples:
        >>> held_out = HeldOut(40, ("validation", "test"))
        >>> held_out.in_words()
        'no validation and no test split: of its 40 sentences, 2 random ones (5%, at most 10,000) serve as each'
        >>> [len(list(held_out.part(split, map(str, range(40))))) for split in ("train", "validation", "test")]
        [36, 2, 2]
    """

    num_sentences: int
    missing: tuple[str, ...]

    @property
    def size(self) -> int:
        """Sentences of each split."""
        return min(MOST, max(1, self.num_sentences // SHARE))

    def check(self, name: str) -> None:
        """Raise ValueError where too few sentences would be left."""
        if self.num_sentences <= len(self.missing):
            raise ValueError(
                f"{name} has no {' and no '.join(self.missing)} split, and only {self.num_sentences} sentences to "
                "split them off"
            )

    def in_words(self) -> str:
        share = f"{self.size:,} random ones (5%, at most {MOST:,})" if self.num_sentences >= SHARE else "1 random one"
        each = "each" if len(self.missing) > 1 else "it"
        verb = "serves" if self.size == 1 and self.num_sentences < SHARE else "serve"
        names = " and no ".join(self.missing)
        return f"no {names} split: of its {self.num_sentences:,} sentences, {share} {verb} as {each}"

    def part(self, split: str, sentences: Iterable[str]) -> Iterator[str]:
        """Yield those of all sentences, in their order, that belong to a split."""
        places = random.Random(0).sample(range(self.num_sentences), self.size * len(self.missing))
        owners = {place: self.missing[number % len(self.missing)] for number, place in enumerate(places)}
        return (text for place, text in enumerate(sentences) if owners.get(place, "train") == split)
