"""PIL, the analytic baseline: raise the stock expected to be left when the order arrives to its target.

With an order cost it orders only when that stock is low, and then for a cycle of periods.
"""

import math
from collections.abc import Sequence
from typing import ClassVar, NamedTuple

from agents.policies.base import Advice, Situation
from agents.policies.levels import CAP_DEVIATIONS, lot, one_missing, target
from agents.policies.projection import Paths, Route, by_period, expected_arrivals, horizon_of, one_stock_left, route
from agents.policies.stateless import Stateless


class Levels(NamedTuple):
    """What a projected-inventory-level policy steers by, for one inventory."""

    left: float
    """Expected stock when an order placed now arrives."""
    low: float
    """Order when the stock left is below this; without order cost, whenever it is below `high`."""
    high: float
    deviation: float
    mean: float
    """Demand of the review interval that the order has to cover."""
    most: float
    """Largest single order."""

    @property
    def quantity(self) -> float:
        """What to order."""
        return min(max(self.high - self.left, 0.0), self.most) if self.left <= self.low else 0.0


class Pil(Stateless):
    """Projected inventory level, from the item's forecast.

    >>> from agents.forecasting.base import Forecast
    >>> from agents.policies.base import Economics
    >>> steady = Forecast(3, 15.0, 15.0, (15.0, 18.2, 20.0, 21.4, 24.0), (5.0, 5.0, 5.0))
    >>> terms = Economics(holding=1.0, shortage=9.0, critical_ratio=0.9)
    >>> round(Pil().decide(None, Situation("A@X", 40, 8, (), (0.0, 0.0, 1.0), steady, terms)).quantity, 1)
    7.4
    """

    name: ClassVar[str] = "pil"
    version: ClassVar[int] = 1

    def decide(self, state: None, situation: Situation) -> Advice:
        """Order what is missing to the target."""
        del state
        way = route(situation.lead_time)
        return advise(situation, levels(situation, way, by_period(situation.forecast, horizon_of(situation, way))))


def levels(situation: Situation, way: Route, demand: Paths, shift: float = 0.0, stretch: float = 1.0) -> Levels:
    """Project the item's own stock and say where it should be; learned policies tune `shift` and `stretch`."""
    terms = situation.economics
    lost, review = terms.stock_out == "lost", max(1, terms.review_periods)
    left, left_variance = one_stock_left(
        float(situation.available), *expected_arrivals(situation, way), demand, way, lost=lost
    )
    mean, variance = cover(demand.mean, way, review), cover(demand.variance, way, review)
    if terms.order_cost > 0.0:
        order = lot(mean / review, variance / review, left_variance, terms, stretch)
        moved = shift * math.sqrt(variance + left_variance)
        low, high = order.low + moved, order.high + moved
        return Levels(left, low, max(high, low), math.sqrt(variance + left_variance), mean, math.inf)
    high = target(mean, variance, left_variance, terms) + shift * math.sqrt(variance + left_variance)
    most = mean + CAP_DEVIATIONS * math.sqrt(variance) if lost else math.inf
    return Levels(left, high, high, math.sqrt(variance + left_variance), mean, most)


def cover(values: Sequence[float], way: Route, review: int) -> float:
    """Sum over the review interval that begins when the order arrives, averaged over the possible lead times."""
    if way.certain:
        return sum(values[way.longest : way.longest + review])
    return math.fsum(
        chance * sum(values[lead : lead + review]) for lead, chance in enumerate(way.own.tolist()) if chance
    )


def advise(situation: Situation, at: Levels, arm: str | None = None, advantage: float | None = None) -> Advice:
    """Put levels of projected stock in terms of the position, as planners know them."""
    used = situation.position - at.left
    terms = situation.economics
    after = at.left + at.quantity
    short = one_missing(after - at.mean, max(at.deviation, 1e-9))
    cost = terms.holding * max(after - at.mean + short, 0.0) + terms.shortage * short
    safety = max(at.high - at.mean, 0.0) if terms.order_cost <= 0.0 else max(at.low - at.mean, 0.0)
    return Advice(
        quantity=at.quantity if situation.may_order else 0.0,
        reorder_point=round(used + (at.low if terms.order_cost > 0.0 else safety)),
        order_up_to=round(used + at.high),
        safety_stock=round(safety),
        expected_cost=cost + (terms.order_cost if at.quantity > 0.0 else 0.0),
        arm=arm,
        advantage=advantage,
    )
