"""A shop's order history to `order.placed`, and what came back to `return.received`.

Rows with one order id are one order; a row without is an order of its own. A negative quantity came back.
"""

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator
from datetime import datetime
from typing import NamedTuple

import xxhash

from agents.imports.cells import Unreadable, location_of, moment, needed, price, whole
from agents.imports.events import EventDraft
from agents.imports.report import Report
from agents.imports.table import CsvRow, Times
from schemas.inbound import Line, OrderLine, OrderPlaced, ReturnReceived

FIELDS = ("order_id", "sku", "location", "quantity", "time", "unit_price", "promotion", "channel", "customer")
LINES = 1_000
"""At most, in one event: a longer order becomes several, so that none is too large."""


class Form(NamedTuple):
    """How the file is to be read."""

    times: Times
    location: str | None
    currency: str


class Sale(NamedTuple):
    """One row, read."""

    row: int
    order: str
    time: datetime
    sku: str
    location: str
    quantity: int
    """Negative: it came back."""
    price: str | None
    promotion: str | None
    channel: str | None
    customer: str | None


def drafts(rows: Iterable[CsvRow], form: Form, report: Report) -> Iterator[EventDraft]:
    """Every order and every return of a file."""
    orders: defaultdict[tuple[str, bool], list[Sale]] = defaultdict(list)
    for sale in sales(rows, form, report):
        orders[sale.order, sale.quantity < 0].append(sale)
    for (order, came_back), lines in orders.items():
        yield from (returned(f"{order}-return", order, lines) if came_back else placed(order, lines))


def sales(rows: Iterable[CsvRow], form: Form, report: Report) -> Iterator[Sale]:
    """Read rows one by one; those that cannot be read are in the report."""
    seen: Counter[int] = Counter()
    before: datetime | None = None
    for row in rows:
        report.rows += 1
        fingerprint = xxhash.xxh3_64_intdigest(repr(row.values).encode())
        copy = seen[fingerprint] > 0
        seen[fingerprint] += 1
        try:
            sale = _read(row, form, f"row-{fingerprint:016x}-{seen[fingerprint]}")
        except Unreadable as fault:
            report.refuse(fault.reason.value, (row.number,), str(fault))
            if "order_id" in row.values:
                report.torn.setdefault(row.values["order_id"], row.number)
            continue
        report.days.add(sale.time.date(), copy=copy)
        report.notes["exact copies of an earlier row, kept"] += copy
        if copy and report.first_copy is None:
            report.first_copy = row.number
        report.notes["rows earlier than the row before"] += before is not None and sale.time < before
        report.notes["rows without a customer"] += sale.customer is None
        before = sale.time
        yield sale


def placed(order: str, lines: list[Sale]) -> Iterator[EventDraft]:
    """One order, in as many events as it takes."""
    for part, start in enumerate(range(0, len(lines), LINES), 1):
        some = lines[start : start + LINES]
        ordered = tuple(
            OrderLine(
                line_id=str(number),
                sku=sale.sku,
                location=sale.location,
                quantity=sale.quantity,
                unit_price=sale.price,
                promotion=sale.promotion,
            )
            for number, sale in enumerate(some, start + 1)
        )
        data = OrderPlaced(order_id=order, lines=ordered, channel=some[0].channel, customer=some[0].customer)
        id_ = order if part == 1 else f"{order}/{part}"
        yield EventDraft(some[0].time, id_, data, rows_of(some), (order,))


def returned(name: str, order: str | None, lines: list[Sale]) -> Iterator[EventDraft]:
    """What came back of one order, as stock again, in as many events as it takes."""
    for part, start in enumerate(range(0, len(lines), LINES), 1):
        some = lines[start : start + LINES]
        id_ = name if part == 1 else f"{name}/{part}"
        data = ReturnReceived(return_id=id_, order_id=order, lines=plain_lines(some), restock=True)
        yield EventDraft(some[0].time, id_, data, rows_of(some), (order or name,))


def rows_of(sales: Iterable[Sale]) -> tuple[int, ...]:
    """Where they stand in the file."""
    return tuple(sale.row for sale in sales)


def plain_lines(sales: Iterable[Sale]) -> tuple[Line, ...]:
    """The units of some rows, whichever way they went."""
    return tuple(
        Line(line_id=str(number), sku=sale.sku, location=sale.location, quantity=abs(sale.quantity))
        for number, sale in enumerate(sales, 1)
    )


def _read(row: CsvRow, form: Form, otherwise: str) -> Sale:
    values = row.values
    return Sale(
        row.number,
        values.get("order_id", otherwise),
        moment(row, form.times),
        needed(row, "sku"),
        location_of(row, form.location),
        whole(needed(row, "quantity"), "quantity"),
        price(values["unit_price"], form.currency) if "unit_price" in values else None,
        values.get("promotion"),
        values.get("channel"),
        values.get("customer"),
    )
