"""What a person reads at the end: the metrics as a table, samples as lines."""

from rich.console import Console
from rich.measure import Measurement
from rich.table import Table

from .estimators import READINGS
from .metrics import symbol_of_prior

WIDEST = 1000  # letters, more than any table has


def print_report(metrics, console=None):
    """Prints metrics.json as a person reads it: the table, and the samples from the prior where there are some."""
    console = console or Console()
    print_metrics(metrics, console)
    for warning in metrics.get("warnings", []):
        console.print(f"Warning: {warning}", style="bold", markup=False, highlight=False)
    if "text" in metrics:
        print_text(metrics["text"], console)
    if examples := metrics.get("text", {}).get("reconstructions", {}).get("examples"):
        console.print("\nReconstructions from the posterior mean")
        for source, reconstruction in examples:
            console.print(f"     {source}\n  →  {reconstruction}", markup=False, highlight=False, soft_wrap=True)
    if metrics.get("samples"):
        console.print("\nSamples from the prior")
        for number, sentence in enumerate(metrics["samples"], 1):
            console.print(f"{number:3d}  {sentence}", markup=False, highlight=False, soft_wrap=True)


def print_metrics(metrics, console):
    """Honest bounds first, the published protocol last."""
    size = f"{metrics['num_sentences']:,} sentences, {metrics['num_tokens']:,} tokens"
    table = Table(title=f"{metrics['system']} on {metrics['dataset']}, {metrics['split']} split: {size}")
    table.add_column("nats per sentence")
    for heading in ("NLL", "± s.e.", "PPL", "recon.", "KL", "above H"):
        table.add_column(heading, justify="right")
    if "entropy" in metrics:
        entropy = _number(metrics["entropy"]), _number(metrics["entropy_standard_error"])
        table.add_row("corpus entropy H", *entropy, "", "", "", "0", end_section=True)
    for reading in READINGS:
        elbo, iwae = metrics[reading]["elbo"], metrics[reading]["iwae"]
        table.add_row(reading.replace("_", " "), style="bold")
        table.add_row("  ELBO", *_bound(elbo), _number(elbo["reconstruction"]), _number(elbo["kl"]), _excess(elbo))
        table.add_row(f"  IWAE-{iwae['samples']}", *_bound(iwae), "", "", _excess(iwae), end_section=True)
    published = metrics["published"]
    terms = (_number(published["nll"]), "", _number(published["ppl"]), _number(published["reconstruction"]))
    table.add_row("published*", *terms, _number(published["kl"]), "")
    # figures are never cut: in a narrower terminal the table is wider than it
    natural = Measurement.get(console, console.options.update(width=WIDEST), table).maximum
    Console(file=console.file, width=max(console.width, natural)).print(table)
    prior = symbol_of_prior(metrics)
    console.print(
        f"pushforward: z ~ {prior}, z' = F(z).  flow posterior: z' ~ {prior}.  * no bound: for comparison only."
    )
    for line in _monte_carlo(metrics):
        console.print(line)
    console.print(
        f"mutual information {_information(metrics)} nats, {metrics['active_units']} active units{_units(metrics)}, "
        f"MMD to the prior {_number(metrics['mmd'], 4)}, Σ log|det| at the mean {published['log_abs_det']:.2f}; "
        f"{metrics['seconds']:.0f} seconds on {metrics['device']}"
    )


def _monte_carlo(metrics):
    """Lines on what other samples would move, and on more of them."""
    iwae = metrics[READINGS[0]]["iwae"]
    if "monte_carlo_error" in iwae:
        errors = (
            f"{reading.replace('_', ' ')} {_number(metrics[reading]['elbo']['monte_carlo_error'], 3)}, "
            f"{_number(metrics[reading]['iwae']['monte_carlo_error'], 3)}"
            for reading in READINGS
        )
        yield f"Monte-Carlo error of ELBO, IWAE: {'; '.join(errors)}"
    if iwae.get("proposal") == "mixture":
        yield "IWAE's samples are drawn from (q(z|x) + p(z)) / 2, half of them from each part"
    curve = metrics.get("bound_over_k", {"k": []})
    last = len(curve["k"]) - 1
    places = [place for place, k in enumerate(curve["k"]) if str(k)[0] == "1" or place in (0, last)]  # of each ten
    if last > 0:
        for reading in READINGS:
            points = (f"{curve[reading][place]:.2f} ({curve['k'][place]:,})" for place in places)
            yield f"bound over k, {reading.replace('_', ' ')}: {', '.join(points)}"


def _information(metrics):
    """Mutual information with the larger of its errors, that over sentences, which has the other one in it."""
    value, error = metrics["mutual_information"], metrics.get("mutual_information_standard_error")
    if error is None:
        return f"{value:.2f}"
    return f"{value:.2f} ± {error:.2f} (Monte Carlo {metrics['mutual_information_monte_carlo_error']:.2f})"


def _units(metrics):
    if "active_units_0.1" not in metrics:
        return ""
    over = metrics["units_over_0.05"]
    return f" ({metrics['active_units_0.1']} at 0.1, {'–' if over is None else over} with KL > 0.05)"


def print_text(text, console):
    """Variety of the samples, and how much reconstructions keep."""
    samples, bleu = text["samples"], text.get("reconstructions", {}).get("bleu")
    distinct = ", ".join(f"distinct-{n} {_number(samples[f'distinct_{n}'])}" for n in (1, 2, 3))
    console.print(
        f"{samples['num_sentences']:,} samples: {distinct}, self-BLEU {_number(samples['self_bleu'], 1)}; "
        f"reconstructions: BLEU {_number(bleu, 1)}"
    )
    if "toy" in text:
        console.print(_by_the_grammar(text["toy"]))


def _by_the_grammar(toy):
    """What the grammar of the toy corpus says."""
    words = f"By the grammar, {toy['grammatical_samples']:.0%} of the samples are sentences of the corpus's language"
    if "kept" in toy:
        kept = ", ".join(f"{name} {share:.0%}" for name, share in toy["kept"].items())
        words += f", and {toy['grammatical_reconstructions']:.0%} of the reconstructions; these keep {kept}"
    return words


def _bound(bound):
    return _number(bound["nll"]), _number(bound["standard_error"]), _number(bound["ppl"])


def _excess(bound):
    if "above_entropy" not in bound:
        return ""
    error = bound["above_entropy_standard_error"]
    return _number(bound["above_entropy"]) + (f" ± {error:.2f}" if error is not None else "")


def _number(value, digits=2):
    return "–" if value is None else f"{value:.{digits}f}"
