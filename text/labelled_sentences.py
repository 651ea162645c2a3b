"""Sentences with labels, by a lexical rule or by the grammar of the generated corpus."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass

from wae_rnf.evaluation.toy_quality import likeliest_attributes
from wae_rnf.tokenization.corpora import TOY, load_corpus
from wae_rnf.tokenization.toy.grammar import ToyGrammar

from .attributes import ATTRIBUTES

SPLITS = ("train", "test")


@dataclass(frozen=True)
class LabelledSentences:
    """Sentences of a split, each with its label.

    Args:
        texts: n sentences.
        labels: n labels.
        without_label: number of sentences that had none, and are left out.
    """

    texts: list[str]
    labels: list[str]
    without_label: int

    @classmethod
    def of(cls, rows: Iterable[tuple[str, str | None]]) -> "LabelledSentences":
        """Those of the rows (text, label or None) that have a label.

        Examples:
            >>> LabelledSentences.of([("the soup was cold .", "past"), ("soup .", None)])
            LabelledSentences(texts=['the soup was cold .'], labels=['past'], without_label=1)
        """
        rows = list(rows)
        kept = [(text, label) for text, label in rows if label is not None]
        return cls([text for text, _ in kept], [label for _, label in kept], len(rows) - len(kept))


def check_labels(splits: Mapping[str, LabelledSentences]) -> None:
    """Raises ValueError unless train has two labels at the least, and test a sentence that has one of them."""
    values = sorted(set(splits["train"].labels))
    if len(values) < 2:
        has = f"{values[0]} alone" if values else "none"
        raise ValueError(f"a classifier needs two labels at the least, but the training sentences have {has}")
    if not set(splits["test"].labels) & set(values):
        raise ValueError("no test sentence has a label that a training sentence has")


def labels_by_attribute(
    dataset: str, attribute: str, text_column: str | None = None
) -> tuple[dict[str, LabelledSentences], str]:
    """Train and test of a corpus, labelled by the value that a sentence has, and what says so: "grammar" or "rule".

    Args:
        dataset: the corpus, as in train.
        attribute: of `ATTRIBUTES`; for toy, one of its grammar's too.
        text_column: of the corpus.

    Raises:
        ValueError: an attribute that nothing gives for this corpus, or what `load_corpus` refuses.
    """
    value_of, source = labeller(dataset, attribute)
    corpus = load_corpus(dataset, text_column=text_column)
    rows = {split: ((text, value_of(text)) for text in corpus[split]["text"]) for split in SPLITS}
    return {split: LabelledSentences.of(of_split) for split, of_split in rows.items()}, source


def labeller(dataset: str, attribute: str) -> tuple[Callable[[str], str | None], str]:
    """The function from a sentence of a corpus to its value, None where it has none, and what gives it.

    For toy, the grammar: the likeliest value given the sentence. Otherwise a lexical rule.

    Examples:
        >>> value_of, source = labeller("toy", "topic")
        >>> value_of("the salmon was very bland ."), source
        ('restaurant', 'grammar')
        >>> labeller("reviews.txt", "topic")
        Traceback (most recent call last):
        ValueError: --attribute topic is not known of reviews.txt; choose one of tense, sentiment
    """
    of_grammar = ToyGrammar().attributes if dataset == TOY else ()
    if attribute in of_grammar:
        return lambda text: likeliest_attributes(text).get(attribute), "grammar"
    if attribute in ATTRIBUTES:
        return ATTRIBUTES[attribute].label, "rule"
    known = ", ".join(dict.fromkeys((*of_grammar, *ATTRIBUTES)))
    raise ValueError(f"--attribute {attribute} is not known of {dataset}; choose one of {known}")
