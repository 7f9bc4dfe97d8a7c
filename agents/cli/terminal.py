"""What commands print with: tables, progress and colour, each only where there is a terminal to show it."""

import contextlib
import os
import sys
import time
from collections.abc import Callable, Iterable, Iterator, Sequence

PATIENCE_SECONDS = 2.0
"""What takes longer shows how far it is."""


def print_table(columns: Sequence[str], rows: Iterable[Sequence[object]], *, right: Sequence[str] = ()) -> None:
    """A table: fitted to a terminal, tab-separated where a program or a pipe reads."""
    if not sys.stdout.isatty():
        print("\t".join(columns))
        for row in rows:
            print("\t".join(map(str, row)))
        return
    from rich.console import Console
    from rich.table import Table

    table = Table(box=None, pad_edge=False, header_style="bold")
    for column in columns:
        table.add_column(column, justify="right" if column in right else "left", overflow="fold")
    for row in rows:
        table.add_row(*map(str, row))
    Console().print(table)


def bold(line: str) -> str:
    """A heading, where there is a terminal."""
    return f"\033[1m{line}\033[0m" if sys.stdout.isatty() and "NO_COLOR" not in os.environ else line


def warn(line: str) -> None:
    """A line beside the result."""
    print(line, file=sys.stderr, flush=True)


@contextlib.contextmanager
def progress(title: str, total: int | None) -> Iterator[Callable[[int], None]]:
    """A bar on standard error for what takes more than two seconds; call it with how much is done."""
    if not sys.stderr.isatty():
        yield lambda _: None
        return
    from rich.console import Console
    from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn

    columns = (TextColumn(title), BarColumn(), TextColumn("{task.completed:,}"), TimeRemainingColumn())
    bar = Progress(*columns, console=Console(stderr=True), transient=True)
    task = bar.add_task(title, total=total)
    started = time.monotonic()

    def progressed(done: int) -> None:
        if not bar.live.is_started and time.monotonic() - started > PATIENCE_SECONDS:
            bar.start()
        bar.update(task, completed=done)

    try:
        yield progressed
    finally:
        if bar.live.is_started:
            bar.stop()
