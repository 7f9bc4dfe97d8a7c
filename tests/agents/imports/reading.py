"""Files as tests write them, and what becomes of them."""

import io
from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Any

import msgspec

from agents.imports import items, orders, stock, uci
from agents.imports.events import EventDraft, Ready, ready
from agents.imports.orders import Form
from agents.imports.report import Report
from agents.imports.table import Times, rows
from schemas.codec import Limits

NOW = datetime(2026, 6, 1, tzinfo=UTC)
AS_OF = datetime(2026, 3, 1, 6, tzinfo=UTC)
FORM = Form(Times(UTC, now=NOW), "BER1", "EUR")


def ready_orders(text: str, form: Form = FORM) -> tuple[list[Ready], Report]:
    report = Report()
    table = rows(io.StringIO(text), {}, orders.FIELDS)
    return ready(orders.drafts(table, form, report), "import", Limits(), report), report


def ready_stock(text: str) -> tuple[list[Ready], Report]:
    report = Report()
    table = rows(io.StringIO(text), {}, stock.FIELDS)
    return ready(stock.drafts(table, FORM, AS_OF, report), "import", Limits(), report), report


def ready_items(text: str) -> tuple[list[Ready], Report]:
    report = Report()
    table = rows(io.StringIO(text), {}, items.FIELDS)
    return ready(items.drafts(table, FORM, AS_OF, report), "import", Limits(), report), report


def ready_uci(text: str) -> tuple[list[Ready], Report]:
    report = Report()
    return ready(uci_drafts(text, report), "import", Limits(), report), report


def uci_drafts(text: str, report: Report) -> Iterable[EventDraft]:
    header = "InvoiceNo,StockCode,Description,Quantity,InvoiceDate,UnitPrice,CustomerID,Country\n"
    return uci.drafts(
        rows(io.StringIO(header + text), uci.MAPPING, orders.FIELDS), FORM._replace(location="UK"), report
    )


def as_json(events: Iterable[Ready]) -> list[dict[str, Any]]:
    return [msgspec.json.decode(event.value) for event in events]
