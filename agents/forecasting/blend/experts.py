"""The local experts: quantiles of the demand of the next H periods from the item's own past alone.

- `sums`: empirical quantiles of the last sums of H periods, blended with the pool's by pseudo-counts.
- `slow`, `middle`, `faster`: negative binomials around moving averages at 0.05, 0.12 and 0.3. Their variance is
  μ + 1.5 μ² times the item's dispersion: what its squared errors were to that. So it follows the mean up and down.
- `shaped`: the same around the item's mean by phase and plan: what knows weekdays and promotions before its shard does.

All quantiles here are divided by scale x H, as the shared regressions' are.
"""

import numpy as np

from agents.forecasting.base import LEVELS
from agents.forecasting.blend.negative_binomial import quantiles
from agents.kernel.compiled import Numbers, Record, compiled
from agents.kernel.ranking import sort

SHAPED, SLOW, MIDDLE, FASTER, SUMS, QUICK, STEADY, STACKED, MEDIAN = range(9)
"""Rows of the experts: local ones, shared ones, and the median of most."""
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

SPREAD = [("mean_errors", np.float64, AVERAGES), ("usual_errors", np.float64, AVERAGES), ("errors", np.int64)]
"""Squared errors of the local means' forecasts, beside the variance usual at such means; of an item and horizon."""


@compiled
def judge_spread(item: Record, means: Numbers, total: float, rate: float) -> None:
    """Take in what came."""
    item["errors"] += 1
    rate = max(rate, 1.0 / item["errors"])
    for number in range(AVERAGES):
        mean = means[number]
        error = total - mean
        item["mean_errors"][number] += rate * (error * error - item["mean_errors"][number])
        item["usual_errors"][number] += rate * (mean + 1.5 * mean * mean - item["usual_errors"][number])


@compiled
def local_means(item: Record, shape: Numbers, means: Numbers) -> None:
    """Means of the sum of the horizon: by phase and plan, and from the three moving averages."""
    horizon, means[SHAPED] = len(shape), 0.0
    for mean in shape:
        means[SHAPED] += mean
    means[SLOW], means[MIDDLE], means[FASTER] = (
        item["slow"] * horizon,
        item["middle"] * horizon,
        item["faster"] * horizon,
    )


@compiled
def around_means(item: Record, table: Numbers, means: Numbers, rough: float, unit: float, experts: Numbers) -> None:
    """Quantiles of the negative binomials: the variance is what is usual at a mean, times the dispersion.

    While few errors are known it is what `roughness` says.
    """
    known = min(item["errors"], _MOST_ERRORS)
    own, prior = known / (known + _VARIANCE_PRIOR), _VARIANCE_PRIOR / (known + _VARIANCE_PRIOR)
    for number in range(AVERAGES):
        mean = means[number]
        dispersion = (item["mean_errors"][number] + _LITTLE) / (item["usual_errors"][number] + _LITTLE)
        variance = own * (mean + 1.5 * mean * mean) * dispersion + prior * (mean + rough * mean * mean)
        quantiles(table, mean, variance, unit, experts[number])


@compiled
def recent_sums(sums: Numbers, horizon: int, periods: int, most: int) -> Numbers:
    """The newest sums of `horizon` periods; `sums` are those of the last 0, 1, 2… periods together.

    >>> recent_sums(np.array([0.0, 5.0, 7.0, 10.0]), 2, 3, 28)
    array([7., 5.])
    """
    last = min(periods, len(sums) - 1, most + horizon - 1)
    found = np.empty(max(last - horizon + 1, 0))
    for number in range(len(found)):
        found[number] = sums[number + horizon] - sums[number]
    return found


@compiled
def empirical(found: Numbers, pool: Numbers, unit: float, expert: Numbers) -> None:
    """Quantiles of the sums found, which are sorted, divided by `unit` and blended with the pool's."""
    count = len(found)
    sort(found)
    own, prior = count / (count + _POOL_PRIOR), _POOL_PRIOR / (count + _POOL_PRIOR)
    for level in range(len(LEVELS)):
        expert[level] = prior * pool[level]
        if count > 0:
            place = LEVELS[level] * (count - 1)
            below = int(place)
            above = min(below + 1, count - 1)
            expert[level] += own * (found[below] + (place - below) * (found[above] - found[below])) / unit


@compiled
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
