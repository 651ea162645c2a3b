"""Writes docs/findings.md and its drawings from results/: `make findings`."""

import argparse
from pathlib import Path

from wae_rnf.evaluation.estimators import generative_model_of
from wae_rnf.evaluation.json_files import read_json
from wae_rnf.evaluation.markdown import table
from wae_rnf.training.option_files import read_variants
from wae_rnf.training.systems import SYSTEMS, resolve

from .findings_ablation import Rows, ablation_section, contributions
from .findings_aim import aim_section
from .findings_authors import authors_section
from .findings_cures import cures_section
from .findings_drawings import draw_ablation, draw_protocol
from .findings_plain import plain_section
from .findings_protocol import AFTER_FLOW, Corpora, information_section, left_out, protocol_section
from .results_folder import folders_of_results, read_runs

RESULTS, DOCS = Path("results"), Path("docs")  # of the checkout that this is run in
ABLATION = RESULTS / "ablation"
AUTHORS, CURES = RESULTS / "authors" / "ptb", RESULTS / "cures" / "ptb"
PLAIN, RECIPE = RESULTS / "plain" / "ptb", RESULTS / "recipe"
NO_GAUSSIAN = ("lstm-lm", "vmf-vae", "dirichlet-vae")  # systems without a Gaussian posterior


def reproductions(folder: Path) -> Corpora:
    """{corpus: {row: metrics}} of the folders that `wae-rnf reproduce` left; the first seed of each row."""
    order = [*SYSTEMS, *read_variants(RESULTS.parent / "examples" / "ablation.yaml")]
    found = {}
    for path in folders_of_results(folder):
        runs = read_runs(path)
        known = [row for row in order if row in runs]
        found[path.name] = {row: runs[row][0] for row in [*known, *(row for row in runs if row not in known)]}
    return found


def summary(corpora: Corpora, ablations: Corpora) -> list[str]:
    """What the sections below find, in a sentence each."""
    gaps = []
    for corpus, rows in corpora.items():
        values = [left_out(metrics)["elbo"] for metrics in rows.values() if metrics["system"] not in NO_GAUSSIAN]
        gaps.append(f"{corpus} {min(values):.1f} to {max(values):.1f}")
    flows = [metrics for rows in corpora.values() for metrics in rows.values() if AFTER_FLOW in metrics]
    moved = max(abs(metrics[AFTER_FLOW] - metrics["mutual_information"]) for metrics in flows)
    lines = [
        f"The paper's protocol lies under the ELBO of a Gaussian posterior, in nats a sentence: {'; '.join(gaps)}.",
        f"The flow keeps mutual information: I(z; x) and I(z'; x) differ by at most {moved:.0e} nats.",
    ]
    for corpus, rows in ablations.items():
        lines += about_ablation(corpus, rows)
    return ["\n".join(f"- {line}" for line in lines)]


def about_ablation(corpus: str, rows: Rows) -> list[str]:
    """Which row the paper's protocol prefers, and what each part of WAE-RNF adds."""
    row, metrics = min(rows.items(), key=lambda item: item[1]["paper_protocol"]["nll"])
    nll, information = metrics[metrics["generative_model"]]["iwae"]["nll"], metrics["mutual_information"]
    moves = [f"{name} {nats:+.2f} and {more:+.2f}" for name, nats, more in contributions(rows)]
    return [
        f"The protocol does not order models: of the {len(rows)} rows of the ablation on {corpus} it has {row} as the "
        f"best, with {metrics['paper_protocol']['nll']:.2f} nats. Its latent variable says {information:.2f} nats "
        f"about a sentence, and by the importance-weighted bound, {nll:.2f}, it is number {rank_by_bound(row, rows)}.",
        "What each part of WAE-RNF adds to the importance-weighted bound of the model with the prior on z (less is "
        f"better there) and to the mutual information, in nats, on {corpus}, by single runs: {'; '.join(moves)}.",
    ]


def rank_by_bound(row: str, rows: Rows) -> int:
    """The row's rank, 1 for the lowest importance-weighted bound."""
    nll = {name: metrics[metrics["generative_model"]]["iwae"]["nll"] for name, metrics in rows.items()}
    return 1 + sum(value < nll[row] for value in nll.values())


def precision_section() -> list[str]:
    """What evaluation in bfloat16 moves."""
    lines = []
    for run in read_json(RESULTS / "bfloat16.json")["runs"]:
        generative_model = generative_model_of(resolve(run["system"], {})["objective"])
        for kind in ("elbo", "iwae"):
            single, half = (run[precision][generative_model][kind]["nll"] for precision in ("no", "bf16"))
            name = kind.upper() + (f"-{run['no'][generative_model]['iwae']['samples']}" if kind == "iwae" else "")
            figures = f"{single:.3f}", f"{half:.3f}", f"{half - single:+.3f}"
            lines.append([run["dataset"], run["system"], name, *figures])
    return [
        "Products are taken in bfloat16 where a table says so; logits are normalized, and the latent terms, "
        "distances and sums computed, in single precision, so that the decoder is a normalized distribution either "
        "way. The same models and samples, evaluated in both:",
        table(["corpus", "system", "bound", "single precision", "bfloat16", "difference, nats"], lines),
    ]


def findings() -> str:
    """The page as Markdown."""
    corpora, ablations = reproductions(RESULTS), reproductions(ABLATION)
    sections = {
        "In short": summary(corpora, ablations),
        "What the paper's protocol leaves out": protocol_section(corpora),
        "Mutual information does not change under an invertible flow": information_section(corpora),
        "What the flow, the kernel, the MMD and the heads contribute": ablation_section(ablations),
        "The authors' configuration": authors_section(read_runs(AUTHORS)["wae-rnf"]),
        "What keeps the latent variable alive": cures_section(read_runs(CURES)),
        "WAE-RNF by default on PTB": plain_section(read_runs(PLAIN)),
        "A latent variable that is used, and the language model": aim_section(RESULTS, RECIPE),
        "What bfloat16 changes": precision_section(),
    }
    title = "# Findings\n\nEvery figure here is written by `make findings` from the JSON files in `results/`."
    parts = [title, *(f"## {heading}\n\n" + "\n\n".join(text) for heading, text in sections.items())]
    return "\n\n".join(parts) + "\n"


def main(argv: list[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--output", type=Path, default=DOCS, help="folder of the page and its drawings")
    output = parser.parse_args(argv).output
    output.mkdir(parents=True, exist_ok=True)
    draw_protocol(reproductions(RESULTS), output / "published_protocol.png")
    draw_ablation(reproductions(ABLATION), output / "ablation.png")
    (output / "findings.md").write_text(findings(), encoding="utf-8")


if __name__ == "__main__":
    main()
