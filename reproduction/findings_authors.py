"""The section of docs/findings.md on the authors' configuration: what their code gives, and what ours does."""

from collections.abc import Sequence

from wae_rnf.evaluation.columns import COLUMNS
from wae_rnf.evaluation.markdown import table
from wae_rnf.evaluation.metrics import AnyMetrics

from .captions import training_in_words
from .paper_figures import TABLES

TOLERANCE = 0.03  # a quantity further off is named
# name in paper_figures.json: (in words, its column, of which generative model)
QUANTITIES = {
    "paper_protocol": ("paper's protocol", "paper_protocol", "pushforward"),
    "reconstruction_at_mean": ("reconstruction at the posterior mean", "paper_protocol_reconstruction", "pushforward"),
    "reconstruction": ("reconstruction at a sample", "reconstruction", "pushforward"),
    "kl": ("KL(q(z|x) || N(0, I))", "kl", "pushforward"),
    "kl_of_flow_posterior": ("KL(q(z'|x) || N(0, I))", "kl", "flow_posterior"),
    "log_abs_det": ("Σ log|det|", "log_abs_det", "pushforward"),
    "elbo_flow_posterior": ("ELBO, prior on z'", "elbo", "flow_posterior"),
    "elbo_pushforward": ("ELBO, prior on z", "elbo", "pushforward"),
    "iwae_50_flow_posterior": ("IWAE-50, prior on z'", "iwae", "flow_posterior"),
    "iwae_50_pushforward": ("IWAE-50, prior on z", "iwae", "pushforward"),
    "mutual_information": ("mutual information", "mutual_information", "pushforward"),
    "active_units": ("active units", "active_units", "pushforward"),
}


def compared(metrics: AnyMetrics) -> dict[str, tuple[float, float, float]]:
    """{quantity in words: (authors' code, ours, relative difference)} of a run by `--preset authors` on PTB.

    Args:
        metrics: of the run, with importance-weighted bounds of 50 samples.
    """
    theirs = TABLES["authors_code"]["ptb"]
    found = {}
    for name, (words, column, generative_model) in QUANTITIES.items():
        our = COLUMNS[column].read(metrics, generative_model)
        found[words] = theirs[name], our, our / theirs[name] - 1
    return found


def authors_section(runs: Sequence[AnyMetrics]) -> list[str]:
    """The authors' code and this package with its configuration, quantity by quantity.

    Args:
        runs: metrics of each seed.
    """
    found = [compared(metrics) for metrics in runs]
    lines = [
        [words, f"{their:.2f}", *(f"{own[words][1]:.2f} ({own[words][2]:+.1%})" for own in found)]
        for words, (their, _, _) in found[0].items()
    ]
    far = [words for words in found[0] if all(abs(own[words][2]) > TOLERANCE for own in found)]
    seeds = [f"ours, seed {metrics['seed']}" for metrics in runs]
    return [
        f"`--preset authors` on PTB, {training_in_words(runs)}, beside what was measured on the authors' code after "
        "as many epochs. Nats per sentence, test split; in brackets the relative difference.",
        table(["quantity", "authors' code", *seeds], lines),
        f"More than {TOLERANCE:.0%} off: {', '.join(far) or 'none'}.",
    ]
