"""How much to order at once where an order costs something: (s, S) for the stock that is left."""

from collections.abc import Sequence
from functools import lru_cache
from math import floor, sqrt
from typing import NamedTuple

import numpy as np

from agents.kernel.arithmetic import density, exp, log, normal_quantile, upper_tail
from agents.kernel.compiled import Numbers, compiled
from agents.kernel.ranking import sort
from agents.policies.base import Economics

STEPS = 48
"""Levels that are looked at."""
LONG_CYCLE = 8.0
"""Orders that last longer than so many periods need no whole number of them."""


class Lot(NamedTuple):
    """Order when the stock left is at or below `low`, up to `high`; an order lasts `cycle` periods."""

    low: float
    high: float
    cycle: float


def lot(mean: float, variance: float, left_variance: float, economics: Economics, stretch: float = 1.0) -> Lot:
    """(s, S) where an order costs something, from what the item's scale does not change.

    >>> near = lot(10.0, 10.0, 0.0, Economics(1.0, 9.0, order_cost=64.0))
    >>> abs(near.low - 6.3) < 0.2, abs(near.high - 41.6) < 1, near.cycle
    (True, True, 4.0)
    """
    return lots(mean, variance, left_variance, economics, (stretch,))[0]


def lots(
    mean: float, variance: float, left_variance: float, economics: Economics, stretches: Sequence[float]
) -> list[Lot]:
    """The same for cycles that are made longer and shorter."""
    mean = max(mean, 1e-9)
    holding = max(economics.holding, 1e-9)
    alike = (
        _step(min(max(variance / (mean * mean), 1e-5), 1e6), 0.1),
        _step(min(left_variance / (mean * mean), 1e6), 0.2),
        _step(min(max(economics.shortage / holding, 1e-3), 1e6), 0.02),
        _step(min(economics.order_cost / (holding * mean), 1e6), 0.05),
    )
    units = [_remembered(*alike, stretch) for stretch in stretches]
    return [Lot(unit.low * mean, unit.high * mean, unit.cycle) for unit in units]


def _step(value: float, apart: float) -> float:
    """The nearest of a ladder of numbers so far apart: equal for items alike, so that they are worked out once."""
    return exp(floor(log(value) / apart + 0.5) * apart) if value > 1e-6 else 0.0


@lru_cache(maxsize=65536)
def _remembered(variance: float, left_variance: float, shortage: float, order_cost: float, stretch: float) -> Lot:
    found = np.empty(3)
    _unit_lot(variance, left_variance, shortage, order_cost, stretch, found)
    return Lot(*found.tolist())


@compiled(float, float, float, float, float, np.float64)
def _unit_lot(
    variance: float, left_variance: float, shortage: float, order_cost: float, stretch: float, found: Numbers
) -> None:
    """Write (s, S) and the cycle for a mean demand of 1 and a holding cost of 1.

    s: with G(y) the expected cost of a period that starts with y, the long-run cost c solves ∫ (c − G(y))⁺ dy = K μ,
    and s is where G falls to c: Zheng's conditions (1991) with demand as a fluid. S: the best level for an order that
    lasts a whole number of periods, and of those numbers the cheapest. `stretch` makes cycles longer or shorter.
    """
    _water_level(variance + left_variance, shortage, order_cost, found)
    low, longest = found[0], (found[1] - found[0]) * stretch
    found[2] = longest
    if longest > LONG_CYCLE:
        found[1] = low + longest
        return
    cheapest = np.inf
    for cycle in range(1, int(longest * max(1.0, stretch)) + 2):
        level, spent = _cycle_level(cycle, variance, left_variance, shortage)
        cost = (order_cost * stretch * stretch + spent) / cycle
        if cost < cheapest:
            found[1], found[2], cheapest = max(level, low), float(cycle), cost


@compiled
def _water_level(variance: float, shortage: float, order_cost: float, found: Numbers) -> None:
    """Write the stretch of levels at which a period costs less than the long-run average."""
    deviation, share = sqrt(variance), 1.0 / (1.0 + shortage)
    width = sqrt(2.0 * order_cost * (1.0 + 1.0 / shortage))
    best = 1.0 + deviation * normal_quantile(1.0 - share)
    least = best - 1.2 * share * width - 3.0 * deviation
    step = (best + 1.2 * width + 3.0 * deviation - least) / (STEPS - 1)
    costs, rising = np.empty(STEPS), np.empty(STEPS)
    for number in range(STEPS):
        gap = least + number * step - 1.0
        costs[number] = rising[number] = gap + (1.0 + shortage) * missing(gap, deviation)
    sort(rising)
    below, count = rising[0], 1  # the cheapest levels are filled up, as water fills a valley, until the work is done
    while count < STEPS and (rising[count] * count - below) * step < order_cost:
        below += rising[count]
        count += 1
    cost = (order_cost / step + below) / count
    first, last = 0, STEPS - 1
    while costs[first] > cost:
        first += 1
    while costs[last] > cost:
        last -= 1
    found[0], found[1] = least + step * _crossing(costs, first - 1, cost), least + step * _crossing(costs, last, cost)


@compiled
def _crossing(costs: Numbers, left: int, cost: float) -> float:
    """Where between a point and the next one the curve of costs meets `cost`, in steps."""
    if left < 0 or left + 1 >= STEPS:
        return float(max(left, 0))
    rise = costs[left + 1] - costs[left]
    return left + ((cost - costs[left]) / rise if rise != 0.0 else 0.0)


@compiled
def _cycle_level(cycle: int, variance: float, left_variance: float, shortage: float) -> tuple[float, float]:
    """The best level for an order that lasts `cycle` periods, and what holding and shortage cost over them."""
    last = sqrt(variance * cycle + left_variance)
    best, cheapest = 0.0, np.inf
    for number in range(STEPS):
        level = cycle + last * (6.0 * number / (STEPS - 1) - 3.0)
        cost = 0.0
        for period in range(1, cycle + 1):
            gap = level - period
            cost += gap + (1.0 + shortage) * missing(gap, sqrt(variance * period + left_variance))
        if cost < cheapest:
            best, cheapest = level, cost
    return best, cheapest


@compiled(float, float)
def missing(gap: float, deviation: float) -> float:
    """Expected shortage E[(X − gap)⁺] for X ~ N(0, deviation²).

    >>> round(missing(0.0, 1.0), 4)
    0.3989
    """
    t = gap / deviation
    return deviation * (density(t) - t * upper_tail(t))
