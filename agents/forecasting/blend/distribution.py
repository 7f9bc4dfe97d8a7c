"""Makes one distribution of quantiles and a mean: no part of a forecast may lie where the others cannot be.

The distribution is that whose quantile function are straight lines through the quantiles. Below the median they mirror
the upper half as far as 95 %, but not below zero; beyond 99 % they go on as before. The mean comes from learners of its
own, and is brought to where a distribution with these quantiles may have one.

>>> round(variance_of((10.0, 10.0, 10.0, 10.0, 10.0), 10.0), 3), variance_of((0.0,) * 5, 0.0)
(0.0, 0.0)
>>> round(variance_of((100.0, 108.4, 112.8, 116.4, 123.3), 100.0) ** 0.5, 1)  # normal with a deviation of 10
10.6
>>> steps = (10.0, 12.0, 13.0, 14.0, 16.0)
>>> round(coherent_mean(steps, 2.0), 2), round(coherent_mean(steps, 900.0), 2), coherent_mean(steps, 11.0)
(5.57, 11.58, 11.0)
"""

from collections.abc import Sequence
from itertools import pairwise
from operator import mul

from agents.forecasting.base import LEVELS
from agents.forecasting.blend.past import PastFigures

MOST_SEEN = 3.0
"""A quantile is at most this many times what the past explains."""
PLANNED = 4.0
"""Times the usual that a promotion stronger than any before may sell."""
_LONG_TAIL = 3.0
_SHARES = (0.05, 0.45, *(high - low for low, high in pairwise(LEVELS)), 1.0 - LEVELS[-1])
_OF_POINTS = tuple(before + after for before, after in pairwise((0.0, *_SHARES, 0.0)))
"""What a point weighs: the shares of the lines on both sides of it."""
_ABOVE, _BELOW = _SHARES[2:], (0.5, *_SHARES[2:-1])
"""What lies between a quantile and the next, and between it and the one before."""


def explained(sums: Sequence[float], figures: PastFigures, horizon: int, plan: float) -> float:
    """The greatest demand of a horizon that the past explains; without limit while nothing was ever sold.

    `sums` are those of the last horizons; while there are none, every period may be as great as the greatest. `plan` is
    the strongest promotion of the coming periods.

    >>> seen = PastFigures(periods=9, most=5.0)
    >>> explained([7.0, 8.0], seen, 2, 0.0), explained([], seen, 12, 0.0), explained([7.0, 8.0], seen, 2, 1.0)
    (8.0, 60.0, 32.0)
    """
    if figures.most <= 0.0:
        return float("inf")
    most = max(*sums, figures.most) if sums else figures.most * horizon
    return most * PLANNED if plan > figures.strongest else most


def coherent_mean(quantiles: Sequence[float], mean: float) -> float:
    """The mean, or the nearest to it that a distribution with these quantiles at LEVELS may have."""
    last = quantiles[-1]
    least: float = sum(map(mul, _ABOVE, quantiles))
    most: float = sum(map(mul, _BELOW, quantiles)) + _SHARES[-1] * (last + _LONG_TAIL * (last - quantiles[0]))
    return min(max(mean, least), most)


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
