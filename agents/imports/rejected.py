"""The rows of a file that were refused, written to a file of their own: mend them there and import that one.

It has the columns of the input and two more, which say why and on which line; an import ignores both.
"""

import csv
import io
from collections.abc import Mapping
from itertools import count
from pathlib import Path

from agents.imports.table import opened, table
from stream.errors import WrongUse

OWN_COLUMNS = ("rejected_reason", "rejected_line")


def write_rejected(source: Path, rejected: Mapping[int, str], path: Path | None) -> Path:
    """Copy these rows of the source, by line; where to, a name beside the source when none is given."""
    text = _copied(source, rejected)
    target = path or _beside(source, text)
    try:
        target.write_text(text, encoding="utf-8", newline="")
    except OSError as error:
        raise WrongUse(
            f"--rejected={target} cannot be written ({error.strerror}): name another file for {len(rejected)} rows"
        ) from None
    return target


def _copied(source: Path, rejected: Mapping[int, str]) -> str:
    written = io.StringIO()
    with opened(source) as file:
        delimiter, columns, records = table(file)
        kept = [place for place, column in enumerate(columns) if column not in OWN_COLUMNS]
        writer = csv.writer(written, delimiter=delimiter, lineterminator="\n")
        writer.writerow([*(columns[place] for place in kept), *OWN_COLUMNS])
        for line, cells in records:
            if line in rejected:
                values = [cells[place] if place < len(cells) else "" for place in kept]
                writer.writerow([*values, rejected[line], line])
    return written.getvalue()


def _beside(source: Path, text: str) -> Path:
    """A name that nobody else's rows have: somebody may be mending those of last time.

    >>> _beside(Path("shop/sales.csv.gz"), "")
    PosixPath('shop/sales.rejected.csv')
    """
    stem = source.name.removesuffix(".gz").removesuffix(".csv")
    for number in count(1):
        path = source.with_name(f"{stem}.rejected{'' if number == 1 else f'-{number}'}.csv")
        if not path.exists() or path.read_text(encoding="utf-8") == text:
            return path
    raise AssertionError
