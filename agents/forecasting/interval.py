"""Demand over an interval of random length: what is sold until an order arrives at a time that is not known.

Its distribution is the mixture of the demands of each length, by the chance of the length. Its variance holds both:
Var = E[variance of the demand] + variance of the mean demand, so uncertain lead times need more stock (Silver, Pyke,
Thomas: Inventory and Production Management in Supply Chains, 4th ed., 2017, section 6.10).

The demand of a length is the forecast's with the mean of its first periods, and a spread less by the root of their
share; its distribution are straight lines between quantiles, mirrored below the median.

>>> steady = DemandForecast(5.0, 50.0, 0.0, (50.0,) * 5, (10.0,) * 5)
>>> random = over_interval(steady, (0.0, 0.5, 0.0, 0.5), review_periods=1)  # 2 or 4 periods, as likely
>>> random.mean, random.variance, random.path
(30.0, 100.0, (10.0, 10.0, 5.0, 5.0))
>>> random.quantiles[1:]
(40.0, 40.0, 40.0, 40.0)
"""

from collections.abc import Sequence
from math import sqrt

import numpy as np

from agents.forecasting.base import LEVELS, DemandForecast
from agents.kernel.compiled import Numbers, compiled
from agents.kernel.ranking import sort

_AT = np.array((0.0, 0.05, *LEVELS, 1.0))
"""Chances of a demand below each point of a distribution."""
_POINTS, _MEDIAN = len(_AT), 2
_SAME = 1e-9
"""Chances nearer to each other are taken for the same."""


def over_interval(forecast: DemandForecast, lead_time: Sequence[float], review_periods: int) -> DemandForecast:
    """Demand of the lead time and the review together; `lead_time` has the chances of 0, 1, 2… periods.

    The forecast speaks of the longest of these intervals; of a longer one than it speaks of, as far as it does. What is
    missing to 1 is an order that never comes: the interval until it does has no length, and it is left out.
    """
    known, chances = np.array(forecast.path, np.float64), np.array(lead_time, np.float64)
    levels, found = np.array(forecast.quantiles, np.float64), np.zeros(3 + len(LEVELS) + len(known))
    mean, variance = float(forecast.mean), float(forecast.variance)
    longest = _mixed(known, levels, mean, variance, chances, review_periods, found)
    if not longest:
        return forecast
    horizon, mean, variance, *rest = found.tolist()
    quantiles, path = rest[: len(LEVELS)], rest[len(LEVELS) :]
    return DemandForecast(horizon, mean, variance, tuple(quantiles), tuple(path[:longest]))


@compiled(np.float64, np.float64, float, float, np.float64, int, np.float64)
def _mixed(
    path: Numbers, quantiles: Numbers, mean: float, variance: float, lead_time: Numbers, review: int, found: Numbers
) -> int:
    """Write horizon, mean, variance, quantiles and path of the mixture; answers with the longest length, or 0."""
    most = len(path)
    weights, points = np.zeros(most + 1), np.empty((most + 1, _POINTS))
    for wait in range(len(lead_time)):
        weights[min(wait + review, most)] += lead_time[wait]
    came = 0.0
    for length in range(most + 1):
        came += weights[length]
    if came <= 0.0:
        return 0
    means, shares = np.zeros(most + 1), np.ones(most + 1)
    horizon = whole = demand = 0.0
    longest = 0
    for length in range(most + 1):
        weights[length] /= came
        means[length] = demand if length < most else mean
        if length < most:
            shares[length] = demand / mean if mean > 0.0 else float(length) / most
            demand += path[length]
        if weights[length] > 0.0:
            _points(quantiles, mean, means[length], sqrt(shares[length]), points[length])
            horizon += weights[length] * length
            whole += weights[length] * means[length]
            longest = length
    spread = 0.0
    for length in range(most + 1):
        apart = means[length] - whole
        spread += weights[length] * (variance * shares[length] + apart * apart)
    found[0], found[1], found[2] = horizon, whole, spread
    _read(points, weights, found[3:])
    longer = 1.0
    for period in range(longest):
        longer -= weights[period]
        found[3 + len(LEVELS) + period] = max(longer, 0.0) * path[period]
    return max(longest, 1)


@compiled
def _points(quantiles: Numbers, mean: float, middle: float, root: float, points: Numbers) -> None:
    """The distribution of a length: where `_AT` of it lie."""
    for level in range(len(LEVELS)):
        points[_MEDIAN + level] = max(middle + (quantiles[level] - mean) * root, 0.0)
    median, high, last = points[_MEDIAN], points[_POINTS - 3], points[_POINTS - 2]
    points[0], points[1] = max(2.0 * median - last, 0.0), max(2.0 * median - high, 0.0)
    points[_POINTS - 1] = last + 0.5 * (last - high)


@compiled
def _read(points: Numbers, weights: Numbers, quantiles: Numbers) -> None:
    """Write the quantiles of the mixture: between neighbours among all points its chance rises in a straight line."""
    knots = np.empty(len(weights) * _POINTS)
    count = 0
    for length in range(len(weights)):
        if weights[length] > 0.0:
            for point in range(_POINTS):
                knots[count] = points[length, point]
                count += 1
    sort(knots[:count])
    for level in range(len(LEVELS)):
        wanted = LEVELS[level] - _SAME
        low, high = -1, count - 1  # the chance up to `low` is too small
        while high - low > 1:
            between = (low + high) // 2
            if _chance(points, weights, knots[between], True) >= wanted:
                high = between
            else:
                low = between
        quantile = knots[high]
        if low >= 0:
            before, after = _chance(points, weights, knots[low], True), _chance(points, weights, quantile, False)
            if after > wanted:
                share = (LEVELS[level] - before) / (after - before)
                quantile = knots[low] + (quantile - knots[low]) * min(share, 1.0)
        quantiles[level] = max(quantile, quantiles[level - 1]) if level > 0 else quantile


@compiled
def _chance(points: Numbers, weights: Numbers, x: float, at: bool) -> float:  # noqa: FBT001 - Numba has no keywords only
    """Chance of a demand below x; `at` counts x itself in."""
    found = 0.0
    for length in range(len(weights)):
        if weights[length] > 0.0:
            row, above = points[length], 0
            while above < _POINTS and (row[above] < x or (at and row[above] == x)):
                above += 1
            if above == _POINTS:
                found += weights[length]
            elif above > 0:
                low, high = row[above - 1], row[above]
                found += weights[length] * (_AT[above - 1] + (_AT[above] - _AT[above - 1]) * (x - low) / (high - low))
    return found
