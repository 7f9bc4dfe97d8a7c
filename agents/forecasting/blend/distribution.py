"""Makes one distribution of quantiles and a mean: no part of a forecast may lie where the others cannot be.

The distribution is that whose quantile function are straight lines through the quantiles. Below the median they mirror
the upper half as far as 95 %, but not below zero; beyond 99 % they go on as before. The mean comes from learners of its
own, and is brought to where a distribution with these quantiles may have one.

>>> round(variance_of(np.full(5, 10.0), 10.0), 3), variance_of(np.zeros(5), 0.0)
(0.0, 0.0)
>>> normal = np.array([100.0, 108.4, 112.8, 116.4, 123.3])  # with a deviation of 10
>>> round(variance_of(normal, 100.0) ** 0.5, 1)
10.6
>>> steps = np.array([10.0, 12.0, 13.0, 14.0, 16.0])
>>> round(coherent_mean(steps, 2.0), 2), round(coherent_mean(steps, 900.0), 2), coherent_mean(steps, 11.0)
(5.57, 11.58, 11.0)
"""

from itertools import pairwise

import numpy as np

from agents.forecasting.base import LEVELS
from agents.kernel.compiled import Numbers, Record, compiled
from agents.kernel.records import copy

MOST_SEEN = 3.0
"""A quantile is at most this many times what the past explains."""
_PLANNED = 4.0
"""Times the usual that a promotion stronger than any before may sell."""
_LONG_TAIL = 3.0
_SHARES = (0.05, 0.45, *(high - low for low, high in pairwise(LEVELS)), 1.0 - LEVELS[-1])
"""What lies between the points at 0, 5 %, the LEVELS and 1."""


@compiled
def explained(item: Record, sums: Numbers, horizon: int, plan: float) -> float:
    """The greatest demand of a horizon that the past explains; without limit while nothing was ever sold.

    `sums` are those of the last horizons; while there are none, every period may be as great as the greatest. `plan` is
    the strongest promotion of the coming periods.
    """
    most = item["most"]
    if most <= 0.0:
        return np.inf
    if len(sums) == 0:
        most *= horizon
    for total in sums:
        most = max(most, total)
    return float(most * _PLANNED if plan > item["strongest"] else most)


@compiled
def coherent_mean(quantiles: Numbers, mean: float) -> float:
    """The mean, or the nearest to it that a distribution with these quantiles at LEVELS may have."""
    last = len(LEVELS) - 1
    least, most = 0.0, 0.5 * quantiles[0]
    for level in range(last + 1):
        least += _SHARES[level + 2] * quantiles[level]
        if level > 0:
            most += _SHARES[level + 1] * quantiles[level]
    most += _SHARES[-1] * (quantiles[last] + _LONG_TAIL * (quantiles[last] - quantiles[0]))
    return float(min(max(mean, least), most))


@compiled
def variance_of(quantiles: Numbers, mean: float) -> float:
    """Variance around `mean` of the distribution with these quantiles at LEVELS.

    On a line from a to b the mean is (a + b)/2 and the mean square (a² + ab + b²)/3.
    """
    points, first, second = np.empty(len(_SHARES) + 1), 0.0, 0.0
    median, high, last = quantiles[0], quantiles[-2], quantiles[-1]
    points[0], points[1] = max(0.0, 2.0 * median - last), max(0.0, 2.0 * median - high)
    copy(quantiles, points[2:-1])
    points[-1] = last + (last - high) / 2.0
    for line in range(len(_SHARES)):
        a, b = points[line], points[line + 1]
        first += _SHARES[line] * (a + b) / 2.0
        second += _SHARES[line] * (a * a + a * b + b * b) / 3.0
    return float(max(second - 2.0 * first * mean + mean * mean, 0.0))
