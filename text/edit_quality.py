"""How well edits by vector arithmetic work: accuracy, BLEU to the source, and fluency, over the strength of the edit.

A direction is the difference of the mean latents of two kinds of text, z + strength · (mean of b - mean of a); the
protocol is that of Shen et al. 2020 (arXiv 1905.12777, section 5.3), with lexical rules in place of a trained
classifier.
"""

from collections.abc import Sequence
from typing import NamedTuple

from wae_rnf.evaluation.text_quality import reconstruction_quality

from .attributes import Attribute
from .text_autoencoder import TextAutoencoder


class EditQuality(NamedTuple):
    """Edits of one strength, in both ways.

    Args:
        strength: length of the move, in directions.
        accuracy: the part of the edited sentences that have the other value by the rule, from 0 to 1.
        bleu: of the edited sentences, against their sources, 0 to 100.
        perplexity: of the edited sentences, per token of the language model; None without one.
    """

    strength: float
    accuracy: float
    bleu: float
    perplexity: float | None


class LabelledTexts(NamedTuple):
    """Texts by the value that the rule gives them, the first `most` of each."""

    first: list[str]
    second: list[str]

    @classmethod
    def of(cls, texts: Sequence[str], attribute: Attribute, most: int) -> "LabelledTexts":
        """Those of the texts that have a value.

        Raises:
            ValueError: a value that no text has.
        """
        found: dict[str, list[str]] = {value: [] for value in attribute.values}
        for text in texts:
            if all(len(having) == most for having in found.values()):
                break
            value = attribute.label(text)
            if value is not None and len(found[value]) < most:
                found[value].append(text)
        if missing := [value for value, having in found.items() if not having]:
            raise ValueError(f"none of the {len(texts):,} sentences is {missing[0]} by the rule")
        return cls(*found.values())


def edit_quality(
    text: TextAutoencoder,
    attribute: Attribute,
    examples: LabelledTexts,
    sentences: LabelledTexts,
    strengths: Sequence[float],
    language_model: TextAutoencoder | None = None,
) -> list[EditQuality]:
    """Moves every sentence towards the other value, and judges what comes out.

    Args:
        text: the model that edits.
        attribute: whose rule judges.
        examples: that the direction is made of, none of which is edited.
        sentences: that are edited.
        strengths: of the edits; 0 reconstructs.
        language_model: judges the fluency.

    Raises:
        ValueError: a judge with a latent variable.
    """
    if language_model is not None and language_model.latent_size:
        raise ValueError("fluency is judged by a language model, but that model has a latent variable")
    direction = text.direction(examples.first, examples.second)
    sources = [*sentences.first, *sentences.second]
    first, second = attribute.values
    wanted = [second] * len(sentences.first) + [first] * len(sentences.second)
    found = []
    for strength in strengths:
        edited = text.edit(sentences.first, direction, strength) + text.edit(sentences.second, direction, -strength)
        right = sum(attribute.label(one) == value for one, value in zip(edited, wanted, strict=True))
        bleu = reconstruction_quality(edited, sources)["bleu"]
        fluency = None if language_model is None else language_model.nll(edited).perplexity
        found.append(EditQuality(strength, right / len(sources), bleu, fluency))
    return found
