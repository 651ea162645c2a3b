"""A model directory and an attribute in, a file of how well edits work out."""

import time
from collections.abc import Sequence
from pathlib import Path

from wae_rnf.evaluation.evaluation_target import text_column_of
from wae_rnf.evaluation.json_files import write_json
from wae_rnf.evaluation.provenance import provenance
from wae_rnf.evaluation.terminal_table import print_table
from wae_rnf.tokenization.corpora import load_corpus

from .attributes import ATTRIBUTES
from .edit_quality import EditQuality, LabelledTexts, edit_quality
from .text_autoencoder import TextAutoencoder


def edits_of_directory(
    text: TextAutoencoder,
    directory: str,
    path: Path,
    dataset: str,
    attribute: str,
    strengths: Sequence[float],
    max_examples: int,
    max_sentences: int,
    seed: int = 0,
    language_model: str | None = None,
    judge: TextAutoencoder | None = None,
) -> list[EditQuality]:
    """Judges edits of test sentences, along the direction of training sentences; writes the figures and prints them.

    Args:
        text: the model of the directory.
        directory: of the model.
        path: of the file.
        dataset: the corpus.
        attribute: its name, of `ATTRIBUTES`.
        strengths: of the edits.
        max_examples, max_sentences: of each value, in the training and in the test split.
        seed: recorded with the figures.
        language_model: the name of the judge.
        judge: a language model, for the fluency.

    Raises:
        ValueError: a value that no sentence has, or a judge that is no language model.
    """
    start, rule = time.perf_counter(), ATTRIBUTES[attribute]
    corpus = load_corpus(dataset, text_column=text_column_of(directory, dataset))
    examples = LabelledTexts.of(corpus["train"]["text"], rule, max_examples)
    sentences = LabelledTexts.of(corpus["test"]["text"], rule, max_sentences)
    found = edit_quality(text, rule, examples, sentences, strengths, judge)
    counts = {"examples": [*map(len, examples)], "sentences": [*map(len, sentences)]}
    origin = provenance(text.model.device, seed, time.perf_counter() - start)
    edits = [quality._asdict() for quality in found]
    named = {"attribute": attribute, "values": rule.values, "dataset": dataset}
    write_json(path, origin | named | counts | {"language_model": language_model, "edits": edits})
    print_table(*in_cells(found), title=f"{attribute}: {' ↔ '.join(rule.values)}", caption=caption(counts))
    return found


def in_cells(found: Sequence[EditQuality]) -> tuple[list[str], list[list[str]]]:
    """Header and rows of the table."""
    header = ["strength", "accuracy", "BLEU to the source"] + ["perplexity"] * (found[0].perplexity is not None)
    rows = [
        [f"{one.strength:g}", f"{one.accuracy:.1%}", f"{one.bleu:.1f}"]
        + ([] if one.perplexity is None else [f"{one.perplexity:.1f}"])
        for one in found
    ]
    return header, rows


def caption(counts: dict[str, list[int]]) -> str:
    """What the figures are of."""
    edited, given = sum(counts["sentences"]), " and ".join(f"{number:,}" for number in counts["examples"])
    return f"{edited:,} edited sentences, both ways; the direction is of {given} training sentences."
