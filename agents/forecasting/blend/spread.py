"""The variance that goes with quantiles: that of the distribution whose quantile function is their straight lines.

Below the median the line mirrors the upper half as far as 95 %, but not below zero; beyond 99 % it goes on as before.

>>> round(variance_of((10.0, 10.0, 10.0, 10.0, 10.0), 10.0), 3), variance_of((0.0,) * 5, 0.0)
(0.0, 0.0)
>>> round(variance_of((100.0, 108.4, 112.8, 116.4, 123.3), 100.0) ** 0.5, 1)  # normal with a deviation of 10
10.6
"""

from itertools import pairwise
from operator import mul

from agents.forecasting.base import LEVELS

_SHARES = (0.05, 0.45, *(high - low for low, high in pairwise(LEVELS)), 1.0 - LEVELS[-1])
_OF_POINTS = tuple(before + after for before, after in pairwise((0.0, *_SHARES, 0.0)))
"""What a point weighs: the shares of the lines on both sides of it."""


def variance_of(quantiles: tuple[float, ...], mean: float) -> float:
    """Variance around `mean` of the distribution with these quantiles at LEVELS.

    On a line from a to b the mean is (a + b)/2 and the mean square (a² + ab + b²)/3.
    """
    median, high, last = quantiles[0], quantiles[-2], quantiles[-1]
    low = max(0.0, 2.0 * median - high)
    points = (max(0.0, 2.0 * median - last), low, *quantiles, last + (last - high) / 2.0)
    weighed: list[float] = list(map(mul, _OF_POINTS, points))
    first = sum(weighed)
    second: float = sum(map(mul, weighed, points)) + sum(map(mul, _SHARES, map(mul, points, points[1:])))
    return max(second / 3.0 - first * mean + mean * mean, 0.0)
