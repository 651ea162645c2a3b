"""The options of `wae-rnf reproduce`, and the rows that it trains: light, so that mistakes are reported at once."""

import os
import sys
from dataclasses import dataclass, field

from wae_rnf.evaluation.proposals import PROPOSAL_HELP, PROPOSALS, check_proposal
from wae_rnf.training.centres_from import check_file_of_centres
from wae_rnf.training.network.options import at_least, check_rules, one_of, option
from wae_rnf.training.option_files import read_variants, with_preset
from wae_rnf.training.option_scope import shared_part
from wae_rnf.training.systems import SYSTEMS

LANGUAGE_MODEL = "lstm-lm"  # the row whose model judges the samples of all


@dataclass
class RunArguments:
    """How the rows are trained, and where to."""

    group = "training"

    num_epochs: int | None = option(
        None,
        "Number of epochs of each system, instead of the paper's 48; a row's own comes first. The tables say so.",
        at_least(1),
        basic=True,
    )
    max_steps: int | None = option(
        None,
        "Maximum number of steps of each system; a row's own comes first. The tables say so.",
        at_least(1),
        basic=True,
    )
    seeds: int = option(
        1,
        "Number of seeds that each system is trained with; the tables give mean and standard deviation.",
        at_least(1),
        basic=True,
    )
    runs_dir: str = option(
        "runs/reproduce", "Directory of the runs: DATASET/NAME, or DATASET/NAME-SEED with several seeds.", basic=True
    )
    results_dir: str = option(
        "results", "Directory of the results: DATASET/NAME.json, the tables and the figures.", basic=True
    )


@dataclass
class CorpusArguments:
    """What the rows are trained on."""

    group = "data"

    dataset: str = option("toy", "Corpus, as in wae-rnf train.", basic=True)


@dataclass
class JudgingArguments:
    """How the rows are evaluated."""

    group = "evaluation"

    iwae_samples: int = option(500, "Number of importance samples per sentence.", at_least(1, 100_000), basic=True)
    eval_max_sentences: int | None = option(None, "Maximum number of test sentences.", at_least(1), basic=True)
    eval_proposal: str = option("posterior", PROPOSAL_HELP, one_of(*PROPOSALS))
    bound_over_k: int | None = option(
        None,
        "Largest k of the importance-weighted bound over k = 1, 2, 5, …, of the first --bound_sentences test "
        "sentences; by default --iwae_samples, of all of them.",
        at_least(2, 100_000),
    )
    bound_sentences: int | None = option(
        None, "Number of test sentences that --bound_over_k is of; by default 200.", at_least(1)
    )
    num_samples: int = option(
        10_000, "Number of samples for forward and reverse perplexity, which need a finished lstm-lm.", at_least(1)
    )


@dataclass
class ComparisonArguments(JudgingArguments, RunArguments, CorpusArguments):
    """A table of rows that are trained and judged alike. Options of training come from `--config`; they are the
    paper's by default. A subclass says which rows there are."""

    def __post_init__(self) -> None:
        check_rules(self, "--")
        if self.bound_sentences is not None and self.bound_over_k is None:
            raise ValueError("--bound_sentences are those of --bound_over_k, which is not asked for")
        check_proposal(self.eval_proposal, self.iwae_samples)
        check_proposal(self.eval_proposal, self.bound_over_k or 0, "bound_over_k")
        for name in ("dataset", "runs_dir", "results_dir"):
            setattr(self, name, os.path.expanduser(getattr(self, name)))

    def own_rows(self) -> dict[str, dict]:
        """{name: the options of the row itself}"""
        raise NotImplementedError


COMPARED = ("lstm-lm", "vae", "vae-nf", "lagging-vae", "vmf-vae", "wae", "wae-nf", "wae-rnf")  # by the paper


@dataclass
class SystemArguments:
    """Which rows the tables have."""

    group = "model"

    systems: list[str] = field(
        default_factory=lambda: list(COMPARED),
        metadata={
            "help": f"Systems to train, of {', '.join(SYSTEMS)}; by default those that the paper compares: "
            f"{', '.join(COMPARED)}.",
            "basic": True,
        },
    )
    variants: str | None = option(
        None,
        "YAML file of other rows, a line each: `name: {system: …, option of train: …}`; a system's name means it.",
        basic=True,
    )


@dataclass
class ReproduceArguments(ComparisonArguments, SystemArguments):
    """The paper's systems, or the variants of a file."""

    def __post_init__(self) -> None:
        if unknown := [name for name in self.systems if name not in SYSTEMS]:
            raise ValueError(f"unknown system {unknown[0]!r}; choose of {', '.join(SYSTEMS)}")
        if self.variants and self.systems != list(COMPARED):
            raise ValueError("--variants names the rows itself; leave --systems out")
        super().__post_init__()

    def own_rows(self) -> dict[str, dict]:
        """{name: the options of the row itself}"""
        return read_variants(self.variants) if self.variants else {name: {"system": name} for name in self.systems}


@dataclass
class WeightArguments:
    """Which weights the curve has."""

    group = "model"

    system: str = option("wae", "System that is trained with each weight.", one_of(*SYSTEMS), basic=True)
    kl_weights: list[float] = field(
        default_factory=lambda: [0.02, 0.1, 0.3, 1.0],
        metadata={"help": "Weights of the KL divergence, a row each. (default: 0.02 0.1 0.3 1)", "basic": True},
    )


@dataclass
class TradeoffArguments(ComparisonArguments, WeightArguments):
    """One system over the weight of the KL divergence, beside the language model that judges its samples."""

    runs_dir: str = option("runs/tradeoff", "Directory of the runs: DATASET/NAME.", basic=True)
    results_dir: str = option(
        "results/tradeoff", "Directory of the results: DATASET/NAME.json, the tables and the figures.", basic=True
    )

    def own_rows(self) -> dict[str, dict]:
        """{name: the options of the row itself}"""
        rows: dict[str, dict] = {LANGUAGE_MODEL: {"system": LANGUAGE_MODEL}}
        return rows | {
            f"kl_weight_{weight:g}": {"system": self.system, "kl_weight": weight} for weight in self.kl_weights
        }


def rows_of(options: ComparisonArguments, shared: dict) -> dict[str, dict]:
    """The options of training of each row, {name: {option: value}}, in the order in which they are trained.

    Args:
        options: which rows there are.
        shared: options of training for all rows; each takes those that its system has a part for.

    Raises:
        ValueError: an option of a row itself that its system has no part for, or what `read_variants` refuses.
    """
    rows = options.own_rows()
    order = sorted(rows, key=lambda name: name != LANGUAGE_MODEL)  # others are compared with it
    for name in ("num_epochs", "max_steps"):
        if getattr(options, name) is not None:
            shared = shared | {name: getattr(options, name)}  # a row may still have its own
    found = {name: with_preset(shared_part(shared, rows[name]) | rows[name]) for name in order}
    for own in found.values():
        check_file_of_centres(own.get("centres_from"))
    return found


def tell_left_out(options: ComparisonArguments, shared: dict) -> None:
    """Says, an option a line, which rows go without a shared option since their systems have no part for it."""
    rows = rows_of(options, shared)
    for name in shared:
        if without := [row for row, own in rows.items() if name not in own]:
            print(f"--{name} is left out of {', '.join(without)}: no part for it there", file=sys.stderr)
