"""The one writer of Markdown tables."""

from collections.abc import Iterable, Sequence


def table(header: Sequence[object], rows: Iterable[Sequence[object]]) -> str:
    """A Markdown table; a | within a cell is written as one.

    Examples:
        >>> print(table(["system", "log|det|"], [["wae", 0.5]]))
        | system | log\\|det\\| |
        | --- | --- |
        | wae | 0.5 |
    """
    lines = [_line(header), _line(["---"] * len(header))]
    return "\n".join([*lines, *(_line(cells) for cells in rows)])


def _line(cells: Iterable[object]) -> str:
    return "| " + " | ".join(str(cell).replace("|", "\\|") for cell in cells) + " |"
