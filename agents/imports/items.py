"""A planner's table of items to `item.configured`: an empty cell changes nothing, `null` puts back to the default."""

from collections.abc import Iterable, Iterator
from datetime import datetime

import msgspec
import xxhash

from agents.imports.cells import Unreadable, location_of, needed, price
from agents.imports.events import EventDraft
from agents.imports.orders import Form
from agents.imports.report import Report
from agents.imports.table import CsvRow
from schemas.inbound import ItemConfigured
from schemas.quantities import item
from schemas.refusal import Reason

FIELDS = tuple(field.encode_name for field in msgspec.structs.fields(ItemConfigured))
MONEY = ("unit_cost", "price", "order_cost", "shortage_cost", "ask_above_value")


def drafts(rows: Iterable[CsvRow], form: Form, time: datetime, report: Report) -> Iterator[EventDraft]:
    """One event a row; the same row again has the same id."""
    stated: set[str] = set()
    for row in rows:
        report.rows += 1
        try:
            data = _read(row, form)
        except Unreadable as fault:
            report.refuse(fault.reason.value, (row.number,), str(fault))
            continue
        name = item(data.sku, data.location)
        report.notes["items stated more than once: the last row stands"] += name in stated
        stated.add(name)
        terms = xxhash.xxh3_64_hexdigest(msgspec.json.encode(data))
        yield EventDraft(time, f"configured-{name}-{terms}", data, (row.number,))


def _read(row: CsvRow, form: Form) -> ItemConfigured:
    values: dict[str, str] = dict(row.values)
    values["sku"] = needed(row, "sku")
    values["location"] = location_of(row, form.location)
    for field in MONEY:
        if field in values and values[field].lower() != "null":
            values[field] = price(values[field], form.currency)
    try:
        return msgspec.convert(values, ItemConfigured, strict=False)
    except msgspec.ValidationError as error:
        text, _, field = str(error).partition(" - at `$.")
        raise Unreadable(Reason.OUT_OF_RANGE, f"{field.rstrip('`')}: {text}") from None
