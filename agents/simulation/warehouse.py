"""A simulated warehouse shelf: what lies there, what is on its way, what was sold and what was lost."""

from collections.abc import Sequence
from typing import Literal

import msgspec

from agents.simulation.supplier import Delivery


class Day(msgspec.Struct, frozen=True):
    """What happened on the shelf in one period."""

    received: int
    on_hand: int
    """At the start, after receipts."""
    on_order: int
    """At the start, after receipts."""
    demand: int
    sold: int
    lost: int
    left: int
    """At the close: on hand, below zero when backorders wait."""


class SimulatedShelf(msgspec.Struct):
    """One item's stock: a period opens with receipts, then demand takes what is there, then an order may be placed.

    >>> shelf = SimulatedShelf(on_hand=5)
    >>> shelf.order((Delivery(1, 8, final=True),))
    >>> shelf.live(3).left, shelf.live(4).lost, shelf.on_order
    (2, 0, 0)
    """

    on_hand: int = 0
    stock_out: Literal["lost", "backorder"] = "lost"
    period: int = 0
    """The next period to live."""
    due: dict[int, int] = {}
    """Quantity that arrives, by period."""

    @property
    def on_order(self) -> int:
        """All that is underway."""
        return sum(self.due.values())

    def pipeline(self) -> tuple[tuple[int, int], ...]:
        """Open orders as (periods until they can be sold, quantity); 0 is the next period."""
        return tuple(sorted((period - self.period, quantity) for period, quantity in self.due.items()))

    def live(self, demand: int) -> Day:
        """Let one period pass."""
        received = self.due.pop(self.period, 0)
        self.on_hand += received
        opening = self.on_hand
        sold = demand if self.stock_out == "backorder" else min(demand, max(opening, 0))
        self.on_hand -= sold
        self.period += 1
        return Day(received, opening, self.on_order, demand, sold, demand - sold, self.on_hand)

    def order(self, deliveries: Sequence[Delivery]) -> None:
        """Place what the supplier will deliver: lead time 0 can be sold in the next period."""
        for delivery in deliveries:
            period = self.period + delivery.lead_time
            self.due[period] = self.due.get(period, 0) + delivery.quantity
