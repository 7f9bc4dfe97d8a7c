"""The closed loop: a day of the shop is published, the worker decides, the warehouse delivers; then comes the next day.

A day is over when every item was reviewed and every order that the reviews count as underway has been read. Then the
worker's stock is compared with the shelf, item by item: an event lost or taken twice would show here.
"""

import time
from collections import defaultdict
from collections.abc import Iterable, Iterator
from typing import assert_never

from agents.demo.figures import DemoFigures, SeenReview
from agents.demo.goods import FIRST_DAY_MS, Assortment, count
from agents.demo.inbox import Alert, AlertRead, Inbox, ProposalRead, ReplenishmentRead, ReviewData, ReviewRead
from agents.demo.outgoing import OutgoingEvent
from agents.demo.planner import Planner
from agents.demo.reference import Reference, cost_of
from agents.demo.shop import ShopFloor
from agents.demo.warehouse import Warehouse
from schemas.quantities import DAY_MS, amount, instant
from schemas.quantities import item as item_of
from stream.errors import AnswerIsNo
from stream.kafka.event_publisher import EventPublisher


class Loop:
    """Shop, warehouse and planner on one side of the topics, the worker on the other."""

    def __init__(self, assortment: Assortment, publisher: EventPublisher, inbox: Inbox, figures: DemoFigures) -> None:
        self.figures = figures
        self._assortment = assortment
        self._publisher = publisher
        self._inbox = inbox
        self._floor = ShopFloor(assortment)
        self._warehouse = Warehouse(assortment, self._floor.shelves)
        self._planner = Planner()
        self._reference = Reference(assortment)
        self._evening: dict[str, ReviewData] = {}

    def run(self) -> Iterator[DemoFigures]:
        """Live through the days; yields at the end of each."""
        self.figures.begun = time.monotonic()
        self._publish(self._assortment.plan() + self._assortment.opening_counts())
        for day in range(self.figures.days):
            self._trade(day)
            self._reference.live(day)
            self._await_decisions(day)
            self._compare(day)
            self._sum_up(day)
            yield self.figures
        self.figures.ended = time.monotonic()

    def _publish(self, events: list[OutgoingEvent]) -> None:
        for event in events:
            self._publisher.send(event.topic, event.key, event.value)
        self._publisher.flush()
        self.figures.events += len(events)

    def _trade(self, day: int) -> None:
        """Publish a day, and then the first event of the next, which shows that it is over."""
        trade, figures = self._floor.trade(day), self.figures
        self._publish(
            self._planner.morning(day) + self._warehouse.morning(day)
        )  # goods are booked before the doors open
        self._publish(trade.events)
        good = self._assortment.goods[day % len(self._assortment.goods)]
        self._publish([count(good, day + 1, self._floor.shelves[good.number].on_hand)])
        figures.orders += trade.orders
        figures.refused += trade.refused
        figures.lines += trade.lines
        figures.sent_twice += trade.sent_twice
        for good, lived in zip(self._assortment.goods, trade.days, strict=True):
            figures.demand += lived.demand
            figures.lost += lived.lost
            figures.stock_outs += lived.lost > 0
            figures.cost += cost_of(good, lived)
            figures.on_hand += max(0, lived.left)

    def _await_decisions(self, day: int) -> None:
        self._evening = {}
        while not self._is_over():
            for output in self._inbox.read():
                match output:
                    case ReplenishmentRead():
                        self._take(output, day)
                    case ProposalRead():
                        self._planner.read(output.data)
                    case AlertRead():
                        self._hear(output.data)
                    case ReviewRead():
                        self._look(output.data, day)
                    case _:
                        assert_never(output)

    def _is_over(self) -> bool:
        outstanding = self._warehouse.outstanding
        return len(self._evening) == self.figures.items and all(
            review.position.on_order <= outstanding[name] for name, review in self._evening.items()
        )

    def _take(self, output: ReplenishmentRead, day: int) -> None:
        if self._warehouse.take(output.data, day):
            self.figures.replenishments += 1
            self.figures.units_ordered += output.data.quantity
            self.figures.last_replenishment = output.data.replenishment_id
        else:
            self.figures.repeated_orders += 1

    def _hear(self, alert: Alert) -> None:
        figures = self.figures
        raised = alert.state == "raised"
        figures.alerts_raised[alert.kind] += raised
        figures.alerts_for_people += raised and alert.severity != "info"
        figures.alerts_open[alert.kind] += 1 if raised else -1

    def _look(self, review: ReviewData, day: int) -> None:
        name = item_of(review.sku, review.location)
        if review.period.starts != instant(FIRST_DAY_MS + day * DAY_MS) or name in self._evening:
            raise AnswerIsNo(f"{name}: the review of {review.period.starts} came in the evening of day {day + 1}")
        self._evening[name] = review
        if name == self.figures.charted:
            self.figures.chart.append(SeenReview(review.demand, review.forecast.mean))

    def _compare(self, day: int) -> None:
        """The worker's stock against the shelf, and its open orders against the warehouse's."""
        for good, shelf in zip(self._assortment.goods, self._floor.shelves, strict=True):
            position = self._evening[good.name].position
            found = (position.on_hand, position.on_order)
            true = (shelf.on_hand, self._warehouse.outstanding[good.name])
            if found != true:
                raise AnswerIsNo(
                    f"{good.name}: at the end of day {day + 1} the worker says {found[0]} on hand and {found[1]} on "
                    f"order, the warehouse {true[0]} and {true[1]}: please report this with the seed"
                )
        self.figures.compared += len(self._evening)

    def _sum_up(self, day: int) -> None:
        figures, reference, evening = self.figures, self._reference, self._evening.values()
        figures.day = day + 1
        figures.proposals = self._planner.proposals
        figures.reviews += len(evening)
        figures.late += sum(review.late_demand for review in evening)
        figures.ledger = _ledger(evening)
        figures.reference = reference.cost
        figures.reference_fill_rate = 1.0 - reference.lost / reference.demand if reference.demand else 1.0
        figures.policies.update(review.policy for review in evening if review.policy)


def _ledger(evening: Iterable[ReviewData]) -> dict[str, float]:
    """The cost ledgers of all items together, in money."""
    total: defaultdict[str, float] = defaultdict(float)
    for review in evening:
        cost = review.cost
        for name, money in {"champion": cost.champion, "baseline": cost.baseline, **cost.challengers}.items():
            total[name] += amount(money)
    return total
