"""An item's own mean and variance of demand at several rates: the sources that a learned policy chooses among."""

import math

import msgspec

from agents.policies.arms import RATES

DOUBT = 3.0
"""The weight, in periods, of the variance that a count with this mean usually has."""


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

    def learn(self, demand: float) -> None:
        """Take in the demand of a period."""
        self.periods = n = self.periods + 1
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
        rate, mean = RATES[k], self.mean[k]
        weight = min(float(self.periods), 2.0 / rate if rate else math.inf)
        usual = mean + 0.25 * mean * mean
        return max((weight * self.variance[k] + DOUBT * usual) / (weight + DOUBT), 1e-3)

    def doubt_of(self, k: int) -> float:
        """Variance of the mean itself, as a share q of a period's: demand of h periods varies by h + q h² of those."""
        rate = max(RATES[k], 1.0 / (self.periods + 1.0))
        return rate / (2.0 - rate) if RATES[k] else rate

    def fits(self) -> bool:
        """Whether read numbers can be running moments."""
        whole = len(self.mean) == len(self.variance) == len(RATES) and self.periods >= 0
        return whole and all(math.isfinite(m) for m in self.mean) and all(0.0 <= v < math.inf for v in self.variance)
