"""The local experts: what an item's own past says of the demand of the next H periods, at every level.

- `sums`: empirical quantiles of the last sums of H periods, blended with the pool's by pseudo-counts.
- `slow`, `middle`, `faster`: negative binomials around moving averages at 0.05, 0.12 and 0.3, their variance from the
  errors such a forecast made, shrunk to μ + 1.5 μ².
- `shaped`: the same around the item's mean by phase and plan: what knows weekdays and promotions before its shard does.

All quantiles here are divided by scale x H, as the shared regressions' are.
"""

import numpy as np
import numpy.typing as npt

from agents.forecasting.base import LEVELS
from agents.forecasting.memory import Figures
from agents.forecasting.negative_binomial import quantiles

AVERAGES = 4
"""How many means have a negative binomial around them."""
_POOL_PRIOR = 6.0
_VARIANCE_PRIOR = 4.0
_MOST_ERRORS = 20


class Spread:
    """Mean squared errors of the sums that the means foretold, of one item at one horizon."""

    __slots__ = ("errors", "squares")

    def __init__(self) -> None:
        self.squares = [0.0] * AVERAGES
        self.errors = 0

    def judge(self, foretold: list[float], total: float, rate: float) -> None:
        """Take in what came."""
        self.errors += 1
        rate = max(rate, 1.0 / self.errors)
        for number, mean in enumerate(foretold):
            self.squares[number] += rate * ((total - mean) ** 2 - self.squares[number])

    def variance(self, means: list[float]) -> list[float]:
        """Shrunk to μ + 1.5 μ² while few errors are known."""
        known = min(self.errors, _MOST_ERRORS)
        return [
            (known * square + _VARIANCE_PRIOR * (mean + 1.5 * mean * mean)) / (known + _VARIANCE_PRIOR)
            for mean, square in zip(means, self.squares, strict=True)
        ]


def foretold(figures: Figures, shape: list[float]) -> list[float]:
    """What the moving averages, and the mean by phase and plan, say of the sum of the horizon."""
    horizon = len(shape)
    return [figures.slow * horizon, figures.middle * horizon, figures.faster * horizon, sum(shape)]


def recent_sums(sums: list[float], horizon: int, periods: int, most: int) -> list[float]:
    """The newest sums of `horizon` periods; `sums` are those of the last 0, 1, 2… periods together.

    >>> recent_sums([0.0, 5.0, 7.0, 10.0], 2, 3, 28)
    [7.0, 5.0]
    """
    last = min(periods, len(sums) - 1, most + horizon - 1)
    return [older - newer for older, newer in zip(sums[horizon : last + 1], sums, strict=False)]


def empirical(found: list[float], pool: list[float], unit: float) -> list[float]:
    """Quantiles of the sums found, divided by `unit` and blended with the pool's."""
    count = len(found)
    if not count:
        return pool
    ranked = sorted(found)
    ranked.append(ranked[-1])
    whole = count + _POOL_PRIOR
    own, prior = count / (unit * whole), _POOL_PRIOR / whole
    quantiles = []
    for level, common in zip(LEVELS, pool, strict=True):
        at = level * (count - 1)
        below = int(at)
        low = ranked[below]
        quantiles.append(own * (low + (at - below) * (ranked[below + 1] - low)) + prior * common)
    return quantiles


def around_means(spread: Spread, means: list[float], unit: float) -> npt.NDArray[np.float64]:
    """Quantiles of the negative binomials, a row each, divided by `unit`."""
    return quantiles(means, spread.variance(means), unit)
