"""What arrives of open orders before an order placed now does, flow by flow of the route.

Flows are [flow, moment, stock]: the mean of what arrives, what of it arrives just as a stretch ends, and the variance.
"""

import numpy as np

from agents.kernel.compiled import Numbers, compiled
from agents.policies.projection.route import MATURE, Odds, chance_of, flow_of

QUANTITY, DUE, AGE, SOONEST = range(4)
"""Columns of open orders."""
MEAN, ENDING, VARIANCE = range(3)


@compiled
def arrivals(flows: Numbers, orders: Numbers, odds: Odds) -> None:
    """Add an item's open orders to the first stock: a certain one comes when it is due, another as its age tells."""
    for number in range(len(orders)):
        quantity, due, age, soonest = orders[number]
        if odds.certain:
            _arrive(flows, odds, quantity, min(max(int(due + 0.5), 0), odds.longest), 1.0)
        else:
            _expect(flows, odds, quantity, min(int(age), odds.longest + 1), int(soonest))


@compiled
def _expect(flows: Numbers, odds: Odds, quantity: float, age: int, soonest: int) -> None:
    """Count an order of that age, which cannot come before so many periods."""
    still = 1.0
    for periods in range(min(soonest, odds.longest + 1)):
        still -= chance_of(odds, age, periods)
    if still <= MATURE:
        return
    for periods in range(soonest, odds.longest + 1):
        chance = min(chance_of(odds, age, periods) / still, 1.0)
        if chance > 0.0:
            _arrive(flows, odds, quantity, periods, chance)


@compiled
def _arrive(flows: Numbers, odds: Odds, quantity: float, periods: int, chance: float) -> None:
    """Count what arrives after so many periods with that chance."""
    flow = flow_of(odds.edges, periods)
    flows[flow, MEAN, 0] += chance * quantity
    if periods == odds.edges[flow]:
        flows[flow, ENDING, 0] += chance * quantity
    flows[flow, VARIANCE, 0] += chance * (1.0 - chance) * quantity * quantity


@compiled
def by_age(odds: Odds) -> Numbers:
    """What arrives of a unit that was ordered one, two, … reviews ago: [age - 1, flow, moment, 0]."""
    found = np.zeros((odds.longest + 1, len(odds.edges), 3, 1))
    for age in range(odds.longest + 1):
        _expect(found[age], odds, 1.0, age + 1, 0)
    return found


@compiled
def shadow_arrivals(flows: Numbers, stock: int, units: Numbers, number: int, ages: Numbers) -> None:
    """Add the orders of a shadow inventory (`shadows.py`) to a stock; `ages` is what arrives of a unit (`by_age`)."""
    for age in range(len(ages)):
        quantity = units[age + 1, number]
        if quantity > 0.0:
            for flow in range(len(flows)):
                if ages[age, flow, MEAN, 0] > 0.0:
                    flows[flow, MEAN, stock] += quantity * ages[age, flow, MEAN, 0]
                    flows[flow, ENDING, stock] += quantity * ages[age, flow, ENDING, 0]
                    flows[flow, VARIANCE, stock] += quantity * quantity * ages[age, flow, VARIANCE, 0]
