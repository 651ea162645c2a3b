"""What the grammar of the toy corpus says of a model's text: whether it is of the language, and what it keeps."""

import math
from collections import defaultdict
from collections.abc import Sequence
from functools import cache

from wae_rnf.tokenization.toy.grammar import ToyGrammar

from .metrics import ToyQuality


@cache
def _grammar() -> ToyGrammar:
    return ToyGrammar()


def likeliest_attributes(sentence: str) -> dict[str, str]:
    """Each attribute's likeliest value given a sentence, by the grammar's exact posterior; {} outside of the language.

    Examples:
        >>> likeliest_attributes("the salmon was very bland .")["topic"], likeliest_attributes("the the the")
        ('restaurant', {})
    """
    grammar = _grammar()
    weights: dict[str, dict[str, float]] = defaultdict(lambda: defaultdict(float))
    for values, prob in grammar.joint(sentence).items():
        for name, value in zip(grammar.attributes, values, strict=True):
            weights[name][value] += prob
    return {name: max(of_values, key=of_values.__getitem__) for name, of_values in weights.items()}


def toy_quality(samples: Sequence[str], sources: Sequence[str], reconstructions: Sequence[str]) -> ToyQuality:
    """How many samples are sentences of the toy language, and how many reconstructions keep their source's attributes.

    Args:
        samples: from the prior.
        sources, reconstructions: in the same order; empty for a model without a latent variable.

    Returns:
        {"grammatical_samples": share of the samples that the grammar can derive, word for word; and where there are
        reconstructions "grammatical_reconstructions", the same of them, and "kept": {attribute: share of the
        reconstructions that are of the language and have the source's likeliest value}}.

    Examples:
        >>> toy_quality(["the salmon was very bland .", "salmon the"], [], [])
        {'grammatical_samples': 0.5}
    """
    of_samples = _grammatical(samples)
    if not reconstructions:
        return {"grammatical_samples": of_samples}
    pairs = [tuple(map(likeliest_attributes, pair)) for pair in zip(sources, reconstructions, strict=True)]
    kept = {
        name: sum(source.get(name) == found.get(name) is not None for source, found in pairs) / len(pairs)
        for name in _grammar().attributes
    }
    return {
        "grammatical_samples": of_samples,
        "grammatical_reconstructions": _grammatical(reconstructions),
        "kept": kept,
    }


def _grammatical(sentences: Sequence[str]) -> float:
    return sum(math.isfinite(_grammar().log_prob(sentence)) for sentence in sentences) / len(sentences)
