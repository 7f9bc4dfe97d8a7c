"""Questions about unusual orders: what a forecast wants beyond anything that facts explain.

What facts explain is ordered as usual. The rest is a proposal on which the position does not count before somebody
approves it: a question that nobody answers, and be it absurd, keeps no item from being ordered. It lapses when a review
no longer wants it, or when it is as old as an order that is given up.

>>> from agents.inventory.position import Order
>>> item = Item(orders=[Order("rep-1", "proposed", 60, 0, 0, 0, 0, 0, asked=60)])
>>> count_on(item, item.orders[0], 60), item.on_order, find(item)
(None, 60, None)
"""

from agents.inventory.position import Item, Order
from schemas.ledger import Milliseconds
from schemas.quantities import DAY_MS

UNASKED = 7 * DAY_MS
"""For so long nobody is asked again after a no."""


def is_question(order: Order) -> bool:
    """Whether an open order is a question about an unusual one."""
    return order.status == "proposed" and order.outstanding == 0


def find(item: Item) -> Order | None:
    """The open question about an unusual order; there is one at most."""
    for order in item.orders:
        if is_question(order):
            return order
    return None


def count_on(item: Item, order: Order, quantity: int) -> None:
    """Somebody approved, or delivers anyway: the position counts on it from here on."""
    item.totals.ordered += quantity
    item.on_order += quantity
    order.outstanding = quantity


def decline(item: Item, order: Order, time: Milliseconds) -> None:
    """Somebody said no: nobody is asked for a while."""
    item.unasked_until = max(item.unasked_until, max(time, order.decided_at) + UNASKED)
