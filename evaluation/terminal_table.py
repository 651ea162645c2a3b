"""Tables in a terminal, drawn by rich."""

from collections.abc import Iterable, Sequence

from rich import box
from rich.console import Console
from rich.measure import Measurement
from rich.table import Table
from rich.text import Text

WIDEST = 1000  # characters, more than any table has


def print_table(
    header: Sequence[str],
    rows: Iterable[Sequence[str]],
    title: str = "",
    caption: str = "",
    console: Console | None = None,
) -> None:
    """Prints a table: the first column at the left, figures at the right.

    Figures are never cut: in a terminal that is too narrow the table is wider than it.

    Args:
        header: of the columns.
        rows: of cells, one a column.
        title: above it.
        caption: below it.
        console: of rich; that of the process by default.
    """
    console = console or Console()
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    table.add_column(header[0])
    for heading in header[1:]:
        table.add_column(heading, justify="right", no_wrap=True)
    for cells in rows:
        table.add_row(*map(Text, cells))
    print_whole(table, console, title, caption)


def print_whole(table: Table, console: Console, title: str = "", caption: str = "") -> None:
    """Prints a table of rich that no terminal cuts, with lines of text above and below it."""
    if title:
        console.print(title, style="bold", markup=False, highlight=False)
    natural = Measurement.get(console, console.options.update(width=WIDEST), table).maximum
    Console(file=console.file, width=max(console.width, natural)).print(table)
    if caption:
        console.print(caption, markup=False, highlight=False)
