"""`restock import`: CSV files to events: a shop's order history, items and their terms, opening counts.

Ids come from the data, so that a second import is a duplicate and changes nothing.
"""

import argparse
import contextlib
import json
import sys
from collections.abc import Callable, Iterable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from agents.cli.terminal import progress, warn
from agents.imports import items, orders, stock, uci
from agents.imports.events import EventDraft, Ready, ready
from agents.imports.orders import Form
from agents.imports.report import Report
from agents.imports.table import CsvRow, Times, opened, parse_mapping, rows, zone
from schemas.codec import Limits
from stream.errors import WrongUse
from stream.kafka.event_publisher import EventPublisher
from stream.setting_sources import load
from stream.settings import Settings

CHUNK = 10_000
FIELDS = {"orders": orders.FIELDS, "items": items.FIELDS, "stock": stock.FIELDS}
EXAMPLES = f"""fields:
  orders  {", ".join(orders.FIELDS)}
  items   {", ".join(items.FIELDS)}
  stock   {", ".join(stock.FIELDS)}
examples:
  restock import orders sales.csv --map Artikel=sku --map Menge=quantity --map Datum=time --location BER1
  restock import items items.csv --out items.jsonl
  restock import stock counts.csv --as-of 2026-03-01T06:00:00Z
  restock import orders online_retail.csv.gz --preset uci"""


def register(subparsers: Any) -> None:
    """Declare the command's arguments."""
    parser: argparse.ArgumentParser = subparsers.add_parser(
        "import",
        help="CSV files to events",
        description="Turns a CSV file (.gz too) into events, publishes them, and reports on the data.",
        epilog=EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("what", choices=sorted(FIELDS))
    parser.add_argument("file", type=Path, metavar="FILE")
    parser.add_argument("--map", action="append", default=[], metavar="COLUMN=FIELD", help="repeat for each column")
    parser.add_argument("--preset", choices=["uci"], help="orders: UCI's Online Retail")
    parser.add_argument("--location", help="of rows that name none")
    parser.add_argument("--timezone", default="UTC", help="of moments without an offset; default: %(default)s")
    parser.add_argument("--time-format", metavar="FORMAT", help="as strptime takes it; default: ISO 8601")
    parser.add_argument("--as-of", metavar="MOMENT", help="stock: when it was counted; default: the file's time")
    parser.add_argument("--time", metavar="MOMENT", help="items: event time; default: the file's time")
    parser.add_argument("--source", default="import", help="of the events; with the id it identifies them")
    parser.add_argument("--out", metavar="FILE", help="write JSON Lines instead of publishing; - is standard output")
    parser.add_argument("--json", action="store_true", help="for programs: the report as JSON")


def run(args: argparse.Namespace) -> int:
    """Exit code 1 when the contract refuses a row; all others are imported."""
    settings = load(args.config)
    if args.preset and args.what != "orders":
        raise WrongUse(f"--preset {args.preset} is for orders, not for {args.what}")
    report = Report()
    with _destination(settings, args.out) as write, progress(f"importing {args.file}", None) as tell:
        for event in _events(settings, args, report, tell):
            write(event)
    told = json.dumps(report.as_json()) if args.json else "\n".join(report.lines())
    print(told, file=sys.stderr if args.out == "-" else sys.stdout)
    return 1 if report.refused else 0


def _events(
    settings: Settings, args: argparse.Namespace, report: Report, tell: Callable[[int], None]
) -> Iterator[Ready]:
    limits = Limits(settings.max_event_bytes, settings.currency)
    with opened(args.file) as file:
        mapping = (uci.MAPPING if args.preset else {}) | parse_mapping(args.map)
        table = _told(rows(file, mapping, FIELDS[args.what]), tell)
        drafts = _drafts(table, settings, args, report)
        # Sorted by time, so everything is read before the first event is written.
        yield from ready(drafts, args.source, limits, report)


def _drafts(
    table: Iterable[CsvRow], settings: Settings, args: argparse.Namespace, report: Report
) -> Iterable[EventDraft]:
    times = Times(zone(args.timezone), args.time_format)
    form = Form(times, args.location or (uci.LOCATION if args.preset else None), settings.currency)
    if args.preset:
        return uci.drafts(table, form, report)
    if args.what == "orders":
        return orders.drafts(table, form, report)
    if args.what == "items":
        return items.drafts(table, form, _moment("--time", args.time, args.file, times), report)
    return stock.drafts(table, form, _moment("--as-of", args.as_of, args.file, times), report)


def _told(table: Iterable[CsvRow], tell: Callable[[int], None]) -> Iterator[CsvRow]:
    for row in table:
        if row.number % 1_000 == 0:
            tell(row.number)
        yield row


def _moment(option: str, value: str | None, file: Path, times: Times) -> datetime:
    """What the option says, else when the file was last written: the same for every import of the same file."""
    if value is None:
        return datetime.fromtimestamp(int(file.stat().st_mtime), UTC)
    try:
        return times._replace(form=None).read(value)
    except ValueError:
        raise WrongUse(f"{option}={value} is no moment: write it as 2026-03-01T06:00:00Z") from None


@contextlib.contextmanager
def _destination(settings: Settings, out: str | None) -> Iterator[Callable[[Ready], None]]:
    if out is None:
        with EventPublisher(settings) as publisher:
            yield _Chunks(publisher).send
        warn(f"{publisher.acknowledged.total():,} events acknowledged")
    elif out == "-":
        yield lambda event: _write(sys.stdout.buffer, event)
    else:
        try:
            file = Path(out).open("wb")  # noqa: SIM115 - only what opening raises is the user's
        except OSError as error:
            raise WrongUse(f"--out={out} cannot be written ({error.strerror}): name another file") from None
        with file:
            yield lambda event: _write(file, event)


class _Chunks:
    """Publishes, and waits for everything now and then, so that partitions stay close together in event time."""

    def __init__(self, publisher: EventPublisher) -> None:
        self._publisher = publisher
        self._sent = 0

    def send(self, event: Ready) -> None:
        self._publisher.send(event.topic, event.key, event.value)
        self._sent += 1
        if self._sent % CHUNK == 0:
            self._publisher.flush()


def _write(file: Any, event: Ready) -> None:
    file.write(event.value + b"\n")
