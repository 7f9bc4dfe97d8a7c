r"""Reading a CSV file, plain or gzipped, as rows under the contract's field names.

>>> mapping = parse_mapping(["Artikel=sku", "Menge=quantity"])
>>> list(rows(io.StringIO("Artikel;Menge;Note\nTEA;3;-\n"), mapping, ("sku", "quantity")))
[CsvRow(number=2, values={'sku': 'TEA', 'quantity': '3'})]
"""

import csv
import gzip
import io
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import datetime, tzinfo
from pathlib import Path
from typing import IO, NamedTuple
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from stream.errors import WrongUse

DELIMITERS = ",;\t|"


class Table(NamedTuple):
    """A file's columns, and its records with the line on which each begins."""

    delimiter: str
    columns: list[str]
    records: Iterator[tuple[int, list[str]]]


class CsvRow(NamedTuple):
    """One row: the line of the file it begins on, and its cells by field, without the empty ones."""

    number: int
    values: dict[str, str]


class Times(NamedTuple):
    """How the file writes moments."""

    zone: tzinfo
    form: str | None = None
    now: datetime | None = None
    """What lies after it is refused; None lets everything pass."""

    def read(self, value: str) -> datetime:
        """A moment with an offset. Raises ValueError."""
        moment = datetime.strptime(value, self.form) if self.form else datetime.fromisoformat(value)  # noqa: DTZ007
        return moment if moment.tzinfo else moment.replace(tzinfo=self.zone)

    def lies_ahead(self, moment: datetime) -> bool:
        """Whether a moment is yet to come."""
        return self.now is not None and moment > self.now


def zone(name: str) -> tzinfo:
    """A time zone by its name."""
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError):
        raise WrongUse(f"--timezone={name} is unknown: use a name such as UTC or Europe/Berlin") from None


def parse_mapping(pairs: Sequence[str]) -> dict[str, str]:
    """What `--map column=field` says, by column."""
    mapping = {}
    for pair in pairs:
        column, equals, field = pair.rpartition("=")
        if not equals or not column or not field:
            raise WrongUse(f"--map {pair} is no pair: write it as COLUMN=field, such as Artikel=sku")
        mapping[column] = field
    return mapping


@contextmanager
def opened(path: Path) -> Iterator[IO[str]]:
    """The file as text; `.gz` is unpacked on the way."""
    try:
        binary = gzip.open(path) if path.suffix == ".gz" else path.open("rb")  # noqa: SIM115 - closed below
    except OSError as error:
        raise WrongUse(f"{path} cannot be read ({error.strerror}): name a CSV file") from None
    with io.TextIOWrapper(binary, encoding="utf-8-sig", newline="") as file:
        try:
            yield file
        except (gzip.BadGzipFile, EOFError, UnicodeDecodeError, csv.Error) as error:
            raise WrongUse(f"{path} is no UTF-8 CSV file: {error}") from None


def table(file: Iterable[str]) -> Table:
    """The columns and records of a file, whichever usual delimiter it uses; blank lines are no records."""
    lines = iter(file)
    header = next(lines, "")
    delimiter = max(DELIMITERS, key=header.count)
    columns = next(csv.reader([header], delimiter=delimiter), [])
    return Table(delimiter, columns, _records(lines, delimiter))


def rows(file: Iterable[str], mapping: Mapping[str, str], fields: Collection[str]) -> Iterator[CsvRow]:
    """Every row, with the cells of columns that are mapped to a field, or have a field's name."""
    _, columns, records = table(file)
    missing = sorted(mapping.keys() - set(columns))
    if missing:
        raise WrongUse(f"--map {missing[0]}={mapping[missing[0]]}: no such column; the file has {', '.join(columns)}")
    unknown = sorted(set(mapping.values()) - set(fields))
    if unknown:
        raise WrongUse(f"--map …={unknown[0]}: no such field; there are {', '.join(fields)}")
    places = {place: mapping.get(column, column) for place, column in enumerate(columns)}
    wanted = [(place, field) for place, field in places.items() if field in fields]
    for number, cells in records:
        yield CsvRow(number, {field: value for place, field in wanted if (value := _cell(cells, place))})


def _records(lines: Iterator[str], delimiter: str) -> Iterator[tuple[int, list[str]]]:
    reader = csv.reader(lines, delimiter=delimiter)
    line = 2
    for cells in reader:
        if cells:
            yield line, cells
        line = reader.line_num + 2  # the reader has not seen the header


def _cell(cells: Sequence[str], place: int) -> str:
    return cells[place].strip() if place < len(cells) else ""
