"""The section of docs/findings.md on the aim: a latent variable that is used, and a better bound than without one."""

import statistics
from pathlib import Path

from wae_rnf.evaluation.columns import Row, WordColumn, markdown_table
from wae_rnf.training.systems import SYSTEMS

from .intervals import Difference
from .paired_bounds import Above, above_language_model
from .paper_columns import summary_columns
from .results_folder import Runs, folders_of_results, read_runs

LEAST_INFORMATION = 5  # nats of mutual information
LEAST_GAIN = 1.0  # nats by which the bound is to lie under the language model's figure
BESIDE = ("lstm-lm", "wae-rnf")  # systems that stand beside the variants
TRAINING_COLUMNS = [
    WordColumn("seeds", lambda row: str(len(row.runs))),
    WordColumn("epochs", lambda row: str(row.runs[0]["options"]["num_epochs"])),
    WordColumn("as an autoencoder before", lambda row: str(row.runs[0]["options"].get("autoencoder_epochs", 0))),
]


def aim_section(*folders: Path) -> list[str]:
    """Variants beside the language model, and whether one has a better bound with a latent variable that is used.

    Args:
        folders: with the folders of results of each corpus.
    """
    parts = [
        "The aim beyond the paper: a WAE-RNF whose importance-weighted bound, of the generative model that it is "
        f"trained for, lies at least {LEAST_GAIN:g} nat under the likelihood of the language model of the same size, "
        "with a paired 95% interval over sentences and seeds below zero, while its latent variable says at least "
        f"{LEAST_INFORMATION} nats about a sentence."
    ]
    for results in (path for folder in folders for path in folders_of_results(folder)):
        runs = read_runs(results)
        variants = {row: seeds for row, seeds in runs.items() if row not in SYSTEMS}
        if variants:
            above = above_language_model(results, runs)
            rows = [Row.own(row, seeds) for row, seeds in runs.items() if row in variants or row in BESIDE]
            text = markdown_table(rows, [*TRAINING_COLUMNS, *summary_columns(above)], first="row")
            link = f"[{results.as_posix()}](../{results.as_posix()}/README.md)"
            parts += [f"{link}:\n\n{text}", verdict(variants, above)]
    return parts


def reaches(information: float, difference: Difference | None) -> bool | None:
    """Whether a row reaches the aim: True or False by an interval over the seeds of both rows, None without one.

    Args:
        information: nats of mutual information, the mean over the row's seeds.
        difference: of the row's bound, of the generative model that was trained, from the language model's figure;
            None where there are no pairs.
    """
    if difference is None or not difference.over_seeds:
        return None
    return information >= LEAST_INFORMATION and difference.mean <= -LEAST_GAIN and difference.high < 0


def verdict(variants: Runs, above: Above) -> str:
    """What can be said of the aim: rows that reach it, that do not, and that nothing can be said of."""
    names: dict[bool | None, list[str]] = {True: [], False: [], None: []}
    for row, seeds in variants.items():
        information = statistics.mean(metrics["mutual_information"] for metrics in seeds)
        names[reaches(information, above.get((row, seeds[0]["generative_model"])))].append(row)
    sentences = {
        True: "It is reached by {}.",
        False: "It is not reached by {}.",
        None: "Nothing is claimed of {}: that takes several seeds of the row and of lstm-lm, evaluated on the same "
        "sentences.",
    }
    return " ".join(sentences[reached].format(", ".join(rows)) for reached, rows in names.items() if rows)
