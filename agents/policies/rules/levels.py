"""Where to keep stock: the target of a period's demand plus what is uncertain about the stock left, and lot sizes."""

import math
from functools import lru_cache
from typing import NamedTuple

import numpy as np
from scipy.special import ndtr, ndtri

from agents.policies.arrays import Floats
from agents.policies.base import Economics

DENSITY = 1.0 / math.sqrt(2.0 * math.pi)
PATIENCE, IMPATIENCE = 0.6, 0.2
"""With lost sales, stock that comes too late for a sale still serves the next one: the target is lowered by
(0.6 − 0.2 z) deviations of the stock left, less where a shortage is dear.

Chosen on exact costs of Zipkin's instances with true parameters: 0.5 % above optimal on average for L ≤ 3, 1.1 % at
worst.
"""
CAP_DEVIATIONS = 2.0
"""With lost sales, an order above mean + so many deviations is spread over the next periods (Xin 2021)."""
STEPS = 48
LONG_CYCLE = 8.0
"""Orders that last longer than so many periods need no whole number of them."""


@lru_cache(maxsize=1024)
def safety_factor(critical_ratio: float) -> float:
    """The normal deviate of the critical ratio.

    >>> round(safety_factor(0.95), 3)
    1.645
    """
    return float(ndtri(min(max(critical_ratio, 1e-4), 1.0 - 1e-6)))


def lift(mean: float, variance: float, z: float) -> float:
    """How far skewness lifts the target: Cornish and Fisher's correction, times whole variance^1.5.

    The skewness is that of a negative binomial with this mean and variance: (2v/μ − 1)/σ, between 0 and 3.
    """
    deviation = math.sqrt(variance)
    skewed = min(max(2.0 * variance / max(mean, 1e-9) - 1.0, 0.0), 3.0 * deviation)
    return (z * z - 1.0) / 6.0 * variance * deviation * skewed


def target(mean: float, variance: float, left_variance: float, economics: Economics) -> float:
    """The level to which expected stock left is raised.

    >>> round(target(5.0, 5.0, 0.0, Economics(1.0, 9.0, critical_ratio=0.9)), 2)
    7.97
    """
    z = safety_factor(economics.critical_ratio)
    whole = max(variance + left_variance, 1e-12)
    deviation = math.sqrt(whole)
    bend = lift(mean, variance, z) / (whole * deviation)
    return mean + z * deviation + bend - patience(z, economics) * math.sqrt(left_variance)


def patience(z: float, economics: Economics) -> float:
    """Deviations of the stock left by which lost sales lower the target."""
    return min(max(PATIENCE - IMPATIENCE * z, 0.0), 1.0) if economics.stock_out == "lost" else 0.0


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
    mean = max(mean, 1e-9)
    holding = max(economics.holding, 1e-9)
    unit = _unit_lot(
        _step(min(max(variance / mean**2, 1e-5), 1e6), 0.1),
        _step(min(left_variance / mean**2, 1e6), 0.2),
        _step(min(max(economics.shortage / holding, 1e-3), 1e6), 0.02),
        _step(min(economics.order_cost / (holding * mean), 1e6), 0.05),
        stretch,
    )
    return Lot(unit.low * mean, unit.high * mean, unit.cycle)


def _step(value: float, apart: float) -> float:
    """The nearest of a ladder of numbers so far apart: equal for items alike, so that they are worked out once."""
    return math.exp(round(math.log(value) / apart) * apart) if value > 1e-6 else 0.0


@lru_cache(maxsize=65536)
def _unit_lot(variance: float, left_variance: float, shortage: float, order_cost: float, stretch: float) -> Lot:
    """(s, S) for a mean demand of 1 and a holding cost of 1.

    s: with G(y) the expected cost of a period that starts with y, the long-run cost c solves ∫ (c − G(y))⁺ dy = K μ,
    and s is where G falls to c: Zheng's conditions (1991) with demand as a fluid. S: the best level for an order that
    lasts a whole number of periods, and of those numbers the cheapest. `stretch` makes cycles longer or shorter.
    """
    low, high = _water_level(1.0, variance + left_variance, 1.0, shortage, order_cost)
    longest = (high - low) * stretch
    if longest > LONG_CYCLE:
        return Lot(low, low + longest, longest)
    best, cheapest = Lot(low, high, longest), math.inf
    for cycle in range(1, int(longest * max(1.0, stretch)) + 2):
        level, spent = _cycle_level(cycle, 1.0, variance, left_variance, 1.0, shortage)
        if (cost := (order_cost * stretch**2 + spent) / cycle) < cheapest:
            best, cheapest = Lot(low, max(level, low), float(cycle)), cost
    return best


def _water_level(
    mean: float, variance: float, holding: float, shortage: float, order_cost: float
) -> tuple[float, float]:
    """The stretch of levels at which a period costs less than the long-run average."""
    deviation = float(np.sqrt(variance))
    work = order_cost * mean
    width = float(np.sqrt(2.0 * work * (1.0 / holding + 1.0 / shortage)))
    share = holding / (holding + shortage)
    best = mean + deviation * float(ndtri(1.0 - share))
    levels = np.linspace(best - 1.2 * share * width - 3.0 * deviation, best + 1.2 * width + 3.0 * deviation, STEPS)
    costs = holding * (levels - mean) + (holding + shortage) * missing(levels - mean, deviation)
    step = float(levels[1] - levels[0])
    rising = np.sort(costs)
    filled = (rising * np.arange(1, STEPS + 1) - np.cumsum(rising)) * step
    count = min(max(int(np.searchsorted(filled, work)), 1), STEPS)
    cost = (work / step + float(rising[:count].sum())) / count
    inside = np.flatnonzero(costs <= cost)
    return _crossing(levels, costs, int(inside[0]) - 1, cost), _crossing(levels, costs, int(inside[-1]), cost)


def _crossing(levels: Floats, costs: Floats, left: int, cost: float) -> float:
    """Where the cost curve meets `cost` between two points."""
    if left < 0 or left + 1 >= len(levels):
        return float(levels[max(left, 0)])
    rise = costs[left + 1] - costs[left]
    return float(levels[left] + (levels[left + 1] - levels[left]) * ((cost - costs[left]) / rise if rise else 0.0))


def _cycle_level(
    cycle: int, mean: float, variance: float, left_variance: float, holding: float, shortage: float
) -> tuple[float, float]:
    """The best level for an order that lasts `cycle` periods, and what holding and shortage cost over them."""
    periods = np.arange(1, cycle + 1)
    used, deviation = mean * periods, np.sqrt(variance * periods + left_variance)
    around = np.linspace(-3.0, 3.0, STEPS)[:, None] * deviation[-1] + used[-1]
    gap = around - used
    costs = (holding * gap + (holding + shortage) * missing(gap, deviation)).sum(axis=1)
    at = int(costs.argmin())
    return float(around[at, 0]), float(costs[at])


def one_missing(gap: float, deviation: float) -> float:
    """`missing` of one inventory, in plain numbers."""
    t = gap / deviation
    return deviation * (DENSITY * math.exp(-0.5 * t * t) - 0.5 * t * math.erfc(t / math.sqrt(2.0)))


def missing(gap: Floats, deviation: Floats | float) -> Floats:
    """Expected shortage E[(X − gap)⁺] for X ~ N(0, deviation²).

    >>> round(float(missing(np.array(0.0), 1.0)), 4)
    0.3989
    """
    t = gap / deviation
    return np.asarray(deviation * (DENSITY * np.exp(-0.5 * t * t) - t * ndtr(-t)))
