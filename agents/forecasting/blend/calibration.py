"""Calibration stretches a quantile a little when too much demand lay above it, and shrinks it when too little did.

It is adaptive conformal inference at a low rate, on the log scale of the regressions, for each level by itself. The
stretch is bounded, because coverage cannot be right where demand comes in a few whole units.

Gibbs, Candès: Adaptive Conformal Inference Under Distribution Shift. NeurIPS 2021.

>>> stretches, corrected = np.ones(5), np.ones(5)
>>> for _ in range(50):
...     correct(stretches, np.ones(5), corrected)
...     judge(stretches, corrected, 3.0)
>>> bool((corrected > 1.0).all())
True
"""

from math import sqrt

import numpy as np
import numpy.typing as npt

from agents.forecasting.base import LEVELS
from agents.forecasting.blend.inputs import FLOOR
from agents.kernel.arithmetic import exp
from agents.kernel.compiled import Numbers, compiled
from agents.kernel.ranking import sort

_RATE = 0.002
_MOST = 1.6487212707001282
"""e to the ½."""


@compiled
def correct(stretches: Numbers, quantiles: Numbers, corrected: Numbers) -> None:
    """The quantiles, divided by scale x H, stretched and sorted."""
    for level in range(len(LEVELS)):
        corrected[level] = max((quantiles[level] + FLOOR) * stretches[level] - FLOOR, 0.0)
    sort(corrected)


@compiled
def judge(stretches: Numbers, corrected: npt.NDArray[np.floating], came: float) -> None:
    """Take in what came after a forecast of these corrected quantiles."""
    for level in range(len(LEVELS)):
        above = 1.0 if came > np.float64(corrected[level]) else 0.0
        step = _RATE / sqrt(LEVELS[level] * (1.0 - LEVELS[level])) * (LEVELS[level] + above - 1.0)
        stretches[level] = min(max(stretches[level] * exp(step), 1.0 / _MOST), _MOST)
