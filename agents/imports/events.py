"""From what a converter made to the bytes of an event, judged by the contract before anybody sees it."""

from collections.abc import Iterable, Iterator
from datetime import datetime
from typing import NamedTuple

import msgspec

from agents.imports.report import Report
from schemas.codec import Event, Limits, decode
from schemas.envelope import STRUCTURED_HEADERS
from schemas.inbound import INBOUND, TYPE_OF, Inbound
from schemas.refusal import Refusal
from stream.kafka.event_publisher import key_of


class EventDraft(NamedTuple):
    """One event in the making, and the row it comes from."""

    time: datetime
    id: str
    data: Inbound
    row: int


class Ready(NamedTuple):
    """One event as it is published."""

    topic: str
    key: str | None
    value: bytes


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


def ready(drafts: Iterable[EventDraft], source: str, limits: Limits, report: Report) -> Iterator[Ready]:
    """Every draft that the contract accepts, in order of event time; the others are in the report."""
    for draft in sorted(drafts, key=lambda draft: draft.time):
        name = TYPE_OF[type(draft.data)]
        value = _encode(_Envelope("1.0", draft.id, source, name, draft.time, "application/json", draft.data))
        verdict = decode(INBOUND[name].topic, value, STRUCTURED_HEADERS, 0, limits)
        if isinstance(verdict, Event):
            report.events[name] += 1
            yield Ready(INBOUND[name].topic, key_of(verdict.data), value)
        elif isinstance(verdict, Refusal):
            report.refuse(verdict.reason.value, draft.row, str(verdict))
