"""The section of docs/findings.md on WAE-RNF as it is trained without any option but the corpus and the schedule."""

from wae_rnf.evaluation.columns import COLUMNS, Row, WordColumn, columns, markdown_table

from .captions import first_run, training_in_words
from .results_folder import Runs

SHOWN = [
    WordColumn("batch size", lambda row: str(row.runs[0]["options"]["batch_size"])),
    *columns("reconstruction", "kl"),
    COLUMNS["elbo"],
    COLUMNS["iwae"],
    *columns("mutual_information", "active_units", "units_over_0.05"),
]


def plain_section(runs: Runs) -> list[str]:
    """Whether the paper's objective alone keeps the latent variable in use.

    Args:
        runs: {row: metrics of each seed} of results/plain/ptb.
    """
    first, training = first_run(runs), training_in_words([metrics for seeds in runs.values() for metrics in seeds])
    scale = first["options"]["mean_gamma"]
    return [
        f"The objective of the paper ({training}), without a remedy beside the default scale of the mean's batch "
        f"normalization, {scale:g}. Bounds are of the model with the prior on z, of {first['num_sentences']:,} test "
        "sentences.",
        markdown_table([Row(name, seeds, "pushforward") for name, seeds in runs.items()], SHOWN, first="row"),
    ]
