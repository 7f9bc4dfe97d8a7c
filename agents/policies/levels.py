"""Where to keep stock: the target of a period's demand plus what is uncertain about the stock left, and lot sizes."""

from typing import NamedTuple

import numpy as np
from scipy.special import ndtr, ndtri

from agents.policies.base import Economics
from agents.policies.projection import DENSITY, Floats

PATIENCE = 0.3
"""With lost sales, stock that comes too late for a lost sale still serves the next: uncertain stock counts less.

Chosen on the exact costs of Zipkin's instances with true parameters: 0.65 % above optimal on average for L ≤ 2.
"""
CAP_DEVIATIONS = 2.0
"""With lost sales, an order above mean + so many deviations is spread over the next periods (Xin 2021)."""
STEPS = 48
LONG_CYCLE = 8.0
"""Orders that last longer than so many periods need no whole number of them."""


def safety_factor(economics: Economics) -> float:
    """The normal deviate of the critical ratio.

    >>> round(safety_factor(Economics(1.0, 19.0, critical_ratio=0.95)), 3)
    1.645
    """
    return float(ndtri(min(max(economics.critical_ratio, 1e-4), 1.0 - 1e-6)))


def target(mean: Floats, variance: Floats, left_variance: Floats, economics: Economics) -> tuple[Floats, Floats]:
    """The level to which expected stock left is raised, and the deviation by which arms move it.

    The quantile of demand is the normal one with Cornish and Fisher's correction for skewness, which is that of a
    negative binomial with this mean and variance.
    """
    z = safety_factor(economics)
    whole = variance + left_variance
    deviation = np.sqrt(whole)
    third_moment = variance * np.clip(2.0 * variance / np.maximum(mean, 1e-9) - 1.0, 0.0, 3.0 * np.sqrt(variance))
    level = mean + z * deviation + (z * z - 1.0) / 6.0 * third_moment / np.maximum(whole, 1e-12)
    if economics.stock_out == "lost":
        level = level - PATIENCE * np.sqrt(left_variance)
    return level, deviation


class Lot(NamedTuple):
    """Order when the stock left is at or below `low`, up to `high`; an order lasts `cycle` periods."""

    low: float
    high: float
    cycle: float


def lot(mean: float, variance: float, left_variance: float, economics: Economics, stretch: float = 1.0) -> Lot:
    """(s, S) where an order costs something.

    s: with G(y) the expected cost of a period that starts with y, the long-run cost c solves ∫ (c − G(y))⁺ dy = K μ,
    and s is where G falls to c: Zheng's conditions (1991) with demand as a fluid. S: the best level for an order that
    lasts a whole number of periods, and of those numbers the cheapest. `stretch` makes cycles longer or shorter.

    >>> near = lot(10.0, 10.0, 0.0, Economics(1.0, 9.0, order_cost=64.0))
    >>> round(near.low, 1), round(near.high, 1), near.cycle
    (6.3, 42.0, 4.0)
    """
    holding, shortage = max(economics.holding, 1e-9), max(economics.shortage, 1e-9)
    mean, variance = max(mean, 1e-9), max(variance, 1e-9)
    low, high = _water_level(mean, variance + left_variance, holding, shortage, economics.order_cost)
    longest = (high - low) / mean * stretch
    if longest > LONG_CYCLE:
        return Lot(low, low + (high - low) * stretch, longest)
    best = Lot(low, high, longest)
    cheapest = np.inf
    for cycle in _cycles(longest, stretch):
        level, cost = _cycle_level(cycle, mean, variance, left_variance, holding, shortage)
        if (cost := (economics.order_cost * stretch**2 + cost) / cycle) < cheapest:
            best, cheapest = Lot(low, max(level, low), float(cycle)), cost
    return best


def _cycles(longest: float, stretch: float) -> range:
    """Whole numbers of periods worth trying."""
    return range(1, int(longest * max(1.0, 1.0 / stretch)) + 2)


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


def missing(gap: Floats, deviation: Floats | float) -> Floats:
    """Expected shortage E[(X − gap)⁺] for X ~ N(0, deviation²).

    >>> round(float(missing(np.array(0.0), 1.0)), 4)
    0.3989
    """
    t = gap / deviation
    return np.asarray(deviation * (DENSITY * np.exp(-0.5 * t * t) - t * ndtr(-t)))
