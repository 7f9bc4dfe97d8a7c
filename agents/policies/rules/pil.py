"""PIL, the analytic baseline: raise the stock expected to be left when the order arrives to its target.

With an order cost it orders only when that stock is low, and then for a cycle of periods.
"""

import math
from typing import ClassVar, NamedTuple

from agents.policies.base import Advice, Situation
from agents.policies.projection.arrivals import Arrivals, expected_arrivals
from agents.policies.projection.outlook import Outlook, outlook
from agents.policies.projection.route import Route, route
from agents.policies.projection.stock_left import one_stock_left
from agents.policies.rules.levels import CAP_DEVIATIONS, one_missing, target
from agents.policies.rules.lots import lot
from agents.policies.rules.stateless import Stateless
from agents.policies.spans import condensed


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

    >>> from agents.forecasting.base import DemandForecast
    >>> from agents.policies.base import Economics
    >>> steady = DemandForecast(3, 15.0, 15.0, (15.0, 18.2, 20.0, 21.4, 24.0), (5.0, 5.0, 5.0))
    >>> terms = Economics(holding=1.0, shortage=9.0, critical_ratio=0.9)
    >>> round(Pil().decide(None, Situation("A@X", 40, 8, (), (0.0, 0.0, 1.0), steady, terms)).quantity, 1)
    7.3
    """

    name: ClassVar[str] = "pil"
    version: ClassVar[int] = 2

    def decide(self, state: None, situation: Situation) -> Advice:
        """Order what is missing to the target."""
        del state
        situation = condensed(situation)
        return advise(situation, _levels(situation))

    def quantity(self, state: None, situation: Situation) -> float:
        """What `decide` would order."""
        del state
        return _levels(condensed(situation)).quantity if situation.may_order else 0.0


def _levels(situation: Situation) -> Levels:
    seen = outlook(situation.forecast, situation.lead_time, max(1, situation.economics.review_periods))
    way = route(situation.lead_time)
    return levels(situation, way, seen, expected_arrivals(situation, way))


def levels(
    situation: Situation, way: Route, seen: Outlook, arrivals: Arrivals, shift: float = 0.0, stretch: float = 1.0
) -> Levels:
    """Project the item's own stock and say where it should be; learned policies tune `shift` and `stretch`."""
    terms = situation.economics
    lost = terms.stock_out == "lost"
    left, left_variance = one_stock_left(float(situation.available), arrivals, seen, way, lost=lost)
    mean, variance = seen.mean, seen.variance
    deviation = math.sqrt(variance + left_variance)
    if terms.order_cost > 0.0:
        review = max(1, terms.review_periods)
        order = lot(mean / review, variance / review, left_variance, terms, stretch)
        low, high = order.low + shift * deviation, order.high + shift * deviation
        return Levels(left, low, max(high, low), deviation, mean, math.inf)
    high = target(mean, variance, left_variance, terms) + shift * deviation
    most = mean + CAP_DEVIATIONS * math.sqrt(variance) if lost else math.inf
    return Levels(left, high, high, deviation, mean, most)


def advise(
    situation: Situation,
    at: Levels,
    arm: str | None = None,
    advantage: float | None = None,
    baseline_quantity: float | None = None,
) -> Advice:
    """Put levels of projected stock in terms of the position, as planners know them."""
    terms, quantity = situation.economics, at.quantity
    used = situation.position - at.left
    after = at.left + quantity
    short = one_missing(after - at.mean, max(at.deviation, 1e-9))
    cost = terms.holding * max(after - at.mean + short, 0.0) + terms.shortage * short
    low = at.low if terms.order_cost > 0.0 else at.high
    safety = max(low - at.mean, 0.0)
    begins, level = round(used + (at.low if terms.order_cost > 0.0 else safety)), round(used + at.high)
    return Advice(
        quantity=quantity if situation.may_order else 0.0,
        reorder_point=begins if begins <= level else level - 1,
        order_up_to=level,
        safety_stock=round(safety),
        expected_cost=cost + (terms.order_cost if quantity > 0.0 else 0.0),
        arm=arm,
        advantage=advantage,
        baseline_quantity=baseline_quantity,
    )
