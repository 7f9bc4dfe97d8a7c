"""A shop around the core of one shard: customers, a supplier and days that end, without a server.

Events take the way of a worker: they become movements and notices, are folded, and what comes of them is answered
by the supplier. The shelf is the truth, so nobody sells what is not there.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from datetime import UTC, datetime
from typing import NamedTuple

import numpy as np
import xxhash

from agents.core.core import Core
from agents.intake.movements import movements_of, notice_of
from agents.simulation.closed_loop import DemandHistory
from agents.simulation.seeds import generator
from agents.simulation.supplier import Supplier
from agents.simulation.warehouse import SimulatedShelf
from schemas.inbound import (
    Inbound,
    ItemConfigured,
    OrderLine,
    OrderPlaced,
    OrderRejected,
    PromotionScheduled,
    ReplenishmentAcknowledged,
    StockCounted,
    StockReceived,
)
from schemas.ledger import FoldSettings, LedgerCreated, Movement, Notice, Progress, Record, Ticked
from schemas.outbound import Body, ReplenishmentRequested
from schemas.quantities import HOUR_MS, money

LOCATION = "BER1"
FEED = "feed/0"
LINES = 8
"""A day's demand for an item comes in at most so many lines."""


class Goods(NamedTuple):
    """One item as its planner configured it."""

    sku: str
    unit_cost: float
    price: float
    opening: int
    lead_times: tuple[int, ...]
    """As they turn out, each as likely as it is often named."""
    multiple: int = 1
    abc_class: str = "B"


class CoreRun:
    """Feeds one core with events, in their order, and hands on what it would publish."""

    def __init__(self, settings: FoldSettings | None = None) -> None:
        self.settings = settings or FoldSettings(lateness_ms=0)
        self.core = Core(0)
        self._sent = 0
        self._offset = 0
        self._last: tuple[int, int] | None = None
        self._append(LedgerCreated("bench", "restock", 0, 1, self.settings), 0)

    def publish(self, data: Inbound, time_ms: int) -> list[Body]:
        """What comes of one event."""
        self._sent += 1
        name = f"e{self._sent}"
        identity = xxhash.xxh3_64_intdigest(name.encode())
        bodies: list[Body] = []
        for ordinal, (item, change) in enumerate(movements_of(data)):
            bodies += self._append(
                Movement(
                    item, FEED, self._sent, ordinal, self._last, "bench", name, identity, identity, time_ms, change
                ),
                time_ms,
            )
            self._last = (self._sent, ordinal)
        notice = notice_of(data)
        if notice is not None:
            record = Notice(FEED, self._sent, 0, self._last, "bench", name, identity, identity, time_ms, notice)
            bodies += self._append(record, time_ms)
            self._last = (self._sent, 0)
        return bodies

    def tick(self, now: int) -> list[Body]:
        """Everything up to a moment has been read."""
        progress = (Progress(FEED, self._sent + 1, now, drained=True, prev=None),)
        return self._append(Ticked("bench", now, progress, (FEED,), self.settings), now)

    def _append(self, record: Record, appended: int) -> list[Body]:
        outputs = [output for output in self.core.fold(record, self._offset, appended, None) if output is not None]
        self._offset += 1
        return [output.event.body for output in outputs]


class ShopInCore:
    """A shop that lives day by day; `day` yields everything that was published on it."""

    def __init__(self, goods: Sequence[Goods], history: DemandHistory, *, seed: int = 1) -> None:
        self.goods, self.history, self.seed = goods, history, seed
        self.run = CoreRun()
        self.shelves = [SimulatedShelf(on_hand=each.opening) for each in goods]
        self.number = {each.sku: number for number, each in enumerate(goods)}
        self.failed: set[int] = set()
        """Items whose supplier delivers nothing now, and does not say so."""
        self._arrivals: defaultdict[int, list[StockReceived]] = defaultdict(list)
        self._suppliers = [Supplier(seed=seed, lead_times=each.lead_times, partial_chance=0.1) for each in goods]
        self.lost = self.demand = 0

    def open(self) -> list[Body]:
        """Configure and count everything; plan the promotions of the whole history."""
        begins, bodies = self.history.starts[0], list[Body]()
        for number, each in enumerate(self.goods):
            configured = ItemConfigured(
                sku=each.sku, location=LOCATION, unit_cost=money(each.unit_cost), price=money(each.price),
                lead_time_days=float(np.median(each.lead_times)), order_multiple=each.multiple,
                abc_class=each.abc_class,  # type: ignore[arg-type]
                supplier=f"supplier-{number % 3}",
            )  # fmt: skip
            bodies += self.run.publish(configured, begins)
            for planned in self._promotions(number):
                bodies += self.run.publish(planned, begins)
            counted = StockCounted(
                sku=each.sku,
                location=LOCATION,
                count_id=f"count-{number}",
                counted=each.opening,
                as_of=instant_of(begins),
            )
            bodies += self.run.publish(counted, begins)
        return bodies

    def day(self, period: int) -> Iterator[Body]:
        """Receive, sell, close the day; orders of its end go to the supplier."""
        begins, ends = self.history.starts[period], self.history.starts[period + 1]
        bodies: list[Body] = []
        for arrived in self._arrivals.pop(period, ()):
            bodies += self.run.publish(arrived, begins + 3 * HOUR_MS)
        bodies += self._sell(period, begins)
        bodies += self.run.tick(ends)
        self._order(period, ends, bodies)
        yield from bodies

    def _sell(self, period: int, begins: int) -> list[Body]:
        events: list[tuple[int, Inbound]] = []
        for number, shelf in enumerate(self.shelves):
            demand = int(self.history.demand[number, period])
            lived = shelf.live(demand)
            self.lost, self.demand = self.lost + lived.lost, self.demand + demand
            chance = generator(self.seed, "times", number, period)
            for kind, units in ((OrderPlaced, lived.sold), (OrderRejected, lived.lost)):
                for part, quantity in enumerate(_parts(units)):
                    line = OrderLine(line_id="1", sku=self.goods[number].sku, location=LOCATION, quantity=quantity)
                    name = f"{kind.__name__}-{number}-{period}-{part}"
                    time = begins + 7 * HOUR_MS + int(chance.integers(14 * HOUR_MS))
                    made = (
                        OrderPlaced(order_id=name, lines=(line,))
                        if kind is OrderPlaced
                        else OrderRejected(order_id=name, lines=(line,), reason="out_of_stock")
                    )
                    events.append((time, made))
        events.sort(key=lambda event: event[0])
        return [body for time, event in events for body in self.run.publish(event, time)]

    def _order(self, period: int, now: int, bodies: Iterable[Body]) -> None:
        for body in list(bodies):
            if not isinstance(body, ReplenishmentRequested):
                continue
            number = self.number[body.sku]
            if number in self.failed:
                continue
            deliveries = self._suppliers[number].deliver(body.replenishment_id, body.quantity)
            self.shelves[number].order(deliveries)
            for delivery in deliveries:
                self._arrivals[period + 1 + delivery.lead_time].append(
                    StockReceived(
                        sku=body.sku,
                        location=LOCATION,
                        receipt_id=f"{body.replenishment_id}-{delivery.lead_time}",
                        replenishment_id=body.replenishment_id,
                        accepted=delivery.quantity,
                        rejected=0,
                        supplier=body.supplier,
                        final=delivery.final,
                    )
                )
            late = deliveries[-1].lead_time if deliveries else 0
            arrives = self.history.starts[min(period + 1 + late, len(self.history.starts) - 1)]
            promised = instant_of(max(now, arrives) + 12 * HOUR_MS)
            acknowledged = ReplenishmentAcknowledged(
                sku=body.sku, location=LOCATION, replenishment_id=body.replenishment_id, status="accepted",
                confirmed=body.quantity, promised_at=promised,
            )  # fmt: skip
            self.run.publish(acknowledged, now)

    def _promotions(self, number: int) -> Iterator[Inbound]:
        """Each stretch of days on promotion."""
        history, sku = self.history, self.goods[number].sku
        levels = history.promotion[number] if history.promotion is not None else np.zeros(len(history.starts) - 1)
        first = 0
        for period in range(1, len(levels) + 1):
            if period < len(levels) and levels[period] == levels[first]:
                continue
            if levels[first] > 0:
                yield PromotionScheduled(
                    promotion_id=f"promotion-{sku}-{first}", sku=sku, location=LOCATION,
                    starts=instant_of(history.starts[first]), ends=instant_of(history.starts[period]),
                    discount=float(levels[first]),
                )  # fmt: skip
            first = period


def _parts(units: int) -> list[int]:
    """A day's units in a few lines."""
    lines = min(LINES, units)
    return [units // lines + (part < units % lines) for part in range(lines)] if lines else []


def instant_of(time_ms: int) -> datetime:
    """A moment as events carry it."""
    return datetime.fromtimestamp(time_ms / 1000, UTC)
