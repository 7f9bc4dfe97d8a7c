"""The local experts: quantiles of the demand of the next H periods from the item's own past alone.

- `sums`: empirical quantiles of the last sums of H periods, blended with the pool's by pseudo-counts.
- `slow`, `middle`, `faster`: negative binomials around moving averages at 0.05, 0.12 and 0.3. Their variance is
  μ + 1.5 μ² times the item's dispersion: what its squared errors were to that. So it follows the mean up and down.
- `shaped`: the same around the item's mean by phase and plan: what knows weekdays and promotions before its shard does.

All quantiles here are divided by scale x H, as the shared regressions' are.
"""

from functools import cache

from agents.forecasting.base import LEVELS
from agents.forecasting.blend.arrays import Floats
from agents.forecasting.blend.negative_binomial import quantiles
from agents.forecasting.blend.past import PastFigures

AVERAGES = 4
"""How many means have a negative binomial around them."""
_POOL_PRIOR = 6.0
_VARIANCE_PRIOR = 4.0
_MOST_ERRORS = 20
_LITTLE = 1e-6
_ROUGH_PERIODS, _ROUGH_PRIOR = 28, 4.0
_LEAST_ROUGHNESS, _USUAL_ROUGHNESS, _MOST_ROUGHNESS = 0.04, 1.0, 20.0
_REMEMBERED = 20
"""Periods that the slowest average remembers."""


class Spread:
    """Squared errors of the local means' forecasts, beside the variance usual at such means; of an item and horizon."""

    __slots__ = ("errors", "squares", "usual")

    def __init__(self) -> None:
        self.squares = [0.0] * AVERAGES
        self.usual = [0.0] * AVERAGES
        self.errors = 0

    def judge(self, means: list[float], total: float, rate: float) -> None:
        """Take in what came."""
        self.errors += 1
        rate = max(rate, 1.0 / self.errors)
        for number, mean in enumerate(means):
            error = total - mean
            self.squares[number] += rate * (error * error - self.squares[number])
            self.usual[number] += rate * (mean + 1.5 * mean * mean - self.usual[number])

    def variance(self, means: list[float], rough: float) -> list[float]:
        """What is usual at these means, times the dispersion; what `roughness` says while few errors are known."""
        known = min(self.errors, _MOST_ERRORS)
        own, prior = known / (known + _VARIANCE_PRIOR), _VARIANCE_PRIOR / (known + _VARIANCE_PRIOR)
        return [
            own * (mean + 1.5 * mean * mean) * (square + _LITTLE) / (usual + _LITTLE)
            + prior * (mean + rough * mean * mean)
            for mean, square, usual in zip(means, self.squares, self.usual, strict=True)
        ]

    def scaled(self, ratio: float) -> None:
        """Rescale to a horizon that is so many times as long."""
        self.squares = [square * ratio for square in self.squares]
        self.usual = [usual * ratio for usual in self.usual]


def local_means(figures: PastFigures, shape: list[float]) -> list[float]:
    """Means of the sum of the horizon: by phase and plan, and from the three moving averages."""
    horizon = len(shape)
    return [sum(shape), figures.slow * horizon, figures.middle * horizon, figures.faster * horizon]


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
    return [
        own * (ranked[below] + share * (ranked[below + 1] - ranked[below])) + prior * common
        for (below, share), common in zip(_places(count), pool, strict=True)
    ]


@cache
def _places(count: int) -> list[tuple[int, float]]:
    """Where the levels lie among so many ranked numbers: after which one, and how far towards the next."""
    return [(int(level * (count - 1)), level * (count - 1) % 1.0) for level in LEVELS]


def roughness(mean: float, deviation: float, periods: int, horizon: int) -> float:
    """What the demand of a horizon varies beyond a Poisson's, as a share of its squared mean, judged by single periods.

    It is the variance of the last periods, shrunk to what is usual and spread over the horizon, and the doubt about the
    mean, which a longer horizon does not lessen. So an item of ten periods has a spread of its own.
    """
    seen, square = min(periods, _ROUGH_PERIODS), mean * mean
    if square <= _LITTLE or seen < 2:
        return _USUAL_ROUGHNESS
    beyond = max(deviation * deviation * seen / (seen - 1) - mean, 0.0)
    relative = (seen * beyond / square + _ROUGH_PRIOR * _USUAL_ROUGHNESS) / (seen + _ROUGH_PRIOR)
    doubt = 1.0 / (min(seen, _REMEMBERED) + 1.0)
    return min(relative, _MOST_ROUGHNESS) * (1.0 / horizon + doubt) + _LEAST_ROUGHNESS


def around_means(spread: Spread, means: list[float], rough: float, unit: float, out: Floats) -> None:
    """Quantiles of the negative binomials, a row each, divided by `unit`."""
    quantiles(means, spread.variance(means, rough), unit, out)
