"""The rail: quantiles are stretched a little when too much demand lay above them, and shrunk when too little did.

Adaptive conformal inference at a low rate, on the log scale on which the regressions live, for each level by itself.
The stretch is bounded, because it is a rail and no engine: where demand comes in few units coverage cannot be right.

Gibbs, Candès: Adaptive Conformal Inference Under Distribution Shift. NeurIPS 2021.

>>> rail, quantiles = Rail(), np.full(5, 1.0, np.float32)
>>> for _ in range(50):
...     rail.judge(rail.corrected(quantiles), 3.0)
>>> bool((rail.corrected(quantiles) > 1.0).all())
True
"""

import numpy as np

from agents.forecasting.arrays import Floats
from agents.forecasting.base import LEVELS
from agents.forecasting.inputs import FLOOR

_RATE = 0.002
_MOST = np.float32(0.5)
_FLOOR = np.float32(FLOOR)
_LEVELS = np.array(LEVELS, np.float32)
_STEPS = (_RATE / np.sqrt(_LEVELS * (1 - _LEVELS))).astype(np.float32)


class Rail:
    """Log stretches by level, of one item."""

    __slots__ = ("offsets",)

    def __init__(self) -> None:
        self.offsets: Floats = np.zeros(len(LEVELS), np.float32)

    def corrected(self, quantiles: Floats) -> Floats:
        """The quantiles, divided by scale x H, stretched and sorted."""
        stretched: Floats = (quantiles + _FLOOR) * np.exp(self.offsets)
        stretched -= _FLOOR
        np.maximum(stretched, np.float32(0.0), out=stretched)
        stretched.sort()
        return stretched

    def judge(self, quantiles: Floats, came: float) -> None:
        """Take in what came after a forecast of these corrected quantiles."""
        self.offsets += _STEPS * (_LEVELS - (came <= quantiles))
        np.maximum(self.offsets, -_MOST, out=self.offsets)
        np.minimum(self.offsets, _MOST, out=self.offsets)
