"""A model directory and labelled sentences in, a file of how well its latents are classified out."""

import time
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from wae_rnf.evaluation.json_files import write_json
from wae_rnf.evaluation.provenance import provenance
from wae_rnf.evaluation.terminal_table import print_table

from .labelled_sentences import LabelledSentences, check_labels
from .probe import FOLDS, INVERSE_PENALTIES, Accuracy, draws_of, features_of, probe
from .text_autoencoder import TextAutoencoder
from .text_input import warn


def probe_of_directory(
    text: TextAutoencoder,
    path: Path,
    splits: Mapping[str, LabelledSentences],
    about: dict[str, Any],
    num_labels: Sequence[int],
    draws: int,
    seed: int = 0,
) -> list[Accuracy]:
    """Classifies test sentences by their latents; writes the accuracies to a file, and prints them.

    Args:
        text: the model.
        path: of the file.
        splits: labelled sentences of train, for the classifiers, and of test.
        about: of the labels, for the file: dataset, where the labels are from.
        num_labels: numbers of labelled training sentences; those that train does not have are left out.
        draws: number of random draws of the training sentences, for each number of labels.
        seed: of the draws and of the untrained encoder.

    Raises:
        ValueError: fewer labelled training sentences than any of `num_labels`, or labels that are all one.
    """
    start = time.perf_counter()
    check_labels(splits)
    train, test = splits["train"], splits["test"]
    numbers = numbers_within(num_labels, len(train.texts))
    drawn = draws_of(len(train.texts), numbers, draws, seed)
    kept, places = np.unique(np.concatenate(drawn), return_inverse=True)
    texts, labels = ([column[number] for number in kept] for column in (train.texts, train.labels))
    features = features_of(text, texts, test.texts, seed)
    found = probe(features, labels, test.labels, numbers, list(places.reshape(draws, -1)))

    majority = Counter(train.labels).most_common(1)[0][0]
    baseline = test.labels.count(majority) / len(test.labels)
    counts = {
        split: {"labelled": len(own.texts), "without_label": own.without_label} | {"labels": Counter(own.labels)}
        for split, own in splits.items()
    }
    how = {"sentences": counts, "majority": baseline, "folds": FOLDS, "inverse_penalties": INVERSE_PENALTIES}
    origin = provenance(text.model.device, seed, time.perf_counter() - start)
    write_json(path, origin | about | how | {"accuracies": [one._asdict() for one in found]})
    print_table(*in_cells(found), title=title(about, splits), caption=caption(draws, baseline))
    return found


def numbers_within(num_labels: Sequence[int], most: int) -> list[int]:
    """The numbers in order, once each, without those that are too large, which is reported.

    Raises:
        ValueError: all of them are too large.
    """
    numbers = sorted(set(num_labels))
    within = [number for number in numbers if number <= most]
    if not within:
        raise ValueError(f"only {most:,} training sentences have a label, fewer than --num_labels {numbers[0]}")
    if left_out := [f"{number:,}" for number in numbers if number > most]:
        warn([f"{', '.join(left_out)} labels left out: {most:,} training sentences have one"])
    return within


def in_cells(found: Sequence[Accuracy]) -> tuple[list[str], list[list[str]]]:
    """Header and rows of the table: a row for each number of labels, a column for each kind of features."""
    names = list(dict.fromkeys(one.features for one in found))
    by_number: dict[int, list[str]] = {}
    for one in found:
        error = "" if one.standard_error is None else f" ± {100 * one.standard_error:.1f}"
        by_number.setdefault(one.num_labels, []).append(f"{100 * one.mean:.1f}{error}")
    return ["labels", *names], [[f"{number:,}", *cells] for number, cells in by_number.items()]


def title(about: Mapping[str, Any], splits: Mapping[str, LabelledSentences]) -> str:
    """What is told apart, of how many sentences."""
    values = sorted(set(splits["train"].labels))
    shown = ", ".join(values) if len(values) <= 4 else f"{len(values)} labels"
    left_out = " and ".join(f"{own.without_label:,} {split}" for split, own in splits.items() if own.without_label)
    without = f"; {left_out} sentences have no label" if left_out else ""
    return f"{about['name']} ({shown}) of {len(splits['test'].texts):,} test sentences{without}"


def caption(draws: int, baseline: float) -> str:
    """How to read the figures."""
    error = f", with the standard error over {draws} draws of the labelled sentences" if draws > 1 else ""
    return f"Accuracy in %{error}. The commonest label is {100 * baseline:.1f}% of the test."
