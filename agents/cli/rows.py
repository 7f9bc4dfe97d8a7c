"""Where `evaluate` and `simulate` put what they find: rows of CSV, the table for people beside them, files by item."""

import csv
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any


@contextmanager
def written(path: Path | None, columns: Sequence[str]) -> Iterator[Any]:
    """A function that writes a row beneath these columns; `-` is standard output, None nowhere."""
    if path is None:
        yield lambda _: None
        return
    if str(path) == "-":
        yield _begun(sys.stdout, columns)
        return
    with path.open("w", newline="") as file:
        yield _begun(file, columns)


def beside(path: Path | None) -> IO[str]:
    """Where figures go: not among the rows."""
    return sys.stderr if str(path) == "-" else sys.stdout


def file_name(item: str) -> str:
    """An item's name as a part of a file's.

    >>> file_name("TEA/01@BER1")
    'TEA_01@BER1'
    """
    return "".join(letter if letter.isalnum() or letter in "-_@." else "_" for letter in item)[:60]


def _begun(file: IO[str], columns: Sequence[str]) -> Any:
    writer = csv.writer(file, lineterminator="\n")
    writer.writerow(columns)
    return writer.writerow
