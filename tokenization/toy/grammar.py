"""The generated corpus `toy`: English-like reviews and news whose log-probability is known exactly.

A sentence x is drawn in two steps: attributes a ~ p(a) (topic, form, polarity, tense, length), then
x ~ p(x | a) from a weighted context-free grammar whose rules may ask for the values of a. Hence

    log p(x) = log Σ_a p(a) Σ_{derivations d of x under a} p(d | a)        (nats per sentence)

which the inside algorithm (Lari and Young 1990, https://doi.org/10.1016/0885-2308(90)90022-X) computes.
Sampler and parser walk the same `Phrase` objects, so that they cannot disagree. The rules are data: see
`rules.py` for their syntax.
"""

import math
import random
import re
from collections import defaultdict
from collections.abc import Sequence

from .rules import ATTRIBUTES, RULES

__all__ = ["ToyGrammar"]


RULE = re.compile(r"(\w+)(?:\[([^\]]+)\])? = (.+)")


class Phrase:
    """A weighted choice between sequences of words and phrases, all attributes being already settled."""

    def __init__(self, weighted: Sequence[tuple[float, tuple["str | Phrase", ...]]]) -> None:
        total = sum(weight for weight, _ in weighted)
        self.alternatives = [(weight / total, items) for weight, items in weighted]
        self.probs = [prob for prob, _ in self.alternatives]
        self.words: set[str] = set()
        # An alternative is tried by the parser only where its first word matches.
        self.by_first_word: dict[str, list] = defaultdict(list)
        for alternative in self.alternatives:
            items = alternative[1]
            self.words.update(*({item} if isinstance(item, str) else item.words for item in items))
            for word in {items[0]} if isinstance(items[0], str) else items[0].by_first_word:
                self.by_first_word[word].append(alternative)

    def sample(self, rng: random.Random) -> str:
        """One draw, as words joined by single spaces."""
        _, items = rng.choices(self.alternatives, self.probs)[0]
        return " ".join(item if isinstance(item, str) else item.sample(rng) for item in items)

    def lengths(self) -> tuple[int, int]:
        """The numbers of tokens of the shortest and of the longest sequence."""
        spans = []
        for _, items in self.alternatives:
            parts = [(1, 1) if isinstance(item, str) else item.lengths() for item in items]
            spans.append([sum(bounds) for bounds in zip(*parts, strict=True)])
        return min(low for low, _ in spans), max(high for _, high in spans)


def read_rules(text: str) -> dict[str, list]:
    """{symbol: [(conditions, [(weight, items), ...]), ...]} of rules in the syntax of `rules.py`.

    >>> read_rules("greeting[past,good/bad] = hello {name} *3 | bye *1")["greeting"][0][1]
    [(3.0, ('hello', '{name}')), (1.0, ('bye',))]
    """
    rules = defaultdict(list)
    for line in re.sub(r"\n[ \t]+", " ", text).splitlines():
        if not line.strip() or line.startswith("#"):
            continue
        match = RULE.fullmatch(line.strip())
        if match is None:
            raise ValueError(f"a rule reads `symbol[value,value] = words {{symbol}} | words`, not {line!r}")
        symbol, values, right = match.groups()
        conditions = [frozenset(group.split("/")) for group in values.split(",")] if values else []
        weighted = []
        for rank, alternative in enumerate(right.split("|"), start=1):
            words, _, weight = alternative.partition("*")
            if not words.split():
                raise ValueError(f"an alternative needs at least one word: {line!r}")
            weighted.append((float(weight) if weight else 1 / (rank + 3), tuple(words.split())))
        rules[symbol].append((conditions, weighted))
    return dict(rules)


class ToyGrammar:
    """A grammar of sentences with latent attributes; the default one is the corpus `toy`.

    Args:
        rules: rules in the syntax of `rules.py`; without cycles, the start symbol is `sentence`.
        attributes: the symbols which are drawn first, in this order. The rule of an attribute may depend
            on the attributes before it, every other rule on all of them.

    Raises:
        ValueError: a rule is malformed, refers to itself, or is missing or twice for some attributes.

    >>> grammar = ToyGrammar("mood = good *3 | bad *1\\nsentence[good] = yes\\nsentence[bad] = no", ["mood"])
    >>> grammar.sample_with_attributes(random.Random(0))
    ('no', {'mood': 'bad'})
    >>> round(math.exp(grammar.log_prob("yes")), 12), grammar.log_prob("perhaps")
    (0.75, -inf)
    """

    def __init__(self, rules: str = RULES, attributes: Sequence[str] = ATTRIBUTES) -> None:
        self.attributes = tuple(attributes)
        self._rules = read_rules(rules)
        self._relevant: dict[str, frozenset[str]] = {}
        self._phrases: dict[tuple[str, frozenset[str]], Phrase] = {}
        settings: list[tuple[tuple[str, ...], float]] = [((), 1.0)]
        for name in self.attributes:
            settings = [
                ((*values, str(value)), prob * share)
                for values, prob in settings
                for share, (value,) in self._phrase(name, values).alternatives
            ]
        self._priors = dict(settings)
        self._roots = {values: self._phrase("sentence", values) for values in self._priors}
        self._settings_with_word = defaultdict(set)
        for values, root in self._roots.items():
            for word in root.words:
                self._settings_with_word[word].add(values)

    @property
    def attribute_probs(self) -> dict[tuple[str, ...], float]:
        """p(a) of every setting of the attributes, in the order of `attributes`."""
        return dict(self._priors)

    @property
    def vocabulary(self) -> set[str]:
        """Every word and punctuation mark of the language."""
        return set(self._settings_with_word)

    @property
    def length_bounds(self) -> tuple[int, int]:
        """The numbers of tokens, punctuation included, of the shortest and of the longest sentence."""
        lows, highs = zip(*(root.lengths() for root in set(self._roots.values())), strict=True)
        return min(lows), max(highs)

    def sample(self, rng: random.Random) -> str:
        """One sentence: lower case, tokens separated by single spaces."""
        return self.sample_with_attributes(rng)[0]

    def sample_with_attributes(self, rng: random.Random) -> tuple[str, dict[str, str]]:
        """One sentence and the attributes which it was drawn from."""
        values: tuple[str, ...] = ()
        for name in self.attributes:
            values = (*values, self._phrase(name, values).sample(rng))
        return self._roots[values].sample(rng), dict(zip(self.attributes, values, strict=True))

    def log_prob(self, sentence: str) -> float:
        """log p(sentence) in nats, exact up to rounding; -inf outside of the language."""
        prob = math.fsum(self.joint(sentence).values())
        return math.log(prob) if prob > 0 else -math.inf

    def joint(self, sentence: str) -> dict[tuple[str, ...], float]:
        """p(sentence, a) for those attribute values a where it is positive.

        Divided by their sum these are p(a | sentence), the exact posterior of the attributes.
        """
        words = sentence.split(" ")
        # Only attributes which can give every single word are parsed: a few out of hundreds.
        candidates = set.intersection(*(self._settings_with_word.get(word, set()) for word in words))
        chart: dict[tuple[Phrase, int], dict[int, float]] = {}
        end = len(words)
        words.append("")  # no phrase starts with the empty word: the parser needs no test for the end
        joint = {}
        for values in candidates:
            prob = inside(self._roots[values], 0, words, chart).get(end, 0.0)
            if prob > 0:
                joint[values] = self._priors[values] * prob
        return joint

    def _phrase(self, symbol: str, values: Sequence[str]) -> Phrase:
        """The phrase of a symbol given attribute values, one object for all values which it ignores."""
        key = (symbol, self._values_asked(symbol, ()).intersection(values))
        if key not in self._phrases:
            matching = [
                weighted
                for conditions, weighted in self._rules[symbol]
                if all(not group.isdisjoint(values) for group in conditions)
            ]
            if len(matching) != 1:
                raise ValueError(f"{len(matching)} rules instead of one for {symbol!r} given {tuple(values)}")
            self._phrases[key] = Phrase(
                [(weight, tuple(self._item(item, values) for item in items)) for weight, items in matching[0]]
            )
        return self._phrases[key]

    def _item(self, item: str, values: Sequence[str]) -> str | Phrase:
        return self._phrase(item[1:-1], values) if item[0] == "{" else item

    def _values_asked(self, symbol: str, above: tuple[str, ...]) -> frozenset[str]:
        """The attribute values which the rules of a symbol, and of the symbols below it, ask for."""
        if symbol in above:
            raise ValueError(f"the rules must not have cycles: {' > '.join((*above, symbol))}")
        if symbol not in self._rules:
            raise ValueError(f"no rule for {{{symbol}}} (from {' > '.join(above) or 'the start'})")
        if symbol not in self._relevant:
            asked: set[str] = set()
            for conditions, weighted in self._rules[symbol]:
                asked.update(*conditions)
                below = {item[1:-1] for _, items in weighted for item in items if item[0] == "{"}
                asked.update(*(self._values_asked(name, (*above, symbol)) for name in below))
            self._relevant[symbol] = frozenset(asked)
        return self._relevant[symbol]


def inside(phrase: Phrase, start: int, words: list[str], chart: dict) -> dict[int, float]:
    """{end: probability that the phrase yields words[start:end]}, ends of probability 0 left out.

    The sum over derivations is exact; `chart` remembers the answers over all attribute values, which
    share their phrases.
    """
    key = (phrase, start)
    if key in chart:
        return chart[key]
    total: dict[int, float] = {}
    for prob, items in phrase.by_first_word.get(words[start], ()):
        ends = {start: prob}
        for item in items:
            reached: dict[int, float] = {}
            for middle, before in ends.items():
                if isinstance(item, str):
                    spans = {middle + 1: 1.0} if words[middle] == item else {}
                else:
                    spans = inside(item, middle, words, chart)
                for end, share in spans.items():
                    reached[end] = reached.get(end, 0.0) + before * share
            ends = reached
        for end, share in ends.items():
            total[end] = total.get(end, 0.0) + share
    chart[key] = total
    return total
