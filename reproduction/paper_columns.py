"""Columns of the paper's figures, each beside the same quantity of ours."""

import statistics
from dataclasses import replace
from functools import partial

from wae_rnf.evaluation.columns import COLUMNS, NOTHING, Row, TableColumn, WordColumn, columns

from .paired_bounds import Above, column_above
from .paper_figures import QUANTITIES, paper_figures, same_quantity

FIGURES_OF_TABLE_2 = {"nll": "NLL", "kl": "Re-KL", "log_abs_det": "Log-J", "ppl": "PPL"}


def of_paper(row: Row) -> dict:
    """The paper's figures of a row, of its first table or its second; {} of a row that is no system of its own.

    They stand in the line of the generative model that was trained.
    """
    metrics = row.runs[0]
    if row.name != metrics["system"] or row.generative_model != metrics["generative_model"]:
        return {}
    return next(
        filter(None, (paper_figures(table, metrics["dataset"], row.name) for table in ("table_1", "table_2"))), {}
    )


def paper_cell(row: Row) -> str:
    theirs = of_paper(row)
    if not theirs:
        return NOTHING
    return f"{theirs['nll']:.1f} ({number(theirs['kl'], 2)}) {theirs['ppl']:.1f}"


def quantity_cell(row: Row) -> str:
    theirs = of_paper(row)
    return QUANTITIES[theirs["protocol"]] if theirs else NOTHING


def ours_cell(row: Row) -> str:
    theirs = of_paper(row)
    if not theirs:
        return NOTHING
    nll, kl, ppl = (ours(row, theirs["protocol"], name) for name in ("nll", "kl", "ppl"))
    return f"{nll} ({kl}) {ppl}"


def ours(row: Row, protocol: str, name: str) -> str:
    """A figure of the quantity that the paper's row is: mean, and ± standard deviation over seeds."""
    found = [same_quantity(metrics, protocol).get(name) for metrics in row.runs]
    values = [value for value in found if value is not None]
    if len(values) < len(found):
        return NOTHING
    spread = f" ± {statistics.stdev(values):.1f}" if len(values) > 1 else ""
    return f"{statistics.mean(values):.1f}{spread}"


def number(value: float | None, digits: int) -> str:
    return NOTHING if value is None else f"{value:.{digits}f}"


BESIDE_THE_PAPER = [
    WordColumn("paper: NLL (KL) PPL", paper_cell),
    WordColumn("which is", quantity_cell),
    WordColumn("ours, the same", ours_cell),
]


def columns_of_table_2() -> list[WordColumn]:
    """The quantity of a row, the paper's figures of it, and ours."""

    def theirs(row: Row) -> dict:
        return paper_figures("table_2", row.runs[0]["dataset"], row.name)

    def protocol(row: Row) -> str:
        return theirs(row).get("protocol", "paper_protocol")

    def paper(name: str, row: Row) -> str:
        return number(theirs(row).get(name), 1)

    def own(name: str, row: Row) -> str:
        return ours(row, protocol(row), name)

    figures = FIGURES_OF_TABLE_2.items()
    return [
        WordColumn("which is", lambda row: QUANTITIES[protocol(row)]),
        *(WordColumn(f"paper: {title}", partial(paper, name)) for name, title in figures),
        *(WordColumn(f"ours: {title}", partial(own, name)) for name, title in figures),
    ]


def summary_columns(above: Above) -> list[TableColumn]:
    """What README and the findings show of a row: the bounds of the trained model, and its latent usage."""
    return [
        *columns("model", "elbo", "iwae", "k", "ppl"),
        column_above(above),
        *columns("kl_of_z", "mutual_information", "active_units", "active_units_0.1", "units_over_0.05"),
    ]


def terminal_columns(above: Above) -> list[TableColumn]:
    """The most important of them, which fit 80 characters."""
    return [
        replace(COLUMNS["iwae"], monte_carlo_error=None),
        COLUMNS["ppl"],
        *(COLUMNS[name].without_errors() for name in ("kl_of_z", "mutual_information", "active_units")),
        column_above(above),
    ]
