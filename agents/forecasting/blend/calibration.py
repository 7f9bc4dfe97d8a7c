"""Calibration stretches a quantile a little when too much demand lay above it, and shrinks it when too little did.

It is adaptive conformal inference at a low rate, on the log scale of the regressions, for each level by itself. The
stretch is bounded, because coverage cannot be right where demand comes in a few whole units.

Gibbs, Candès: Adaptive Conformal Inference Under Distribution Shift. NeurIPS 2021.

>>> calibration, quantiles = Calibration(), [1.0] * 5
>>> for _ in range(50):
...     calibration.judge(calibration.corrected(quantiles), 3.0)
>>> all(quantile > 1.0 for quantile in calibration.corrected(quantiles))
True
"""

from collections.abc import Sequence
from math import exp

from agents.forecasting.base import LEVELS
from agents.forecasting.blend.inputs import FLOOR

_RATE = 0.002
_MOST = exp(0.5)
_STEPS = tuple(_RATE / (level * (1.0 - level)) ** 0.5 for level in LEVELS)
_UP = tuple(exp(step * level) for step, level in zip(_STEPS, LEVELS, strict=True))
_DOWN = tuple(exp(step * (level - 1.0)) for step, level in zip(_STEPS, LEVELS, strict=True))


class Calibration:
    """The stretches of one item's quantiles, one for each level."""

    __slots__ = ("stretches",)

    def __init__(self) -> None:
        self.stretches = [1.0] * len(LEVELS)

    def corrected(self, quantiles: Sequence[float]) -> list[float]:
        """The quantiles, divided by scale x H, stretched and sorted."""
        return sorted(
            [
                max((quantile + FLOOR) * stretch - FLOOR, 0.0)
                for quantile, stretch in zip(quantiles, self.stretches, strict=True)
            ]
        )

    def judge(self, quantiles: Sequence[float], came: float) -> None:
        """Take in what came after a forecast of these corrected quantiles."""
        self.stretches = [
            min(stretch * up, _MOST) if came > quantile else max(stretch * down, 1.0 / _MOST)
            for stretch, up, down, quantile in zip(self.stretches, _UP, _DOWN, quantiles, strict=True)
        ]
