"""metrics.json: what an evaluation found, in which format, and how it is written and read."""

import logging
import math
import os
from pathlib import Path
from typing import Any, NotRequired, TypedDict

import numpy as np

from .estimators import READINGS, reading_of
from .json_files import read_json, write_json
from .latent_use import warnings_of_metrics

METRICS_FILE, SENTENCES_FILE = "metrics.json", "sentences.tsv"
FORMAT = 2
logger = logging.getLogger(__name__)


class Evaluation(TypedDict):
    """How an evaluation was made."""

    iwae_samples: int  # importance samples per sentence
    proposal: str  # that they were drawn from, posterior or mixture
    max_sentences: int | None  # only the first sentences of the split; None for all of them
    mixed_precision: str  # no, bf16 or fp16
    seed: int  # of the samples


class Metrics(TypedDict):
    """The content of metrics.json. Figures are nats per sentence, perplexities are per token."""

    format: int  # of this file; files without it are older than the first number
    system: str  # the row of `wae_rnf.training.systems`
    dataset: str  # that was evaluated
    hub_dataset: str | None  # its repository on the Hub; None for a folder and for generated text
    language: str | None  # of the corpus, where it is known
    split: str  # train, validation or test
    num_sentences: int
    num_tokens: int  # scored ones, end of sentence included
    has_latents: bool  # False for a language model
    prior: str  # of z, or of z' where the flow belongs to the posterior: a name in modeling_wae_rnf.priors
    has_flow: bool  # False where both readings are the same model
    reading: str  # the generative model that was trained, see `wae_rnf.evaluation.estimators.reading_of`
    # elbo {nll, ppl, standard_error, monte_carlo_error, reconstruction, kl}, iwae {…, samples, proposal}
    pushforward: dict[str, Any]
    flow_posterior: dict[str, Any]  # the same, of the other reading
    bound_over_k: NotRequired[dict[str, Any]]  # num_sentences, k (numbers of samples), and each reading's bound there
    published: dict[str, float]  # the paper's protocol, no bound: nll, ppl, reconstruction, kl, log_abs_det
    mutual_information: float
    mutual_information_standard_error: NotRequired[float | None]  # over sentences
    mutual_information_monte_carlo_error: NotRequired[float]  # over the samples of these sentences
    mutual_information_sentences: NotRequired[int]  # that it is of: all, or a random sample of a larger split
    active_units: int  # units whose mean varies by more than 0.01, a variance; "active_units_0.1" by more than 0.1
    kl_of_units: NotRequired[list[float] | None]  # one a unit; "units_over_0.05" are those of more than 0.05 nats
    mmd: float | None  # None for a language model and for a single sentence
    entropy: NotRequired[float]  # of the corpus, where it is known
    warnings: list[str]  # of a latent variable that has collapsed, and of centres
    samples: list[str]  # from the prior
    text: dict[str, Any]  # quality of samples and reconstructions
    evaluation: Evaluation
    options: dict[str, Any]  # of the training; empty where no run.json tells them
    training: dict[str, Any] | None  # what training took; None where it is unknown
    weights: str  # digest of the evaluated weights
    command: str  # this and the following: where the figures come from
    commit: str | None
    seed: int
    versions: dict[str, str]
    device: str
    seconds: float


# what every reader relies on, in old files and new ones
IN_EVERY_FILE = {"system": str, "dataset": str, "split": str, "num_sentences": int, "num_tokens": int,
                 **dict.fromkeys(READINGS, dict), "published": dict, "mutual_information": float, "active_units": int,
                 "options": dict}  # fmt: skip


def sentences_file(path: str | Path) -> Path:
    """Where the bounds of each sentence are, beside a file of metrics.

    Example:
        >>> sentences_file("run/metrics.json").name, sentences_file("run/metrics-toy-train.json").name
        ('sentences.tsv', 'metrics-toy-train.tsv')
    """
    path = Path(path)
    return path.with_name(SENTENCES_FILE) if path.name == METRICS_FILE else path.with_suffix(".tsv")


def write_metrics(path: str | Path, metrics: dict) -> Metrics:
    """Writes a file of metrics, and beside it the bounds of each sentence, a line a sentence under their names.

    Args:
        path: of the JSON file; `sentences_file` gives the other one.
        metrics: [`Metrics`] and `of_sentences`, {bound: values}.

    Returns:
        what the JSON file holds: the metrics without `of_sentences`; a figure that is not finite is None there,
        since JSON has no sign for it, and a warning names it.
    """
    columns = metrics["of_sentences"]
    rest = {name: value for name, value in metrics.items() if name != "of_sentences"}
    if names := list(_not_finite(rest)):
        logger.warning("%s: not finite, hence written as null: %s", path, ", ".join(names))
    metrics = {"format": FORMAT} | _finite(rest)
    write_sentences(sentences_file(path), columns)
    write_json(path, metrics)
    return metrics


def read_sentences(path: str | Path) -> dict[str, np.ndarray]:
    """The bounds of each sentence that belong to a file of metrics, by name, as arrays of nats.

    Args:
        path: of the file of metrics.
    """
    path = sentences_file(path)
    names = path.read_text(encoding="utf-8").partition("\n")[0].split("\t")
    return dict(zip(names, np.loadtxt(path, skiprows=1, ndmin=2).T, strict=True))


def keep_sentences(source: str | Path, path: str | Path) -> None:
    """Copies of the bounds of each sentence what tables need: lengths, and the IWAE of the readings that differ.

    Args:
        source: a file of metrics, as `read_sentences` has it.
        path: of the file to write, a line a sentence in a few bytes.
    """
    columns = read_sentences(source)
    kept = {"length": columns["length"], "pushforward_iwae": columns["pushforward_iwae"]}
    if not np.array_equal(columns["flow_posterior_iwae"], kept["pushforward_iwae"]):
        kept["flow_posterior_iwae"] = columns["flow_posterior_iwae"]
    write_sentences(path, kept, digits=["%d", *["%.3f"] * (len(kept) - 1)])


def write_sentences(path, columns, digits="%.8g"):
    """{name: values of the sentences} as columns of a file, aside first."""
    aside = path.with_name(path.name + ".new")
    np.savetxt(aside, np.stack(list(columns.values()), axis=1), digits, "\t", header="\t".join(columns), comments="")
    os.replace(aside, path)


def read_metrics(path: str | Path) -> Metrics:
    """A file of metrics; one of an older format is brought to today's.

    Raises:
        ValueError: something else in it, or a likelihood that is no finite number.
    """
    metrics = read_json(path)
    for name, kind in IN_EVERY_FILE.items():
        if name not in metrics:
            raise ValueError(f"{path} is not what wae-rnf evaluate writes: it has no {name!r}")
        if not isinstance(metrics[name], kind):
            raise ValueError(f"{path} is not what wae-rnf evaluate writes: its {name!r} is {metrics[name]!r}")
    for place in (*((reading, bound) for reading in READINGS for bound in ("elbo", "iwae")), ("published",)):
        figures = metrics[place[0]] if len(place) == 1 else metrics[place[0]].get(place[1], {})
        for name in ("nll", "ppl"):
            value = figures.get(name)
            if not isinstance(value, float) or not math.isfinite(value):
                raise ValueError(f"{path}: {'.'.join((*place, name))} is {value}, not a finite number")
    older = _older(metrics)
    metrics = older | metrics | {"evaluation": older["evaluation"] | metrics.get("evaluation", {})}
    return {"warnings": warnings_of_metrics(metrics)} | metrics


def symbol_of_prior(metrics):
    """What z is drawn from, in a formula.

    Example:
        >>> symbol_of_prior({"prior": "standard_normal"}), symbol_of_prior({"prior": "flow"})
        ('N(0, I)', 'p(z), a flow')
    """
    known = {"standard_normal": "N(0, I)", "uniform_sphere": "uniform on the sphere", "vamp": "p(z), a VampPrior"}
    prior = metrics.get("prior", "standard_normal")  # files from before priors were learned do not say
    return known.get(prior, f"p(z), a {prior}")


def _older(metrics):
    """What files of metrics had to be read from before they said it."""
    options = metrics["options"]
    system = options.get("system", metrics["system"])
    return {
        "format": 0,
        "has_latents": system != "lstm-lm",
        "has_flow": metrics["pushforward"]["iwae"]["nll"] != metrics["flow_posterior"]["iwae"]["nll"],
        "prior": "standard_normal" if metrics["system"] != "vmf-vae" else "uniform_sphere",
        "reading": reading_of(options.get("objective") or ("flow_posterior" if system == "vae-nf" else "paper")),
        "hub_dataset": None,
        "language": None,
        "samples": [],
        "training": None,
        "evaluation": {
            "iwae_samples": metrics["pushforward"]["iwae"].get("samples"),
            "proposal": "posterior",
            "max_sentences": options.get("eval_max_sentences"),
            "mixed_precision": options.get("mixed_precision", "no"),
            "seed": metrics.get("seed"),
        },
    }


def _not_finite(content, place=""):
    """The names of the figures that are NaN or infinite."""
    if isinstance(content, float) and not math.isfinite(content):
        yield place
    elif isinstance(content, dict | list):
        for name, value in content.items() if isinstance(content, dict) else enumerate(content):
            yield from _not_finite(value, f"{place}.{name}" if place else name)


def _finite(content):
    """The same content with None for what is NaN or infinite."""
    if isinstance(content, dict):
        return {name: _finite(value) for name, value in content.items()}
    if isinstance(content, list):
        return [_finite(value) for value in content]
    return None if isinstance(content, float) and not math.isfinite(content) else content
