"""Demand as the item's forecast has it: over the stretches of a route, and in the interval that an order has to cover.

Its average goes on beyond its horizon, and variance goes with the mean.
"""

from typing import NamedTuple

import numpy as np

from agents.forecasting.base import LEVELS, DemandForecast
from agents.kernel.compiled import Numbers, Record, compiled
from agents.policies.projection.route import Odds

FORECAST = np.dtype(
    [("horizon", np.float64), ("mean", np.float64), ("variance", np.float64), ("quantiles", np.float64, len(LEVELS))],
    align=True,
)
"""What a forecast says of all its periods together."""
LEAST_VARIANCE = 1e-6
LEAST_LEVEL = 1e-9
MOST = 1e15
"""No demand is greater, whatever a forecaster says; what is no number is taken as this."""


class Covered(NamedTuple):
    """Demand of the review interval that begins when the order arrives."""

    mean: float
    variance: float


def numbers_of(forecast: DemandForecast) -> tuple[float, ...]:
    """What a `FORECAST` is made of."""
    return (forecast.horizon, forecast.mean, forecast.variance, *forecast.quantiles)


@compiled
def credible(number: float) -> float:
    """A demand or a variance within what there can be."""
    return max(number, 0.0) if number < MOST else MOST


@compiled
def quantile(forecast: Record, level: float) -> float:
    """`DemandForecast.quantile`."""
    at = forecast["quantiles"]
    if level <= LEVELS[0]:
        return credible(at[0])
    for number in range(1, len(LEVELS)):
        if level <= LEVELS[number]:
            low, high = LEVELS[number - 1], LEVELS[number]
            return credible(at[number - 1] + (at[number] - at[number - 1]) * (level - low) / (high - low))
    return credible(at[len(LEVELS) - 1])


@compiled
def outlook(stretches: Numbers, forecast: Record, path: Numbers, odds: Odds, review: int) -> Covered:
    """Write mean and variance of demand by stretch into two rows; answers with those of the interval."""
    span = max(forecast["horizon"], 1.0)
    level, each = credible(forecast["mean"]) / span, max(credible(forecast["variance"]), LEAST_VARIANCE) / span
    for number in range(len(odds.edges) - 1):
        first, last = odds.edges[number], odds.edges[number + 1]
        stretches[0, number] = _demand(path, level, first, last)
        stretches[1, number] = _variance(stretches[0, number], level, each, last - first)
    covered = 0.0
    for lead in range(odds.longest + 1):
        if odds.own[lead] > 0.0:
            covered += odds.own[lead] * _demand(path, level, lead, lead + review)
    return Covered(covered, _variance(covered, level, each, review))


@compiled
def _demand(path: Numbers, level: float, first: int, last: int) -> float:
    """Of a stretch of periods."""
    found = 0.0
    for period in range(first, last):
        found += path[period] if period < len(path) else level
    return credible(found)


@compiled
def _variance(mean: float, level: float, each: float, periods: int) -> float:
    if level <= LEAST_LEVEL:
        return max(each, LEAST_VARIANCE) * periods
    return credible(max(each / level * mean, LEAST_VARIANCE))
