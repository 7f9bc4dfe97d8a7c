"""Where to keep stock: the target of a period's demand plus what is uncertain about the stock left."""

from functools import lru_cache
from math import sqrt

from agents.kernel.arithmetic import normal_quantile
from agents.kernel.compiled import compiled

PATIENCE, IMPATIENCE = 0.6, 0.2
"""With lost sales, stock that comes too late for a sale still serves the next one: the target is lowered by
(0.6 − 0.2 z) deviations of the stock left, less where a shortage is dear.

Chosen on exact costs of Zipkin's instances with true parameters: 0.5 % above optimal on average for L ≤ 3, 1.1 % at
worst.
"""
CAP_DEVIATIONS = 2.0
"""With lost sales, an order above mean + so many deviations is spread over the next periods (Xin 2021)."""


@lru_cache(maxsize=1024)
def safety_factor(critical_ratio: float) -> float:
    """The normal deviate of the critical ratio.

    >>> round(safety_factor(0.95), 3)
    1.645
    """
    return normal_quantile(min(max(critical_ratio, 1e-4), 1.0 - 1e-6))


def patience(z: float) -> float:
    """Deviations of the stock left by which lost sales lower the target."""
    return min(max(PATIENCE - IMPATIENCE * z, 0.0), 1.0)


@compiled
def lift(mean: float, variance: float, z: float) -> float:
    """How far skewness lifts the target: Cornish and Fisher's correction, times whole variance^1.5.

    The skewness is that of a negative binomial with this mean and variance: (2v/μ − 1)/σ, between 0 and 3.
    """
    deviation = sqrt(variance)
    skewed = min(max(2.0 * variance / max(mean, 1e-9) - 1.0, 0.0), 3.0 * deviation)
    return (z * z - 1.0) / 6.0 * variance * deviation * skewed


@compiled
def quantile_of(mean: float, variance: float, z: float) -> float:
    """The quantile that a normal deviate stands for, with the skewness that counts of such a mean and variance have."""
    deviation = sqrt(variance)
    return mean + z * deviation + lift(mean, variance, z) / (variance * deviation)


@compiled(float, float, float, float, float, float)
def target(mean: float, variance: float, left_variance: float, z: float, patient: float, shift: float) -> float:
    """The level to which expected stock left is raised; `shift` moves it by so many deviations.

    >>> round(target(5.0, 5.0, 0.0, safety_factor(0.9), 0.0, 0.0), 2)
    7.97
    """
    whole = max(variance + left_variance, 1e-12)
    deviation = sqrt(whole)
    bend = lift(mean, variance, z) / (whole * deviation)
    return mean + (z + shift) * deviation + bend - patient * sqrt(left_variance)
