"""An item's own mean and variance of demand at several rates: the sources that a learned policy chooses among."""

import math

import msgspec

from agents.policies.pil_q.arms import RATES

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

RANGE = tuple(enumerate(RATES))
WEIGHTS = tuple(2.0 / rate if rate else math.inf for rate in RATES)
"""How many periods a rate remembers."""


class Averages(msgspec.Struct, array_like=True):
    """Running moments.

    >>> averages = Averages()
    >>> for demand in (4.0, 6.0, 5.0, 5.0):
    ...     averages.learn(demand)
    >>> round(averages.mean[0], 6), round(averages.variance_of(0), 2)
    (5.0, 5.2)
    """

    periods: int = 0
    mean: list[float] = msgspec.field(default_factory=lambda: [0.0] * len(RATES))
    variance: list[float] = msgspec.field(default_factory=lambda: [0.0] * len(RATES))

    errors: list[float] = msgspec.field(default_factory=lambda: [0.0] * (1 + len(RATES)))
    """Mean squared one-period errors: of the item's forecast, then of each rate."""
    apart: list[float] = msgspec.field(default_factory=lambda: [0.0] * len(RATES))
    """Mean squared difference between each rate's mean and the forecast."""

    def learn(self, demand: float, forecast: float | None = None) -> None:
        """Take in the demand of a period, and what the item's forecast had been."""
        self.periods = n = self.periods + 1
        mean, variance, errors, apart = self.mean, self.variance, self.errors, self.apart
        said, past = mean[0] if forecast is None else forecast, max(n - 1, 1)
        slow = max(1.0 / past, FADE)
        if n > 1:
            errors[0] += slow * ((demand - said) ** 2 - errors[0])
        for k, floor in RANGE:
            guess, rate = mean[k], max(1.0 / n, floor)
            error = demand - guess
            square, gap = error * error, guess - said
            mean[k] = guess + rate * error
            if n > 1:
                errors[k + 1] += slow * (square - errors[k + 1])
                apart[k] += slow * (gap * gap - apart[k])
                variance[k] += max(1.0 / past, 0.7 * floor) * (square * (1.0 - rate) - variance[k])

    def variance_of(self, k: int) -> float:
        """Variance of a period's demand at rate k, shrunk to what is usual while there is little to go by."""
        weight, mean = min(WEIGHTS[k], float(self.periods)), self.mean[k]
        return max((weight * self.variance[k] + DOUBT * (mean + 0.25 * mean * mean)) / (weight + DOUBT), 1e-3)

    def doubt_of(self, k: int) -> float:
        """Variance of the mean itself, as a share q of a period's: demand of h periods varies by h + q h² of those."""
        rate = max(RATES[k], 1.0 / (self.periods + 1.0))
        return rate / (2.0 - rate) if RATES[k] else rate

    def moments(self) -> list[list[float]]:
        """Mean, variance, and variance × doubt, each by rate."""
        variances = [self.variance_of(k) for k, _ in RANGE]
        return [self.mean, variances, [variance * self.doubt_of(k) for k, variance in enumerate(variances)]]

    def excess(self, periods: int) -> list[float]:
        """Share by which each source's errors over so many periods exceed the least possible: what it would cost.

        An error of the mean recurs in every period, chance does not: over h periods, variances grow by h² and h.
        """
        expected = self._expected_errors()
        least = min(expected)
        return [math.sqrt(1.0 + periods * (min(error / least, 100.0) - 1.0)) - 1.0 for error in expected]

    def _expected_errors(self) -> list[float]:
        """Squared errors to expect of each source, in units of the forecast's.

        Where forecast and average disagree by d and the truth lies a share w of the way to the average, its squared
        error exceeds the forecast's by d² (1 - 2 w). Noisy demand makes what was
        seen of w uncertain. So it counts with the weight n d² / (n d² + FAITH × noise): more after more periods.
        """
        noise, expected = max(self.errors[0], 1e-9), [1.0]
        weight, young = min(max(self.periods - 1, 0), 2.0 / FADE) / FAITH, YOUTH / max(self.periods, 1) ** 3
        for error, apart in zip(self.errors[1:], self.apart, strict=True):
            square = apart / noise
            believed = weight * square / (weight * square + 1.0)
            expected.append(young + max((1.0 + square) * (1.0 - believed) + believed * (error / noise), 0.01))
        return expected

    def fits(self) -> bool:
        """Whether read numbers can be running moments."""
        whole = len(self.mean) == len(self.variance) == len(RATES) and self.periods >= 0
        whole = whole and len(self.errors) == 1 + len(RATES) and len(self.apart) == len(RATES)
        whole = whole and all(0.0 <= square < math.inf for square in (*self.errors, *self.apart))
        return whole and all(math.isfinite(m) for m in self.mean) and all(0.0 <= v < math.inf for v in self.variance)
