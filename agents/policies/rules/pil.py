"""PIL, the analytic baseline: raise the stock expected to be left when the order arrives to its target.

With an order cost it orders only when that stock is low, and then for a cycle of periods.
"""

from math import floor, sqrt
from typing import ClassVar, NamedTuple

import numpy as np

from agents.kernel.compiled import Numbers, Record, Records, compiled
from agents.policies.base import Advice, Economics, Situation
from agents.policies.projection.arrivals import arrivals
from agents.policies.projection.outlook import FORECAST, numbers_of, outlook
from agents.policies.projection.route import odds_of
from agents.policies.projection.stock_left import stocks_left
from agents.policies.rules.lots import lot, missing
from agents.policies.rules.stateless import Stateless
from agents.policies.rules.target import CAP_DEVIATIONS, target
from agents.policies.spans import condensed
from agents.policies.terms import TERMS, terms_of


class Projected(NamedTuple):
    """What is expected of an order: the stock left when it arrives, and the demand that it then has to cover."""

    left: float
    left_variance: float
    mean: float
    variance: float


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


class Placement(NamedTuple):
    """Levels in terms of the position, as planners know them, and what is ordered by them."""

    quantity: float
    reorder_point: int
    order_up_to: int
    safety_stock: int
    expected_cost: float


class Pil(Stateless):
    """Projected inventory level, from the item's forecast.

    >>> from agents.forecasting.base import DemandForecast
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
        return self.decide(state, situation).quantity


def _levels(situation: Situation) -> Levels:
    forecasts = np.array(numbers_of(situation.forecast), np.float64).view(FORECAST)
    path, lead_time = np.array(situation.forecast.path, np.float64), np.array(situation.lead_time, np.float64)
    orders, available = open_orders(situation), float(situation.available)
    found = _project(forecasts, path, lead_time, orders, available, terms_of(situation.economics))
    return levels(found, situation.economics)


def open_orders(situation: Situation) -> Numbers:
    """An item's open orders as the kernel reads them (`arrivals.py`)."""
    numbers = [
        number for order in situation.pipeline for number in (order.quantity, order.due, order.age, order.soonest)
    ]
    return np.array(numbers, np.float64).reshape(-1, 4)


@compiled(FORECAST, np.float64, np.float64, (np.float64, 2), float, TERMS)
def _project(
    forecasts: Records, path: Numbers, lead_time: Numbers, orders: Numbers, available: float, terms: Records
) -> Projected:
    odds, costs = odds_of(lead_time), terms[0]
    demand, flows = np.empty((1, 2, len(odds.edges) - 1)), np.zeros((len(odds.edges), 3, 1))
    covered = outlook(demand[0], forecasts[0], path, odds, int(costs["review"]))
    arrivals(flows, orders, odds)
    lost, itself = costs["lost"] > 0.0, np.zeros(1, np.int64)
    left = stocks_left(np.full(1, available), flows, demand, itself, odds.landing, lost)
    return Projected(left[0, 0], left[1, 0], covered.mean, covered.variance)


def levels(found: Projected, terms: Economics, shift: float = 0.0, stretch: float = 1.0) -> Levels:
    """Say where the stock left should be; learned policies tune `shift` and `stretch`."""
    if terms.order_cost <= 0.0:
        return _levels_of(*found, shift, terms_of(terms))
    left, left_variance, mean, variance = found
    review, deviation = max(1, terms.review_periods), sqrt(variance + left_variance)
    order = lot(mean / review, variance / review, left_variance, terms, stretch)
    low, high = order.low + shift * deviation, order.high + shift * deviation
    return Levels(left, low, max(high, low), deviation, mean, np.inf)


@compiled(float, float, float, float, float, TERMS)
def _levels_of(left: float, left_variance: float, mean: float, variance: float, shift: float, terms: Records) -> Levels:
    return levels_of(Projected(left, left_variance, mean, variance), shift, terms[0])


@compiled
def levels_of(found: Projected, shift: float, terms: Record) -> Levels:
    """`levels` where an order costs nothing."""
    high = target(found.mean, found.variance, found.left_variance, terms["z"], terms["patience"], shift)
    most = found.mean + CAP_DEVIATIONS * sqrt(found.variance) if terms["lost"] > 0.0 else np.inf
    return Levels(found.left, high, high, sqrt(found.variance + found.left_variance), found.mean, most)


@compiled
def quantity_of(at: Levels) -> float:
    """What to order by levels."""
    return min(max(at.high - at.left, 0.0), at.most) if at.left <= at.low else 0.0


@compiled
def placement(at: Levels, position: float, terms: Record) -> Placement:
    """What levels come to at a position."""
    quantity, used = quantity_of(at), position - at.left
    over = at.left + quantity - at.mean
    short = missing(over, max(at.deviation, 1e-9))
    cost = terms["holding"] * max(over + short, 0.0) + terms["shortage"] * short
    cost += terms["order_cost"] if quantity > 0.0 else 0.0
    low = at.low if terms["order_cost"] > 0.0 else at.high
    safety = max(low - at.mean, 0.0)
    begins = floor(used + (at.low if terms["order_cost"] > 0.0 else safety) + 0.5)
    level = floor(used + at.high + 0.5)
    return Placement(quantity, begins if begins <= level else level - 1, level, floor(safety + 0.5), cost)


@compiled(float, float, float, float, float, float, float, TERMS)
def _placement(
    left: float, low: float, high: float, deviation: float, mean: float, most: float, position: float, terms: Records
) -> Placement:
    return placement(Levels(left, low, high, deviation, mean, most), position, terms[0])


def advise(situation: Situation, at: Levels) -> Advice:
    """Order by levels."""
    found = _placement(*at, float(situation.position), terms_of(situation.economics))
    return Advice(found.quantity if situation.may_order else 0.0, *found[1:])
