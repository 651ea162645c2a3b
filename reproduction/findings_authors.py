"""The section of docs/findings.md on the authors' configuration: what their code gives, and what ours does."""

from .corpus_report import table, training_in_words
from .paper_figures import TABLES

TOLERANCE = 0.03  # a quantity further off is named
QUANTITIES = {  # name in published.json: (in words, how it is read from metrics)
    "published": ("published protocol", lambda m: m["published"]["nll"]),
    "reconstruction_at_mean": ("reconstruction at the posterior mean", lambda m: m["published"]["reconstruction"]),
    "reconstruction": ("reconstruction at a sample", lambda m: m["pushforward"]["elbo"]["reconstruction"]),
    "kl": ("KL(q(z\\|x) \\|\\| N(0, I))", lambda m: m["pushforward"]["elbo"]["kl"]),
    "kl_of_flow_posterior": ("KL(q(z'\\|x) \\|\\| N(0, I))", lambda m: m["flow_posterior"]["elbo"]["kl"]),
    "log_abs_det": ("Σ log\\|det\\|", lambda m: m["published"]["log_abs_det"]),
    "elbo_flow_posterior": ("ELBO, flow posterior", lambda m: m["flow_posterior"]["elbo"]["nll"]),
    "elbo_pushforward": ("ELBO, pushforward", lambda m: m["pushforward"]["elbo"]["nll"]),
    "iwae_50_flow_posterior": ("IWAE-50, flow posterior", lambda m: m["flow_posterior"]["iwae"]["nll"]),
    "iwae_50_pushforward": ("IWAE-50, pushforward", lambda m: m["pushforward"]["iwae"]["nll"]),
    "mutual_information": ("mutual information", lambda m: m["mutual_information"]),
    "active_units": ("active units", lambda m: m["active_units"]),
}


def compared(metrics: dict) -> dict[str, tuple[float, float, float]]:
    """{quantity in words: (authors' code, ours, relative difference)} of a run by `--preset authors` on PTB.

    Args:
        metrics: of the run, with importance-weighted bounds of 50 samples.
    """
    theirs = TABLES["authors_code"]["ptb"]
    pairs = {words: (theirs[name], read(metrics)) for name, (words, read) in QUANTITIES.items()}
    return {words: (their, our, our / their - 1) for words, (their, our) in pairs.items()}


def authors_section(runs: list[dict]) -> list[str]:
    """The authors' code and this package with its configuration, quantity by quantity.

    Args:
        runs: metrics of each seed.
    """
    found = [compared(metrics) for metrics in runs]
    cells = [
        [words, f"{their:.2f}", *(f"{own[words][1]:.2f} ({own[words][2]:+.1%})" for own in found)]
        for words, (their, _, _) in found[0].items()
    ]
    far = [words for words in found[0] if all(abs(own[words][2]) > TOLERANCE for own in found)]
    seeds = [f"ours, seed {metrics['seed']}" for metrics in runs]
    return [
        f"`--preset authors` on PTB, {training_in_words(runs)}, beside what was measured on the authors' code after "
        "as many epochs. Nats per sentence, test split; in brackets the relative difference.",
        table(["quantity", "authors' code", *seeds], cells),
        f"More than {TOLERANCE:.0%} off: {', '.join(far) or 'none'}.",
    ]
