"""From an import's arguments to drafts of events: which file, which columns, which moments."""

import argparse
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

from agents.cli.terminal import progress
from agents.imports import items, orders, stock, uci
from agents.imports.events import EventDraft
from agents.imports.orders import Form
from agents.imports.report import Report
from agents.imports.table import CsvRow, Times, opened, parse_mapping, rows, zone
from stream.errors import WrongUse
from stream.settings import Settings

FIELDS = {"orders": orders.FIELDS, "items": items.FIELDS, "stock": stock.FIELDS, "history": orders.FIELDS}
SHOWN_EVERY = 1_000
"""Rows between two looks at the progress bar."""


@contextmanager
def drafts_of(
    args: argparse.Namespace, settings: Settings, report: Report, now: datetime
) -> Iterator[Iterable[EventDraft]]:
    """Every event that the file makes; rows that make none are in the report."""
    if args.preset and args.what not in {"orders", "history"}:
        raise WrongUse(f"--preset {args.preset} is for orders, not for {args.what}")
    times = Times(zone(args.timezone), args.time_format, now)
    mapping = (uci.MAPPING if args.preset else {}) | parse_mapping(args.map)
    fallback = uci.LOCATION if args.preset else "" if args.what == "history" else None
    form = Form(times, fallback if args.location is None else args.location, settings.currency)
    with opened(args.file) as file, progress(f"reading {args.file}", None) as progressed:

        def counted(table: Iterable[CsvRow]) -> Iterator[CsvRow]:
            for row in table:
                if row.number % SHOWN_EVERY == 0:
                    progressed(row.number)
                yield row

        yield _drafts(counted(rows(file, mapping, FIELDS[args.what])), form, args, report)


def _drafts(table: Iterable[CsvRow], form: Form, args: argparse.Namespace, report: Report) -> Iterable[EventDraft]:
    if args.preset:
        return uci.drafts(table, form, report)
    if args.what == "items":
        return items.drafts(table, form, _moment("--time", args.time, args.file, form.times), report)
    if args.what == "stock":
        return stock.drafts(table, form, _moment("--as-of", args.as_of, args.file, form.times), report)
    return orders.drafts(table, form, report)


def _moment(option: str, value: str | None, file: Path, times: Times) -> datetime:
    """What the option says, else when the file was last written: the same for every import of the same file."""
    if value is None:
        moment = datetime.fromtimestamp(int(file.stat().st_mtime), UTC)
    else:
        try:
            moment = times._replace(form=None).read(value)
        except ValueError:
            raise WrongUse(f"{option}={value} is no moment: write it as 2026-03-01T06:00:00Z") from None
    if times.lies_ahead(moment):
        raise WrongUse(f"{option}={value or moment.isoformat()} is yet to come: give a moment that has been")
    return moment
