"""The paper's own figures, for tables that show each beside the same quantity of ours.

Its rows are not all of one quantity: those with flows are taken at the posterior mean, and are no bounds; the others
are exact, or reconstruction + KL with samples, which is an ELBO.
"""

import json
from pathlib import Path
from typing import Any

from wae_rnf.evaluation.metrics import AnyMetrics

TABLES = json.loads(Path(__file__).with_name("paper_figures.json").read_text(encoding="utf-8"))


def paper_figures(table: str, dataset: str, system: str) -> dict[str, Any]:
    """A row of "table_1" or "table_2", {protocol, nll, kl, …}; {} where the paper has none.

    Examples:
        >>> paper_figures("table_1", "ptb", "wae-rnf")["nll"]
        91.9
    """
    return TABLES[table].get(papers_corpus(dataset), {}).get(system, {})


def papers_corpus(dataset: str) -> str | None:
    """The corpus of the paper that a dataset's name begins with: this one, or another of its kind; None without.

    Examples:
        >>> papers_corpus("data/yahoo_20k")
        'yahoo'
    """
    return next((name for name in TABLES["table_1"] if Path(dataset).name.startswith(name)), None)


def another_corpus(dataset: str) -> str:
    """A sentence where the paper's figures are of another corpus than the dataset; empty otherwise.

    Examples:
        >>> another_corpus("ptb"), "its own yelp corpus" in another_corpus("data/yelp_short")
        ('', True)
    """
    theirs, ours = papers_corpus(dataset), Path(dataset).name
    if theirs in (None, ours):
        return ""
    return (
        f" The paper's figures are of its own {theirs} corpus, whose sentences are others than those of {ours}: "
        "compare the order of the systems, not the figures."
    )


QUANTITIES = {
    "exact": "exact NLL",
    "elbo": "ELBO",
    "iwae": "IWAE",
    "paper_protocol": "at the posterior mean, no bound",
}


def same_quantity(metrics: AnyMetrics, protocol: str) -> AnyMetrics:
    """Of our metrics, {nll, kl, ppl, …} of the quantity that a row of the paper is: one of `QUANTITIES`.

    Bounds are those of the generative model that was trained. An exact likelihood has no divergence.
    """
    if protocol == "paper_protocol":
        return metrics["paper_protocol"]
    own = metrics[metrics["generative_model"]]
    return own["iwae"] | {"kl": own["elbo"]["kl"]} if protocol == "iwae" else own["elbo"]
