"""The page of a reproduction: the paper's tables with its figures beside ours, and drawings, from the results."""

from collections.abc import Mapping
from pathlib import Path

from wae_rnf.evaluation.columns import (
    NOTHING,
    Row,
    WordColumn,
    columns,
    generative_model_in_words,
    markdown_table,
)
from wae_rnf.evaluation.estimators import GENERATIVE_MODELS
from wae_rnf.evaluation.evaluation_target import same_corpus
from wae_rnf.evaluation.markdown import table
from wae_rnf.evaluation.metrics import AnyMetrics
from wae_rnf.training.option_scope import unlike_system, with_part
from wae_rnf.training.run_directory import FREE_TO_CHANGE

from .captions import ABOUT_ERRORS, about_intervals, entropy_in_words, first_run, introduction
from .drawings import (
    bounds_over_k,
    collapsed,
    draw_bound_over_k,
    draw_collapse,
    draw_mutual_information,
    draw_tradeoff,
    judged_samples,
)
from .paired_bounds import Above, above_language_model, column_above
from .paper_columns import BESIDE_THE_PAPER, columns_of_table_2
from .paper_figures import TABLES
from .results_folder import REPORT, Runs, datasets_in, read_runs

OVER_K, TRADEOFF = "bound_over_k.png", "tradeoff.png"
MAPPED, MAP = "wae-rnf", "latent_map.png"  # the row whose latent space is drawn, and the drawing
ROWS_OF_TABLE_2 = ("wae", "wae-nf", "wae-rnf")
ROWS_OF_TABLE_4 = ("vae", "wae-rnf")
NO_DIFFERENCE = ("system", "centres_from", "seed", *FREE_TO_CHANGE)  # options that say nothing of the model
ABOUT_TRADEOFF = (
    "BLEU of greedy reconstructions from the posterior mean, and perplexity of samples from the prior under the "
    "language model of the corpus, per token. To the right a latent says more of a sentence, lower down samples read "
    "more like the corpus; rows of one system are joined in the order of their KL weights."
)


def write_report(results: str | Path) -> Path:
    """Writes README.md and its drawings into a folder of results; returns the path of README.md.

    Args:
        results: a folder with one JSON file of metrics a system, or more with several seeds.

    Raises:
        ValueError: no results there, or not of one dataset.
    """
    results = Path(results)
    datasets = list(datasets_in(results).values())
    if not datasets or not all(same_corpus(datasets[0], other) for other in datasets):
        raise ValueError(f"{results} must hold the results of one dataset, not of {len(set(datasets))}")
    runs = read_runs(results)
    draw_mutual_information(runs, results / "mutual_information.png")
    draw_collapse(runs, results / "collapse.png")
    curves = bounds_over_k(runs)
    if curves:
        draw_bound_over_k(runs, results / OVER_K)
    weighed = any(metrics["has_latents"] for metrics in judged_samples(runs).values())
    if weighed:
        draw_tradeoff(runs, results / TRADEOFF)
    sections = {
        "Table 1: likelihoods": table_1(runs, above_language_model(results, runs)),
        "Table 2: what the flow and the metric change": table_2(runs),
        "Table 3: settings": table_3(runs),
        "What the rows differ in": differing_options(runs),
        "Text": text_table(runs),
        "Reconstructions against samples": f"{ABOUT_TRADEOFF}\n\n![Tradeoff]({TRADEOFF})" if weighed else "",
        "Figure 3: mutual information": "![Mutual information on the test split](mutual_information.png)",
        "Figure 4: latent usage over training": "![KL, mutual information, active units](collapse.png)",
        "The bound over k": over_k(curves) if curves else "",
        "The latent space": latent_space(runs) if (results / MAP).exists() else "",
        "Table 4: samples from the prior": table_4(runs),
        "How they were made": provenance_table(runs),
    }
    title = f"# The paper's systems on {Path(datasets[0]).name}\n\n{introduction(runs)}"
    parts = [title, *(f"## {heading}\n\n{text}" for heading, text in sections.items() if text)]
    path = results / REPORT
    path.write_text("\n\n".join(parts) + "\n", encoding="utf-8")
    return path


def own_rows(runs: Runs) -> list[Row]:
    """A line a row, with the bounds of the generative model that was trained."""
    return [Row.own(name, seeds) for name, seeds in runs.items()]


def rows_of_both_models(runs: Runs) -> list[Row]:
    """A line for each generative model of a row: one without a flow, two with it."""
    return [
        Row(name, seeds, generative_model)
        for name, seeds in runs.items()
        for generative_model in (GENERATIVE_MODELS if seeds[0]["has_flow"] else (seeds[0]["generative_model"],))
    ]


def which_model(row: Row) -> str:
    """The generative model of a line, and whether it is the one that was trained."""
    trained = ", trained" if row.generative_model == row.runs[0]["generative_model"] else ""
    return generative_model_in_words(row) + trained if row.runs[0]["has_flow"] else NOTHING


def table_1(runs: Runs, above: Above) -> str:
    shown = [
        *BESIDE_THE_PAPER,
        WordColumn("generative model", which_model),
        *columns("elbo", "iwae", "k", "ppl"),
        column_above(above),
        *columns("kl", "mutual_information", "active_units", "active_units_0.1", "units_over_0.05"),
    ]
    text = (
        f"IWAE takes k samples a sentence, and PPL is that of IWAE; a language model's likelihood is exact with one. "
        f"{ABOUT_ERRORS} A flow has two generative models, one with the prior on z and one with the prior on z': "
        "claims are made by the one that was trained. "
        f"{entropy_in_words(runs)}{about_intervals(above)}"
    )
    return f"{text.strip()}\n\n{markdown_table(rows_of_both_models(runs), shown)}"


def table_2(runs: Runs) -> str:
    rows = [Row.own(name, runs[name]) for name in ROWS_OF_TABLE_2 if name in runs]
    if not rows:
        return "None of wae, wae-nf and wae-rnf was trained."
    return markdown_table(rows, columns_of_table_2())


def table_3(runs: Runs) -> str:
    options = first_run(runs)["options"]
    rows = [[name, value, options[name]] for name, value in TABLES["table_3"].items()]
    return table(["setting", "paper", "ours"], rows)


def differing_options(runs: Runs) -> str:
    """The options that are not the same in all rows; nothing where the systems alone differ."""
    options = {row: with_part(seeds[0]["options"]) for row, seeds in runs.items()}
    names = dict.fromkeys(name for own in options.values() for name in own if name not in NO_DIFFERENCE)

    def differs(name: str) -> bool:
        rows = [own for own in options.values() if name in own]
        return all(len({str(own.get(name)) for own in of}) > 1 for of in (rows, map(unlike_system, rows)))

    differing = [name for name in names if differs(name)]
    if not differing:
        return ""
    header = ["row", "system", *(f"`{name}`" for name in differing)]
    rows = [[row, own["system"], *(own.get(name, NOTHING) for name in differing)] for row, own in options.items()]
    return table(header, rows)


def text_table(runs: Runs) -> str:
    """The quality of samples and reconstructions."""
    all_of_them = [metrics for seeds in runs.values() for metrics in seeds]
    text = (
        f"Distinct n-grams and self-BLEU are of {all_of_them[0]['text']['samples']['num_sentences']:,} samples from "
        "the prior. BLEU is of greedy reconstructions from the posterior mean."
    )
    found = [metrics.get("reproduction", {}).get("perplexities") for metrics in all_of_them]
    counts = sorted({perplexities["num_samples"] for perplexities in found if perplexities} - {None})
    if any(found):
        more = " or ".join(f"{count:,}" for count in counts) + " of them" if counts else "more samples"
        text += (
            f" Perplexities are of {more}: forward, under the language model of the corpus; reverse, of the test "
            "split under a language model that was trained on the samples for as many epochs."
        )
    names = ("distinct_1", "distinct_2", "distinct_3", "self_bleu", "forward_ppl", "reverse_ppl", "bleu")
    return f"{text}\n\n{markdown_table(own_rows(runs), columns(*names))}"


def table_4(runs: Runs) -> str:
    chosen = [(system, runs[system][0]["samples"]) for system in ROWS_OF_TABLE_4 if system in runs]
    if not chosen:
        return "Neither vae nor wae-rnf was trained."
    return "\n\n".join(f"{system}:\n\n" + "\n".join(f"- {line}" for line in lines) for system, lines in chosen)


def over_k(curves: Mapping[str, AnyMetrics]) -> str:
    """The drawing of the bound over k, and what it is of."""
    counts = sorted({metrics["bound_over_k"]["num_sentences"] for metrics in curves.values()})
    return (
        f"Of the first {' or '.join(f'{count:,}' for count in counts)} test sentences, the mean over disjoint groups "
        "of k samples, of the generative model that was trained. Where a curve still falls at its end, the likelihood "
        f"is better than the bound says.\n\n![The importance-weighted bound over k]({OVER_K})"
    )


def latent_space(runs: Runs) -> str:
    """The map, and what it is worth."""
    metrics = runs[MAPPED][0] if MAPPED in runs else None
    caution = (
        f"{MAPPED} is collapsed: its posterior means are all but one point, I(z; x) is "
        f"{abs(metrics['mutual_information']):.2f} nats. Mind the scale of the axes: what they show is noise.\n\n"
        if metrics and collapsed(metrics)
        else ""
    )
    return f"{caution}![Posterior means of {MAPPED}]({MAP})"


def provenance_table(runs: Runs) -> str:
    """Where the figures come from."""
    rows = [
        [
            system,
            f"`{(metrics['training']['commit'] or 'unknown')[:12]}`",
            metrics["options"]["seed"],
            f"{metrics['training']['steps']:,}",
            f"{metrics['training']['seconds'] / 60:.1f}",
            f"{metrics['seconds'] / 60:.1f}",
            metrics["training"]["device"],
            metrics["options"]["mixed_precision"],
        ]
        for system, seeds in runs.items()
        for metrics in seeds
    ]
    header = ["system", "commit", "seed", "steps", "minutes of training", "of evaluation", "device", "mixed precision"]
    command = first_run(runs)["command"]
    return f"`{command}`; versions and all options are in the JSON files beside this page.\n\n{table(header, rows)}"
