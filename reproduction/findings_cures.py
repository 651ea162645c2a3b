"""The section of docs/findings.md on the switches that keep the latent variable alive, one at a time."""

from collections.abc import Callable

from wae_rnf.evaluation.columns import COLUMNS, Row, WordColumn, columns, markdown_table

from .captions import first_run, training_in_words
from .results_folder import Runs


def at_first_validation(name: str, form: str) -> Callable[[Row], str]:
    """A figure of the first validation of a run's first seed."""
    return lambda row: format(row.runs[0]["training"]["history"][0][name], form)


SHOWN = [
    *columns("reconstruction", "kl"),
    COLUMNS["elbo"],
    *columns("mutual_information", "active_units"),
    WordColumn("MI when alpha is there", at_first_validation("mutual_information", ".2f")),
    WordColumn("AU when alpha is there", at_first_validation("active_units", "d")),
]


def cures_section(runs: Runs) -> list[str]:
    """What each switch alone does to the use of the latent variable, under one short schedule.

    Args:
        runs: {row: metrics of each seed} of results/cures/ptb, rows by the names in examples/cures.yaml.
    """
    first, training = first_run(runs), training_in_words([metrics for seeds in runs.values() for metrics in seeds])
    return [
        f"PTB cut to {first['options']['vocab_size']:,} words ({training}; the first {first['num_sentences']:,} test "
        "sentences, one seed): alpha is at its last value, that of the system, from step 1,000 on. The rows are those "
        "of [examples/cures.yaml](../examples/cures.yaml), each a difference of one switch; all take their centres "
        "from the same VAE. Bounds are of the model with the prior on z; the last two columns are of the validation "
        "after the first epoch.",
        markdown_table([Row(name, seeds[:1], "pushforward") for name, seeds in runs.items()], SHOWN, first="row"),
    ]
