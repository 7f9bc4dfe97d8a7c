"""An item's stock, its open period and its open orders: the state that every movement touches.

Two numbers carry the stock. `net` is the last count and every change of physical stock timed after it; `reserved` is
what orders hold of it. Both may be below zero, and what is shown is derived from them:

>>> item = Item(known=True, net=12, reserved=5, on_order=20)
>>> on_hand(item), allocated(item), backorders(item), available(item), position(item)
(12, 5, 0, 7, 27)
>>> owing = Item(known=True, net=-3, backorder=True)
>>> on_hand(owing), backorders(owing), available(owing)
(0, 3, -3)

With lost sales a stock below zero is shown as it is: somebody sold what was not there.

>>> on_hand(Item(known=True, net=-3))
-3
"""

from dataclasses import dataclass, field
from typing import Literal, TypeAlias

import msgspec

from schemas.ledger import Milliseconds

NEVER = 1 << 62
"""Later than any moment, more than any stock."""

Status: TypeAlias = Literal["proposed", "requested", "acknowledged", "shipped", "underway", "silent"]


# Plain classes with slots for what changes with every movement: to set a field of a msgspec struct takes five times as
# long. How they are stored is written out in stored_item.py.


@dataclass(slots=True)
class Bucket:
    """What one period brought so far."""

    demand: int = 0
    lost: int = 0
    """The part of the demand that the shop reported as rejected."""
    received: int = 0
    late: int = 0
    """Demand that came meanwhile, and belongs to periods closed before."""
    ran_out: bool = False
    """Whether nothing was available at some moment."""
    late_lost: int = 0
    """The part of the late demand that the shop reported as rejected."""


class Order(msgspec.Struct, array_like=True, gc=False):
    """A replenishment, or a transfer on its way here."""

    id: str
    status: Status
    quantity: int
    """What was ordered; what was confirmed, once it was."""
    outstanding: int
    """What the position counts of it."""
    received: int
    """Arrived of it, the damaged ones included."""
    decided_at: Milliseconds
    need_by: Milliseconds
    patience: Milliseconds
    """How long after it is due it may be silent before the position stops counting on it."""
    promised_at: Milliseconds | None = None
    eta: Milliseconds | None = None
    heard_at: Milliseconds = 0
    """When the supplier last sent news of it."""
    supplier: str | None = None
    asked: int = 0
    """What was ordered first, whatever was confirmed since; 0 where that is not known."""


def waiting_since(item: "Item") -> tuple[Milliseconds, ...]:
    """Since when each open proposal of an item has waited for an answer."""
    return tuple(order.decided_at for order in item.orders if order.status == "proposed")


class Wait(msgspec.Struct, array_like=True, gc=False, frozen=True):
    """What an order taught about its supplier: a share of it came, will not come, or came after all."""

    supplier: str | None
    kind: Literal["came", "lost", "found"]
    share: float
    waited_ms: Milliseconds = 0
    """From the decision to the arrival, of what came."""


class Episode(msgspec.Struct, array_like=True, gc=False, frozen=True):
    """An alert that was raised and not cleared."""

    kind: str
    id: str
    since: Milliseconds


class OutputsOfDay(msgspec.Struct, array_like=True, gc=False):
    """What was published about an item in a day: `daily_bound.py` keeps it within limits."""

    day: int = 0
    """Days since 1970; that of the latest output."""
    outputs: int = 0
    decisions: int = 0
    """Replenishments requested or proposed; a proposal that is approved is no further decision."""
    between: int = 0
    """The part of the decisions that no review made."""
    raised: dict[str, int] = {}
    """How often an alert began, by kind."""


@dataclass(slots=True)
class ItemTotals:
    """Every unit that ever moved, by reason: what conservation (I1) is checked with."""

    opening: int = 0
    """What the first count found beyond the movements known before."""
    received: int = 0
    returned: int = 0
    transferred_in: int = 0
    cancelled: int = 0
    sold: int = 0
    transferred_out: int = 0
    adjusted: int = 0
    differences: int = 0
    """What later counts found beyond the movements, movements before a count that came after it included."""
    ordered: int = 0
    delivered: int = 0
    withdrawn: int = 0
    closed_short: int = 0
    over_received: int = 0


@dataclass(slots=True)
class Item:
    """The state of an item that movements touch; what only reviews touch is kept apart."""

    known: bool = False
    """Whether stock was ever counted, received or adjusted."""
    net: int = 0
    reserved: int = 0
    on_order: int = 0
    counted_at: Milliseconds = -1
    """The `as_of` of the last count; movements up to and at it do not change the stock."""
    counted: tuple[Milliseconds, int] = (0, 0)
    """Time and identity of the event of the last count, which decide between two counts of one moment."""
    reserve: bool = False
    """Whether orders reserve stock and shipments take it."""
    backorder: bool = False
    """Whether customers wait when nothing is there."""
    abc: str = "C"
    starts: Milliseconds = 0
    ends: Milliseconds = 0
    """End of the open period; 0 before the first."""
    open: Bucket = field(default_factory=Bucket)
    ahead: dict[Milliseconds, Bucket] = field(default_factory=dict)
    """Periods after the open one that have something already, by their start."""
    closed_periods: int = 0
    asked_at: Milliseconds = 0
    """Event time of the last demand."""
    paid: float | None = None
    """What the last customer paid for one."""
    low_stock: int | None = None
    """Threshold of the low_stock alert; None while there is none."""
    reorder_point: int | None = None
    order_up_to: int | None = None
    safety_stock: int | None = None
    below: bool = False
    """Whether the position was at or below the reorder point when last looked at.

    Only the movement that brings it there calls for a decision; falling further does not.
    """
    daily: float = 0.0
    """Demand a day expected at the last review."""
    orders: list[Order] = field(default_factory=list)
    alerts: list[Episode] = field(default_factory=list)
    totals: ItemTotals = field(default_factory=ItemTotals)
    waits: list[Wait] = field(default_factory=list)
    """Since the last review, which learns from them."""
    held: int = 0
    """How many reviews that may order have to come until the item is ordered again: see holds.py."""
    refusals: int = 0
    """Orders in a row that came to nothing."""
    refused_at: Milliseconds = 0
    """When the last of them did."""
    today: OutputsOfDay = field(default_factory=OutputsOfDay)
    known_since: Milliseconds = NEVER
    """The first moment whose stock is known: of a count, a receipt, an adjustment."""
    unasked_until: Milliseconds = 0
    """Until when nobody is asked about an unusual order, since the last one was declined."""


def is_known(item: Item, moment: Milliseconds) -> bool:
    """Whether the stock of a moment is known: a count, a receipt or an adjustment lies before it."""
    return item.known and item.known_since <= moment


def on_hand(item: Item) -> int:
    """Units in stock; below zero when more was sold than there was and no customer waits."""
    return max(0, item.net) if item.backorder else item.net


def allocated(item: Item) -> int:
    """Units that orders hold. When a shipment comes before its order, `reserved` is below zero."""
    return max(0, item.reserved)


def backorders(item: Item) -> int:
    """Units that customers wait for."""
    return max(0, -item.net) if item.backorder else 0


def available(item: Item) -> int:
    """On hand − allocated − backorders."""
    return item.net - item.reserved if item.reserved > 0 else item.net


def position(item: Item) -> int:
    """Available and on order."""
    return available(item) + item.on_order
