"""Files of metrics, and beside each the bounds of its sentences: the one writer and the one reader."""

import logging
import math
import os
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from .json_files import read_json, write_json
from .metrics import FORMAT, METRICS_FILE, Metrics
from .metrics_migration import Format3, OldMetrics, migrated, of_format_3
from .schema import problems

SENTENCES_FILE = "sentences.tsv"
logger = logging.getLogger(__name__)


def write_record(path: str | Path, content: dict) -> Any:
    """Writes figures as JSON, with the number of their format.

    Returns:
        what the file holds: a figure that is not finite is None there, since JSON has no sign for it, and a warning
        names it.
    """
    if names := list(_not_finite(content)):
        logger.warning("%s: not finite, hence written as null: %s", path, ", ".join(names))
    record = _finite(content) | {"format": FORMAT}
    write_json(path, record)
    return record


def write_metrics(path: str | Path, metrics: dict) -> Metrics:
    """Writes a file of metrics, and beside it the bounds of each sentence, a line a sentence under their names.

    Args:
        path: of the JSON file; `sentences_file` gives the other one.
        metrics: [`Metrics`] without the format, and `of_sentences`, {bound: values}.

    Returns:
        what the JSON file holds, see `write_record`.
    """
    write_sentences(sentences_file(path), metrics["of_sentences"])
    return write_record(path, {name: value for name, value in metrics.items() if name != "of_sentences"})


def read_metrics(path: str | Path) -> Metrics:
    """A file of metrics; one of an older format is brought to today's.

    Raises:
        ValueError: something else in it, or a likelihood that is no finite number.
    """
    metrics: Any = read_json(path)
    version = metrics.get("format", 0)
    if not isinstance(version, int) or version > FORMAT:
        raise ValueError(f"{path} is of format {version}, this version reads up to {FORMAT}; install a newer one")
    if version < FORMAT:
        check_schema(path, metrics, OldMetrics if version < 3 else Format3)
        metrics = migrated(metrics) if version < 3 else of_format_3(metrics)
    check_schema(path, metrics, Metrics)
    return metrics


def check_schema(path: str | Path, content: dict, schema: type) -> None:
    """Raises ValueError with the first problem of a file's content, see `wae_rnf.evaluation.schema.problems`."""
    problem = next(problems(content, schema), None)
    if problem is not None:
        raise ValueError(f"{path} is not what wae-rnf evaluate writes: {problem}")


def sentences_file(path: str | Path) -> Path:
    """Where the bounds of each sentence are, beside a file of metrics.

    Examples:
        >>> sentences_file("run/metrics.json").name, sentences_file("run/metrics-toy-train.json").name
        ('sentences.tsv', 'metrics-toy-train.tsv')
    """
    path = Path(path)
    return path.with_name(SENTENCES_FILE) if path.name == METRICS_FILE else path.with_suffix(".tsv")


def read_sentences(path: str | Path) -> dict[str, np.ndarray]:
    """The bounds of each sentence that belong to a file of metrics, by name, as arrays of nats.

    Args:
        path: of the file of metrics.
    """
    path = sentences_file(path)
    names = path.read_text(encoding="utf-8").partition("\n")[0].split("\t")
    return dict(zip(names, np.loadtxt(path, skiprows=1, ndmin=2).T, strict=True))


def write_sentences(
    path: Path, columns: Mapping[str, Sequence[float] | np.ndarray], digits: str | Sequence[str] = "%.8g"
) -> None:
    """{name: values of the sentences} as columns of a file, aside first."""
    aside = path.with_name(path.name + ".new")
    np.savetxt(aside, np.stack(list(columns.values()), axis=1), digits, "\t", header="\t".join(columns), comments="")
    os.replace(aside, path)


def keep_sentences(source: str | Path, path: str | Path) -> None:
    """Copies of the bounds of each sentence what tables need: lengths, and the IWAE of the models that differ.

    Args:
        source: a file of metrics, as `read_sentences` has it.
        path: of the file to write, a line a sentence in a few bytes.
    """
    columns = read_sentences(source)
    kept = {"length": columns["length"], "pushforward_iwae": columns["pushforward_iwae"]}
    if not np.array_equal(columns["flow_posterior_iwae"], kept["pushforward_iwae"]):
        kept["flow_posterior_iwae"] = columns["flow_posterior_iwae"]
    write_sentences(Path(path), kept, digits=["%d", *["%.3f"] * (len(kept) - 1)])


def _not_finite(content: Any, place: str = "") -> Iterator[str]:
    """The names of the figures that are NaN or infinite."""
    if isinstance(content, float) and not math.isfinite(content):
        yield place
    elif isinstance(content, dict | list):
        for name, value in content.items() if isinstance(content, dict) else enumerate(content):
            yield from _not_finite(value, f"{place}.{name}" if place else str(name))


def _finite(content: Any) -> Any:
    """The same content with None for what is NaN or infinite."""
    if isinstance(content, dict):
        return {name: _finite(value) for name, value in content.items()}
    if isinstance(content, list):
        return [_finite(value) for value in content]
    return None if isinstance(content, float) and not math.isfinite(content) else content
