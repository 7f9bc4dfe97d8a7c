"""Bernstein online aggregation: experts weighed by their regret, an item's own and its shard's together.

The regret of expert k against the mixture is taken on the linearised pinball loss, r_k = g (mix − expert_k), with g the
loss's slope at the mixture; weights are ∝ exp(η_own R_own + η_shard R_shard), η = min(½ / max|r|, √(ln K / Σr²)), and
regrets fade slowly. Everything is per quantile level, and feedback comes H periods late.

Wintenberger: Optimal learning with Bernstein online aggregation. Machine Learning 106, 2017.

>>> own, shard = Regrets(2), Regrets(2)
>>> forecasts = np.array([[1.0] * 5, [4.0] * 5], np.float32)
>>> weights(own, shard)[:, 0]
array([0.5, 0.5], dtype=float32)
>>> for _ in range(20):
...     regret = regret_of(forecasts, mixed(forecasts, weights(own, shard)), 1.0)
...     own.add(regret, 0.99)
>>> bool(weights(own, shard)[0, 0] > 0.8)
True
"""

from collections.abc import Sequence
from math import log
from typing import Any

import numpy as np

from agents.forecasting.arrays import Floats, pack, unpack
from agents.forecasting.base import LEVELS

_MOST_REGRET = np.float32(3.0)
_QUARTER = np.float32(0.25)
_LEVELS = np.array(LEVELS, np.float32)


class Regrets:
    """Faded sums of regret and of its squares, and its greatest size, by expert and level."""

    __slots__ = ("_leaning", "greatest", "sums")

    def __init__(self, experts: int) -> None:
        self._leaning: Floats | None = None
        self.sums: Floats = np.zeros((2, experts, len(LEVELS)), np.float32)
        """Of regret, and of its squares."""
        self.sums[1] = 1e-3
        self.greatest: Floats = np.full(len(LEVELS), 1e-6, np.float32)
        """The greatest square."""

    def add(self, regret: Floats, keep: float) -> None:
        """Take in a round."""
        squares = regret * regret
        self.sums *= np.float32(keep)
        self.sums[0] += regret
        self.sums[1] += squares
        np.maximum(self.greatest, np.maximum.reduce(squares, axis=0), out=self.greatest)
        self._leaning = None

    def leaning(self) -> Floats:
        """Log weights."""
        if self._leaning is None:
            rate = np.float32(log(self.sums.shape[1])) / self.sums[1]
            np.minimum(rate, _QUARTER / self.greatest, out=rate)
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


def weights(own: Regrets, shard: Regrets) -> Floats:
    """Weights by expert and level, which add up to 1."""
    leaning = own.leaning() + shard.leaning()
    leaning -= np.maximum.reduce(leaning, axis=0)
    weight: Floats = np.exp(leaning, out=leaning)
    weight /= np.add.reduce(weight, axis=0)
    return weight


def mixed(forecasts: Floats, weight: Floats) -> Floats:
    """The mixture of experts' quantiles."""
    mixture: Floats = np.add.reduce(forecasts * weight, axis=0)
    return mixture


def regret_of(forecasts: Floats, mixture: Floats, came: float) -> Floats:
    """What each expert would have saved, to first order; clipped, so that one outlier decides nothing."""
    regret: Floats = mixture - forecasts
    regret *= (came <= mixture) - _LEVELS
    np.maximum(regret, -_MOST_REGRET, out=regret)
    np.minimum(regret, _MOST_REGRET, out=regret)
    return regret
