"""Every quantity of metrics.json as tables show it: heading, unit, digits, errors, and where it says something.

The terminal's report, the pages of a reproduction, the findings, README and the model card are all made of these.
"""

import statistics
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Any, NamedTuple, Protocol

from .markdown import table
from .metrics import AnyMetrics

NOTHING = "–"  # a cell of a quantity that is not known, or that says nothing of the row
NATS = "nats per sentence"
MODEL = "MODEL"  # in a path: the generative model of the row
MODELS = {"pushforward": "prior on z", "flow_posterior": "prior on z'"}  # the generative models, in words
PRIORS = {
    "standard_normal": "N(0, I)",
    "uniform_sphere": "uniform on the sphere",
    "vamp": "p(z), a VampPrior",
    "dirichlet": "N(0, I), t ~ Dir(a)",
    "conditional_dirichlet": "N(0, I), t ~ Dir(a(z))",
}


def symbol_of_prior(metrics: AnyMetrics) -> str:
    """What z is drawn from, in a formula.

    Examples:
        >>> symbol_of_prior({"prior": "standard_normal"}), symbol_of_prior({"prior": "flow"})
        ('N(0, I)', 'p(z), a flow')
    """
    return PRIORS.get(metrics["prior"], f"p(z), a {metrics['prior']}")


class Row(NamedTuple):
    """A row of a table."""

    name: str
    runs: Sequence[AnyMetrics]  # of one system, a seed each
    generative_model: str  # the generative model whose bounds are shown

    @classmethod
    def own(cls, name: str, runs: Sequence[AnyMetrics]) -> "Row":
        """The row with the bounds of the generative model that was trained."""
        return cls(name, runs, runs[0]["generative_model"])


class TableColumn(Protocol):
    """What a table needs of a column."""

    @property
    def heading(self) -> str: ...

    @property
    def cell(self) -> Callable[[Row], str]: ...


@dataclass(frozen=True)
class WordColumn:
    """A column whose cells a function writes."""

    heading: str
    cell: Callable[[Row], str]


@dataclass(frozen=True)
class Column:
    """A figure of metrics.json.

    Args:
        heading: of the column.
        path: of the figure, keys with / between them; MODEL stands for the generative model of the row.
        unit: of the figure.
        form: of the figure, as in an f-string.
        applies: the key of the fact, such as "has_flow", without which the figure says nothing; None for every model.
        error: path of the standard error over sentences, which is shown for a single run.
        monte_carlo_error: path of the error of the samples alone, which is shown in brackets.
        words: what the figure is called in a list; the heading by default.

    Examples:
        >>> runs = [{"generative_model": "pushforward", "pushforward": {"elbo": {"nll": nll}}} for nll in (3.0, 5.0)]
        >>> COLUMNS["elbo"].cell(Row.own("vae", runs[:1])), COLUMNS["elbo"].cell(Row.own("vae", runs))
        ('3.00', '4.00 ± 1.41')
    """

    heading: str
    path: str
    unit: str = NATS
    form: str = ".2f"
    applies: str | None = None
    error: str | None = None
    monte_carlo_error: str | None = None
    words: str = ""

    def read(self, metrics: AnyMetrics, generative_model: str) -> float | None:
        """The figure of one run; None where it is not known, or says nothing of the model."""
        if self.applies is not None and not metrics[self.applies]:
            return None
        return follow(metrics, self.path, generative_model)

    def cell(self, row: Row) -> str:
        """The figure of one run with its error, or the mean over seeds ± their standard deviation."""
        known = [self.read(metrics, row.generative_model) for metrics in row.runs]
        values = [value for value in known if value is not None]
        if len(values) < len(known):
            return NOTHING
        error = statistics.stdev(values) if len(values) > 1 else follow(row.runs[0], self.error, row.generative_model)
        samples = follow(row.runs[0], self.monte_carlo_error, row.generative_model)
        text = format(statistics.mean(values), self.form)
        text += f" ± {error:{self.form.lstrip('+')}}" if error is not None else ""
        return text + (f" ({samples:.3f})" if samples else "")

    def without_errors(self) -> "Column":
        return replace(self, error=None, monte_carlo_error=None)

    def of(self, generative_model: str) -> "Column":
        """The same figure of one generative model, whatever that of the row."""
        paths = {name: getattr(self, name) for name in ("path", "error", "monte_carlo_error")}
        fixed: dict[str, Any] = {
            name: path.replace(MODEL, generative_model) for name, path in paths.items() if path is not None
        }
        applies = "has_flow" if generative_model == "flow_posterior" else self.applies
        return replace(self, heading=f"{self.heading}, {MODELS[generative_model]}", applies=applies, **fixed)


def follow(metrics: AnyMetrics, path: str | None, generative_model: str) -> Any:
    """What is found at a path in metrics; None where there is nothing."""
    if path is None:
        return None
    found: Any = metrics
    for key in path.split("/"):
        if found is None:
            break
        found = found.get(generative_model if key == MODEL else key)
    return found


def number_of_samples(row: Row) -> str:
    """k, and where it is not q(z|x) what the samples were drawn from."""
    iwae = row.runs[0][row.generative_model]["iwae"]
    return f"{iwae['samples']}" + (" of a mixture" if iwae["proposal"] == "mixture" else "")


def generative_model_in_words(row: Row) -> str:
    """Which of a flow's two models the bounds are of."""
    return MODELS[row.generative_model] if row.runs[0]["has_flow"] else NOTHING


WITH_LATENTS: dict[str, Any] = {"applies": "has_latents"}
WITH_FLOW: dict[str, Any] = {"applies": "has_flow"}
SAMPLES, PERPLEXITIES, EXCESS = "text/samples", "reproduction/perplexities", "reproduction/above_language_model"
INFORMATION, PROTOCOL = "mutual_information", "paper_protocol"
ERROR, MONTE_CARLO_ERROR = "standard_error", "monte_carlo_error"
BOUNDS = {
    "model": WordColumn("generative model", generative_model_in_words),
    "exact": Column("NLL", "MODEL/elbo/nll", error=f"MODEL/elbo/{ERROR}", words="negative log-likelihood, exact"),
    "elbo": Column("ELBO", "MODEL/elbo/nll"),
    "reconstruction": Column("reconstruction", "MODEL/elbo/reconstruction", words="  reconstruction", **WITH_LATENTS),
    "kl": Column("KL", "MODEL/elbo/kl", words="  KL", **WITH_LATENTS),
    "kl_of_z": Column("KL", "pushforward/elbo/kl", **WITH_LATENTS),  # of q(z|x) to the prior of z, for either model
    "iwae": Column(
        "IWAE", "MODEL/iwae/nll", error=f"MODEL/iwae/{ERROR}", monte_carlo_error=f"MODEL/iwae/{MONTE_CARLO_ERROR}"
    ),
    "k": WordColumn("k", number_of_samples),
    "ppl": Column("PPL", "MODEL/iwae/ppl", "per token", ".1f", words="  perplexity"),
    "ppl_per_word": Column("PPL/word", "MODEL/iwae/ppl_per_word", "per word", ".1f", words="  perplexity"),
    "bits_per_byte": Column("bits/byte", "MODEL/iwae/bits_per_byte", "bits", ".3f", words="  per byte of text"),
    "above_entropy": Column(
        "above entropy",
        "MODEL/iwae/above_entropy",
        form="+.2f",
        error=f"MODEL/iwae/above_entropy_{ERROR}",
        words="  above the corpus's entropy",
    ),
    "above_language_model": Column(
        "above lstm-lm", f"{EXCESS}/MODEL/iwae/mean", form="+.2f", error=f"{EXCESS}/MODEL/iwae/{ERROR}", **WITH_LATENTS
    ),
    "entropy": Column("entropy", "entropy", error=f"entropy_{ERROR}", words="entropy of the corpus"),
}
LATENT_USE = {
    "mutual_information": Column(
        "MI", INFORMATION, "nats", error=f"{INFORMATION}_{ERROR}", words="mutual information", **WITH_LATENTS
    ),
    "information_after_flow": Column(
        "I(z'; x)", f"{INFORMATION}_after_flow", "nats", ".4f", words="mutual information after the flow", **WITH_FLOW
    ),
    "inversion_error": Column("largest error of F⁻¹(F(z))", "largest_flow_inversion_error", "", ".1e", **WITH_FLOW),
    "active_units": Column(
        "AU", "active_units", "mean varies by over 0.01", ".0f", words="active units", **WITH_LATENTS
    ),
    "active_units_0.1": Column(
        "AU 0.1", "active_units_0.1", "mean varies by over 0.1", ".0f", words="active units", **WITH_LATENTS
    ),
    "units_over_0.05": Column(
        "KL > 0.05", "units_over_0.05", "KL over 0.05 nats", ".0f", words="used units", **WITH_LATENTS
    ),
    "mmd": Column("MMD", "mmd", "", ".4f", words="MMD to the prior", **WITH_LATENTS),
}
PAPER_PROTOCOL = {
    "paper_protocol": Column("paper's protocol", f"{PROTOCOL}/nll"),
    "paper_protocol_reconstruction": Column("reconstruction", f"{PROTOCOL}/reconstruction", words="  reconstruction"),
    "paper_protocol_kl": Column("KL", f"{PROTOCOL}/kl", words="  KL", **WITH_LATENTS),
    "log_abs_det": Column("Σ log|det|", f"{PROTOCOL}/log_abs_det", words="  Σ log|det|", **WITH_FLOW),
    "paper_protocol_ppl": Column("PPL", f"{PROTOCOL}/ppl", "per token", ".1f", words="  perplexity"),
}
TEXT = {
    **{f"distinct_{n}": Column(f"distinct-{n}", f"{SAMPLES}/distinct_{n}", "", ".3f") for n in (1, 2, 3)},
    "self_bleu": Column("self-BLEU", f"{SAMPLES}/self_bleu", "of 100", ".1f"),
    "forward_ppl": Column("forward PPL", f"{PERPLEXITIES}/forward_ppl", "per token", ".1f"),
    "reverse_ppl": Column("reverse PPL", f"{PERPLEXITIES}/reverse_ppl", "per token", ".1f"),
    "bleu": Column(
        "BLEU", "text/reconstructions/bleu", "of 100", ".1f", words="BLEU of reconstructions", **WITH_LATENTS
    ),
}
COLUMNS: dict[str, Any] = BOUNDS | LATENT_USE | PAPER_PROTOCOL | TEXT


def columns(*names: str) -> list[Any]:
    """Columns of `COLUMNS` by name."""
    return [COLUMNS[name] for name in names]


def cells(
    rows: Iterable[Row], columns: Iterable[TableColumn], first: str = "system"
) -> tuple[list[str], list[list[str]]]:
    """The heading and the lines of a table; columns that say nothing of any row are left out.

    Args:
        rows: of the table.
        columns: beside the first one, of the rows' names.
        first: heading of that one.
    """
    rows = list(rows)
    found = [(column.heading, [column.cell(row) for row in rows]) for column in columns]
    found = [(heading, texts) for heading, texts in found if set(texts) - {NOTHING, ""}]
    lines = [[row.name, *(texts[place] for _, texts in found)] for place, row in enumerate(rows)]
    return [first, *(heading for heading, _ in found)], lines


def listed(row: Row, columns: Iterable[Column]) -> list[tuple[str, str, str]]:
    """[(figure in words, value, unit)] of one row, a line a figure; what says nothing is left out."""
    found = [(column.words or column.heading, column.cell(row), column.unit) for column in columns]
    return [line for line in found if line[1] != NOTHING]


def markdown_table(rows: Iterable[Row], columns: Iterable[TableColumn], first: str = "system") -> str:
    """`cells` as a Markdown table."""
    return table(*cells(rows, columns, first))
