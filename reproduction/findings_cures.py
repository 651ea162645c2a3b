"""The section of docs/findings.md on the switches that keep the latent variable alive, one at a time."""

from .corpus_report import table, training_in_words

COLUMNS = {
    "reconstruction": lambda m: f"{m['pushforward']['elbo']['reconstruction']:.2f}",
    "KL": lambda m: f"{m['pushforward']['elbo']['kl']:.2f}",
    "ELBO, pushforward": lambda m: f"{m['pushforward']['elbo']['nll']:.2f}",
    "MI": lambda m: f"{m['mutual_information']:.2f}",
    "AU": lambda m: m["active_units"],
    "MI when alpha is there": lambda m: f"{m['training']['history'][0]['mutual_information']:.2f}",
    "AU when alpha is there": lambda m: m["training"]["history"][0]["active_units"],
}


def cures_section(runs: dict[str, list[dict]]) -> list[str]:
    """What each switch alone does to the use of the latent variable, under one short schedule.

    Args:
        runs: {row: metrics of each seed} of results/cures/ptb, rows by the names in examples/cures.yaml.
    """
    cells = [[row, *(column(several[0]) for column in COLUMNS.values())] for row, several in runs.items()]
    (first, *_), *_ = runs.values()
    training = training_in_words([metrics for several in runs.values() for metrics in several])
    return [
        f"PTB cut to {first['options']['vocab_size']:,} words ({training}; the first {first['num_sentences']:,} test "
        "sentences, one seed): alpha is at its last value, that of the system, from step 1,000 on. The rows are those "
        "of [examples/cures.yaml](../examples/cures.yaml), each a difference of one switch; all take their centres "
        "from the same VAE. The last two columns are of the validation after the first epoch.",
        table(["row", *COLUMNS], cells),
    ]
