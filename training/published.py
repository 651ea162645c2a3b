"""The paper's own figures, for tables that show them beside ours; they are of the published protocol, no bounds."""

import json
from pathlib import Path

TABLES = json.loads(Path(__file__).with_name("published.json").read_text(encoding="utf-8"))


def published(table, dataset, system):
    """A row of "table_1" or "table_2", {nll, kl, …}; {} where the paper has none.

    A corpus of the same kind stands in for the paper's: a dataset's name counts by what it begins with.

    Example:
        >>> published("table_1", "ptb", "wae-rnf")["nll"]
        91.9
    """
    for name, rows in TABLES[table].items():
        if Path(dataset).name.startswith(name):
            return rows.get(system, {})
    return {}
