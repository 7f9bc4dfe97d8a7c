"""The inventory rule: what each kind of movement does to its item. All of it is here.

Stock depends on the set of events, not on the order in which they arrive: it is the last count and every change timed
after it. A change timed before a count changes history only, since the counted number had it already.

>>> from agents.inventory.position import Item
>>> card, frame = Card("TEA-01@BER1", Item(), 0, {}, None), Frame(FoldSettings())
>>> def happened(minute: int, change: ItemChange) -> None:
...     time = minute * MINUTE_MS
...     _ = apply(card, Movement(card.name, "f/0", minute, 0, None, "wms", str(minute), minute, 0, time, change), frame)
>>> happened(100, Received(40)), happened(300, Placed(3)), happened(250, Counted(35, 200 * MINUTE_MS))
(None, None, None)
>>> happened(150, Placed(2))  # before the count: the counted number has it already
>>> card.item.net, card.item.open.demand
(32, 5)
"""

from typing import assert_never

import msgspec

from agents.inventory import replenishments
from agents.inventory.card import Card
from agents.inventory.periods import bucket_of, start_of
from agents.inventory.terms import Effective, effective
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
    SupplierChange,
    TransferUnderway,
    Withdrawn,
)
from schemas.quantities import DAY_MS, MINUTE_MS
from schemas.refusal import Reason

COUNTABLE = 2 * DAY_MS
"""How far before the watermark a count may look."""


class Frame(msgspec.Struct):
    """What of its shard a movement is seen in."""

    settings: FoldSettings
    watermark: Milliseconds | None = None
    suppliers: dict[str, SupplierChange] = {}


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
            if not card.bucket_starts <= time < card.bucket_ends:
                _find_bucket(card, time, frame, quantity)
            card.bucket.demand += quantity
            if item.asked_at < time:  # noqa: PLR1730 - `max` would cost every order line a call more
                item.asked_at = time
            if change.price is not None:
                item.paid = change.price
            if item.reserve:
                item.reserved += quantity
            else:
                item.totals.sold += quantity
                minute = time // MINUTE_MS
                if minute > item.counted_minute:
                    item.net -= quantity
                else:
                    item.totals.differences += quantity
                card.history.add(minute, -quantity)
            return change.order ^ card.bucket_starts
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
            _find_bucket(card, time, frame, change.quantity)
            card.bucket.demand += change.quantity
            card.bucket.lost += change.quantity
            item.asked_at = max(item.asked_at, time)
        case Returned():
            if change.restock:
                item.totals.returned += change.quantity
                _move(card, time, change.quantity)
        case Received():
            item.known = True
            item.totals.received += change.accepted
            _find_bucket(card, time, frame)
            card.bucket.received += change.accepted
            _move(card, time, change.accepted)
            replenishments.receive(card, change, time)
        case Adjusted():
            item.known = True
            item.totals.adjusted += change.delta
            _move(card, time, change.delta)
        case Counted():
            _count(card, movement, change)
        case Sent():
            item.totals.transferred_out += change.quantity
            _move(card, time, -change.quantity)
        case TransferUnderway():
            lead_time_ms = int(terms_of(card, frame).lead_time_days * DAY_MS)
            replenishments.depart(card, change, time, lead_time_ms, frame.settings)
        case Arrived():
            item.known = True
            item.totals.transferred_in += change.quantity
            _find_bucket(card, time, frame)
            card.bucket.received += change.quantity
            _move(card, time, change.quantity)
            replenishments.arrive(card, change, time)
        case Acknowledged():
            replenishments.acknowledge(card, change, time)
        case Shipped():
            replenishments.ship(card, change, time)
        case Withdrawn():
            replenishments.withdraw(card, change)
        case Approved():
            pass  # a proposal becomes a request when that is told: see agents/core/core.py
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
        _find_bucket(card, time, frame)
    card.unsettle()
    return 0


def terms_of(card: Card, frame: Frame) -> Effective:
    """What holds for an item."""
    name = card.said.terms.supplier
    supplier = frame.suppliers.get(name) if isinstance(name, str) else None
    if card.effective is None or card.effective[0] is not supplier:
        card.effective = supplier, effective(card.said, supplier)
    return card.effective[1]


def _find_bucket(card: Card, time: Milliseconds, frame: Frame, asked: int = 0) -> None:
    """Put the bucket of a moment in hand, with the times it takes; the open one takes what is late for its own."""
    item, settings = card.item, frame.settings
    before = item.starts, item.ends
    card.bucket = bucket_of(item, card.name, time, frame.watermark, settings)
    if card.bucket is item.open:
        card.bucket_starts, card.bucket_ends = item.starts, item.ends
    else:
        starts = start_of(time, settings)
        card.bucket_starts, card.bucket_ends = max(starts, item.ends), starts + settings.period_ms
    if time < item.starts:
        card.bucket.late += asked
    if (item.starts, item.ends) != before:
        card.unsettle()


def _undo_demand(card: Card, change: Cancelled) -> None:
    """Take a cancelled line out of the demand of its period, if that is still open."""
    item = card.item
    for starts, bucket in ((item.starts, item.open), *item.ahead.items()):
        if change.order and bucket.demand and card.window.holds(change.order ^ starts):
            bucket.demand = max(0, bucket.demand - change.quantity)
            return


def _move(card: Card, time: Milliseconds, delta: int) -> None:
    """Change the physical stock as of a moment."""
    item, minute = card.item, time // MINUTE_MS
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
    item, minute = card.item, change.as_of // MINUTE_MS
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
