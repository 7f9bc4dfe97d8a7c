"""Functions that libraries compute in ways of their own, made of IEEE operations alone.

They are within 1e-15 of the truth, as a share of it; the tail within 1e-12.

>>> from math import erfc as known
>>> exp(1.0), log(10.0), round(softplus(0.0), 12), logistic(0.0), abs(upper_tail(1.0) - 0.5 * known(0.5**0.5)) < 1e-15
(2.7182818284590455, 2.302585092994046, 0.69314718056, 0.5, True)
"""

from math import floor, frexp, sqrt

import numpy as np

from agents.kernel.compiled import compiled

_LN2_HIGH, _LN2_LOW = 6.93147180369123816490e-01, 1.90821492927058770002e-10
_PER_LN2 = 1.4426950408889634
_ROOT_HALF = sqrt(0.5)
_ROOT_TWO = sqrt(2.0)
_PER_ROOT_TAU = 0.3989422804014327
"""1 / √(2π)"""
_MOST = 700.0
"""Beyond it an exponential is taken for that of it, or for nothing."""
_POWERS = np.ldexp(1.0, np.arange(-1022, 1024))
_ABOVE = (
    3.52624965998911e-02, 0.700383064443688, 6.37396220353165, 33.912866078383, 112.079291497871, 221.213596169931,
    220.206867912376,
)  # fmt: skip
_BELOW = (
    8.83883476483184e-02, 1.75566716318264, 16.064177579207, 86.7807322029461, 296.564248779674, 637.333633378831,
    793.826512519948, 440.413735824752,
)  # fmt: skip
"""Hart's fraction for the tail of the normal distribution."""
_NEAR, _FRACTIONS = 4.0, 50


@compiled
def exp(x: float) -> float:
    """e^x, for x up to 700, and 0 for what is no number (Cody and Waite's reduction, Remez coefficients of fdlibm).

    >>> exp(-1e9), exp(0.0)
    (0.0, 1.0)
    """
    if not x >= -_MOST:  # nor is what is no number
        return 0.0
    x = min(x, _MOST)
    k = floor(x * _PER_LN2 + 0.5)
    high, low = x - k * _LN2_HIGH, k * _LN2_LOW
    r = high - low
    t = r * r
    c = 4.138136797057238e-08
    c = t * (-1.6533902205465252e-06 + t * c)
    c = t * (6.613756321437934e-05 + c)
    c = t * (-0.0027777777777015593 + c)
    c = r - t * (0.16666666666666602 + c)
    return float((1.0 - ((low - (r * c) / (2.0 - c)) - high)) * _POWERS[int(k) + 1022])


@compiled
def log(x: float) -> float:
    """Natural logarithm of x > 0 (coefficients of fdlibm)."""
    part, power = frexp(x)
    if part < _ROOT_HALF:
        part *= 2.0
        power -= 1
    return _log_near(part - 1.0, float(power))


@compiled
def _log_near(f: float, k: float) -> float:
    """log((1 + f) 2^k), for 1 + f between √½ and √2."""
    s = f / (2.0 + f)
    z = s * s
    w = z * z
    odd = w * (0.3999999999940941908 + w * (0.2222219843214978396 + w * 0.1531383769920937332))
    even = 0.2857142874366239149 + w * (0.1818357216161805012 + w * 0.1479819860511658591)
    r = odd + z * (0.6666666666666735130 + w * even)
    half = 0.5 * f * f
    return k * _LN2_HIGH - ((half - (s * (half + r) + k * _LN2_LOW)) - f)


@compiled
def log1p(x: float) -> float:
    """log(1 + x), also where x is small (Kahan)."""
    whole = 1.0 + x
    return x if whole == 1.0 else log(whole) * (x / (whole - 1.0))


@compiled
def softplus(x: float) -> float:
    """log(1 + e^x)."""
    small = exp(-abs(x))
    f, k = (0.5 * (small - 1.0), 1.0) if small > _ROOT_TWO - 1.0 else (small, 0.0)
    return max(x, 0.0) + _log_near(f, k)


@compiled
def logistic(x: float) -> float:
    """1 / (1 + e^−x)."""
    small = exp(-abs(x))
    return 1.0 / (1.0 + small) if x >= 0.0 else small / (1.0 + small)


@compiled
def density(x: float) -> float:
    """Of the standard normal distribution."""
    return _PER_ROOT_TAU * exp(-0.5 * x * x)


@compiled
def _polynomial(coefficients: tuple[float, ...], x: float) -> float:
    """Horner's rule; the coefficient of the highest power comes first."""
    found = 0.0
    for coefficient in coefficients:
        found = x * found + coefficient
    return found


@compiled
def upper_tail(x: float) -> float:
    """Chance that a standard normal number is above x (near 0 Hart's fraction as West has it, further out Laplace's).

    Hart: Computer Approximations. 1968. West: Better approximations to cumulative normal functions. Wilmott, 2005.
    """
    far = abs(x)
    if far < _NEAR:
        above, below = _polynomial(_ABOVE, far), _polynomial(_BELOW, far)
        tail = exp(-0.5 * far * far) * above / below
    else:
        below = far
        for n in range(_FRACTIONS, 0, -1):
            below = far + n / below
        tail = density(far) / below
    return tail if x >= 0.0 else 1.0 - tail


@compiled
def normal_quantile(level: float) -> float:
    """Where a standard normal number stays below with chance `level`, between 1e-12 and 1 − 1e-12: Newton's steps."""
    tail = 1.0 - level if level > 0.5 else level
    x = 0.0
    for _ in range(40):
        step = (upper_tail(x) - tail) / density(x)
        x += step
        if abs(step) < 1e-14 * (1.0 + x):
            break
    return x if level > 0.5 else -x
