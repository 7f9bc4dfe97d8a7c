"""A warehouse's counts to `stock.counted`: how opening stock becomes known."""

from collections.abc import Iterable, Iterator
from datetime import datetime

import xxhash

from agents.imports.cells import Unreadable, location_of, moment, needed, whole
from agents.imports.events import EventDraft
from agents.imports.orders import Form
from agents.imports.report import Report
from agents.imports.table import CsvRow
from schemas.inbound import StockCounted
from schemas.quantities import item

FIELDS = ("sku", "location", "counted", "as_of")


def drafts(rows: Iterable[CsvRow], form: Form, as_of: datetime, report: Report) -> Iterator[EventDraft]:
    """One event a row, true at its own `as_of` or else at the file's; the same row again has the same id."""
    counted_items: set[str] = set()
    counts: dict[tuple[str, datetime], tuple[int, int]] = {}
    for row in rows:
        report.rows += 1
        try:
            when = moment(row, form.times, "as_of") if "as_of" in row.values else as_of
            sku, location = needed(row, "sku"), location_of(row, form.location)
            counted = whole(needed(row, "counted"), "counted")
        except Unreadable as fault:
            report.refuse(fault.reason.value, (row.number,), str(fault))
            continue
        counted_item = item(sku, location)
        report.notes["items counted more than once"] += counted_item in counted_items
        counted_items.add(counted_item)
        earlier, other = counts.setdefault((counted_item, when), (row.number, counted))
        if other != counted:
            report.contradictions.append(
                f"row {row.number:,} counts {counted:,} of {counted_item}, row {earlier:,} at the same moment {other:,}"
            )
        name = "counted-" + xxhash.xxh3_128_hexdigest(f"{counted_item} {when.isoformat()} {counted}".encode())
        data = StockCounted(sku=sku, location=location, count_id=name, counted=counted, as_of=when)
        yield EventDraft(when, name, data, (row.number,))
