"""The stock that will be left when an order arrives: the quantity by which projected-inventory-level policies steer.

Mean and variance of stock on hand are carried through the open orders and the forecast, period by period; with lost
sales, stock stops at zero: for X ~ N(μ, σ²) and t = μ/σ, E[X⁺] = σ(tΦ + φ) and E[X⁺²] = σ²((t² + 1)Φ + tφ).

Everything is vectorised over inventories (the last axis), so that the shadows of all arms are projected at once.

van Jaarsveld, Arts (2024), "Projected Inventory Level Policies for Lost Sales Inventory Systems", Operations Research.
"""

import itertools
import math
from collections.abc import Sequence
from functools import lru_cache
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
from scipy.special import ndtr

from agents.forecasting.base import Forecast
from agents.policies.base import Situation

Floats = npt.NDArray[np.float64]
DENSITY = 1.0 / math.sqrt(2.0 * math.pi)
BLOCKS = 8
"""Lead times longer than this are projected in so many stretches, which costs little and saves much."""
MATURE = 1e-9
LEAST_VARIANCE = 1e-6
CERTAIN_DEVIATIONS = 6.0
"""Stock so far from zero does not notice that it cannot fall below."""


class Route(NamedTuple):
    """What a distribution of lead times means for open orders and for the one to be placed."""

    arrivals: Floats
    """[j, a]: the chance that an order of age a, still open, arrives at the start of the j-th coming period."""
    odds: tuple[tuple[float, ...], ...]
    """The same as plain numbers: [a][j]."""
    own: Floats
    """Chance that an order placed now arrives at the start of the j-th coming period, given that it arrives."""
    landing: tuple[float, ...]
    """The same, gathered at the ends of the blocks."""
    blocks: tuple[tuple[int, int], ...]
    """The stretches of periods that are projected as one, up to the last period before the longest lead time."""
    certain: bool
    """Whether there is only one lead time and no loss."""

    @property
    def longest(self) -> int:
        """Longest lead time, in periods."""
        return len(self.own) - 1


@lru_cache(maxsize=1024)
def route(lead_time: tuple[float, ...]) -> Route:
    """Work out the route of a lead-time distribution.

    >>> route((0.0, 0.5, 0.5)).arrivals[:, 1].tolist()
    [0.5, 0.5, 0.0]
    """
    chances = np.asarray(lead_time, dtype=float)
    while len(chances) > 1 and chances[-1] <= MATURE:
        chances = chances[:-1]
    longest = len(chances) - 1
    total = float(chances.sum())
    arrivals = np.zeros((longest + 1, longest + 2))
    for age in range(longest + 1):
        still_open = 1.0 - float(chances[:age].sum())
        if still_open > MATURE:
            arrivals[: longest + 1 - age, age] = chances[age:] / still_open
    certain = bool(chances[-1] >= 1.0 - MATURE)
    if certain:
        arrivals[0, longest + 1] = 1.0
    edges = np.unique(np.linspace(0, longest, min(longest, BLOCKS) + 1).round().astype(int))
    own = chances / total if total > MATURE else np.eye(1, longest + 1, longest)[0]
    blocks = tuple((int(a), int(b)) for a, b in itertools.pairwise(edges))
    landing = [0.0] * (longest + 1)
    landing[0] = float(own[0])
    for first, last in blocks:
        landing[last] = float(own[first + 1 : last + 1].sum())
    odds = tuple(tuple(column) for column in arrivals.T.tolist())
    return Route(arrivals, odds, own, tuple(landing), blocks, certain)


def expected_arrivals(situation: Situation, way: Route) -> tuple[list[float], list[float]]:
    """Mean and variance of what arrives at the start of each coming period, up to the longest lead time."""
    mean, variance = [0.0] * (way.longest + 1), [0.0] * (way.longest + 1)
    for order in situation.pipeline:
        if way.certain:
            mean[min(max(int(order.due + 0.5), 0), way.longest)] += order.quantity
            continue
        odds = way.odds[min(order.age, way.longest + 1)]
        missed = sum(odds[: order.soonest])
        for period, odd in enumerate(odds[order.soonest :], start=order.soonest):
            chance = odd / (1.0 - missed) if missed < 1.0 - MATURE else 0.0
            mean[period] += chance * order.quantity
            variance[period] += chance * (1.0 - chance) * order.quantity**2
    return mean, variance


def horizon_of(situation: Situation, way: Route) -> int:
    """Periods to look ahead: the longest lead time and the review interval after it."""
    return way.longest + max(1, situation.economics.review_periods)


class Paths(NamedTuple):
    """Mean and variance of demand by coming period, of one inventory."""

    mean: Sequence[float]
    variance: Sequence[float]


def by_period(forecast: Forecast, periods: int) -> Paths:
    """Mean and variance of demand in each coming period; the forecast's average goes on beyond its horizon.

    >>> by_period(Forecast(2, 6.0, 12.0, (6.0, 8.0, 9.0, 10.0, 12.0), (2.0, 4.0)), 3)
    Paths(mean=[2.0, 4.0, 3.0], variance=[4.0, 8.0, 6.0])
    """
    span = max(float(forecast.horizon), 1.0)
    level, each = max(forecast.mean, 0.0) / span, max(forecast.variance, 1e-6) / span
    mean = [max(float(value), 0.0) for value in forecast.path[:periods]]
    mean += [level] * (periods - len(mean))
    if level <= 0.0:
        return Paths(mean, [each] * periods)
    return Paths(mean, [max(each * value / level, LEAST_VARIANCE) for value in mean])


class Demand(NamedTuple):
    """Mean and variance of demand by coming period, as [period, 1] or [period, inventory]."""

    mean: Floats
    variance: Floats


def positive_part(mean: Floats, variance: Floats) -> tuple[Floats, Floats]:
    """Mean and variance of X⁺ for normal X.

    >>> mean, variance = positive_part(np.array([0.0, 50.0]), np.array([1.0, 1.0]))
    >>> mean.round(4).tolist(), variance.round(4).tolist()
    ([0.3989, 50.0], [0.3408, 1.0])
    """
    deviation = np.sqrt(variance)
    t = mean / deviation
    below = ndtr(t)
    first = t * below + DENSITY * np.exp(-0.5 * t * t)
    second = t * first + below - first * first
    return deviation * first, variance * np.maximum(second, 0.0)


def stock_left(
    on_hand: Floats, arrivals: Floats, spread: Floats | None, demand: Demand, way: Route, *, lost: bool
) -> tuple[Floats, Floats]:
    """Mean and variance of stock at the start of the period in which an order placed now arrives, without it.

    `arrivals` and `spread` are [period, inventory]; with several possible lead times the result is their mixture.
    """
    mean = on_hand + arrivals[0]
    variance = np.zeros_like(mean) if spread is None else spread[0] + 0.0
    left, left_variance = way.landing[0] * mean, way.landing[0] * variance
    for first, last in way.blocks:
        used, used_variance = demand.mean[first], demand.variance[first]
        if last - first > 1:
            used, used_variance = demand.mean[first:last].sum(axis=0), demand.variance[first:last].sum(axis=0)
            mean = mean + arrivals[first + 1 : last].sum(axis=0)
            if spread is not None:
                variance = variance + spread[first + 1 : last].sum(axis=0)
        mean, variance = mean - used, variance + used_variance
        if lost:
            mean, variance = positive_part(mean, variance)
        mean = mean + arrivals[last]
        if spread is not None:
            variance = variance + spread[last]
        if share := way.landing[last]:
            left, left_variance = left + share * mean, left_variance + share * variance
    return left, left_variance


def one_stock_left(
    on_hand: float, arrivals: Sequence[float], spread: Sequence[float], demand: Paths, way: Route, *, lost: bool
) -> tuple[float, float]:
    """`stock_left` of a single inventory, in plain numbers: several times quicker than with arrays of one."""
    mean, variance = on_hand + arrivals[0], spread[0]
    left, left_variance = way.landing[0] * mean, way.landing[0] * variance
    for first, last in way.blocks:
        mean += sum(arrivals[first + 1 : last]) - sum(demand.mean[first:last])
        variance += sum(spread[first + 1 : last]) + sum(demand.variance[first:last])
        if lost and mean < CERTAIN_DEVIATIONS * (deviation := math.sqrt(variance)):
            t = mean / deviation
            below = 0.5 * math.erfc(-t / math.sqrt(2.0))
            first_moment = t * below + DENSITY * math.exp(-0.5 * t * t)
            variance *= max(t * first_moment + below - first_moment**2, 0.0)
            mean = deviation * first_moment
        mean, variance = mean + arrivals[last], variance + spread[last]
        left, left_variance = left + way.landing[last] * mean, left_variance + way.landing[last] * variance
    return left, left_variance
