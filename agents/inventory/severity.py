"""How much an alert matters: what nobody has to act on is for information.

>>> from agents.inventory.position import Order
>>> item = Item(known=True, net=6, daily=2.0, low_stock=10)  # lasts for three days
>>> severity(item, "low_stock", 0)
'warning'
>>> item.orders = [Order("rep-1", "requested", 40, 40, 0, 0, 2 * DAY_MS, DAY_MS)]
>>> severity(item, "low_stock", 0), severity(item, "stock_out", 0)
('info', 'critical')

Below a safety stock of its own the next review orders; nobody is asked unless something holds that up:

>>> item = Item(known=True, net=6, daily=2.0, low_stock=10, safety_stock=10)
>>> severity(item, "low_stock", 0)
'info'
>>> item.held = 1
>>> severity(item, "low_stock", 0)
'warning'
"""

from collections.abc import Mapping

from agents.inventory.position import NEVER, Item, available
from agents.inventory.replenishments import due_at
from schemas.ledger import Milliseconds
from schemas.outbound import AlertKind, Severity
from schemas.quantities import DAY_MS

LASTING_DAYS = 14
"""Stock that lasts so long is nobody's worry today, however large the safety stock."""
_USUAL: Mapping[AlertKind, Severity] = {
    "low_stock": "warning",
    "stock_out": "critical",
    "negative_stock": "critical",
    "projected_stock_out": "warning",
    "overstock": "info",
    "overdue_replenishment": "warning",
    "order_refused": "warning",
    "unusual_order": "warning",
    "demand_shift": "info",
    "dead_stock": "info",
}


def severity(item: Item, kind: AlertKind, now: Milliseconds) -> Severity:
    """The severity of an alert of that kind, as things stand.

    Low stock is information where it is covered in time, and where the next review sees to it: if that comes too
    late, it raises `projected_stock_out`.
    """
    if kind == "low_stock" and (covered(item, now) or not _waits_for_a_person(item)):
        return "info"
    return _USUAL[kind]


def _waits_for_a_person(item: Item) -> bool:
    """Whether a planner set the threshold by hand, or a refusal or a proposal keeps the item from being ordered."""
    by_hand = item.low_stock != item.safety_stock
    return by_hand or item.held > 0 or any(order.status == "proposed" for order in item.orders)


def covered(item: Item, now: Milliseconds) -> bool:
    """Whether something that is surely on its way arrives before the item is expected to run out, or that is far off.

    Of several open orders the first counts. A proposal may be declined and an order that is overdue may be lost, so
    neither covers anything.
    """
    sure = [order for order in item.orders if order.outstanding > 0 and order.status not in {"proposed", "silent"}]
    arrives = min((due_at(order) for order in sure if due_at(order) >= now), default=NEVER)
    if item.daily <= 0.0:
        return arrives < NEVER
    lasts_days = available(item) / item.daily
    return lasts_days >= LASTING_DAYS or now + lasts_days * DAY_MS >= arrives
