"""The report of an evaluation in a terminal: bounds, use of the latent variable, text, samples.

It shows the bounds of the generative model that was trained. Everything else is in metrics.json, and is printed on
request: the other generative model of a flow, the paper's protocol, and the bound over k.
"""

from dataclasses import replace

from rich import box
from rich.console import Console
from rich.table import Table
from rich.text import Text

from .columns import MODELS, Column, Row, columns, listed, symbol_of_prior
from .metrics import METRICS_FILE, AnyMetrics
from .terminal_table import print_table, print_whole

EXACT = ("exact", "ppl", "ppl_per_word", "bits_per_byte", "above_entropy", "entropy")
BOUNDS = ("elbo", "reconstruction", "kl", "iwae", "ppl", "ppl_per_word", "bits_per_byte", "above_entropy", "entropy")
LATENT_USE = ("mutual_information", "active_units", "units_over_0.05")
TEXT = ("bleu", "self_bleu", "distinct_2")
PAPER_PROTOCOL = (
    "paper_protocol",
    "paper_protocol_reconstruction",
    "paper_protocol_kl",
    "log_abs_det",
    "paper_protocol_ppl",
)
MORE = ("active_units_0.1", "mmd", "information_after_flow", "inversion_error", "distinct_1", "distinct_3")


def print_report(metrics: AnyMetrics, console: Console | None = None, verbose: bool = False) -> None:
    """Prints metrics.json as a person reads it.

    Args:
        metrics: [`Metrics`].
        console: of rich; that of the process by default.
        verbose: also what is in the file alone otherwise.
    """
    console = console or Console()
    print_figures(metrics, console)
    if verbose:
        print_more(metrics, console)
    for warning in metrics["warnings"]:
        console.print(f"Warning: {warning}", style="bold", markup=False, highlight=False)
    if "toy" in metrics.get("text", {}):
        console.print(by_the_grammar(metrics["text"]["toy"]), highlight=False)
    if examples := metrics.get("text", {}).get("reconstructions", {}).get("examples"):
        console.print("\nReconstructions from the posterior mean")
        for source, reconstruction in examples:
            console.print(f"     {source}\n  →  {reconstruction}", markup=False, highlight=False, soft_wrap=True)
    if metrics["samples"]:
        console.print("\nSamples from the prior")
        for number, sentence in enumerate(metrics["samples"], 1):
            console.print(f"{number:3d}  {sentence}", markup=False, highlight=False, soft_wrap=True)


def print_figures(metrics: AnyMetrics, console: Console) -> None:
    """The bounds of the trained generative model, the use of the latent variable, and the quality of text."""
    size = f"{metrics['num_sentences']:,} sentences, {metrics['num_tokens']:,} tokens"
    title = f"{metrics['system']} on {metrics['dataset']}, {metrics['split']} split: {size}"
    own = Row.own(metrics["system"], [metrics])
    if metrics["has_latents"]:
        bounds, of = (
            bounds_of(metrics, own.generative_model),
            f"Bounds with {model_in_words(metrics, own.generative_model)}",
        )
    else:
        bounds, of = columns(*EXACT), "The likelihood is exact"
    groups = [bounds, columns(*LATENT_USE), columns(*TEXT)]
    if steps := metrics.get("refinement_steps"):
        of += f"; {refinement_in_words(steps)}"
    caption = f"{of}. ±: standard error over sentences; in brackets: over samples.\n"
    caption += f"More figures are in {METRICS_FILE}; wae-rnf evaluate --verbose prints them."
    print_sections([listed(own, group) for group in groups], console, title, caption)


def print_more(metrics: AnyMetrics, console: Console) -> None:
    """The other generative model, the paper's protocol, further measures, and the bound over k."""
    own = metrics["generative_model"]
    for generative_model in MODELS if metrics["has_flow"] else ():
        if generative_model != own:
            title = f"\nThe same weights with {model_in_words(metrics, generative_model)}"
            bounds = bounds_of(metrics, generative_model)[:-1]  # the entropy is that of the first table
            print_sections([listed(Row("", [metrics], generative_model), bounds)], console, title)
    row = Row.own("", [metrics])
    if metrics["has_latents"]:
        title = "\nThe paper's protocol, at the posterior mean: no bound"
        print_sections([listed(row, columns(*PAPER_PROTOCOL))], console, title)
    print_sections([listed(row, columns(*MORE))], console, "\nFurther figures")
    curve = metrics["bound_over_k"]
    if len(curve["k"]) > 1:
        models = MODELS if metrics["has_flow"] else [own]
        values = [[f"{value:.2f}" for value in curve[generative_model]] for generative_model in models]
        rows = zip(map("{:,}".format, curve["k"]), *values, strict=True)
        of = f"\nIWAE over k, {curve['num_sentences']:,} sentences"
        print_table(["k", *(MODELS[generative_model] for generative_model in models)], rows, of, console=console)


def print_sections(
    sections: list[list[tuple[str, str, str]]], console: Console, title: str, caption: str = ""
) -> None:
    """Lines of (figure, value, unit) as a table with a line between sections."""
    table = Table(box=box.SIMPLE, show_header=False, pad_edge=False, padding=(0, 1))
    table.add_column()
    table.add_column(no_wrap=True)
    table.add_column(style="dim")
    for section in filter(None, sections):
        for line in section:
            table.add_row(*map(Text, line))
        table.add_section()
    print_whole(table, console, title, caption)


def bounds_of(metrics: AnyMetrics, generative_model: str) -> list[Column]:
    """The columns of a generative model's bounds; k and its proposal are in the name of IWAE."""
    iwae = metrics[generative_model]["iwae"]
    proposal = " of (q(z|x) + p(z)) / 2" if iwae["proposal"] == "mixture" else ""
    words = f"IWAE, {iwae['samples']} samples{proposal}"
    return [replace(column, words=words) if column.heading == "IWAE" else column for column in columns(*BOUNDS)]


def model_in_words(metrics: AnyMetrics, generative_model: str) -> str:
    """Where the prior of a generative model is.

    Examples:
        >>> model_in_words({"has_flow": True, "prior": "standard_normal"}, "pushforward")
        "the prior on z, z ~ N(0, I), z' = F(z)"
    """
    prior = symbol_of_prior(metrics)
    if not metrics["has_flow"]:
        return f"z ~ {prior}"
    formula = f"z ~ {prior}, z' = F(z)" if generative_model == "pushforward" else f"z' ~ {prior}"
    return f"the {MODELS[generative_model]}, {formula}"


def refinement_in_words(steps: int) -> str:
    """How the posterior of semi-amortized inference came about; its bounds are as honest as any posterior's.

    Examples:
        >>> refinement_in_words(20)
        'q(z|x) refined by 20 gradient steps on the ELBO of each sentence'
    """
    return f"q(z|x) refined by {steps} gradient steps on the ELBO of each sentence"


def by_the_grammar(toy: AnyMetrics) -> str:
    """What the grammar of the toy corpus says."""
    words = f"By the grammar, {toy['grammatical_samples']:.0%} of the samples are sentences of the corpus's language"
    if "kept" in toy:
        kept = ", ".join(f"{name} {share:.0%}" for name, share in toy["kept"].items())
        words += f", and {toy['grammatical_reconstructions']:.0%} of the reconstructions; these keep {kept}"
    return words
