"""Whether demand is not what it was: ADWIN's test on the periods that are remembered anyway.

ADWIN keeps a window and drops its older part when two parts of it differ by more than chance allows; its bound for
parts of n0 and n1 values with variance v is √(2/m · v · ln(2/δ')) + 2/(3m) · ln(2/δ'), 1/m = 1/n0 + 1/n1, δ' = δ/ln n.
Here the window is the item's remembered periods and cuts lie 8 periods apart, so that no state of its own is needed
but how far back the last alarm lies. River's ADWIN keeps its buckets in compiled objects that cannot be written down.

Bifet, Gavaldà: Learning from Time-Changing Data with Adaptive Windowing. SDM 2007.

>>> calm = np.tile(np.array([3, 5, 4, 4], np.float32), 24)
>>> cut(calm, 96), cut(np.concatenate((calm[:16] + 9, calm[16:])), 96)
(0, 16)
"""

from math import sqrt

import numpy as np

from agents.kernel.arithmetic import log
from agents.kernel.compiled import Singles, compiled

DELTA = 0.002
"""Chance of a false alarm that is accepted, at one test."""
EVERY = 8
"""Periods between tests and between cuts."""
_LEAST = 8


@compiled
def cut(values: Singles, n: int) -> int:
    """How many of the n newest values (they come first) differ from the older ones; 0 when all are alike.

    The test supposes bounded values, so square roots are compared: they tame heavy sales.
    """
    if n < 2 * _LEAST:
        return 0
    total = squares = 0.0
    for place in range(n):
        total += sqrt(np.float64(values[place]))
        squares += np.float64(values[place])
    variance = max(squares / n - (total / n) * (total / n), 0.0)
    bound = log(2.0 * log(float(n)) / DELTA)
    widest, found, newer = 1.0, 0, 0.0
    for newest in range(1, n - _LEAST + 1):
        newer += sqrt(np.float64(values[newest - 1]))
        if newest % EVERY == 0:
            size = 1.0 / (1.0 / newest + 1.0 / (n - newest))
            allowed = sqrt(2.0 / size * variance * bound) + 2.0 / (3.0 * size) * bound
            apart = abs(newer / newest - (total - newer) / (n - newest))
            if apart > widest * allowed:
                widest, found = apart / allowed, newest
    return found
