"""The stock that will be left when an order arrives: the quantity by which projected-inventory-level policies steer.

Mean and variance of stock on hand are carried through the open orders and the forecast, period by period; with lost
sales, stock stops at zero: for X ~ N(μ, σ²) and t = μ/σ, E[X⁺] = σ(tΦ + φ) and E[X⁺²] = σ²((t² + 1)Φ + tφ).

Everything is vectorised over inventories (the last axis), so that the shadows of all arms are projected at once.

van Jaarsveld, Arts (2024), "Projected Inventory Level Policies for Lost Sales Inventory Systems", Operations Research.
"""

import itertools
from functools import lru_cache
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
from scipy.special import ndtr

from agents.forecasting.base import Forecast
from agents.policies.base import Situation

Floats = npt.NDArray[np.float64]
DENSITY = 1.0 / np.sqrt(2.0 * np.pi)
BLOCKS = 8
"""Lead times longer than this are projected in so many stretches, which costs little and saves much."""
MATURE = 1e-9


class Route(NamedTuple):
    """What a distribution of lead times means for open orders and for the one to be placed."""

    arrivals: Floats
    """[j, a]: the chance that an order of age a, still open, arrives at the start of the j-th coming period."""
    own: Floats
    """Chance that an order placed now arrives at the start of the j-th coming period, given that it arrives."""
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
    return Route(arrivals, own, blocks, certain)


def expected_arrivals(situation: Situation, way: Route) -> tuple[Floats, Floats]:
    """Mean and variance of what arrives at the start of each coming period, up to the longest lead time."""
    mean = np.zeros(way.longest + 1)
    variance = np.zeros(way.longest + 1)
    for order in situation.pipeline:
        if way.certain:
            mean[min(max(int(order.due + 0.5), 0), way.longest)] += order.quantity
        else:
            chance = way.arrivals[:, min(order.age, way.longest + 1)]
            mean += chance * order.quantity
            variance += chance * (1.0 - chance) * order.quantity**2
    return mean, variance


def horizon_of(situation: Situation, way: Route) -> int:
    """Periods to look ahead: the longest lead time and the review interval after it."""
    return way.longest + max(1, situation.economics.review_periods)


def by_period(forecast: Forecast, periods: int) -> tuple[Floats, Floats]:
    """Mean and variance of demand in each coming period; the forecast's last one goes on beyond its horizon.

    >>> mean, variance = by_period(Forecast(2, 6.0, 12.0, (6.0, 8.0, 9.0, 10.0, 12.0), (2.0, 4.0)), 3)
    >>> mean.tolist(), variance.tolist()
    ([2.0, 4.0, 3.0], [4.0, 8.0, 6.0])
    """
    span = max(float(forecast.horizon), 1.0)
    mean = np.full(periods, max(forecast.mean, 0.0) / span)
    known = np.maximum(np.asarray(forecast.path[:periods], dtype=float), 0.0)
    mean[: len(known)] = known
    each = max(forecast.variance, 1e-6) / span
    total = max(forecast.mean, 0.0) / span
    return mean, each * (mean / total) if total > 0.0 else np.full(periods, each)


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
    left = way.own[0] * mean
    left_variance = way.own[0] * variance
    for first, last in way.blocks:
        if last - first == 1:
            used, used_variance = demand.mean[first], demand.variance[first]
            came = arrivals[last]
            came_variance = None if spread is None else spread[last]
        else:
            used, used_variance = demand.mean[first:last].sum(axis=0), demand.variance[first:last].sum(axis=0)
            came = arrivals[first + 1 : last + 1].sum(axis=0)
            came_variance = None if spread is None else spread[first + 1 : last + 1].sum(axis=0)
            early = came - arrivals[last]
            mean = mean + early
            came = arrivals[last]
        mean, variance = mean - used, variance + used_variance
        if lost:
            mean, variance = positive_part(mean, variance)
        mean = mean + came
        if came_variance is not None:
            variance = variance + came_variance
        share = float(way.own[first + 1 : last + 1].sum())
        if share:
            left = left + share * mean
            left_variance = left_variance + share * variance
    return left, left_variance
