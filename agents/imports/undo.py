"""What takes the events of a run back: corrections that the contract knows, each timed as what it corrects.

- An order is cancelled at the moment it was placed, so that both lie on the same side of every count, and its demand is
  taken out of its own period: the next review learns the past without it.
- Units that came back, and corrections of stock, are adjusted the other way; so is what the run itself cancelled, where
  a count lies between order and cancellation.
- A count gives way to another of the same moment, with what the stock was taken to be before; where that moment is too
  long ago for a count, to an adjustment. Both only while it is still the count that stands.
- Terms go back to what was stated before, or to their default; those that somebody changed since stay.

Events that were refused changed nothing and are left out. What the system decided meanwhile stays.
"""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any, TypeAlias

import msgspec
import xxhash

from agents.imports.events import EventDraft
from agents.imports.runs import StateBefore
from agents.intake.movements import terms_of
from agents.inventory.card import Card
from schemas.codec import Event, identity
from schemas.inbound import (
    ItemConfigured,
    Line,
    OrderCancelled,
    OrderPlaced,
    ReturnReceived,
    StockAdjusted,
    StockCounted,
)
from schemas.quantities import item, milliseconds
from stream.errors import AnswerIsNo

REASON = "import undone"
AFTER_COUNT = timedelta(minutes=1)
"""Movements so long after a count are not in it, however finely moments are told apart."""
COUNTABLE = timedelta(hours=47)
"""So long ago a moment may be for a count; the fold takes an hour more, and its time goes on meanwhile."""

Refused: TypeAlias = Callable[[str, str], bool]
"""Whether the system refused an event, by its id, for an item."""
LONGEST_NAME = 128
NO_ROWS = (0,)
"""A correction comes from no row of a file."""
MONEY = ("unit_cost", "price", "order_cost", "shortage_cost")


class UndoReport:
    """What an undo will publish, and what stays as it is."""

    def __init__(self) -> None:
        self.units = 0
        """Of demand that is taken back."""
        self.stays: Counter[str] = Counter()

    def lines(self, corrections: Iterable[EventDraft]) -> list[str]:
        """For people."""
        kinds = Counter(_WHAT[type(draft.data)] for draft in corrections)
        lines = [f"{count:,} {what}" for what, count in kinds.items()]
        lines += [f"{self.units:,} units of demand taken back"] if self.units else []
        return lines + [f"stays, {reason}: {count:,}" for reason, count in self.stays.items() if count]


_WHAT: dict[type, str] = {
    OrderCancelled: "orders cancelled",
    StockAdjusted: "adjustments of stock",
    StockCounted: "counts back to what was there before",
    ItemConfigured: "items whose terms go back",
}


class Corrections:
    """Works out the corrections of a run; `cards` is what the checkpoints hold of its items now."""

    def __init__(
        self,
        currency: str,
        cards: Mapping[str, Card | None],
        watermark_of: Callable[[str], int | None],
        refused: Refused,
        now: datetime,
    ) -> None:
        self.report = UndoReport()
        self._currency = currency
        self._cards = cards
        self._watermark_of = watermark_of
        self._refused = refused
        self._now = now
        self._cancelled: Counter[tuple[str, str]] = Counter()
        self._placed: dict[tuple[str, str], int] = {}
        """When, by order and item."""

    def of(self, events: Iterable[tuple[Event, StateBefore | None]]) -> list[EventDraft]:
        """The corrections of these events, in the order of event time."""
        events = list(events)
        for event, _ in events:
            match event.data:
                case OrderCancelled(order_id=order, lines=taken):
                    for line in taken:
                        self._cancelled[order, item(line.sku, line.location)] += line.quantity
                case OrderPlaced(order_id=order, lines=placed):
                    self._placed |= {(order, item(line.sku, line.location)): event.time_ms for line in placed}
        drafts = [draft for event, before in events for draft in self._of(event, before)]
        return sorted(drafts, key=lambda draft: draft.time)

    def _of(self, event: Event, before: StateBefore | None) -> Iterator[EventDraft]:  # noqa: C901 - a case a type
        data, name = event.data, f"{event.id} (undone)"
        time = datetime.fromtimestamp(0, UTC) + timedelta(milliseconds=event.time_ms)
        match data:
            case OrderPlaced():
                lines = tuple(self._open_lines(event.id, data))
                if lines:
                    back = OrderCancelled(order_id=data.order_id, lines=lines, reason=REASON, ordered_at=time)
                    yield EventDraft(time, name, back, NO_ROWS)
            case OrderCancelled(order_id=order, lines=taken):
                for line in taken:
                    if self._is_open(event.id, line.sku, line.location) and self._counted_since(order, line, event):
                        yield self._adjust(time, f"{name} {line.line_id}", line.sku, line.location, -line.quantity)
            case ReturnReceived(lines=lines, restock=True):
                for line in lines:
                    if self._is_open(event.id, line.sku, line.location) and self._has_stock(line.sku, line.location):
                        yield self._adjust(time, f"{name} {line.line_id}", line.sku, line.location, -line.quantity)
            case StockAdjusted(sku=sku, location=location, delta=delta):
                if self._is_open(event.id, sku, location):
                    yield self._adjust(time, name, sku, location, -delta)
            case StockCounted():
                yield from self._uncount(event, data, before, name)
            case ItemConfigured():
                yield from self._unstate(event.id, data, before, name)

    def _open_lines(self, id_: str, data: OrderPlaced) -> Iterator[Line]:
        """The lines of an order without what the run itself cancelled."""
        for line in data.lines:
            about = (data.order_id, item(line.sku, line.location))
            left = max(0, line.quantity - self._cancelled[about])
            self._cancelled[about] -= line.quantity - left
            if left and self._is_open(id_, line.sku, line.location):
                self.report.units += left
                yield Line(line_id=line.line_id, sku=line.sku, location=line.location, quantity=left)

    def _is_open(self, id_: str, sku: str, location: str) -> bool:
        refused = self._refused(id_, item(sku, location))
        self.report.stays["refused when it came, so nothing changed"] += refused
        return not refused

    def _counted_since(self, order: str, line: Line, event: Event) -> bool:
        """Whether the count that stands lies between an order and its cancellation, whose units came on top of it."""
        about = item(line.sku, line.location)
        card = self._cards.get(about)
        placed_ms = self._placed.get((order, about), 0)
        return card is not None and placed_ms <= card.item.counted_at < event.time_ms

    def _has_stock(self, sku: str, location: str) -> bool:
        """Whether an item's stock is known: an adjustment would make an unknown one known, and be the whole of it."""
        card = self._cards.get(item(sku, location))
        known = card is not None and card.item.known
        self.report.stays["came back to an item whose stock nobody knows, so a count will set it"] += not known
        return known

    def _adjust(self, time: datetime, name: str, sku: str, location: str, delta: int) -> EventDraft:
        data = StockAdjusted(sku=sku, location=location, adjustment_id=_short(name), delta=delta, reason=REASON)
        return EventDraft(time, name, data, NO_ROWS)

    def _uncount(self, event: Event, data: StockCounted, before: StateBefore | None, name: str) -> Iterator[EventDraft]:
        about, stays = item(data.sku, data.location), self.report.stays
        if not self._is_open(event.id, data.sku, data.location):
            return
        card = self._cards.get(about)
        if card is None or card.item.counted_at < milliseconds(data.as_of):
            raise AnswerIsNo(f"no worker has read the count of {about} yet: let a worker catch up, then undo the run")
        if card.item.counted[1] != identity(event.source, event.id):
            stays["counted again since, so the later count holds"] += 1
        elif before is None or before.stock is None:
            stays["what the stock was before was not read at the import: count again"] += 1
        elif not before.known:
            stays["counted for the first time, and no event makes stock unknown again: count again"] += 1
        elif before.stock != data.counted:
            yield self._counted_back(data, before.stock, name)

    def _counted_back(self, data: StockCounted, stock: int, name: str) -> EventDraft:
        watermark = self._watermark_of(item(data.sku, data.location))
        if watermark is not None and milliseconds(data.as_of) < watermark - COUNTABLE // timedelta(milliseconds=1):
            return self._adjust(data.as_of + AFTER_COUNT, name, data.sku, data.location, stock - data.counted)
        self.report.stays["below zero before the count, and now 0"] += stock < 0
        back = StockCounted(
            sku=data.sku, location=data.location, count_id=_short(name), counted=max(0, stock), as_of=data.as_of
        )
        return EventDraft(self._now, name, back, NO_ROWS)

    def _unstate(self, id_: str, data: ItemConfigured, before: StateBefore | None, name: str) -> Iterator[EventDraft]:
        about, stays = item(data.sku, data.location), self.report.stays
        if not self._is_open(id_, data.sku, data.location):
            return
        card = self._cards.get(about)
        if card is None:
            raise AnswerIsNo(f"no worker has read the terms of {about} yet: let a worker catch up, then undo the run")
        stated, now = msgspec.structs.asdict(terms_of(data)), card.said.terms
        back: dict[str, Any] = {}
        for field, value in stated.items():
            if value is msgspec.UNSET:
                continue
            holds = getattr(now, field)
            if holds == (msgspec.UNSET if value is None else value):
                back[field] = self._as_stated(field, before.terms.get(field) if before else None)
            else:
                stays["terms that were changed since"] += 1
        back = {field: value for field, value in back.items() if not (value is None and stated[field] is None)}
        if back:
            yield EventDraft(self._now, name, ItemConfigured(sku=data.sku, location=data.location, **back), NO_ROWS)
        stays["items that the run made known: they stay, with default terms"] += before is not None and not before.known

    def _as_stated(self, field: str, value: Any) -> Any:
        """A term as an event states it."""
        return f"{value:.6f} {self._currency}" if field in MONEY and value is not None else value


def _short(name: str) -> str:
    """A name as data may have it."""
    return name if len(name) <= LONGEST_NAME else xxhash.xxh3_128_hexdigest(name.encode())
