"""Sentences beside the tables: what was trained, and what the figures and their errors are."""

from collections.abc import Iterable, Mapping

from wae_rnf.evaluation.metrics import AnyMetrics

from .intervals import Difference
from .paper_figures import TABLES, another_corpus
from .results_folder import Runs

PRECISIONS = {"no": "single precision", "bf16": "bfloat16", "fp16": "float16"}
ABOUT_ERRORS = (
    "Its ± is the standard error over sentences, or the standard deviation over seeds; in brackets, the Monte-Carlo "
    "error, of the samples alone."
)


def training_in_words(runs: Iterable[AnyMetrics]) -> str:
    """Of several runs: how long they were trained, whether shorter than the paper's, in which precision."""
    options = [metrics["options"] for metrics in runs]
    epochs, papers = sorted({own["num_epochs"] for own in options}), TABLES["table_3"]["num_epochs"]
    steps = options[0]["max_steps"]
    parts = [f"{' or '.join(map(str, epochs))} epoch{'' if epochs == [1] else 's'} of each system"]
    if steps:
        parts.append(f"at most {steps:,} steps")
    if epochs[0] < papers or steps:
        parts.append(f"**shortened from the paper's {papers}**, annealing scaled to it")
    parts.append(" or ".join(sorted({PRECISIONS[own["mixed_precision"]] for own in options})))
    return ", ".join(parts)


def introduction(runs: Runs) -> str:
    """What the reader of a page must know of its figures."""
    all_of_them = [metrics for seeds in runs.values() for metrics in seeds]
    first, seeds = all_of_them[0], max(map(len, runs.values()))
    spread = f" Mean ± standard deviation over {seeds} seeds." if seeds > 1 else ""
    return (
        f"{training_in_words(all_of_them)}. Test split: {first['num_sentences']:,} sentences, "
        f"{first['num_tokens']:,} tokens; nats per sentence, perplexity per token.{spread} The paper's "
        "figures are not all of one quantity: those of systems with flows are computed at the posterior mean, and are "
        "no bounds. Each stands beside the same quantity of ours, for comparison alone; the honest columns are the "
        "ELBO and the importance-weighted bound." + another_corpus(first["dataset"])
    )


def about_intervals(above: Mapping[tuple[str, str], Difference]) -> str:
    """What the brackets of `wae_rnf.reproduction.paired_bounds.above_language_model` are."""
    if not above:
        return ""
    alone = (
        "" if all(found.over_seeds for found in above.values()) else ", over sentences alone where a row has one seed"
    )
    return (
        " Above lstm-lm: paired differences of the importance-weighted bound, with the 95% interval of a bootstrap "
        f"over seeds and sentences{alone}."
    )


def first_run(runs: Runs) -> AnyMetrics:
    """The first seed of the first row."""
    return next(iter(runs.values()))[0]


def entropy_in_words(runs: Runs) -> str:
    """A sentence on the corpus's entropy where it is known; empty elsewhere."""
    entropy = first_run(runs).get("entropy")
    return f"The entropy of the corpus is {entropy:.2f} nats." if entropy is not None else ""
