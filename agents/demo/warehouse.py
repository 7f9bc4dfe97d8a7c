"""The warehouse and its suppliers: every replenishment it reads is acknowledged, shipped and delivered, once.

What an order's fate is depends on the seed, the item and its day, not on the order's id, so that two runs are alike.
"""

from collections import Counter, defaultdict

import msgspec

from agents.demo.goods import FIRST_DAY_MS, LOCATION, Assortment, Good, moment
from agents.demo.outgoing import EventWriter, OutgoingEvent
from agents.simulation.warehouse import SimulatedShelf
from schemas.inbound import ReplenishmentAcknowledged, ReplenishmentShipped, StockReceived
from schemas.quantities import DAY_MS, HOUR_MS, item


class Request(msgspec.Struct, frozen=True):
    """As much of a replenishment as a warehouse needs."""

    replenishment_id: str
    sku: str
    location: str
    quantity: int


class Arrival(msgspec.Struct, frozen=True):
    """Goods that come on some day."""

    good: Good
    replenishment: str
    quantity: int
    final: bool


class Warehouse:
    """Takes orders at the end of a day, and receives goods in the morning."""

    def __init__(self, assortment: Assortment, shelves: list[SimulatedShelf]) -> None:
        self.outstanding: Counter[str] = Counter()
        """Units on order, by item."""
        self.taken: dict[str, int] = {}
        """Every order that was ever taken, and its quantity."""
        self.units = 0
        self._assortment = assortment
        self._shelves = shelves
        self._writer = EventWriter("warehouse.demo")
        self._arrivals: defaultdict[int, list[Arrival]] = defaultdict(list)
        self._remaining: dict[str, int] = {}
        self._answers: list[OutgoingEvent] = []
        self._today: Counter[str] = Counter()

    def take(self, request: Request, day: int) -> bool:
        """Take an order decided by the end of a day; False for one that was taken before."""
        if request.replenishment_id in self.taken:
            return False
        good = self._assortment.by_name[item(request.sku, request.location)]
        number = self._today[good.name] = self._today[good.name] + 1
        supplier = self._assortment.suppliers[good.source.name]
        deliveries = supplier.deliver(f"{good.name} {day} {number}", request.quantity)
        self._shelves[good.number].order(deliveries)
        self.taken[request.replenishment_id] = request.quantity
        self.units += request.quantity
        self._remaining[request.replenishment_id] = request.quantity
        self.outstanding[good.name] += request.quantity
        for delivery in deliveries:
            arrival = Arrival(good, request.replenishment_id, delivery.quantity, delivery.final)
            self._arrivals[day + 1 + delivery.lead_time].append(arrival)
        self._answer(good, request, day + 1, day + 1 + deliveries[0].lead_time)
        return True

    def morning(self, day: int) -> list[OutgoingEvent]:
        """Answer the orders of yesterday, and receive what has come."""
        answers, self._answers = self._answers, []
        self._today.clear()
        return answers + [self._receive(arrival, day) for arrival in self._arrivals.pop(day, ())]

    def _answer(self, good: Good, request: Request, day: int, arrives: int) -> None:
        name, time_ms = request.replenishment_id, FIRST_DAY_MS + day * DAY_MS + HOUR_MS
        acknowledged = ReplenishmentAcknowledged(
            sku=good.article.sku,
            location=LOCATION,
            replenishment_id=name,
            status="accepted",
            confirmed=request.quantity,
            promised_at=moment(arrives),
        )
        shipped = ReplenishmentShipped(
            sku=good.article.sku,
            location=LOCATION,
            replenishment_id=name,
            quantity=request.quantity,
            eta=moment(arrives),
        )
        self._answers.append(self._writer.write(f"ack-{name}", time_ms, acknowledged))
        self._answers.append(self._writer.write(f"ship-{name}", time_ms + HOUR_MS, shipped))

    def _receive(self, arrival: Arrival, day: int) -> OutgoingEvent:
        name, good = arrival.replenishment, arrival.good
        closed = self._remaining[name] if arrival.final else arrival.quantity
        self._remaining[name] -= closed
        self.outstanding[good.name] -= closed
        receipt = f"rec-{name}-{day}"
        received = StockReceived(
            sku=good.article.sku,
            location=LOCATION,
            receipt_id=receipt,
            replenishment_id=name,
            accepted=arrival.quantity,
            rejected=0,
            supplier=good.source.name,
            final=arrival.final,
        )
        return self._writer.write(receipt, FIRST_DAY_MS + day * DAY_MS + 3 * HOUR_MS, received)
