"""An item's own mean and variance of demand at several rates: the sources that a learned policy chooses among."""

from math import sqrt

import numpy as np

from agents.kernel.compiled import Numbers, Record, Records, compiled

RATES = (0.0, 0.1, 0.3)
"""Of the item's own averages: 0 is the running mean."""
OWN = len(RATES)
FADE = 1.0 / 365.0
"""Rate at which old errors fade: a year of days, so that no lucky season decides whom to believe."""
FAITH = 2.0
"""How strongly the forecast is believed where it disagrees with an item's own average.

The truth lies a share w of the way from the forecast to the average. Before anything is seen, w is taken as 0 with a
variance of 1 / FAITH: it is hardly ever beyond -1 and 1."""
YOUTH = 4.0
"""What an average of n periods is expected to err more than the forecast, which knows of other items: this / n³."""
DOUBT = 3.0
"""The weight, in periods, of the variance that a count with this mean usually has."""
MOST_EXCESS = 100.0

AVERAGES = np.dtype(
    [
        ("periods", np.int64),
        ("mean", np.float64, OWN),
        ("variance", np.float64, OWN),
        ("errors", np.float64, 1 + OWN),
        ("apart", np.float64, OWN),
    ],
    align=True,
)
"""Running moments by rate; mean squared errors of one-period forecasts, of the item's forecast and then of each rate;
mean squared difference between each rate's mean and the forecast."""


@compiled
def average(averages: Record, demand: float, forecast: float) -> None:
    """Take in the demand of a period, and what the item's forecast had been, −1 for none.

    >>> averages = np.zeros(1, AVERAGES)
    >>> for demand in (4.0, 6.0, 5.0, 5.0):
    ...     learn(averages, demand, -1.0)
    >>> round(float(averages["mean"][0, 0]), 6), round(variance_of(averages[0], 0), 2)
    (5.0, 5.2)
    """
    averages["periods"] += 1
    n, mean = averages["periods"], averages["mean"]
    variance, errors, apart = averages["variance"], averages["errors"], averages["apart"]
    told = forecast if forecast >= 0.0 else mean[0]
    past = max(n - 1, 1)
    slow = max(1.0 / past, FADE)
    if n > 1:
        errors[0] += slow * ((demand - told) * (demand - told) - errors[0])
    for k in range(OWN):
        guess, rate = mean[k], max(1.0 / n, RATES[k])
        error, gap = demand - guess, guess - told
        mean[k] = guess + rate * error
        if n > 1:
            errors[k + 1] += slow * (error * error - errors[k + 1])
            apart[k] += slow * (gap * gap - apart[k])
            variance[k] += max(1.0 / past, 0.7 * RATES[k]) * (error * error * (1.0 - rate) - variance[k])


@compiled(AVERAGES, float, float)
def learn(averages: Records, demand: float, forecast: float) -> None:
    """`average` of a record that stands alone."""
    average(averages[0], demand, forecast)


@compiled
def variance_of(averages: Record, k: int) -> float:
    """Variance of a period's demand at rate k, shrunk to what is usual while there is little to go by."""
    weight, mean = float(averages["periods"]), averages["mean"][k]
    if RATES[k] > 0.0:
        weight = min(weight, 2.0 / RATES[k])
    usual = mean + 0.25 * mean * mean
    return float(max((weight * averages["variance"][k] + DOUBT * usual) / (weight + DOUBT), 1e-3))


@compiled
def doubt_of(averages: Record, k: int) -> float:
    """Variance of the mean itself, as a share q of a period's: demand of h periods varies by h + q h² of those."""
    rate = max(RATES[k], 1.0 / (averages["periods"] + 1.0))
    return float(rate / (2.0 - rate) if RATES[k] > 0.0 else rate)


@compiled
def excess(averages: Record, periods: int, shares: Numbers) -> None:
    """Write the share by which each source's errors over so many periods exceed the least: what it would cost.

    An error of the mean recurs in every period, chance does not: over h periods, variances grow by h² and h.

    Errors to expect are in units of the forecast's. Where forecast and average disagree by d and the truth lies a share
    w of the way to the average, its squared error exceeds the forecast's by d² (1 - 2 w). Noisy demand makes what was
    seen of w uncertain. So it counts with the weight n d² / (n d² + FAITH × noise): more after more periods.
    """
    n, errors = averages["periods"], averages["errors"]
    noise, weight = max(errors[0], 1e-9), min(max(n - 1, 0), 2.0 / FADE) / FAITH
    young = max(n, 1)
    least = shares[0] = 1.0
    for k in range(OWN):
        square = averages["apart"][k] / noise
        believed = weight * square / (weight * square + 1.0)
        expected = max((1.0 + square) * (1.0 - believed) + believed * (errors[k + 1] / noise), 0.01)
        shares[k + 1] = YOUTH / (young * young * young) + expected
        least = min(least, shares[k + 1])
    for source in range(1 + OWN):
        shares[source] = sqrt(1.0 + periods * (min(shares[source] / least, MOST_EXCESS) - 1.0)) - 1.0


def sound(averages: Record) -> bool:
    """Whether read numbers, which are finite, can be running moments."""
    return all(bool((averages[name] >= 0.0).all()) for name in ("variance", "errors", "apart"))
