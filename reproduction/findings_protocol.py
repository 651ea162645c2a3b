"""Sections of docs/findings.md on the paper's protocol, and on mutual information under a flow."""

from collections.abc import Mapping
from dataclasses import replace

from wae_rnf.evaluation.columns import COLUMNS, Row, WordColumn, columns, markdown_table
from wae_rnf.evaluation.estimators import GENERATIVE_MODELS
from wae_rnf.evaluation.metrics import AnyMetrics

from .captions import training_in_words
from .results_folder import row_of

AFTER_FLOW = "mutual_information_after_flow"
Corpora = Mapping[str, Mapping[str, AnyMetrics]]  # {corpus: {row: metrics of the first seed}}


def left_out(metrics: AnyMetrics) -> dict[str, float]:
    """By how many nats the protocol's figure lies under the bounds, and what of it comes from which term.

    Returns:
        {"elbo", "iwae"}: the bounds of the trained generative model minus the protocol's figure; {"reconstruction",
        "latent"}: the parts of the first, decoding the mean instead of samples, and the latent terms at the mean.
    """
    own, protocol = metrics[metrics["generative_model"]], metrics["paper_protocol"]
    return {
        "elbo": own["elbo"]["nll"] - protocol["nll"],
        "iwae": own["iwae"]["nll"] - protocol["nll"],
        "reconstruction": own["elbo"]["reconstruction"] - protocol["reconstruction"],
        "latent": own["elbo"]["kl"] - (protocol["kl"] - protocol["log_abs_det"]),
    }


def column_left_out(heading: str, name: str) -> WordColumn:
    return WordColumn(heading, lambda row: f"{left_out(row.runs[0])[name]:.2f}")


def under_entropy(bounds: AnyMetrics) -> bool:
    """Whether the importance-weighted bound lies under the corpus's entropy by more than a standard error."""
    return bounds["iwae"]["above_entropy"] < -bounds["iwae"]["above_entropy_standard_error"]


def protocol_section(corpora: Corpora) -> list[str]:
    """What the paper's protocol leaves out, for each system of each corpus."""
    parts = [
        "The protocol decodes the posterior mean, and takes the latent terms there too. A sample of the posterior "
        "costs more: -log N(z; 0, I) has ½ Σ sigma² more on average, which is d/2 = 16 nats where sigma is 1, and "
        "its words are less likely. A language model has no latent variable, so there the two agree.",
        "![The paper's protocol and bounds](published_protocol.png)",
    ]
    shown = [
        *columns("model", "paper_protocol"),
        COLUMNS["elbo"],
        COLUMNS["iwae"].without_errors(),
        column_left_out("left out of the ELBO", "elbo"),
        column_left_out("left out of IWAE", "iwae"),
        column_left_out("of it: reconstruction", "reconstruction"),
        column_left_out("of it: latent terms", "latent"),
    ]
    for corpus, rows in corpora.items():
        text = markdown_table([Row.own(name, [metrics]) for name, metrics in rows.items()], shown)
        parts.append(f"{corpus} ({training_in_words(rows.values())}):\n\n{text}")
        parts += against_entropy(corpus, rows)
    return parts


def against_entropy(corpus: str, rows: Mapping[str, AnyMetrics]) -> list[str]:
    """How many rows the protocol and the bounds have under the entropy, where it is known."""
    entropies = [metrics["entropy"] for metrics in rows.values() if "entropy" in metrics]
    if not entropies:
        return []
    under = [row for row, metrics in rows.items() if metrics["paper_protocol"]["nll"] < entropies[0]]
    broken = [
        row
        for row, metrics in rows.items()
        for generative_model in GENERATIVE_MODELS
        if under_entropy(metrics[generative_model])
    ]
    return [
        f"On {corpus} the entropy is known, {entropies[0]:.2f} nats, and nothing can be under it. By the paper's "
        f"protocol {len(under)} of {len(rows)} systems are ({', '.join(under) or 'none'}); by the "
        f"importance-weighted bound, within a standard error, {len(broken)} are."
    ]


def information_section(corpora: Corpora) -> list[str]:
    """Mutual information on both sides of the flow."""
    rows = [
        Row.own(corpus, [metrics])
        for corpus, of_corpus in corpora.items()
        for metrics in of_corpus.values()
        if AFTER_FLOW in metrics
    ]
    shown = [
        WordColumn("system", lambda row: row_of(row.runs[0])),
        replace(COLUMNS["mutual_information"].without_errors(), heading="I(z; x)", form=".4f"),
        *columns("information_after_flow", "inversion_error", "log_abs_det"),
    ]
    return [
        "Mutual information is a mean of log q(z|x) - log q(z). Written in z' = F(z), both densities are divided by "
        "the same |det J(z)|, which cancels: an invertible F keeps it, however much volume it makes. Below, I(z'; x) "
        "is taken from z' alone, by way of the flow's numerical inverse; what F squeezed beyond floating point would "
        "show as a difference.",
        markdown_table(rows, shown, first="corpus"),
    ]
