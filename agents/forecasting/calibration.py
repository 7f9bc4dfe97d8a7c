"""The rail: quantiles are stretched a little when too much demand lay above them, and shrunk when too little did.

Adaptive conformal inference at a low rate, on the log scale on which the regressions live, for each level by itself.
The stretch is bounded, because it is a rail and no engine: where demand comes in few units coverage cannot be right.

Gibbs, Candès: Adaptive Conformal Inference Under Distribution Shift. NeurIPS 2021.

>>> rail, quantiles = Rail(), [1.0] * 5
>>> for _ in range(50):
...     rail.judge(rail.corrected(quantiles), 3.0)
>>> all(quantile > 1.0 for quantile in rail.corrected(quantiles))
True
"""

from collections.abc import Sequence
from math import exp

from agents.forecasting.base import LEVELS
from agents.forecasting.inputs import FLOOR

_RATE = 0.002
_MOST = 0.5
_STEPS = tuple(_RATE / (level * (1.0 - level)) ** 0.5 for level in LEVELS)


class Rail:
    """Log stretches by level, of one item."""

    __slots__ = ("offsets",)

    def __init__(self) -> None:
        self.offsets = [0.0] * len(LEVELS)

    def corrected(self, quantiles: Sequence[float]) -> list[float]:
        """The quantiles, divided by scale x H, stretched and sorted."""
        stretched = [
            max((quantile + FLOOR) * exp(offset) - FLOOR, 0.0)
            for quantile, offset in zip(quantiles, self.offsets, strict=True)
        ]
        stretched.sort()
        return stretched

    def judge(self, quantiles: Sequence[float], came: float) -> None:
        """Take in what came after a forecast of these corrected quantiles."""
        self.offsets = [
            min(max(offset + step * (level - (came <= quantile)), -_MOST), _MOST)
            for offset, step, level, quantile in zip(self.offsets, _STEPS, LEVELS, quantiles, strict=True)
        ]
