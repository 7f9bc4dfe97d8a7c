"""The shop floor: customers' orders of a day, accepted as far as the shelf has stock, refused where it has not."""

from collections import defaultdict

import msgspec

from agents.demo.goods import FIRST_DAY_MS, LOCATION, Assortment, Good
from agents.demo.outgoing import EventWriter, OutgoingEvent
from agents.simulation.seeds import generator
from agents.simulation.warehouse import Day, SimulatedShelf
from schemas.inbound import OrderLine, OrderPlaced, OrderRejected
from schemas.quantities import DAY_MS, HOUR_MS

OPENS_MS, OPEN_MS = 7 * HOUR_MS, 14 * HOUR_MS
MOST_UNITS = 3
"""A line holds up to so many units."""
UNITS_AN_ORDER = 5
SENT_TWICE = 50
"""One order in so many is sent twice, as producers do that are unsure of an acknowledgement."""


class Trade(msgspec.Struct):
    """What a day brought."""

    events: list[OutgoingEvent]
    days: list[Day]
    """What happened on each good's shelf."""
    orders: int = 0
    refused: int = 0
    """Orders with a line that found too little stock."""
    lines: int = 0
    sent_twice: int = 0
    """Lines of orders that were sent a second time."""


class ShopFloor:
    """The shelves are the truth: nobody sells what is not there."""

    def __init__(self, assortment: Assortment) -> None:
        self.shelves = [SimulatedShelf(on_hand=good.opening) for good in assortment.goods]
        self._goods = assortment.goods
        self._seed = assortment.shop.seed
        self._demand = assortment.shop.demand
        self._writer = EventWriter("shop.demo")

    def trade(self, day: int) -> Trade:
        """Let customers come for a day."""
        trade = Trade([], [])
        wanted = self._demand[:, day].tolist()
        orders = max(1, sum(wanted) // UNITS_AN_ORDER)
        chance = generator(self._seed, "baskets", day)
        accepted: defaultdict[int, list[OrderLine]] = defaultdict(list)
        refused: defaultdict[int, list[OrderLine]] = defaultdict(list)
        for good, shelf, demand in zip(self._goods, self.shelves, wanted, strict=True):
            lived = shelf.live(demand)
            trade.days.append(lived)
            if demand:
                sizes = chance.integers(1, MOST_UNITS + 1, demand).tolist()
                buyers = sorted(chance.integers(orders, size=demand).tolist())
                _serve(good, lived, sizes, buyers, accepted, refused)
        for number in sorted(accepted.keys() | refused.keys()):
            self._write(trade, day, number, orders, accepted.get(number), refused.get(number))
        return trade

    def _write(
        self,
        trade: Trade,
        day: int,
        number: int,
        orders: int,
        accepted: list[OrderLine] | None,
        refused: list[OrderLine] | None,
    ) -> None:
        order = f"ord-{day}-{number}"
        time_ms = FIRST_DAY_MS + day * DAY_MS + OPENS_MS + number * OPEN_MS // orders
        if accepted:
            placed = OrderPlaced(order_id=order, lines=tuple(accepted), channel="web")
            event = self._writer.write(order, time_ms, placed)
            trade.events.append(event)
            trade.orders += 1
            trade.lines += len(accepted)
            if (day + number) % SENT_TWICE == 0:
                trade.events.append(event)
                trade.sent_twice += len(accepted)
        if refused:
            rejected = OrderRejected(order_id=order, lines=tuple(refused), reason="out_of_stock")
            trade.events.append(self._writer.write(f"rej-{day}-{number}", time_ms, rejected))
            trade.refused += 1
            trade.lines += len(refused)


def _serve(
    good: Good,
    lived: Day,
    sizes: list[int],
    buyers: list[int],
    accepted: defaultdict[int, list[OrderLine]],
    refused: defaultdict[int, list[OrderLine]],
) -> None:
    """Share the day's demand for a good among its buyers; the first come are served while there is stock."""
    left, stock, sku = lived.demand, lived.sold, good.article.sku
    for size, buyer in zip(sizes, buyers, strict=True):
        if not left:
            return
        quantity = min(size, left)
        served = min(quantity, stock)
        left -= quantity
        stock -= served
        for lines, units in ((accepted[buyer], served), (refused[buyer], quantity - served)):
            if units:
                lines.append(OrderLine(line_id=str(len(lines) + 1), sku=sku, location=LOCATION, quantity=units))
