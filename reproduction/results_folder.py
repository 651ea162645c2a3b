"""The folders that `wae-rnf reproduce` leaves: a file of metrics for each row and seed."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from wae_rnf.evaluation.json_files import read_json
from wae_rnf.evaluation.metrics import AnyMetrics
from wae_rnf.evaluation.metrics_files import read_metrics
from wae_rnf.training.systems import SYSTEMS

REPORT = "README.md"
Runs = Mapping[str, Sequence[AnyMetrics]]  # {row: metrics of each seed}


def datasets_in(results: str | Path) -> dict[Path, str]:
    """{path: dataset} of the results in a folder.

    Raises:
        ValueError: a JSON file that holds no results.
    """
    datasets: dict[Path, Any] = {path: read_json(path).get("dataset") for path in sorted(Path(results).glob("*.json"))}
    for path, dataset in datasets.items():
        if not isinstance(dataset, str):
            raise ValueError(f"{path} is not what wae-rnf reproduce writes: it has no 'dataset'; move it elsewhere")
    return datasets


def row_of(metrics: AnyMetrics) -> str:
    """The row that a run belongs to: a system, or a variant of one."""
    return metrics.get("reproduction", {}).get("row", metrics["system"])


def files_of_rows(results: str | Path) -> dict[str, list[Path]]:
    """{row: [path of each seed's metrics]}: systems in the order of their table, then other rows by name."""
    files = defaultdict(list)
    for path in sorted(Path(results).glob("*.json")):
        files[row_of(read_metrics(path))].append(path)
    return {row: files[row] for row in [*SYSTEMS, *sorted(files.keys() - SYSTEMS.keys())] if row in files}


def read_runs(results: str | Path) -> dict[str, list[AnyMetrics]]:
    """{row: [metrics of each seed]}, in the order of `files_of_rows`.

    Raises:
        ValueError: a file that holds something else, or metrics that say nothing of the training.
    """
    runs: dict[str, list[AnyMetrics]] = {}
    for row, paths in files_of_rows(results).items():
        runs[row] = [*map(read_metrics, paths)]
        for path, metrics in zip(paths, runs[row], strict=True):
            for name in ("training", "text"):
                if not isinstance(metrics.get(name), dict):
                    raise ValueError(f"{path} is not what wae-rnf reproduce writes: it has no {name!r}")
    return runs


def folders_of_results(parent: Path) -> list[Path]:
    """The folders, by name, that hold a reproduction's page."""
    return [path for path in sorted(parent.iterdir()) if (path / REPORT).exists()]
