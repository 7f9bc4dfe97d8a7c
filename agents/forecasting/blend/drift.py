"""Whether demand is not what it was: ADWIN's test on the periods that are remembered anyway.

ADWIN keeps a window and drops its older part when two parts of it differ by more than chance allows; its bound for
parts of n0 and n1 values with variance v is √(2/m · v · ln(2/δ')) + 2/(3m) · ln(2/δ'), 1/m = 1/n0 + 1/n1, δ' = δ/ln n.
Here the window is the item's remembered periods and cuts lie 8 periods apart, so that no state of its own is needed
but how far back the last alarm lies. River's ADWIN keeps its buckets in compiled objects that cannot be written down.

Bifet, Gavaldà: Learning from Time-Changing Data with Adaptive Windowing. SDM 2007.

>>> calm = np.tile(np.array([3, 5, 4, 4], np.float32), 24)
>>> cut(calm), cut(np.concatenate((calm[:16] + 9, calm[16:])))
(None, 16)
"""

from math import log, sqrt

import numpy as np

from agents.forecasting.blend.arrays import Floats

DELTA = 0.002
"""Chance of a false alarm that is accepted, at one test."""
EVERY = 8
"""Periods between tests and between cuts."""
_LEAST = 8


def cut(values: Floats, delta: float = DELTA) -> int | None:
    """How many of the newest values (they come first) differ from the older ones; None when all are alike.

    The test supposes bounded values, so square roots are compared: they tame heavy sales.
    """
    n = len(values)
    if n < 2 * _LEAST:
        return None
    tamed = np.sqrt(values.astype(np.float64))
    sums = np.add.accumulate(tamed)
    total = float(sums[-1])
    variance = float((tamed * tamed).sum()) / n - (total / n) ** 2
    bound = log(2.0 * log(n) / delta)
    widest, found = 1.0, None
    for newest in range(_LEAST, n - _LEAST + 1, EVERY):
        size = 1.0 / (1.0 / newest + 1.0 / (n - newest))
        allowed = sqrt(2.0 / size * max(variance, 0.0) * bound) + 2.0 / (3.0 * size) * bound
        apart = abs(float(sums[newest - 1]) / newest - (total - float(sums[newest - 1])) / (n - newest))
        if apart > widest * allowed:
            widest, found = apart / allowed, newest
    return found
