"""What earlier runs published already: it is not published again, and what was taken back comes under a new id.

Within the duplicate window the system recognises a repeated id itself: an event that was taken back would not come
again under its own. Beyond the window a second import would count twice. Runs are remembered for longer.

>>> again("17", 1), again("17 (import 2)", 2), taken_apart("17 (import 3)")
('17 (import 2)', '17 (import 3)', ('17', 2))
"""

import re
from collections import Counter
from collections.abc import Container, Iterable
from datetime import datetime
from typing import NamedTuple

import msgspec
import xxhash

from agents.imports.events import EventDraft, Ready, encode_draft, items_of
from agents.imports.report import Report
from agents.imports.runs import RunStore
from schemas.inbound import ItemConfigured, StockCounted
from schemas.quantities import item
from schemas.refusal import Reason

_AGAIN = re.compile(r"(.*) \(import (\d{1,6})\)", re.DOTALL)


class EarlierEvent(NamedTuple):
    """The last time that an id was published."""

    run: str
    digest: int
    """Of its data."""
    times: int
    """How often it was published before that time."""
    stands: bool
    """Whether it was not taken back, nor superseded by other terms of the same item."""


class _Stored(msgspec.Struct):
    id: str
    type: str
    data: msgspec.Raw


class _OfItem(msgspec.Struct):
    sku: str
    location: str


_decode_stored = msgspec.json.Decoder(_Stored).decode
_decode_item = msgspec.json.Decoder(_OfItem).decode
_encode = msgspec.json.Encoder().encode


def again(id_: str, times: int) -> str:
    """The id of an event that is published once more, after it was taken back so often."""
    return f"{taken_apart(id_)[0]} (import {times + 1})"


def taken_apart(id_: str) -> tuple[str, int]:
    """The id as the data have it, and how often it was published before."""
    match = _AGAIN.fullmatch(id_)
    return (match[1], int(match[2]) - 1) if match else (id_, 0)


def earlier_events(store: RunStore, source: str, wanted: Container[str]) -> dict[str, EarlierEvent]:
    """Of these ids, those that runs of the same source hold."""
    found: dict[str, EarlierEvent] = {}
    latest: dict[str, tuple[int, str]] = {}
    configures: dict[str, str] = {}
    for run in store.every():
        if run.source != source:
            continue
        for number, entry in enumerate(store.entries(run)):
            event = _decode_stored(entry.event)
            name, times = taken_apart(event.id)
            stands = number >= run.undone
            if event.type == "item.configured" and stands:
                of_item = _decode_item(event.data)
                about = item(of_item.sku, of_item.location)
                latest[about] = max(latest.get(about, (0, "")), (entry.at, name))
                configures[name] = about
            if name in wanted:
                earlier = EarlierEvent(run.run, xxhash.xxh3_64_intdigest(bytes(event.data)), times, stands)
                found[name] = max(found.get(name, earlier), earlier, key=lambda each: (each.stands, each.times))
    for name, about in configures.items():
        if name in found and latest[about][1] != name:
            found[name] = found[name]._replace(stands=False)
    return found


def new_events(events: Iterable[Ready], store: RunStore, source: str, report: Report, now: datetime) -> list[Ready]:
    """Those of these events that are to be published, under the ids that they need."""
    events = list(events)
    earlier = earlier_events(store, source, {event.draft.id for event in events})
    left_to: Counter[str] = Counter()
    fresh = []
    for event in events:
        before = earlier.get(event.draft.id)
        if before is None:
            fresh.append(event)
        elif not before.stands:
            # Of two counts of one moment the one that is said later stands, and the undo has said another.
            time = now if isinstance(event.draft.data, StockCounted) else event.draft.time
            draft = event.draft._replace(id=again(event.draft.id, before.times + 1), time=time)
            fresh.append(event._replace(value=encode_draft(draft, source), draft=draft))
        elif before.digest == xxhash.xxh3_64_intdigest(_encode(event.draft.data)):
            left_to[before.run] += 1
        else:
            _refuse(event.draft, before.run, report)
    for run, count in left_to.items():
        report.notes[f"events that run {run} published before, not again"] = count
    return fresh


def _refuse(draft: EventDraft, run: str, report: Report) -> None:
    what = "terms" if isinstance(draft.data, ItemConfigured) else draft.id
    about = items_of(draft.data)[0]
    text = f"{what} of {about} came with other data in run {run}: `restock import undo {run}` first, or give new ids"
    report.refuse(Reason.CONFLICTING_DUPLICATE.value, draft.rows, text)
