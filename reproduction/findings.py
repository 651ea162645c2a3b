"""Writes docs/findings.md and its drawings from results/*/*.json: `make findings`."""

import argparse
import statistics
from pathlib import Path

from wae_rnf.evaluation.estimators import READINGS, reading_of
from wae_rnf.evaluation.json_files import read_json
from wae_rnf.training.option_files import read_variants
from wae_rnf.training.systems import SYSTEMS, objective_of

from .corpus_report import (
    REPORT,
    UNITS,
    above_in_words,
    above_language_model,
    iwae_with_errors,
    k_of,
    label,
    over_seeds,
    read_runs,
    table,
    training_in_words,
    units,
)
from .findings_ablation import ablation_section, contributions
from .findings_authors import authors_section
from .findings_cures import cures_section
from .findings_drawings import draw_ablation, draw_protocol

RESULTS, DOCS = Path("results"), Path("docs")  # of the checkout that this is run in
ABLATION = RESULTS / "ablation"
AUTHORS, CURES = RESULTS / "authors" / "ptb", RESULTS / "cures" / "ptb"
AIM = 5  # nats of mutual information
MARGIN = 1.0  # nats by which the aim's bound is to lie under the language model's figure
AFTER_FLOW = "mutual_information_after_flow"
NO_GAUSSIAN = ("lstm-lm", "vmf-vae")  # systems without a Gaussian posterior


def reproductions(folder):
    """{corpus: {row: metrics}} of the folders that `wae-rnf reproduce` left; the first seed of each row."""
    found = {path.name: read_runs(path) for path in sorted(folder.iterdir()) if (path / REPORT).exists()}
    order = [*SYSTEMS, *read_variants(RESULTS.parent / "examples" / "ablation.yaml")]
    return {
        corpus: {row: several[0] for row, several in sorted(runs.items(), key=lambda item: place(item[0], order))}
        for corpus, runs in found.items()
    }


def place(row, order):
    return order.index(row) if row in order else len(order)


def left_out(metrics):
    """By how many nats the published figure lies under the bounds, and what of it comes from which term.

    Returns:
        {"elbo", "iwae"}: the bounds of the model's own reading minus the published figure; {"reconstruction",
        "latent"}: the parts of the first, decoding the mean instead of samples, and the latent terms at the mean.
    """
    reading, published = metrics["reading"], metrics["published"]
    elbo = metrics[reading]["elbo"]
    return {
        "elbo": elbo["nll"] - published["nll"],
        "iwae": metrics[reading]["iwae"]["nll"] - published["nll"],
        "reconstruction": elbo["reconstruction"] - published["reconstruction"],
        "latent": elbo["kl"] - (published["kl"] - published["log_abs_det"]),
    }


def under_entropy(bounds):
    """Whether the importance-weighted bound lies under the corpus's entropy by more than a standard error."""
    return bounds["iwae"]["above_entropy"] < -bounds["iwae"]["above_entropy_standard_error"]


def protocol_section(found):
    """What the published protocol leaves out, for each system of each corpus."""
    parts = [
        "The protocol decodes the posterior mean, and takes the latent terms there too. A sample of the posterior "
        "costs more: -log N(z; 0, I) has ½ Σ sigma² more on average, which is d/2 = 16 nats where sigma is 1, and "
        "its words are less likely. A language model has no latent code, so there the two agree.",
        "![Published protocol and bounds](published_protocol.png)",
    ]
    for name, rows in found.items():
        cells = []
        for row, metrics in rows.items():
            reading, missing = metrics["reading"], left_out(metrics)
            bounds = [metrics[reading][kind]["nll"] for kind in ("elbo", "iwae")]
            figures = [metrics["published"]["nll"], *bounds, *missing.values()]
            cells.append([row, label(reading), *(f"{value:.2f}" for value in figures)])
        header = ["system", "its own reading", "published protocol", "ELBO", "IWAE"]
        header += ["left out of the ELBO", "left out of IWAE", "of it: reconstruction", "of it: latent terms"]
        parts.append(f"{name} ({training_in_words(rows.values())}):\n\n{table(header, cells)}")
        entropies = [metrics["entropy"] for metrics in rows.values() if "entropy" in metrics]
        if entropies:
            under = [row for row, metrics in rows.items() if metrics["published"]["nll"] < entropies[0]]
            broken = [row for row, metrics in rows.items() for reading in READINGS if under_entropy(metrics[reading])]
            parts.append(
                f"On {name} the entropy is known, {entropies[0]:.2f} nats, and nothing can be under it. By the "
                f"published protocol {len(under)} of {len(rows)} systems are ({', '.join(under) or 'none'}); by the "
                f"importance-weighted bound, within a standard error, {len(broken)} are."
            )
    return parts


def information_section(found):
    """Mutual information on both sides of the flow."""
    cells = [
        [
            name,
            row,
            f"{metrics['mutual_information']:.4f}",
            f"{metrics[AFTER_FLOW]:.4f}",
            f"{metrics['largest_flow_inversion_error']:.1e}",
            f"{metrics['published']['log_abs_det']:.2f}",
        ]
        for name, rows in found.items()
        for row, metrics in rows.items()
        if AFTER_FLOW in metrics
    ]
    header = ["corpus", "system", "I(z; x)", "I(z'; x)", "largest error of F⁻¹(F(z))", "Σ log\\|det\\|"]
    return [
        "Mutual information is a mean of log q(z|x) - log q(z). Written in z' = F(z), both densities are divided by "
        "the same |det J(z)|, which cancels: an invertible F keeps it, however much volume it makes. Below, I(z'; x) "
        "is taken from z' alone, by way of the flow's numerical inverse; what F squeezed beyond floating point would "
        "show as a difference.",
        table(header, cells),
    ]


def summary(corpora, ablations):
    """What the sections below find, in a sentence each."""
    flows = [metrics for rows in corpora.values() for metrics in rows.values() if AFTER_FLOW in metrics]
    moved = max(abs(metrics[AFTER_FLOW] - metrics["mutual_information"]) for metrics in flows)
    gaps = {
        corpus: [left_out(metrics)["elbo"] for metrics in rows.values() if metrics["system"] not in NO_GAUSSIAN]
        for corpus, rows in corpora.items()
    }
    gaps = "; ".join(f"{corpus} {min(values):.1f} to {max(values):.1f}" for corpus, values in gaps.items())
    lines = [f"The published protocol lies under the ELBO of a Gaussian posterior, in nats a sentence: {gaps}."]
    for corpus, rows in ablations.items():
        row, metrics = min(rows.items(), key=lambda item: item[1]["published"]["nll"])
        nll, information = metrics[metrics["reading"]]["iwae"]["nll"], metrics["mutual_information"]
        lines.append(
            f"It does not order models: of the {len(rows)} rows of the ablation on {corpus} it has {row} as the best, "
            f"with {metrics['published']['nll']:.2f} nats. Its code says {information:.2f} nats about a sentence, and "
            f"by the importance-weighted bound, {nll:.2f}, it is number {place_by_bound(row, rows)}."
        )
        moves = [f"{name} {nats:+.2f} and {information:+.2f}" for name, nats, information in contributions(rows)]
        lines.append(
            "What each part of WAE-RNF adds to the importance-weighted bound of the pushforward model (less is better "
            f"there) and to the mutual information, in nats, on {corpus}, by single runs: {'; '.join(moves)}."
        )
    lines.insert(2, f"The flow keeps mutual information: I(z; x) and I(z'; x) differ by at most {moved:.0e} nats.")
    return ["\n".join(f"- {line}" for line in lines)]


def place_by_bound(row, rows):
    """A row's place, 1 for the lowest importance-weighted bound."""
    nll = {name: metrics[metrics["reading"]]["iwae"]["nll"] for name, metrics in rows.items()}
    return 1 + sum(value < nll[row] for value in nll.values())


def reaches(information, difference):
    """Whether a row reaches the aim: True or False by an interval over the seeds of both rows, None without one.

    Args:
        information: nats of mutual information, the mean over the row's seeds.
        difference: [`Difference`] of the row's bound, in its own reading, from the language model's figure; None
            where there are no pairs.
    """
    if difference is None or not difference.over_seeds:
        return None
    return information >= AIM and difference.mean <= -MARGIN and difference.high < 0


def aim_section(folder):
    """Configurations of one's own beside the language model, and whether one is better with a code that is used."""
    parts = [
        "The aim beyond the paper: a WAE-RNF whose importance-weighted bound, of the generative model that it is "
        f"trained for, lies at least {MARGIN:g} nat under the likelihood of the language model of the same size, with "
        "a paired 95% interval over sentences and seeds below zero, while its code says at least "
        f"{AIM} nats about a sentence."
    ]
    for corpus in reproductions(folder):
        runs = read_runs(folder / corpus)
        own = [row for row in runs if row not in SYSTEMS]
        if not own:
            continue
        above = above_language_model(folder / corpus, runs)
        shown = [row for row in runs if row in own or row in ("lstm-lm", "wae-rnf")]
        cells = [aim_row(row, runs[row], above) for row in shown]
        header = [
            "row",
            "seeds",
            "epochs",
            "as an autoencoder before",
            "reading",
            "ELBO",
            "IWAE",
            "k",
            "above lstm-lm",
        ]
        parts.append(f"{corpus}:\n\n{table([*header, 'KL', 'MI', UNITS], cells)}")
        parts.append(verdict({row: runs[row] for row in own}, above))
    return parts


def verdict(own, above):
    """What can be said of the aim: rows that reach it, that do not, and that nothing can be said of."""
    found = {
        row: reaches(
            statistics.mean(metrics["mutual_information"] for metrics in several),
            above.get((row, several[0]["reading"])),
        )
        for row, several in own.items()
    }
    named = {
        value: ", ".join(row for row, reached in found.items() if reached is value) for value in (True, False, None)
    }
    parts = [
        f"It is reached by {named[True]}." if named[True] else "",
        f"It is not reached by {named[False]}." if named[False] else "",
        f"Nothing is claimed of {named[None]}: that takes several seeds of the row and of lstm-lm, evaluated on the "
        "same sentences." if named[None] else "",
    ]  # fmt: skip
    return " ".join(filter(None, parts))


def aim_row(row, several, above):
    metrics = several[0]
    reading, options = metrics["reading"], metrics["options"]
    return [
        row,
        len(several),
        options["num_epochs"],
        options.get("autoencoder_epochs", 0),
        label(reading),
        over_seeds(several, lambda m: m[reading]["elbo"]["nll"]),
        iwae_with_errors(several, reading),
        k_of(metrics[reading]["iwae"]),
        above_in_words(several, row, reading, above),
        over_seeds(several, lambda m: m["pushforward"]["elbo"]["kl"]),
        over_seeds(several, lambda m: m["mutual_information"]),
        units(several),
    ]


def precision_section():
    """What evaluation in bfloat16 moves."""
    runs = read_json(RESULTS / "bfloat16.json")["runs"]
    cells = []
    for run in runs:
        reading = reading_of(objective_of(run["system"]))
        for kind in ("elbo", "iwae"):
            single, half = (run[precision][reading][kind]["nll"] for precision in ("no", "bf16"))
            name = kind.upper() + (f"-{run['no'][reading]['iwae']['samples']}" if kind == "iwae" else "")
            cells.append(
                [run["dataset"], run["system"], name, f"{single:.3f}", f"{half:.3f}", f"{half - single:+.3f}"]
            )
    return [
        "Products are taken in bfloat16 where a table says so; logits are normalized, and the latent terms, "
        "distances and sums computed, in single precision, so that the decoder is a normalized distribution either "
        "way. The same models and samples, evaluated in both:",
        table(["corpus", "system", "bound", "single precision", "bfloat16", "difference, nats"], cells),
    ]


def findings():
    """The page as Markdown."""
    corpora, ablations = reproductions(RESULTS), reproductions(ABLATION)
    sections = {
        "In short": summary(corpora, ablations),
        "What the published protocol leaves out": protocol_section(corpora),
        "Mutual information does not change under an invertible flow": information_section(corpora),
        "What the flow, the kernel, the MMD and the heads contribute": ablation_section(ablations),
        "The authors' configuration": authors_section(read_runs(AUTHORS)["wae-rnf"]),
        "What keeps the latent variable alive": cures_section(read_runs(CURES)),
        "A code that is used, and the language model": aim_section(RESULTS),
        "What bfloat16 changes": precision_section(),
    }
    title = "# Findings\n\nEvery figure here is written by `make findings` from the JSON files in `results/`."
    parts = [title, *(f"## {heading}\n\n" + "\n\n".join(text) for heading, text in sections.items())]
    return "\n\n".join(parts) + "\n"


def main(argv=None):
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--output", type=Path, default=DOCS, help="folder of the page and its drawings")
    output = parser.parse_args(argv).output
    output.mkdir(parents=True, exist_ok=True)
    draw_protocol(reproductions(RESULTS), output / "published_protocol.png")
    draw_ablation(reproductions(ABLATION), output / "ablation.png")
    (output / "findings.md").write_text(findings(), encoding="utf-8")


if __name__ == "__main__":
    main()
