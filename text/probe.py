"""Few-label classification: how well a linear classifier does on frozen features, over the number of labels.

The encoder was trained without labels and stays as it is, as in Zhu et al. 2020 (arXiv 2004.12585). Bags of words and
an untrained encoder of the same size are classified beside it, on the same sentences.
"""

import warnings
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
import torch
from sklearn.exceptions import ConvergenceWarning
from sklearn.feature_extraction.text import CountVectorizer
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GridSearchCV
from sklearn.preprocessing import StandardScaler

from modeling_wae_rnf import WaeRnfModel

from .text_autoencoder import TextAutoencoder
from .text_input import token_ids

FOLDS = 5  # of the cross-validation that chooses the penalty, among the labelled sentences alone
INVERSE_PENALTIES = (0.01, 0.1, 1.0, 10.0)
Matrix = Any  # an array, or a sparse one


class Accuracy(NamedTuple):
    """Test accuracy of a classifier that saw so many labels.

    Args:
        features: their name.
        num_labels: labelled training sentences.
        accuracies: on the test sentences, from 0 to 1, of each draw of the training sentences.
        mean: over the draws.
        standard_error: of the mean, over the draws; None for a single one.
    """

    features: str
    num_labels: int
    accuracies: list[float]
    mean: float
    standard_error: float | None


def draws_of(num_sentences: int, num_labels: Sequence[int], num_draws: int, seed: int) -> list[np.ndarray]:
    """Training sentences of each draw, their numbers; the first n of them are those of n labels.

    Examples:
        >>> [len(draw) for draw in draws_of(50, [10, 20], num_draws=3, seed=0)]
        [20, 20, 20]
    """
    rng = np.random.default_rng(seed)
    return [rng.permutation(num_sentences)[: max(num_labels)] for _ in range(num_draws)]


def features_of(
    text: TextAutoencoder, train: Sequence[str], test: Sequence[str], seed: int
) -> dict[str, tuple[Matrix, Matrix]]:
    """Features of sentences, {name: those of train and of test, (n, size)}: "latents", "untrained", "bag of words".

    Args:
        text: the model, whose posterior means are the latents.
        train: training sentences, whose mean and standard deviation all latents are standardized by.
        test: test sentences.
        seed: of the untrained encoder.
    """
    untrained = TextAutoencoder(untrained_model(text.model, seed), text.tokenizer, text.progress)
    return {
        "latents": standardized_latents(text, train, test),
        "untrained": standardized_latents(untrained, train, test),
        "bag of words": bags_of_words(text, train, test),
    }


def untrained_model(model: WaeRnfModel, seed: int) -> WaeRnfModel:
    """A model of the same configuration with the weights that a training starts with."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        untrained = WaeRnfModel(model.config)
    untrained.to(model.device)  # type: ignore[arg-type]  # Transformers' annotation of it
    return untrained


def standardized_latents(text: TextAutoencoder, train: Sequence[str], test: Sequence[str]) -> tuple[Matrix, Matrix]:
    """Posterior means, less their mean over train and divided by their standard deviation: (n, latent_size) each."""
    latents = [text.encode(texts).double().numpy() for texts in (train, test)]
    scaler = StandardScaler().fit(latents[0])
    return scaler.transform(latents[0]), scaler.transform(latents[1])


def bags_of_words(text: TextAutoencoder, train: Sequence[str], test: Sequence[str]) -> tuple[Matrix, Matrix]:
    """Which of the tokens that train has a sentence has: sparse (n, tokens) each, 0 or 1."""
    counter = CountVectorizer(analyzer=lambda ids: ids[1:-1], binary=True)  # without beginning- and end-of-sentence
    of_train = counter.fit_transform(token_ids(text.tokenizer, train))
    return of_train, counter.transform(token_ids(text.tokenizer, test))


def accuracy(train: Matrix, labels: np.ndarray, test: Matrix, test_labels: np.ndarray) -> float:
    """Test accuracy of a multinomial logistic regression with an L2 penalty, which cross-validation chooses.

    Of labels that are all one, that one is predicted.
    """
    values, counts = np.unique(labels, return_counts=True)
    if len(values) == 1:
        return float((test_labels == values[0]).mean())
    classifier = LogisticRegression(max_iter=1000)
    if counts.min() >= FOLDS:
        classifier = GridSearchCV(classifier, {"C": INVERSE_PENALTIES}, cv=FOLDS)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        return float(classifier.fit(train, labels).score(test, test_labels))


def probe(
    features: Mapping[str, tuple[Matrix, Matrix]],
    labels: Sequence[str],
    test_labels: Sequence[str],
    num_labels: Sequence[int],
    draws: Sequence[np.ndarray],
) -> list[Accuracy]:
    """Accuracies of every kind of features and number of labels, all on the same sentences.

    Args:
        features: {name: (of the training, of the test sentences)}.
        labels: of the training sentences.
        test_labels: of the test sentences.
        num_labels: numbers of labelled training sentences.
        draws: see `draws_of`.
    """
    given, wanted = np.array(labels), np.array(test_labels)
    found = []
    for number in num_labels:
        for name, (train, test) in features.items():
            drawn = [accuracy(train[draw[:number]], given[draw[:number]], test, wanted) for draw in draws]
            error = float(np.std(drawn, ddof=1) / len(drawn) ** 0.5) if len(drawn) > 1 else None
            found.append(Accuracy(name, number, drawn, float(np.mean(drawn)), error))
    return found
