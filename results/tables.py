"""Writes the results section of README.md from results/: `make readme`, or with --check only compares."""

import argparse
import io
import json
import sys
from pathlib import Path

from rich.console import Console

from training_wae_rnf.published import another_corpus, published
from training_wae_rnf.report import print_report
from training_wae_rnf.reproduction_report import REPORT, best_reading, label, read_runs, table, training_in_words

RESULTS = Path(__file__).resolve().parent
README = RESULTS.parent / "README.md"
MARKS = {
    "example": ("<!-- example: written by results/tables.py -->", "<!-- end of example -->"),
    "results": ("<!-- results: written by results/tables.py -->", "<!-- end of results -->"),
}
EXAMPLE = "toy"  # the run of `make train`


def read_example():
    """The metrics of the run of `make train`."""
    return json.loads((RESULTS / f"{EXAMPLE}.json").read_text(encoding="utf-8"))


def reproductions():
    """{corpus: {row: [metrics of each seed]}} of the folders that `wae-rnf reproduce` left here."""
    return {path.name: read_runs(path) for path in sorted(RESULTS.iterdir()) if (path / REPORT).exists()}


def row_of(name, metrics):
    """A system's line: published figures, and the reading whose importance-weighted bound is lower."""
    ours, theirs = metrics["published"], published("table_1", metrics["dataset"], metrics["system"])
    reading = best_reading(metrics)
    elbo, iwae = metrics[reading]["elbo"], metrics[reading]["iwae"]
    return [
        name,
        f"{theirs['nll']:.1f}" if theirs and name == metrics["system"] else "–",
        f"{ours['nll']:.1f}",
        f"{elbo['nll']:.2f}",
        f"{iwae['nll']:.2f} ± {iwae['standard_error']:.2f}",
        iwae["samples"],
        f"{iwae['ppl']:.1f}",
        label(reading),
        f"{metrics['pushforward']['elbo']['kl']:.2f}",
        f"{metrics['mutual_information']:.2f}",
        metrics["active_units"],
    ]


def corpus_section(corpus, runs):
    """A corpus's heading, schedule and table; the first seed of each row."""
    (first, *_), *_ = runs.values()
    entropy = f"; the entropy of the corpus is {first['entropy']:.2f}" if "entropy" in first else ""
    header = ["system", "paper", "published protocol", "ELBO", "IWAE", "k", "PPL", "reading", "KL", "MI", "AU"]
    rows = [row_of(name, several[0]) for name, several in runs.items()]
    training = training_in_words([metrics for several in runs.values() for metrics in several])
    heading = f"**[{corpus}](results/{corpus}/{REPORT})**: {training}{entropy}."
    return f"{heading}{another_corpus(first['dataset'])}\n\n{table(header, rows)}"


def results_section():
    """The section as Markdown: a table for each corpus."""
    introduction = (
        "Test split, nats per sentence, perplexity (PPL) per token of the importance-weighted bound (IWAE, of k "
        "samples a sentence). ELBO and IWAE are bounds of the generative model named under *reading*, the better of "
        "the two; *paper* and *published protocol* are computed at the posterior mean, are no bounds, and stand here "
        "to be compared with each other. KL is that of q(z|x) to the prior of z, MI the mutual information of z and "
        "x, AU the active units."
    )
    if (README.parent / "docs" / "findings.md").exists():
        introduction += " What follows from it: [docs/findings.md](docs/findings.md)."
    return "\n\n".join([introduction, *(corpus_section(*item) for item in reproductions().items())])


def example_section():
    """What `make train` prints at its end."""
    console = Console(file=io.StringIO(), width=100)
    print_report(read_example(), console)
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


def main(argv=None):
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--check", action="store_true", help="only compare")
    parser.add_argument("--readme", type=Path, default=README, help="the file to write the tables into")
    options = parser.parse_args(argv)
    text = options.readme.read_text(encoding="utf-8")
    updated = with_results(text)
    if options.check and updated != text:
        sys.exit(f"{options.readme} does not show what results/ holds; run `make readme`")
    if not options.check:
        options.readme.write_text(updated, encoding="utf-8")


if __name__ == "__main__":
    main()
