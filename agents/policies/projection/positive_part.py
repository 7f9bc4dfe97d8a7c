"""Mean and variance of stock that cannot fall below zero.

Stock is taken as logistic. That has heavier tails than a normal, as demand has, and its positive part costs a few
operations: E[X⁺] = s log(1 + exp(μ/s)), and Var[X⁺] close to σ² / (1 + exp(b − aμ/s)).
"""

import math

import numpy as np
from scipy.special import expit

from agents.policies.arrays import Floats
from agents.policies.projection.outlook import LEAST_VARIANCE

SCALE, SLOPE, OFFSET = 0.6, 1.056, 0.66
"""s/σ, a and b above: near the moments of a normal's positive part (a σ/s = 1.76, b = 0.66 match its variance about 0),
with a scale chosen on exact costs of Zipkin's instances with true parameters."""
CERTAIN_SCALES = 30.0
"""Stock so far from zero does not notice that it cannot fall below."""
_ZERO, _SCALE, _SLOPE, _OFFSET = (np.array(number) for number in (0.0, SCALE, SLOPE, OFFSET))


def positive_part(mean: Floats, variance: Floats) -> tuple[Floats, Floats]:
    """Mean and variance of X⁺.

    >>> mean, variance = positive_part(np.array([0.0, 50.0]), np.array([1.0, 1.0]))
    >>> mean.round(4).tolist(), variance.round(4).tolist()
    ([0.4159, 50.0], [0.3407, 1.0])
    """
    scale = np.sqrt(variance)
    scale *= _SCALE
    x = mean / scale
    first = np.logaddexp(_ZERO, x)
    first *= scale
    x *= _SLOPE
    x -= _OFFSET
    expit(x, x)
    x *= variance
    return first, x


def one_positive_part(mean: float, variance: float) -> tuple[float, float]:
    """The same of one number."""
    scale = SCALE * math.sqrt(variance)
    x = mean / scale
    if x > CERTAIN_SCALES:
        return mean, variance
    if x < -CERTAIN_SCALES:
        return 0.0, LEAST_VARIANCE * variance
    return scale * math.log1p(math.exp(x)), variance / (1.0 + math.exp(OFFSET - SLOPE * x))
