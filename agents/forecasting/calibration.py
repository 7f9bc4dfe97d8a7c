"""The rail: quantiles are stretched a little when too much demand lay above them, and shrunk when too little did.

Adaptive conformal inference at a low rate, on the log scale and for each level by itself. A quantile below one unit is
left alone: between whole numbers coverage cannot be right. The stretch is bounded, because it is a rail and no engine.

Gibbs, Candès: Adaptive Conformal Inference Under Distribution Shift. NeurIPS 2021.

>>> rail = Rail()
>>> for _ in range(50):
...     rail.judge(np.full(5, 10.0, np.float32), 30.0)
>>> bool((rail.stretch() > 1.0).all())
True
"""

import numpy as np

from agents.forecasting.arrays import Floats
from agents.forecasting.base import LEVELS

_RATE = 0.002
_MOST = np.float32(0.5)
_LEVELS = np.array(LEVELS, np.float32)
_STEPS = (_RATE / np.sqrt(_LEVELS * (1 - _LEVELS))).astype(np.float32)


class Rail:
    """Log stretches by level, of one item."""

    __slots__ = ("offsets",)

    def __init__(self) -> None:
        self.offsets: Floats = np.zeros(len(LEVELS), np.float32)

    def stretch(self) -> Floats:
        """What quantiles are multiplied by."""
        factors: Floats = np.exp(self.offsets)
        return factors

    def judge(self, quantiles: Floats, came: float) -> None:
        """Take in what came, in units, after a forecast of these quantiles."""
        missed = _LEVELS - (came <= quantiles)
        moved = np.where(quantiles >= 1.0, self.offsets + _STEPS * missed, self.offsets)
        self.offsets = np.minimum(np.maximum(moved, -_MOST), _MOST)
