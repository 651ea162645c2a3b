"""Writes the results section of README.md from results/*.json: `make readme`, or with --check only compares."""

import io
import json
import sys
from pathlib import Path

from rich.console import Console

from training_wae_rnf.published import published
from training_wae_rnf.report import print_report

RESULTS = Path(__file__).resolve().parent
README = RESULTS.parent / "README.md"
MARKS = {
    "example": ("<!-- example: written by results/tables.py -->", "<!-- end of example -->"),
    "results": ("<!-- results: written by results/tables.py -->", "<!-- end of results -->"),
}
EXAMPLE = "toy"  # the run of `make train`
PAPER_EPOCHS = 48


def read_results():
    """Every results/*.json that `wae-rnf` wrote, in the order of their names: [(name, metrics)]."""
    return [(path.stem, json.loads(path.read_text(encoding="utf-8"))) for path in sorted(RESULTS.glob("*.json"))]


def bound(metrics, reading, name):
    values = metrics[reading][name]
    error = values["standard_error"]
    return f"{values['nll']:.2f} ± {error:.2f} ({values['ppl']:.1f})"


def honest_row(name, metrics):
    iwae = metrics["pushforward"]["iwae"]["samples"]
    cells = [
        f"[{name}](results/{name}.json)",
        f"{metrics['entropy']:.2f}" if "entropy" in metrics else "unknown",
        *(bound(metrics, reading, kind) for reading in ("pushforward", "flow_posterior") for kind in ("elbo", "iwae")),
        str(iwae),
        f"{metrics['pushforward']['elbo']['kl']:.2f}",
        f"{metrics['mutual_information']:.2f}",
        f"{metrics['active_units']}",
    ]
    return "| " + " | ".join(cells) + " |"


def published_row(name, metrics):
    def protocol(nll, kl, ppl):
        return f"{nll:.1f} ({kl:.1f}) {ppl:.1f}"

    ours = metrics["published"]
    theirs = published("table_1", metrics["dataset"], metrics["system"])
    kl = metrics["pushforward"]["elbo"]["kl"]  # of q(z|x) to N(0, I), as the paper's column reads
    best = min(metrics[reading]["iwae"]["nll"] for reading in ("pushforward", "flow_posterior"))
    cells = (
        name,
        protocol(ours["nll"], kl, ours["ppl"]),
        protocol(**theirs) if theirs else "–",
        f"{best:.2f}",
        f"{best - ours['nll']:.1f}",
    )
    return "| " + " | ".join(cells) + " |"


def run_row(name, metrics):
    options, training = metrics["options"], metrics["training"]
    epochs = options["num_epochs"]
    schedule = f"{epochs} epochs" + (f", shortened from {PAPER_EPOCHS}" if epochs < PAPER_EPOCHS else "")
    cells = (
        name,
        f"`{training['command']}`",
        schedule,
        f"{training['steps']:,}",
        f"{training['seconds'] / 60:.1f}",
        training["device"],
    )
    return "| " + " | ".join(cells) + " |"


def results_section():
    """The section as Markdown: honest bounds first, then the published protocol beside the paper's figures."""
    results = read_results()
    lines = [
        "Test split, nats per sentence ± standard error (perplexity per token). Every bound is of the generative "
        "model named above it; KL is that of q(z\\|x) to N(0, I), MI the mutual information of z and x, AU the "
        "number of active units.",
        "",
        "| run | entropy of the corpus | pushforward ELBO | pushforward IWAE | flow-posterior ELBO | "
        "flow-posterior IWAE | IWAE samples | KL | MI | AU |",
        "|---|---|---|---|---|---|---|---|---|---|",
        *(honest_row(name, metrics) for name, metrics in results),
        "",
        "The published protocol, NLL (KL) PPL, is no bound: it is computed at the posterior mean. It stands here only "
        "to be compared with the paper, beside the better of our two IWAE bounds and what the protocol leaves out.",
        "",
        "| run | ours, published protocol | paper | honest IWAE | left out |",
        "|---|---|---|---|---|",
        *(published_row(name, metrics) for name, metrics in results),
        "",
        "How they were made (training alone, in minutes):",
        "",
        "| run | command | schedule of a stage | steps of the last stage | minutes of the last stage | device |",
        "|---|---|---|---|---|---|",
        *(run_row(name, metrics) for name, metrics in results),
    ]
    return "\n".join(lines)


def example_section():
    """What `make train` prints at its end."""
    console = Console(file=io.StringIO(), width=100)
    print_report(dict(read_results())[EXAMPLE], console)
    lines = [line.rstrip() for line in console.file.getvalue().splitlines()]
    return "\n".join(["```", *lines, "```"])


def with_results(text):
    """README's text with what stands between the marks replaced.

    Raises:
        ValueError: marks are missing.
    """
    for section, content in (("example", example_section()), ("results", results_section())):
        begin, end = MARKS[section]
        before, found, rest = text.partition(begin)
        _, closed, after = rest.partition(end)
        if not (found and closed):
            raise ValueError(f"README.md needs the lines {begin!r} and {end!r}")
        text = f"{before}{begin}\n{content}\n{end}{after}"
    return text


def main():
    text = README.read_text(encoding="utf-8")
    updated = with_results(text)
    if "--check" in sys.argv[1:]:
        if updated != text:
            sys.exit("README.md does not show results/*.json; run `make readme`")
    else:
        README.write_text(updated, encoding="utf-8")


if __name__ == "__main__":
    main()
