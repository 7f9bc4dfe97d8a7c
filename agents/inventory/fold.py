"""The inventory rule: what each kind of movement does to its item.

Stock depends on the set of events, not on the order in which they arrive: it is the last count and every change timed
after it, to the millisecond. A change timed at or before a count changes history only, since the counted number had it
already.

>>> from agents.inventory.position import Item
>>> from schemas.ledger import FoldSettings
>>> from schemas.quantities import MINUTE_MS
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

from agents.inventory import flows, holds, replenishments
from agents.inventory.card import Card
from agents.inventory.frame import Frame
from agents.inventory.shelf import Shelf
from schemas.ledger import (
    Acknowledged,
    Adjusted,
    Approved,
    Arrived,
    Cancelled,
    Configured,
    Corrected,
    Counted,
    Declined,
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
    TransferUnderway,
    Withdrawn,
)
from schemas.quantities import DAY_MS
from schemas.refusal import Reason

COUNTABLE = 2 * DAY_MS
"""How far before the watermark a count may look."""


def refusal(card: Card | None, name: str, change: ItemChange, frame: Frame, shelf: Shelf) -> Reason | None:
    """Why the state cannot take a movement; None when it can. Looked at before anything changes."""
    if card is None and not isinstance(change, Configured) and _is_unwanted(name, frame, shelf):
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
    if _is_out_of_range(card, change, frame):
        return Reason.OUT_OF_RANGE
    if card is None and len(shelf) >= frame.settings.max_items:
        return Reason.TOO_MANY_ITEMS
    return None


def _is_unwanted(name: str, frame: Frame, shelf: Shelf) -> bool:
    """Whether nobody may speak of an unknown item before it is configured."""
    wanted = frame.settings.unknown_items
    return wanted == "quarantine" or (wanted == "ask" and shelf.alike(name) is not None)


def _is_out_of_range(card: Card | None, change: ItemChange, frame: Frame) -> bool:
    """Whether more is confirmed than was ordered, or more demand taken out than there was."""
    if isinstance(change, Acknowledged):
        return card is not None and replenishments.beyond_asked(card.item, change)
    if isinstance(change, Corrected):
        return card is None or flows.booked_demand(card, change.at, frame) < change.quantity
    return False


def order_line(card: Card, change: Placed, time: Milliseconds, frame: Frame) -> int:
    """Take an order line: demand in its period, and stock taken or reserved. Answers with its `flows.placement`.

    Tens of thousands of these a second are folded: what would be a call of its own elsewhere stands here as it is.
    """
    item, quantity = card.item, change.quantity
    if not card.bucket_starts <= time < card.bucket_ends:
        card.find_bucket(time, frame, quantity)
    card.bucket.demand += quantity
    if item.asked_at < time:  # noqa: PLR1730 - `max` is a call
        item.asked_at = time
    if change.price is not None:
        item.paid = change.price
    if item.reserve:
        item.reserved += quantity
    else:
        item.totals.sold += quantity
        if time > item.counted_at:
            item.net -= quantity
        else:
            item.totals.differences += quantity
        card.history.add(time, -quantity)
    return change.order ^ card.bucket_starts


def apply(card: Card, movement: Movement, frame: Frame) -> int:  # noqa: C901, PLR0912, PLR0915 - a line for each kind of change
    """Change the item as the movement says. Answers with the placement of an order line, and 0 for all else."""
    item, change, time = card.item, movement.change, movement.time
    match change:
        case Placed():
            return order_line(card, change, time, frame)
        case Cancelled():
            flows.cancel(card, change, time, frame)
            if item.ends and not item.below:
                return 0
        case Corrected():
            flows.correct(card, change, frame)
        case Fulfilled():
            flows.fulfil(card, change, time)
            if item.ends:
                return 0
        case Rejected():
            flows.reject(card, change, time, frame)
        case Returned():
            flows.take_back(card, change, time)
        case Received():
            flows.receive(card, change, time, frame)
        case Adjusted():
            flows.adjust(card, change, time)
        case Counted():
            flows.count(card, movement, change)
        case Sent():
            flows.send(card, change, time)
        case TransferUnderway():
            lead_time_ms = int(card.terms(frame.suppliers).lead_time_days * DAY_MS)
            replenishments.depart(card, change, time, lead_time_ms, frame.settings)
        case Arrived():
            flows.arrive(card, change, time, frame)
        case Acknowledged():
            replenishments.acknowledge(card, change, time)
        case Shipped():
            replenishments.ship(card, change, time)
        case Withdrawn():
            replenishments.withdraw(card, change, time)
        case Approved():
            pass  # the request that follows is a decision of its own: see agents/core/followup.py
        case Declined():
            replenishments.decline(card, change.replenishment, time)
        case Configured():
            _configure(card, change)
        case Priced():
            card.said.reprice(change)
            card.keep_said()
        case PromotionPlanned():
            card.said.plan_promotion(change)
            card.keep_said()
        case PromotionDropped():
            card.said.drop_promotion(change.promotion)
            card.keep_said()
        case _:
            assert_never(change)
    if item.closed_periods == 0 and (item.ends == 0 or time < item.starts):
        card.find_bucket(time, frame)
    card.unsettle()
    return 0


def _configure(card: Card, change: Configured) -> None:
    """Let new terms hold; thresholds wait for the next review, unless there was none yet."""
    item, supplier = card.item, card.said.terms.supplier
    card.said.change(change.terms)
    card.keep_said()
    terms = card.said.terms
    if terms.supplier != supplier:
        holds.lift(item)
    item.reserve = terms.fulfilment == "reserve"
    item.backorder = terms.stock_out == "backorder"
    item.abc = terms.abc_class if isinstance(terms.abc_class, str) else "C"
    if item.closed_periods == 0:
        item.low_stock = terms.low_stock if isinstance(terms.low_stock, int) else None
        item.order_up_to = terms.order_up_to if isinstance(terms.order_up_to, int) else None
