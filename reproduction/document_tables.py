"""Writes the tables of README.md and docs/ from results/ and the code: `make readme`; --check only compares."""

import argparse
import ast
import io
import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from rich.console import Console

from wae_rnf.evaluation.columns import COLUMNS, WordColumn, markdown_table
from wae_rnf.evaluation.markdown import table
from wae_rnf.evaluation.metrics import Metrics
from wae_rnf.evaluation.metrics_files import read_metrics
from wae_rnf.evaluation.metrics_table import print_report
from wae_rnf.training.systems import SYSTEMS, System

from .captions import ABOUT_ERRORS, about_intervals, entropy_in_words, first_run, training_in_words
from .corpus_report import own_rows
from .findings_geometry import geometry_section
from .paired_bounds import above_language_model
from .paper_columns import BESIDE_THE_PAPER, summary_columns
from .paper_figures import another_corpus
from .results_folder import REPORT, Runs, folders_of_results, read_runs
from .text_session import session_section

RESULTS = Path("results")  # of the checkout that this is run in
SHOWN = ("recipe/ptb", "plain/ptb")  # the folders, of live latent variables, whose rows README.md shows
PACKAGES = (
    "modeling_wae_rnf", "tokenization", "evaluation", "training", "text", "sharing", "reproduction", "commands",
    "public",
)  # fmt: skip
EXAMPLE = "make_train"  # the run of `make train`


def read_example() -> Metrics:
    """The metrics of the run of `make train`."""
    return read_metrics(RESULTS / f"{EXAMPLE}.json")


def reproductions() -> dict[str, Runs]:
    """{folder: {row: [metrics of each seed]}}: those that README.md shows, and those that `wae-rnf reproduce` left."""
    names = [*SHOWN, *(path.name for path in folders_of_results(RESULTS))]
    return {name: read_runs(RESULTS / name) for name in names}


def corpus_section(folder: str, runs: Runs) -> str:
    """A folder's heading, schedule and table; over several seeds, means and standard deviations."""
    above = above_language_model(RESULTS / folder, runs)
    training = training_in_words([metrics for seeds in runs.values() for metrics in seeds])
    page = f"{folder}/{REPORT}" if (RESULTS / folder / REPORT).exists() else folder
    sentences = [f"**[{folder}](../results/{page})**: {training}.", entropy_in_words(runs)]
    caption = " ".join(filter(None, sentences)) + another_corpus(first_run(runs)["dataset"]) + about_intervals(above)
    return f"{caption}\n\n{markdown_table(own_rows(runs), [*BESIDE_THE_PAPER, *summary_columns(above)])}"


def systems_section() -> str:
    """The table of systems: what each is, as its row says."""
    rows = [[f"`{name}`", system.year, linked(system), system.differs] for name, system in SYSTEMS.items()]
    return table(["system", "year", "paper", "what differs"], rows)


def linked(system: System) -> str:
    """The paper of a system without the year, as a link where it has a number on arXiv.

    Examples:
        >>> linked(SYSTEMS["vae"]), linked(SYSTEMS["lstm-lm"])
        ('[Bowman et al., CoNLL](https://arxiv.org/abs/1511.06349)', 'Sundermeyer et al., Interspeech')
    """
    paper, _, number = system.paper.replace(f" {system.year}", "").partition(", arXiv ")
    return f"[{paper}](https://arxiv.org/abs/{number})" if number else paper


def shown_section() -> str:
    """PTB's table, shortened: the bounds and the use of the latent variable."""
    found = reproductions()
    runs = {row: seeds for folder in SHOWN for row, seeds in found[folder].items()}
    figures = [COLUMNS[name].without_errors() for name in ("elbo", "iwae", "ppl", "kl_of_z", "mutual_information")]
    epochs = WordColumn("epochs", lambda row: str(row.runs[0]["options"]["num_epochs"]))
    introduction = (
        "PTB, test split, nats per sentence: ELBO, importance-weighted bound (IWAE), its perplexity per token, KL and "
        "mutual information (MI). `wae-rnf` is the paper's objective. The other rows are of "
        "[examples/recipe.yaml](examples/recipe.yaml): a language model, and `wae-nf` on the importance-weighted "
        "bound with a normal prior or a learned mixture; 0.3 is another dropout, 0.8 a wider spread of the posterior "
        "means. Schedules differ from the paper's 48 epochs. With k, errors and all systems: "
        "[docs/results.md](docs/results.md)."
    )
    return f"{introduction}\n\n{markdown_table(own_rows(runs), [*figures, epochs])}"


def results_section() -> str:
    """A table for each folder of results."""
    introduction = (
        "Test split, nats per sentence, perplexity (PPL) per token of the importance-weighted bound (IWAE, of k "
        f"samples a sentence). {ABOUT_ERRORS} ELBO and IWAE are bounds of the *generative model* beside them, the one "
        "that the row's objective trains; a row without a flow has but one. What the *paper* has is of one quantity "
        "in one row and of another in the next; *which* says so, and *ours* is the same one: where that is at the "
        "posterior mean it is no bound of anything. KL is that of q(z|x) to the prior of z, MI the mutual information "
        "of z and x, AU the active units, whose mean varies by more than 0.01, or 0.1 where that is said; KL > 0.05 "
        "counts units of more than 0.05 nats. What follows from it: [findings](findings.md)."
    )
    return "\n\n".join([introduction, *(corpus_section(*item) for item in reproductions().items())])


def measured_geometry() -> str:
    """What `wae-rnf geometry` measured of several models."""
    return "\n\n".join(geometry_section(RESULTS / "geometry"))


def example_section() -> str:
    """What `make train` prints at its end."""
    printed = io.StringIO()
    print_report(read_example(), Console(file=printed, width=80))
    lines = [line.rstrip() for line in printed.getvalue().splitlines()]
    return "\n".join(["```", *lines, "```"])


def folders_section() -> str:
    """Each folder and each of its files with the first line of its docstring, in the order of the imports."""
    return "\n\n".join(folder_section(Path(name)) for name in PACKAGES)


def folder_section(folder: Path) -> str:
    """A folder's purpose, and its files, each with its own."""
    files = [path for path in sorted(folder.rglob("*.py")) if path.name != "__init__.py"]
    rows = [[f"`{path.relative_to(folder).as_posix()}`", first_line(path)] for path in files]
    return f"### {folder}/\n\n{first_line(folder / '__init__.py')}\n\n{table(['file', 'what it holds'], rows)}"


def first_line(path: Path) -> str:
    """What a module's docstring says first, up to the first empty line.

    Raises:
        ValueError: a module without a docstring.
    """
    docstring = ast.get_docstring(ast.parse(path.read_text(encoding="utf-8")))
    if docstring is None:
        raise ValueError(f"{path} needs a docstring, whose first line docs/architecture.md shows")
    return " ".join(docstring.split("\n\n")[0].split())


# each page, and what is written between its marks
SECTIONS = {
    "README.md": {"systems": systems_section, "results": shown_section},
    "docs/results.md": {"results": results_section},
    "docs/geometry.md": {"geometry": measured_geometry},
    "docs/training.md": {"example": example_section},
    "docs/text.md": {"example": session_section},
    "docs/architecture.md": {"folders": folders_section},
}


def marks(section: str) -> tuple[str, str]:
    """The lines that a section stands between."""
    return f"<!-- {section}: written by reproduction/document_tables.py -->", f"<!-- end of {section} -->"


def with_sections(text: str, sections: Mapping[str, Callable[[], str]], page: str = "README.md") -> str:
    """A page's text with what stands between the marks replaced.

    Raises:
        ValueError: marks are missing.
    """
    for section, content in sections.items():
        begin, end = marks(section)
        before, found, rest = text.partition(begin)
        _, closed, after = rest.partition(end)
        if not (found and closed):
            raise ValueError(f"{page} needs the lines {begin!r} and {end!r}")
        text = f"{before}{begin}\n{content()}\n{end}{after}"
    return text


def main(argv: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--check", action="store_true", help="only compare")
    parser.add_argument("--root", type=Path, default=Path(), help="the folder that README.md and docs/ lie in")
    options = parser.parse_args(argv)
    for name, sections in SECTIONS.items():
        page = options.root / name
        text = page.read_text(encoding="utf-8")
        updated = with_sections(text, sections, name)
        if options.check and updated != text:
            sys.exit(f"{name} does not show what results/ holds; run `make readme`")
        if not options.check:
            page.write_text(updated, encoding="utf-8")


if __name__ == "__main__":
    main()
