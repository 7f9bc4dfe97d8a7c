"""What moves an item's stock or changes its demand, one function for each kind of change but the order line.

Every unit is accounted for by reason in the item's totals, so that conservation (I1) can be checked.
"""

from agents.inventory import replenishments
from agents.inventory.card import Card
from agents.inventory.frame import Frame
from agents.inventory.periods import start_of
from agents.inventory.position import Bucket
from schemas.ledger import (
    Adjusted,
    Arrived,
    Cancelled,
    Corrected,
    Counted,
    Fulfilled,
    Milliseconds,
    Movement,
    Received,
    Rejected,
    Returned,
    Sent,
)

_SEARCHED = 8
"""So many closed periods are looked through for an order that is cancelled and says no time."""


def placement(order: int, starts: Milliseconds) -> int:
    """A number that stands for an order in a period: an order line leaves it in the duplicate window.

    A cancellation names the order and often not the period. It looks for the placements of open and of newest periods.
    """
    return order ^ starts


def cancel(card: Card, change: Cancelled, time: Milliseconds, frame: Frame) -> None:
    """Take an order line back: out of the demand of its period, and into the stock."""
    item, ordered_at = card.item, _ordered_at(card, change)
    if ordered_at is not None:
        _take_out(card, ordered_at, change.quantity, frame)
    if item.reserve:
        item.reserved -= change.quantity
    else:
        item.totals.cancelled += change.quantity
        _move(card, time, change.quantity)


def correct(card: Card, change: Corrected, frame: Frame) -> None:
    """Take demand out that nobody had; stock is a matter of its own."""
    _take_out(card, change.at, change.quantity, frame)


def booked_demand(card: Card, time: Milliseconds, frame: Frame) -> int:
    """Demand of the period that holds a moment, as far as it is remembered."""
    bucket = _bucket_at(card, time, frame)
    return card.remembered.demand(time) if bucket is None else bucket.demand


def fulfil(card: Card, change: Fulfilled, time: Milliseconds) -> None:
    """Send reserved stock out; where orders take stock at once there is nothing left to do."""
    item = card.item
    if item.reserve:
        item.reserved -= change.quantity
        item.totals.sold += change.quantity
        _move(card, time, -change.quantity)


def reject(card: Card, change: Rejected, time: Milliseconds, frame: Frame) -> None:
    """Count demand that the shop could not serve."""
    card.find_bucket(time, frame, change.quantity)
    card.bucket.demand += change.quantity
    card.bucket.lost += change.quantity
    if time < card.item.starts:
        card.item.open.late_lost += change.quantity
        card.remembered.tell_lost(time)
    card.item.asked_at = max(card.item.asked_at, time)


def take_back(card: Card, change: Returned, time: Milliseconds) -> None:
    """Put returned goods into the stock, where they can be sold again."""
    if change.restock:
        card.item.totals.returned += change.quantity
        _move(card, time, change.quantity)


def receive(card: Card, change: Received, time: Milliseconds, frame: Frame) -> None:
    """Take goods in, for a replenishment or for none."""
    card.item.totals.received += change.accepted
    _take_in(card, change.accepted, time, frame)
    replenishments.receive(card, change, time)


def adjust(card: Card, change: Adjusted, time: Milliseconds) -> None:
    """Correct the stock by a difference."""
    card.item.known = True
    card.item.known_since = min(card.item.known_since, time)
    card.item.totals.adjusted += change.delta
    _move(card, time, change.delta)


def send(card: Card, change: Sent, time: Milliseconds) -> None:
    """Take a transfer out of the stock."""
    card.item.totals.transferred_out += change.quantity
    _move(card, time, -change.quantity)


def arrive(card: Card, change: Arrived, time: Milliseconds, frame: Frame) -> None:
    """Take a transfer in."""
    card.item.totals.transferred_in += change.quantity
    _take_in(card, change.quantity, time, frame)
    replenishments.arrive(card, change, time)


def count(card: Card, movement: Movement, change: Counted) -> None:
    """Set the stock to what was counted and what happened since; an older count than the last changes nothing.

    Of two counts of one moment the one whose event is later stands, then the one with the greater identity: a rule
    that does not depend on which arrives first.
    """
    item, as_of = card.item, change.as_of
    item.known_since = min(item.known_since, as_of)
    rank = (as_of, movement.time, movement.event)
    if rank < (item.counted_at, *item.counted):
        return
    net = change.counted + card.history.after(as_of)
    if item.counted_at < 0:
        item.totals.opening += net - item.net
    else:
        item.totals.differences += net - item.net
    item.known = True
    item.net = net
    item.counted_at, item.counted = as_of, rank[1:]


def _take_in(card: Card, units: int, time: Milliseconds, frame: Frame) -> None:
    """Put arrived units into the stock and count them in their period."""
    card.item.known = True
    card.item.known_since = min(card.item.known_since, time)
    card.find_bucket(time, frame)
    card.bucket.received += units
    _move(card, time, units)


def _ordered_at(card: Card, change: Cancelled) -> Milliseconds | None:
    """A moment of the period whose demand a cancelled order is in; None where nobody knows."""
    item = card.item
    if change.order:
        open_ones = [starts for starts, bucket in ((item.starts, item.open), *item.ahead.items()) if bucket.demand]
        for starts in (*open_ones, *card.remembered.newest(_SEARCHED)):
            if card.window.holds(placement(change.order, starts)):
                return starts
    return change.ordered_at


def _take_out(card: Card, time: Milliseconds, quantity: int, frame: Frame) -> None:
    """Lower the demand of the period that holds a moment, open or closed, not below 0."""
    bucket = _bucket_at(card, time, frame)
    if bucket is not None:
        bucket.demand = max(0, bucket.demand - quantity)
        bucket.lost = min(bucket.lost, bucket.demand)
    elif card.remembered.starts_of(time) is not None:
        card.remembered.change(time, -quantity)
        card.keep_remembered()


def _bucket_at(card: Card, time: Milliseconds, frame: Frame) -> Bucket | None:
    """The bucket of a period that is not closed; None for a closed one, and where nothing came yet."""
    item = card.item
    if item.starts <= time < item.ends:
        return item.open
    return item.ahead.get(max(item.ends, start_of(time, frame.settings))) if time >= item.ends else None


def _move(card: Card, time: Milliseconds, delta: int) -> None:
    """Change the physical stock as of a moment."""
    item = card.item
    if time > item.counted_at:
        item.net += delta
    else:
        item.totals.differences -= delta
    card.history.add(time, delta)
