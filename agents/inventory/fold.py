"""The inventory rule: what each kind of movement does to its item. All of it is here.

Stock depends on the set of events, not on the order in which they arrive: it is the last count and every change timed
after it. A change timed before a count changes history only, since the counted number had it already.

>>> from agents.inventory.position import Item
>>> card, frame = Card("TEA-01@BER1", Item(), 0, {}, None), Frame(FoldSettings())
>>> def happened(minute: int, change: ItemChange) -> None:
...     time = minute * MINUTE
...     _ = apply(card, Movement(card.name, "f/0", minute, 0, None, "wms", str(minute), minute, 0, time, change), frame)
>>> happened(100, Received(40)), happened(300, Placed(3)), happened(250, Counted(35, 200 * MINUTE))
(None, None, None)
>>> happened(150, Placed(2))  # before the count: the counted number has it already
>>> card.item.net, card.item.open.demand
(32, 5)
"""

from typing import assert_never

import msgspec

from agents.inventory import replenishments
from agents.inventory.card import Card
from agents.inventory.periods import bucket_of
from agents.inventory.position import DAY, MINUTE
from agents.inventory.terms import Effective, effective
from agents.inventory.window import placement
from schemas.ledger import (
    Acknowledged,
    Adjusted,
    Approved,
    Arrived,
    Cancelled,
    Configured,
    Counted,
    Declined,
    FoldSettings,
    Fulfilled,
    ItemChange,
    Milliseconds,
    Movement,
    Placed,
    Priced,
    PromotionDropped,
    PromotionPlanned,
    Received,
    Rejected,
    Returned,
    Sent,
    Shipped,
    SupplierConfigured,
    Underway,
    Withdrawn,
)
from schemas.refusal import Reason

COUNTABLE = 2 * DAY
"""How far before the watermark a count may look."""


class Frame(msgspec.Struct):
    """What of its shard a movement is seen in."""

    settings: FoldSettings
    watermark: Milliseconds | None = None
    suppliers: dict[str, SupplierConfigured] = {}


def refusal(card: Card | None, change: ItemChange, frame: Frame, items: int) -> Reason | None:
    """Why the state cannot take a movement; None when it can. Looked at before anything changes."""
    if card is None and frame.settings.unknown_items == "quarantine" and not isinstance(change, Configured):
        return Reason.UNKNOWN_ITEM
    match change:
        case Acknowledged() | Shipped() | Withdrawn() | Approved() | Declined():
            known = card is not None and (
                replenishments.find(card.item, change.replenishment) is not None
                or card.was_closed(change.replenishment)
            )
            if not known:
                return Reason.UNKNOWN_REPLENISHMENT
        case Counted():
            if frame.watermark is not None and change.as_of < frame.watermark - COUNTABLE:
                return Reason.COUNT_TOO_OLD
        case _:
            pass
    if card is None and items >= frame.settings.max_items:
        return Reason.TOO_MANY_ITEMS
    return None


def apply(card: Card, movement: Movement, frame: Frame) -> int:  # noqa: C901, PLR0912, PLR0915 - one rule, one place
    """Change the item as the movement says; answers with the placement that a cancellation would look for."""
    item, change, time = card.item, movement.change, movement.time
    match change:
        case Placed():
            quantity = change.quantity
            starts = _demand(card, time, quantity, frame)
            if change.price is not None:
                item.paid = change.price
            if item.reserve:
                item.reserved += quantity
            else:
                item.totals.sold += quantity
                _move(card, time, -quantity)
            return placement(change.order, starts)
        case Cancelled():
            _undo_demand(card, change)
            if item.reserve:
                item.reserved -= change.quantity
            else:
                item.totals.cancelled += change.quantity
                _move(card, time, change.quantity)
            if item.ends and not item.below:
                return 0
        case Fulfilled():
            if item.reserve:
                item.reserved -= change.quantity
                item.totals.sold += change.quantity
                _move(card, time, -change.quantity)
            if item.ends:
                return 0
        case Rejected():
            _demand(card, time, change.quantity, frame, lost=change.quantity)
        case Returned():
            if change.restock:
                item.totals.returned += change.quantity
                _move(card, time, change.quantity)
        case Received():
            item.known = True
            item.totals.received += change.accepted
            bucket_of(item, card.name, time, frame.watermark, frame.settings).received += change.accepted
            _move(card, time, change.accepted)
            replenishments.receive(card, change)
        case Adjusted():
            item.known = True
            item.totals.adjusted += change.delta
            _move(card, time, change.delta)
        case Counted():
            _count(card, movement, change)
        case Sent():
            item.totals.transferred_out += change.quantity
            _move(card, time, -change.quantity)
        case Underway():
            lead_time_ms = int(terms_of(card, frame).lead_time_days * DAY)
            replenishments.depart(card, change, time, lead_time_ms, frame.settings)
        case Arrived():
            item.known = True
            item.totals.transferred_in += change.quantity
            bucket_of(item, card.name, time, frame.watermark, frame.settings).received += change.quantity
            _move(card, time, change.quantity)
            replenishments.arrive(card, change, time)
        case Acknowledged():
            replenishments.acknowledge(card, change, time)
        case Shipped():
            replenishments.ship(card, change, time)
        case Withdrawn():
            replenishments.withdraw(card, change)
        case Approved():
            pass  # a proposal becomes a request when that is told: see agents/core.py
        case Declined():
            replenishments.decline(card, change.replenishment)
        case Configured():
            card.said.change(change.terms)
            _configure(card)
        case Priced():
            card.said.reprice(change)
            card.say()
        case PromotionPlanned():
            kept = [promotion for promotion in card.said.promotions if promotion.promotion != change.promotion]
            card.said.promotions = [*kept, change]
            card.say()
        case PromotionDropped():
            card.said.promotions = [p for p in card.said.promotions if p.promotion != change.promotion]
            card.say()
        case _:
            assert_never(change)
    if item.ends == 0:
        bucket_of(item, card.name, time, frame.watermark, frame.settings)
    card.unsettle()
    return 0


def terms_of(card: Card, frame: Frame) -> Effective:
    """What holds for an item."""
    supplier = card.said.terms.supplier
    return effective(card.said, frame.suppliers.get(supplier) if isinstance(supplier, str) else None)


def _demand(card: Card, time: Milliseconds, quantity: int, frame: Frame, lost: int = 0) -> Milliseconds:
    """Note what was asked for in the period it was asked in; answers with the start of the period that took it."""
    item = card.item
    item.asked_at = max(item.asked_at, time)
    if item.starts <= time < item.ends:
        bucket, starts = item.open, item.starts
    else:
        bucket = bucket_of(item, card.name, time, frame.watermark, frame.settings)
        starts = next((starts for starts, ahead in item.ahead.items() if ahead is bucket), item.starts)
        if time < item.starts:
            bucket.late += quantity
        card.unsettle()
    bucket.demand += quantity
    bucket.lost += lost
    return starts


def _undo_demand(card: Card, change: Cancelled) -> None:
    """Take a cancelled line out of the demand of its period, if that is still open."""
    item = card.item
    for starts, bucket in ((item.starts, item.open), *item.ahead.items()):
        if bucket.demand and card.window.holds_place(placement(change.order, starts)):
            bucket.demand = max(0, bucket.demand - change.quantity)
            return


def _move(card: Card, time: Milliseconds, delta: int) -> None:
    """Change the physical stock as of a moment."""
    item, minute = card.item, time // MINUTE
    if minute > item.counted_minute:
        item.net += delta
    else:
        item.totals.differences -= delta
    card.history.add(minute, delta)


def _count(card: Card, movement: Movement, change: Counted) -> None:
    """Set the stock to what was counted and what happened since; an older count than the last changes nothing.

    Of two counts of one minute the one whose event is later stands, then the one with the greater identity: a rule
    that does not depend on which arrives first.
    """
    item, minute = card.item, change.as_of // MINUTE
    rank = (minute, movement.time, movement.event)
    if rank < (item.counted_minute, *item.counted):
        return
    net = change.counted + card.history.after(minute)
    if item.counted_minute < 0:
        item.totals.opening += net - item.net
    else:
        item.totals.differences += net - item.net
    item.known = True
    item.net = net
    item.counted_minute, item.counted = minute, rank[1:]


def _configure(card: Card) -> None:
    """Let new terms hold; thresholds wait for the next review, unless there was none yet."""
    item, terms = card.item, card.said.terms
    card.say()
    item.reserve = terms.fulfilment == "reserve"
    item.backorder = terms.stock_out == "backorder"
    item.abc = terms.abc_class if isinstance(terms.abc_class, str) else "C"
    if item.closed_periods == 0:
        item.low_stock = terms.low_stock if isinstance(terms.low_stock, int) else None
        item.order_up_to = terms.order_up_to if isinstance(terms.order_up_to, int) else None
