"""An item's own mean and variance of demand at several rates: the sources that a learned policy chooses among."""

import math

import msgspec

from agents.policies.arms import RATES

FADE = 0.01
"""Rate at which old errors fade."""
PATIENCE = 24.0
"""Weight, in periods, of the errors that steady demand would bring."""
DOUBT = 3.0
"""The weight, in periods, of the variance that a count with this mean usually has."""

RANGE = range(len(RATES))
WEIGHTS = tuple(2.0 / rate if rate else math.inf for rate in RATES)
"""How many periods a rate remembers."""


class Averages(msgspec.Struct):
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

    def learn(self, demand: float, forecast: float | None = None) -> None:
        """Take in the demand of a period, and what the item's forecast had been."""
        self.periods = n = self.periods + 1
        if n > 1:
            slow = max(1.0 / (n - 1), FADE)
            guesses = (self.mean[0] if forecast is None else forecast, *self.mean)
            for k, guess in enumerate(guesses):
                self.errors[k] += slow * ((demand - guess) ** 2 - self.errors[k])
        mean, variance = self.mean, self.variance
        for k, floor in enumerate(RATES):
            rate = max(1.0 / n, floor)
            error = demand - mean[k]
            mean[k] += rate * error
            if n > 1:
                slow = max(1.0 / (n - 1), 0.7 * floor)
                variance[k] += slow * (error * error * (1.0 - rate) - variance[k])

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
        variances = [self.variance_of(k) for k in RANGE]
        return [self.mean, variances, [variance * self.doubt_of(k) for k, variance in enumerate(variances)]]

    def excess(self, periods: int) -> list[float]:
        """Share by which each source's errors over so many periods exceed the least possible: what it would cost.

        An error of the mean recurs in every period, chance does not: over h periods, variances grow by h² and h.
        While little is known, sources have the errors that steady demand would bring.
        """
        weight = min(max(self.periods - 1, 0), 1.0 / FADE)
        least = max(min(self.errors), 1e-9)
        usual = [0.0, *(rate / (2.0 - rate) for rate in RATES)]
        return [
            math.sqrt(
                1.0
                + periods
                * (weight * (min(max(error / least, 1.0), 100.0) - 1.0) + PATIENCE * more)
                / (weight + PATIENCE)
            )
            - 1.0
            for error, more in zip(self.errors, usual, strict=True)
        ]

    def fits(self) -> bool:
        """Whether read numbers can be running moments."""
        whole = len(self.mean) == len(self.variance) == len(RATES) and self.periods >= 0
        whole = whole and len(self.errors) == 1 + len(RATES) and all(0.0 <= e < math.inf for e in self.errors)
        return whole and all(math.isfinite(m) for m in self.mean) and all(0.0 <= v < math.inf for v in self.variance)
