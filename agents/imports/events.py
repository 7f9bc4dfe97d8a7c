"""From what a converter made to the bytes of an event, judged by the contract before anybody sees it."""

from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime
from typing import Any, NamedTuple

import msgspec

from agents.imports.report import Report
from schemas.codec import Event, Limits, decode
from schemas.envelope import STRUCTURED_HEADERS
from schemas.inbound import INBOUND, TYPE_OF, Inbound, OrderPlaced, StockCounted
from schemas.quantities import item
from schemas.refusal import Refusal
from stream.kafka.event_publisher import key_of


class EventDraft(NamedTuple):
    """One event in the making, and the rows it comes from: of an order, one a line."""

    time: datetime
    id: str
    data: Inbound
    rows: Sequence[int]
    parts_of: Sequence[str] = ()
    """Orders it is a part of: when another part is refused, this one waits for it."""


class Ready(NamedTuple):
    """One event as it is published."""

    topic: str
    key: str | None
    value: bytes
    draft: EventDraft


class _Envelope(msgspec.Struct):
    """A structured CloudEvent."""

    specversion: str
    id: str
    source: str
    type: str
    time: datetime
    datacontenttype: str
    data: Inbound


_encode = msgspec.json.Encoder().encode


def ready(drafts: Iterable[EventDraft], source: str, limits: Limits, report: Report) -> list[Ready]:
    """Every draft that the contract accepts, in order of event time; the others are in the report."""
    made = [event for draft in named(drafts, report) if (event := _judged(draft, source, limits, report)) is not None]
    while True:
        incomplete = [event for event in made if not report.torn.keys().isdisjoint(event.draft.parts_of)]
        if not incomplete:
            break
        for event in incomplete:
            row = next(report.torn[order] for order in event.draft.parts_of if order in report.torn)
            report.wait(event.draft.rows, row)
            _tear(event.draft, row, report)
        gone = {id(event) for event in incomplete}
        made = [event for event in made if id(event) not in gone]
    for event in made:
        report.events[TYPE_OF[type(event.draft.data)]] += 1
        take_figures(event.draft, report)
    return sorted(made, key=lambda event: event.draft.time)


def named(drafts: Iterable[EventDraft], report: Report) -> Iterator[EventDraft]:
    """The same, with their items noted in the report."""
    for draft in drafts:
        report.items.update(items_of(draft.data))
        yield draft


def items_of(data: Inbound) -> list[str]:
    """The items that an event is about, one a line."""
    lines: Sequence[Any] = getattr(data, "lines", None) or (data,)
    return [item(line.sku, line.location) for line in lines]


def encode_draft(draft: EventDraft, source: str) -> bytes:
    """The draft as it goes to the broker."""
    name = TYPE_OF[type(draft.data)]
    return _encode(_Envelope("1.0", draft.id, source, name, draft.time, "application/json", draft.data))


def take_figures(draft: EventDraft, report: Report) -> None:
    """What the report says of quantities and days."""
    match draft.data:
        case OrderPlaced(lines=lines):
            for line, row in zip(lines, draft.rows, strict=True):
                report.quantities.add(item(line.sku, line.location), line.quantity, row)
        case StockCounted(sku=sku, location=location, counted=counted):
            report.quantities.add(item(sku, location), counted, draft.rows[0])


def _judged(draft: EventDraft, source: str, limits: Limits, report: Report) -> Ready | None:
    topic = INBOUND[TYPE_OF[type(draft.data)]].topic
    value = encode_draft(draft, source)
    verdict = decode(topic, value, STRUCTURED_HEADERS, 0, limits)
    if isinstance(verdict, Event):
        return Ready(topic, key_of(verdict.data), value, draft)
    if isinstance(verdict, Refusal):
        report.refuse(verdict.reason.value, draft.rows, str(verdict))
        _tear(draft, draft.rows[0], report)
    return None


def _tear(draft: EventDraft, row: int, report: Report) -> None:
    for order in draft.parts_of:
        report.torn.setdefault(order, row)
