"""Each row against the language model, sentence by sentence."""

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np

from wae_rnf.evaluation.columns import COLUMNS, Row, WordColumn
from wae_rnf.evaluation.estimators import GENERATIVE_MODELS
from wae_rnf.evaluation.metrics_files import read_sentences, sentences_file

from .arguments import LANGUAGE_MODEL
from .intervals import Difference, paired_difference
from .results_folder import Runs, files_of_rows

Above = Mapping[tuple[str, str], Difference]  # {(row, generative model): …}


def above_language_model(results: str | Path, runs: Runs) -> Above:
    """By how much importance-weighted bounds lie above the language model's exact figure.

    Over seeds and sentences, of the rows whose bounds of each sentence lie beside their metrics and are of the same
    sentences as those of all seeds of `lstm-lm`.
    """
    kept = {row: read_bounds(paths) for row, paths in files_of_rows(results).items()}
    language_model = kept.pop(LANGUAGE_MODEL, None)
    found = {}
    for row, bounds in kept.items():
        if bounds and language_model and np.array_equal(bounds["length"], language_model["length"]):
            for generative_model in GENERATIVE_MODELS if runs[row][0]["has_flow"] else ("pushforward",):
                found[row, generative_model] = paired_difference(
                    bounds[generative_model], language_model["pushforward"]
                )
    return found


def read_bounds(paths: Sequence[Path]) -> dict[str, np.ndarray] | None:
    """The importance-weighted bound of each sentence: {"length": (sentences,), generative_model: (seeds, sentences)}.

    None where a seed's are not kept, or are of other sentences than the first one's.
    """
    if not all(sentences_file(path).exists() for path in paths):
        return None
    columns = [read_sentences(path) for path in paths]
    lengths = columns[0]["length"]
    if not all(np.array_equal(lengths, one["length"]) for one in columns):
        return None
    bounds = {
        generative_model: np.stack([one.get(f"{generative_model}_iwae", one["pushforward_iwae"]) for one in columns])
        for generative_model in GENERATIVE_MODELS
    }
    return {"length": lengths} | bounds


def column_above(above: Above) -> WordColumn:
    """The difference with its interval; where there are no pairs, what the metrics have of one seed."""
    of_one_seed = COLUMNS["above_language_model"]

    def cell(row: Row) -> str:
        if (row.name, row.generative_model) in above:
            return str(above[row.name, row.generative_model])
        return of_one_seed.cell(Row(row.name, row.runs[:1], row.generative_model))

    return WordColumn(of_one_seed.heading, cell)
