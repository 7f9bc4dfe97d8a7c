"""Demand over an interval of random length: what is sold until an order arrives at a time that is not known.

Its distribution is the mixture of the demands of each length, by the chance of the length. Its variance holds both:
Var = E[variance of the demand] + variance of the mean demand, so uncertain lead times need more stock (Silver, Pyke,
Thomas: Inventory and Production Management in Supply Chains, 4th ed., 2017, section 6.10).

>>> steady = DemandForecast(5.0, 50.0, 0.0, (50.0,) * 5, (10.0,) * 5)
>>> random = over_interval(steady, (0.0, 0.5, 0.0, 0.5), review_periods=1)  # 2 or 4 periods, as likely
>>> random.mean, random.variance, random.path
(30.0, 100.0, (10.0, 10.0, 5.0, 5.0))
>>> random.quantiles[1:]
(40.0, 40.0, 40.0, 40.0)
"""

from collections.abc import Sequence

import numpy as np

from agents.forecasting.base import LEVELS, DemandForecast

_POINTS = 200
_LEVELS = np.array(LEVELS)
_BETWEEN = (np.arange(_POINTS) + 0.5) / _POINTS
_AT = np.array((0.0, 0.05, *LEVELS, 1.0))


def over_interval(forecast: DemandForecast, lead_time: Sequence[float], review_periods: int) -> DemandForecast:
    """Demand of the lead time and the review together; `lead_time` has the chances of 0, 1, 2… periods.

    The forecast speaks of the longest of these intervals; of a longer one than it speaks of, as far as it does. What is
    missing to 1 is an order that never comes: the interval until it does has no length, and it is left out.
    """
    most = len(forecast.path)
    weights = [0.0] * (most + 1)
    for wait, chance in enumerate(lead_time):
        weights[min(wait + review_periods, most)] += chance
    came = sum(weights)
    if came <= 0.0:
        return forecast
    return mixture([(weight / came, prefix(forecast, length)) for length, weight in enumerate(weights) if weight > 0.0])


def prefix(forecast: DemandForecast, periods: int) -> DemandForecast:
    """What a forecast says of its first periods alone: their mean, and a spread less by the root of their share.

    >>> prefix(DemandForecast(4.0, 40.0, 16.0, (40.0, 44.0, 46.0, 47.0, 50.0), (10.0,) * 4), 1).quantiles
    (10.0, 12.0, 13.0, 13.5, 15.0)
    """
    most = len(forecast.path)
    if periods >= most:
        return forecast
    path = forecast.path[:periods]
    mean, share = sum(path), periods / most
    if forecast.mean > 0.0:
        share = mean / forecast.mean
    root = share**0.5
    quantiles = tuple(max(0.0, mean + (quantile - forecast.mean) * root) for quantile in forecast.quantiles)
    return DemandForecast(float(periods), mean, forecast.variance * share, quantiles, path)


def mixture(parts: Sequence[tuple[float, DemandForecast]]) -> DemandForecast:
    """The distribution that is each of these with its chance; chances add up to 1."""
    if len(parts) == 1:
        return parts[0][1]
    mean = sum(chance * forecast.mean for chance, forecast in parts)
    variance = sum(chance * (forecast.variance + (forecast.mean - mean) ** 2) for chance, forecast in parts)
    horizon = sum(chance * forecast.horizon for chance, forecast in parts)
    path = [0.0] * max(len(forecast.path) for _, forecast in parts)
    for chance, forecast in parts:
        for number, demand in enumerate(forecast.path):
            path[number] += chance * demand
    points = np.concatenate([_drawn(forecast) for _, forecast in parts])
    weights = np.repeat([chance / _POINTS for chance, _ in parts], _POINTS)
    order = np.argsort(points, kind="stable")
    reached = np.cumsum(weights[order])
    found = points[order][np.minimum(np.searchsorted(reached, _LEVELS - 1e-9), len(points) - 1)]
    return DemandForecast(horizon, mean, variance, tuple(found.tolist()), tuple(path))


def _drawn(forecast: DemandForecast) -> np.ndarray:
    """Values that are as likely each, from the straight lines between quantiles, mirrored below the median."""
    quantiles = forecast.quantiles
    median, high, last = quantiles[0], quantiles[-2], quantiles[-1]
    lowest, low = max(0.0, 2.0 * median - last), max(0.0, 2.0 * median - high)
    return np.interp(_BETWEEN, _AT, (lowest, low, *quantiles, last + (last - high) / 2.0))
