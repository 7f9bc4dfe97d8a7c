"""Bernstein online aggregation: experts weighed by their regret, an item's own and its shard's together.

The regret of expert k against the mixture is taken on the linearised pinball loss, r_k = g (mix − expert_k), with g the
loss's slope at the mixture; weights are ∝ exp(η_own R_own + η_shard R_shard), η = min(½ / max|r|, √(ln K / Σr²)), and
regrets fade slowly. Everything is per quantile level, and feedback comes H periods late: where several forecasts of an
item wait at a time their demands overlap and carry less news than their number suggests, so the item's own rate η is
reduced. Theory says by √H; √2 is enough here, because η is cautious already. A shard's regret is a mean over its items
and needs no such reduction.

Wintenberger: Optimal learning with Bernstein online aggregation. Machine Learning 106, 2017.
Joulani, György, Szepesvári: Online Learning under Delayed Feedback. ICML 2013.

>>> own, shard = Regrets(2), Regrets(2)
>>> forecasts = np.array([[1.0] * 5, [4.0] * 5], np.float32)
>>> mixed(forecasts, own, shard)[0]
np.float32(2.5)
>>> for _ in range(20):
...     own.add(regret_of(forecasts, mixed(forecasts, own, shard), 1.0), 0.99)
>>> bool(mixed(forecasts, own, shard)[0] < 1.6)
True
"""

from collections.abc import Sequence
from math import log
from typing import Any

import numpy as np

from agents.forecasting.base import LEVELS
from agents.forecasting.blend.arrays import Floats, constant, pack, unpack

_MOST_REGRET, _LEAST_REGRET = constant(3.0), constant(-3.0)
"""Regret is clipped, so that one outlier decides nothing."""
_MOST_LATE = 2
_LEVELS = np.array(LEVELS, np.float32)


class Regrets:
    """Faded sums of regret and of its squares, by expert and level, and the greatest square by level."""

    __slots__ = ("_leaning", "_log_experts", "_most", "_slowed", "greatest", "sums")

    def __init__(self, experts: int) -> None:
        self._leaning: Floats | None = None
        self._log_experts, self._most = log(experts), constant(4.0 * log(experts))
        self._slowed = constant(self._log_experts)
        self.sums: Floats = np.zeros((2, experts, len(LEVELS)), np.float32)
        """Of regret, and of its squares."""
        self.sums[1] = 1e-3
        self.greatest: Floats = np.full(len(LEVELS), 1e-6, np.float32)

    def add(self, regret: Floats, keep: float) -> None:
        """Take in a round: regret and its squares."""
        self.sums *= keep
        self.sums += regret
        np.maximum(self.greatest, np.maximum.reduce(regret[1], axis=0), out=self.greatest)
        self._leaning = None

    def slow_down(self, late: int) -> None:
        """Expect feedback so many rounds late."""
        self._slowed, self._leaning = constant(self._log_experts / min(max(late, 1), _MOST_LATE)), None

    def leaning(self) -> Floats:
        """Log weights. As regrets fade they stay below √(ln K / (1 − keep)), so their exponential is a number."""
        if self._leaning is None:
            rate = np.maximum(self.sums[1], self.greatest * self._most)
            np.divide(self._slowed, rate, out=rate)
            np.sqrt(rate, out=rate)
            rate *= self.sums[0]
            self._leaning = rate
        return self._leaning

    def dump(self) -> list[bytes]:
        """Write the sums."""
        return [pack(self.sums), pack(self.greatest)]

    def load(self, parts: Sequence[Any]) -> None:
        """Read them back."""
        sums, greatest = parts
        self._leaning = None
        self.sums = unpack(sums, np.float32, self.sums.shape)
        self.greatest = unpack(greatest, np.float32, self.greatest.shape)
        if self.sums[1].min() <= 0.0 or self.greatest.min() <= 0.0:
            raise ValueError("a sum of squares is not positive")


def mixed(forecasts: Floats, own: Regrets, shard: Regrets) -> Floats:
    """The mixture of experts' quantiles, weighed by regret."""
    parts: Floats = np.empty((2, *forecasts.shape), np.float32)
    weights = parts[0]
    np.add(own.leaning(), shard.leaning(), out=weights)
    np.exp(weights, out=weights)
    np.multiply(weights, forecasts, out=parts[1])
    sums = np.add.reduce(parts, axis=1)
    mixture: Floats = sums[1]
    mixture /= sums[0]
    return mixture


def regret_of(forecasts: Floats, mixture: Floats, came: float) -> Floats:
    """What each expert would have saved, to first order, and the square of that."""
    regret: Floats = np.empty((2, *forecasts.shape), np.float32)
    saved = regret[0]
    np.subtract(mixture, forecasts, out=saved)
    saved *= (came <= mixture) - _LEVELS
    np.maximum(saved, _LEAST_REGRET, out=saved)
    np.minimum(saved, _MOST_REGRET, out=saved)
    np.multiply(saved, saved, out=regret[1])
    return regret
