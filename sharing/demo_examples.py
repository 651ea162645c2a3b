"""What the demo's page begins with: two sentences, and directions of the latent space, from the corpus at hand."""

from dataclasses import dataclass

from datasets import DatasetDict
from torch import Tensor

from wae_rnf.text.attributes import ATTRIBUTES, Attribute
from wae_rnf.text.edit_quality import LabelledTexts
from wae_rnf.text.text_autoencoder import TextAutoencoder

FEWEST, MOST = 4, 14  # words of a first sentence
LOOKED_AT = 1000  # sentences of the test split that the first ones are among
SEARCHED = 100_000  # training sentences that are searched for those of a value
OF_EACH_VALUE = 500  # training sentences that a direction is made of


@dataclass(frozen=True)
class DemoExamples:
    """What is shown before anything is typed.

    Args:
        sentences: two of the test split; samples without one.
        directions: {attribute: its direction, (latent_size,)}, from its first value to its second.
        missing: {attribute: why it has no direction}.
    """

    sentences: tuple[str, str]
    directions: dict[str, Tensor]
    missing: dict[str, str]

    @classmethod
    def of(cls, text: TextAutoencoder, corpus: DatasetDict | None) -> "DemoExamples":
        """Of a model and the corpus at hand, or none."""
        directions, missing = {}, {}
        for name, attribute in ATTRIBUTES.items() if text.latent_size else ():
            try:
                directions[name] = direction_of(text, corpus, attribute)
            except ValueError as error:
                missing[name] = str(error)
        return cls(first_sentences(text, corpus), directions, missing)


def first_sentences(text: TextAutoencoder, corpus: DatasetDict | None) -> tuple[str, str]:
    """Two different sentences of middling length, as far as there are such."""
    found = text.sample(20, seed=0) if corpus is None else texts_of(corpus, "test", LOOKED_AT)
    fitting = [sentence for sentence in found if FEWEST <= len(sentence.split()) <= MOST] or found
    first = fitting[0]
    return first, next((sentence for sentence in fitting if sentence != first), first)


def direction_of(text: TextAutoencoder, corpus: DatasetDict | None, attribute: Attribute) -> Tensor:
    """From the training sentences of an attribute's first value to those of its second: (latent_size,).

    Raises:
        ValueError: no corpus, or no sentence of one of the values.
    """
    if corpus is None:
        raise ValueError("the training corpus is not at hand; name a --dataset")
    examples = LabelledTexts.of(texts_of(corpus, "train", SEARCHED), attribute, OF_EACH_VALUE)
    return text.direction(examples.first, examples.second)


def texts_of(corpus: DatasetDict, split: str, most: int) -> list[str]:
    """The first texts of a split."""
    rows = corpus[split]
    return list(rows.select(range(min(len(rows), most)))["text"])
