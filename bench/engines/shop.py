"""What a shop would have published: items with terms and counted stock, and orders for them."""

import random
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import msgspec

from schemas.quantities import instant

MINUTE, AFTERNOON, DAY = 60_000, 21_600_000, 86_400_000
LOCATION = "BER1"
_encode = msgspec.json.encode


class LoadShop:
    """A seeded shop: every item is sold about equally often, from stock that lasts."""

    def __init__(self, items: int, seed: int, days: int = 1) -> None:
        self.skus = [f"SKU-{number:05}" for number in range(items)]
        self.days = days
        self.opens = int(datetime.now(UTC).timestamp()) * 1000 // DAY * DAY - (3 + days) * DAY + DAY // 2
        """Noon, four days ago or more: all of it lies in the past, its last day no further than a few days."""
        self._random = random.Random(seed)

    def terms(self, lines: int) -> Iterator[tuple[str, bytes, bytes]]:
        """Topic, key and event: each item's terms, then its stock, for so many order lines to come.

        Stock outlasts the orders. The thresholds of the low_stock alert are spread, so that alerts come all the time.
        """
        expected = lines // len(self.skus) + 1
        for sku in self.skus:
            low = self._random.randrange(expected // 2, expected + expected // 2 + 1)
            about = {"sku": sku, "location": LOCATION}
            data = about | {"unit_cost": "2.10 EUR", "price": "4.90 EUR", "lead_time_days": 4, "low_stock": low}
            yield "catalog", sku.encode(), event("item.configured", f"cfg-{sku}", self.opens, data)
        for sku in self.skus:
            data = {"count_id": f"cnt-{sku}", "sku": sku, "location": LOCATION, "counted": 2 * expected + 20}
            data["as_of"] = instant(self.opens)
            yield "stock", sku.encode(), event("stock.counted", f"cnt-{sku}", self.opens + MINUTE, data)

    def orders(self, lines: int, lines_per_order: int) -> Iterator[tuple[str, bytes, bytes]]:
        """Orders of so many lines together, evenly over the afternoons of all days."""
        orders = lines // lines_per_order
        for number in range(orders):
            day, moment = divmod(number * AFTERNOON * self.days // orders, AFTERNOON)
            time = self.opens + 2 * MINUTE + day * DAY + moment
            yield "orders", str(number).encode(), order(f"ord-{number}", time, self._lines(lines_per_order))

    def next_day(self) -> Iterator[tuple[str, bytes, bytes]]:
        """One more order, a day later: the days of all others are over."""
        yield "orders", b"later", order("ord-later", self.opens + self.days * DAY, self._lines(1))

    def _lines(self, lines: int) -> list[tuple[str, int]]:
        return [(self.skus[int(self._random.random() * len(self.skus))], 1) for _ in range(lines)]


def order(name: str, time: int, lines: list[tuple[str, int]]) -> bytes:
    """Write an order of some quantities of some skus."""
    written = [
        {"line_id": str(place), "sku": sku, "location": LOCATION, "quantity": quantity}
        for place, (sku, quantity) in enumerate(lines, 1)
    ]
    return event("order.placed", name, time, {"order_id": name, "lines": written})


def event(kind: str, name: str, time: int, data: dict[str, Any]) -> bytes:
    """Write a structured CloudEvent."""
    attributes = {"specversion": "1.0", "id": name, "source": "bench", "type": kind, "time": instant(time)}
    return _encode(attributes | {"data": data})
