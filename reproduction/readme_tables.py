"""Writes the results section of README.md from results/: `make readme`, or with --check only compares."""

import argparse
import io
import json
import sys
from pathlib import Path

from rich.console import Console

from wae_rnf.evaluation.metrics_table import print_report

from .corpus_report import (
    ABOUT_ERRORS,
    REPORT,
    UNITS,
    about_intervals,
    above_in_words,
    above_language_model,
    beside_the_paper,
    iwae_with_errors,
    k_of,
    label,
    over_seeds,
    read_runs,
    table,
    training_in_words,
    units,
)
from .paper_figures import another_corpus

RESULTS, README = Path("results"), Path("README.md")  # of the checkout that this is run in
MARKS = {
    "example": ("<!-- example: written by reproduction/readme_tables.py -->", "<!-- end of example -->"),
    "results": ("<!-- results: written by reproduction/readme_tables.py -->", "<!-- end of results -->"),
}
EXAMPLE = "make_train"  # the run of `make train`


def read_example():
    """The metrics of the run of `make train`."""
    return json.loads((RESULTS / f"{EXAMPLE}.json").read_text(encoding="utf-8"))


def reproductions():
    """{corpus: {row: [metrics of each seed]}} of the folders that `wae-rnf reproduce` left here."""
    return {path.name: read_runs(path) for path in sorted(RESULTS.iterdir()) if (path / REPORT).exists()}


HEADER = [
    "system", "paper: NLL (KL) PPL", "which is", "ours, the same", "ELBO", "IWAE", "k", "PPL", "reading",
    "above lstm-lm", "KL", "MI", UNITS,
]  # fmt: skip


def row_of(name, several, above):
    """A row's line: what the paper has beside the same of ours, and the bounds of the row's own reading."""
    reading = several[0]["reading"]
    return [
        name,
        *beside_the_paper(several, several[0]["dataset"], name),
        over_seeds(several, lambda m: m[reading]["elbo"]["nll"]),
        iwae_with_errors(several, reading),
        k_of(several[0][reading]["iwae"]),
        over_seeds(several, lambda m: m[reading]["iwae"]["ppl"], 1),
        label(reading),
        above_in_words(several, name, reading, above),
        over_seeds(several, lambda m: m["pushforward"]["elbo"]["kl"]),
        over_seeds(several, lambda m: m["mutual_information"]),
        units(several),
    ]


def corpus_section(corpus, runs):
    """A corpus's heading, schedule and table; over several seeds, means and standard deviations."""
    (first, *_), *_ = runs.values()
    entropy = f"; the entropy of the corpus is {first['entropy']:.2f}" if "entropy" in first else ""
    above = above_language_model(RESULTS / corpus, runs)
    rows = [row_of(name, several, above) for name, several in runs.items()]
    training = training_in_words([metrics for several in runs.values() for metrics in several])
    heading = f"**[{corpus}](results/{corpus}/{REPORT})**: {training}{entropy}."
    return f"{heading}{another_corpus(first['dataset'])}{about_intervals(above)}\n\n{table(HEADER, rows)}"


def results_section():
    """The section as Markdown: a table for each corpus."""
    introduction = (
        "Test split, nats per sentence, perplexity (PPL) per token of the importance-weighted bound (IWAE, of k "
        f"samples a sentence). {ABOUT_ERRORS} ELBO and IWAE are bounds of the generative model named under "
        "*reading*, the one that the row's objective trains. What the *paper* has is of one quantity in one row and "
        "of another in the next; "
        "*which* says so, and *ours* is the same one: where that is at the posterior mean it is no bound of anything. "
        "KL is that of q(z|x) to the prior of z, MI the mutual information of z and x, AU the active units, whose "
        "mean varies by more than 0.01 or 0.1; the last number counts units of more than 0.05 nats."
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
