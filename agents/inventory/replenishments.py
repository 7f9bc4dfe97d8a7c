"""The life of an order: requested, promised, shipped, arrived; or rejected, withdrawn, or never heard of again.

Every unit on order is accounted for by reason (I1): ordered − delivered − withdrawn − closed short + over-received =
on order. A closed order never opens again; what still arrives for it is stock and nothing else.

>>> from schemas.quantities import DAY_MS
>>> card = Card("TEA-01@BER1", Item(), 0, {}, None)
>>> place(card.item, Order("rep-1", "requested", 60, 60, 0, 0, 5 * DAY_MS, 15 * DAY_MS))
>>> acknowledge(card, Acknowledged("rep-1", "partial", 40, 6 * DAY_MS), 2 * DAY_MS)
True
>>> receive(card, Received(30, 2, "rep-1"), 6 * DAY_MS)
True
>>> card.item.on_order, card.item.orders[0].status
(8, 'acknowledged')
>>> receive(card, Received(6, 0, "rep-1", final=True), 8 * DAY_MS), card.item.on_order, card.item.orders
(True, 0, [])
>>> receive(card, Received(5, 0, "rep-1"), 9 * DAY_MS), card.was_closed("rep-1")
(False, True)
>>> [(wait.kind, wait.share, wait.waited_ms // DAY_MS) for wait in card.item.waits]
[('came', 0.8, 6), ('came', 0.15, 8), ('lost', 0.05, 0)]
"""

from typing import Literal

from agents.inventory import holds, unusual
from agents.inventory.card import Card
from agents.inventory.position import NEVER, Item, Order, Wait
from schemas.ledger import (
    Acknowledged,
    Arrived,
    FoldSettings,
    Milliseconds,
    Received,
    Shipped,
    TransferUnderway,
    Withdrawn,
)

PATIENCE = 3
"""Lead times that an order may be silent past its due date."""
_MOST_KEPT = 16
"""How many silent orders, arrivals without a departure, and waits between two reviews are kept: the newest."""


def find(item: Item, replenishment: str) -> Order | None:
    """The open order of that id."""
    for order in item.orders:
        if order.id == replenishment:
            return order
    return None


def place(item: Item, order: Order) -> None:
    """Count on a new order."""
    item.orders.append(order)
    item.totals.ordered += order.outstanding
    item.on_order += order.outstanding


def acknowledge(card: Card, change: Acknowledged, time: Milliseconds) -> bool:
    """The supplier answered: on order becomes what was confirmed. False when nothing of that id is open."""
    order = find(card.item, change.replenishment)
    if order is None:
        return False
    if change.status == "rejected":
        _refuse(card.item, order, time)
        _finish(card, order)
        return True
    if change.confirmed == 0:
        _refuse(card.item, order, time)
    else:
        holds.succeed(card.item)
    order.quantity = change.confirmed
    silent = order.status == "silent"
    if order.status != "shipped":
        order.status = "acknowledged"
    order.promised_at = change.promised_at if change.promised_at is not None else order.promised_at
    order.heard_at = max(order.heard_at, time)
    rest = max(0, change.confirmed - order.received)
    if silent:
        _teach(card.item, order, "found", rest)
    _expect(card, order, rest)
    return True


def ship(card: Card, change: Shipped, time: Milliseconds) -> bool:
    """The supplier shipped: the wait begins anew. False when nothing of that id is open."""
    order = find(card.item, change.replenishment)
    if order is None:
        return False
    if order.status == "silent":
        rest = max(0, order.quantity - order.received)
        _teach(card.item, order, "found", rest)
        _expect(card, order, rest)
    elif unusual.is_question(order):
        unusual.count_on(card.item, order, order.quantity)
    order.status = "shipped"
    order.eta = change.eta if change.eta is not None else order.eta
    order.heard_at = max(order.heard_at, time)
    return True


def withdraw(card: Card, change: Withdrawn, time: Milliseconds) -> bool:
    """The order was cancelled down to what remains. False when nothing of that id is open."""
    order = find(card.item, change.replenishment)
    if order is None:
        return False
    if change.remaining == 0:
        _refuse(card.item, order, time)
    order.quantity = order.received + change.remaining
    _expect(card, order, change.remaining)
    return True


def decline(card: Card, replenishment: str, time: Milliseconds) -> bool:
    """A proposal is dropped; what was requested already stays. False when nothing of that id is open."""
    order = find(card.item, replenishment)
    if order is None:
        return False
    if order.status == "proposed":
        if unusual.is_question(order):
            unusual.decline(card.item, order, time)
        _refuse(card.item, order, time)
        _finish(card, order)
    return True


def receive(card: Card, change: Received, time: Milliseconds) -> bool:
    """Goods arrived for an order. False when nothing of that id is open."""
    order = find(card.item, change.replenishment or "")
    if order is None:
        return False
    units, expected = change.accepted + change.rejected, order.outstanding
    if order.status == "silent":
        _teach(card.item, order, "found", units)
    _teach(card.item, order, "came", units, max(0, time - order.decided_at))
    _arrive(card.item, order, units)
    if change.final:
        _teach(card.item, order, "lost", order.outstanding)
        card.item.totals.closed_short += order.outstanding
        card.item.on_order -= order.outstanding
        order.outstanding = 0
    if change.accepted > 0:
        holds.succeed(card.item)
    elif expected > 0 and order.outstanding == 0:
        holds.refuse(card.item, max(time, order.decided_at))
    _close_if_done(card, order)
    return True


def beyond_asked(item: Item, change: Acknowledged) -> bool:
    """Whether a supplier confirms more than was ordered."""
    order = find(item, change.replenishment)
    return order is not None and 0 < order.asked < change.confirmed


def depart(
    card: Card, change: TransferUnderway, time: Milliseconds, lead_time_ms: Milliseconds, settings: FoldSettings
) -> None:
    """A transfer is on its way here; what arrived of it before is not expected again."""
    item = card.item
    due = change.eta if change.eta is not None else time + lead_time_ms
    order = find(item, change.transfer)
    if order is None:
        waits = patience(lead_time_ms, settings)
        place(
            item, Order(change.transfer, "underway", change.quantity, change.quantity, 0, time, due, waits, None, due)
        )
        return
    before = max(0, order.received - order.quantity)
    order.quantity += change.quantity
    order.need_by = order.eta = due
    item.totals.ordered += change.quantity
    item.totals.over_received -= min(before, change.quantity)
    item.on_order += change.quantity - min(before, change.quantity)
    order.outstanding += change.quantity - min(before, change.quantity)
    _close_if_done(card, order)


def arrive(card: Card, change: Arrived, time: Milliseconds) -> None:
    """A transfer arrived, perhaps before its departure was published."""
    order = find(card.item, change.transfer)
    if order is None:
        order = Order(change.transfer, "underway", 0, 0, 0, time, time, NEVER)
        card.item.orders.append(order)
        _arrive(card.item, order, change.quantity)
        _forget_oldest(card, "underway")
        return
    _arrive(card.item, order, change.quantity)
    if order.quantity:
        _close_if_done(card, order)


def patience(lead_time_ms: Milliseconds, settings: FoldSettings) -> Milliseconds:
    """How long an order may be silent past its due date; a lead time of nothing counts as one period."""
    return PATIENCE * max(lead_time_ms, settings.period_ms)


def due_at(order: Order) -> Milliseconds:
    """When an order is due: the moment promised, else the one given when it was shipped, else when it is needed."""
    if order.promised_at is not None:
        return order.promised_at
    return order.eta if order.eta is not None else order.need_by


def overdue_at(order: Order, settings: FoldSettings) -> Milliseconds:
    """The last moment at which an order is not overdue; one that nobody promised anything for has a period's grace."""
    if order.promised_at is None and order.eta is None:
        return order.need_by + settings.period_ms
    return due_at(order)


def lost_at(order: Order) -> Milliseconds:
    """The last moment at which the position counts on an order of which nothing is heard."""
    return max(due_at(order), order.heard_at) + order.patience


def is_overdue(item: Item, now: Milliseconds, settings: FoldSettings) -> bool:
    """Whether anything open is overdue, or was given up."""
    return any(
        order.status == "silent" or (order.outstanding > 0 and now > overdue_at(order, settings))
        for order in item.orders
    )


def give_up(card: Card, now: Milliseconds) -> None:
    """Stop counting on orders that were silent for too long; they stay in the list, for news of them may still come."""
    for order in card.item.orders:
        if order.outstanding > 0 and now > lost_at(order):
            if order.status != "proposed":
                _teach(card.item, order, "lost", order.outstanding)
            card.item.totals.closed_short += order.outstanding
            card.item.on_order -= order.outstanding
            order.outstanding = 0
            order.status = "silent"
    _forget_oldest(card, "silent")
    question = unusual.find(card.item)
    if question is not None and now > lost_at(question):
        _finish(card, question)


def lapse(card: Card) -> None:
    """Drop the question about an unusual order that nobody answered."""
    question = unusual.find(card.item)
    if question is not None:
        _finish(card, question)


def next_deadline(item: Item, now: Milliseconds, settings: FoldSettings) -> Milliseconds:
    """The first moment after now at which an order becomes overdue or is given up."""
    moments = [
        at + 1 for order in item.orders if order.outstanding > 0 for at in (overdue_at(order, settings), lost_at(order))
    ]
    return min((at for at in moments if at > now), default=NEVER)


def _teach(
    item: Item, order: Order, kind: Literal["came", "lost", "found"], units: int, waited_ms: Milliseconds = 0
) -> None:
    """Note what the next review will learn of lead times; a transfer has no supplier to learn about."""
    if order.status != "underway" and units > 0:
        item.waits.append(Wait(order.supplier, kind, units / max(units, order.quantity), waited_ms))
        del item.waits[:-_MOST_KEPT]


def _refuse(item: Item, order: Order, time: Milliseconds) -> None:
    """Hold the item, where somebody who was asked for goods will send none; nobody was asked for a transfer."""
    if order.outstanding > 0 and order.status != "underway":
        holds.refuse(item, max(time, order.decided_at))


def _arrive(item: Item, order: Order, quantity: int) -> None:
    expected = min(order.outstanding, quantity)
    order.received += quantity
    order.outstanding -= expected
    item.on_order -= expected
    item.totals.delivered += quantity
    item.totals.over_received += quantity - expected


def _expect(card: Card, order: Order, outstanding: int) -> None:
    """Correct how many units of an order are still expected."""
    more = outstanding - order.outstanding
    totals = card.item.totals
    if more > 0:
        totals.ordered += more
    else:
        totals.withdrawn -= more
    card.item.on_order += more
    order.outstanding = outstanding
    _close_if_done(card, order)


def _close_if_done(card: Card, order: Order) -> None:
    if order.outstanding == 0:
        _finish(card, order)


def _finish(card: Card, order: Order) -> None:
    card.item.totals.withdrawn += order.outstanding
    card.item.on_order -= order.outstanding
    card.item.orders.remove(order)
    card.close_order(order.id)


def _forget_oldest(card: Card, status: str) -> None:
    done = [order for order in card.item.orders if order.status == status and order.outstanding == 0]
    for order in done[: len(done) - _MOST_KEPT]:
        _finish(card, order)
