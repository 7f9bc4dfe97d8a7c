"""The drilled shop: it sells some units a second whatever happens, and does what a fault asks of it beside that.

One item of it runs low and is filled up again all the time, so that something is published because of an order.
"""

import itertools
import json
import threading
from datetime import UTC, datetime

from tests.chaos.system import System

ITEMS = 20
HALF_SECOND = 0.5
MUG = "MUG-00"
MUGS, LOW_MUGS = 12, 6
MUG_EVERY = 6
"""Half seconds between two mugs that are sold."""


class SellingShop(threading.Thread):
    """Sells an item twice a second."""

    def __init__(self, system: System) -> None:
        super().__init__(daemon=True)
        self.garbage = 0
        """Records that nobody can read, published twice a second."""
        self.rush = 0
        """Orders of one item, published twice a second beside the others."""
        self.closed = threading.Event()
        self._mugs = MUGS
        self._system = system
        self._names = itertools.count(1)
        self._half_seconds = itertools.count(1)

    def open(self) -> None:
        """Publish items with stock for years, and begin to sell."""
        for number in range(ITEMS):
            line = {"sku": sku(number), "location": "BER1"}
            terms = {"unit_cost": "2.10 EUR", "price": "4.90 EUR", "lead_time_days": 4, **line}
            receipt = {"receipt_id": f"rec-{number}", "accepted": 1_000_000, "rejected": 0, "final": True, **line}
            self._system.publish(
                [self._event("catalog", "item.configured", terms), self._event("stock", "stock.received", receipt)]
            )
        mug = {"sku": MUG, "location": "BER1", "unit_cost": "1.00 EUR", "price": "3.00 EUR", "low_stock": LOW_MUGS}
        self._system.publish([self._event("catalog", "item.configured", mug), self._mugs_received(MUGS)])
        self.start()

    def run(self) -> None:
        while not self.closed.wait(HALF_SECOND):
            number = next(self._names)
            events = self._mugs_moved() if next(self._half_seconds) % MUG_EVERY == 0 else []
            events += [self._order(f"o-{number}", sku(number))]
            events += [self._order(f"rush-{next(self._names)}", sku(0)) for _ in range(self.rush)]
            events += [("orders", b"x", b"no JSON")] * self.garbage
            try:
                self._system.publish(events)
            except AssertionError:  # the broker is away: a shop keeps its orders, and this one loses them
                continue

    def sell(self, orders: int) -> None:
        """Publish many orders of one item at once."""
        self._system.publish(self._order(f"bulk-{next(self._names)}", sku(0)) for _ in range(orders))

    def _mugs_moved(self) -> list[tuple[str, bytes, bytes]]:
        """Sell one, or fill up where few are left."""
        if self._mugs <= LOW_MUGS // 2:
            self._mugs += MUGS
            return [self._mugs_received(MUGS)]
        self._mugs -= 1
        return [self._order(f"mug-{next(self._names)}", MUG)]

    def _mugs_received(self, units: int) -> tuple[str, bytes, bytes]:
        receipt = {"receipt_id": f"mugs-{next(self._names)}", "accepted": units, "rejected": 0, "final": True}
        return self._event("stock", "stock.received", {**receipt, "sku": MUG, "location": "BER1"})

    def _order(self, name: str, item: str) -> tuple[str, bytes, bytes]:
        line = {"line_id": "1", "sku": item, "location": "BER1", "quantity": 1}
        return self._event("orders", "order.placed", {"order_id": name, "lines": [line]})

    def _event(self, topic: str, kind: str, data: dict[str, object]) -> tuple[str, bytes, bytes]:
        now = datetime.now(UTC).isoformat(timespec="milliseconds")
        name = f"e-{next(self._names)}"
        event = {"specversion": "1.0", "id": name, "source": "drill", "type": kind, "time": now, "data": data}
        return topic, name.encode(), json.dumps(event).encode()


def sku(number: int) -> str:
    """The items, over and over."""
    return f"TEA-{number % ITEMS:02}"
