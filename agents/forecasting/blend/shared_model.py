"""The shared model of a shard and one horizon: regressions, the pool of scaled demand, and each expert's regret.

- *shared*: the strongest expert, and the one that knows the mean.
- *quick*: the same at higher rates, for when things change.
- *stacked*: sees the other experts' quantiles besides, so that it learns which of them to follow in which situation.

All three are columns of one regression, because they touch the same weights' places.
"""

from math import exp

import msgspec
import numpy as np

from agents.forecasting.base import LEVELS
from agents.forecasting.blend.aggregation import Regrets
from agents.forecasting.blend.arrays import Floats, Halves, constant, numbers, pack, unpack
from agents.forecasting.blend.bins import Bins
from agents.forecasting.blend.inputs import FLOOR
from agents.forecasting.blend.regression import Rates, Regression
from agents.forecasting.blend.samples import Samples
from agents.forecasting.blend.sheet import EXPERTS, MEANS, SEEN, Sheet, width_of

MOST_BYTES = 495_000
"""Of weights and samples together, so that the models of two horizons stay below 1 MB."""
_MOST_LOG, _MOST_SCORE = constant(3.4), constant(6.0)
_BAND = 6.0
"""One wild expert would ruin the mixture: each is kept within so many times the anchors' median, and …"""
_YOUNG_BAND, _BAND_GROWS, _OLD_BAND = 1.5, 0.05, 8.0
"""… within so many times the median of most experts, more with each batch that the regressions have learned from."""
_HALF, _FLOOR = constant(0.5), constant(FLOOR)
_QUICK, _STEADY, _STACKED = Rates(0.05, 0.02), Rates(0.02, 0.003), Rates(0.01, 0.003)
_LEVELS = len(LEVELS)
_OF_QUICK_AND_SHARED, _OF_STACKED, _OF_MEAN = slice(0, 2 * _LEVELS), slice(2 * _LEVELS, 3 * _LEVELS), 3 * _LEVELS
"""Columns of the regression."""
_START = (-0.6, 0.3, 0.7, 1.1, 1.8)
_NOTHING = (0.0,) * len(LEVELS)
_LEAN = 0.6
"""Weight of the moving average at the start; the mean begins as that average."""
_POOL = (0.3, 1.2, 2.0, 3.2, 6.0)
_KEEP = 0.995
"""Share of the shard's regret kept a period."""
_LEAST_POOL_RATE = 0.01
_MEAN_RATE = 0.001


class StoredSharedModel(msgspec.Struct, array_like=True):
    """A model's weights as bytes."""

    regression: list[bytes]
    pool: list[float]


class StoredTrust(msgspec.Struct, array_like=True):
    """What changes with every sample, as bytes."""

    waiting: bytes
    regrets: list[bytes]
    round: bytes
    samples: int
    period: int
    mean_errors: list[float]


class SharedModel:
    """The shared model of one horizon."""

    def __init__(self, bins: Bins) -> None:
        self._bins = bins
        self.inputs = 1 + bins.inputs
        """The first is always 1."""
        rates = (_QUICK, _STEADY, _STACKED)
        self.regression = Regression(
            self.inputs, bins.count, rates, mean=_STEADY, more=SEEN * _LEVELS, touched=bins.touched
        )
        self.regrets = Regrets(EXPERTS)
        self.pool = list(_POOL)
        self.mean_errors = [1.0] * MEANS
        """Faded mean squared errors of the experts on the mean, in scaled demand."""
        self._round: Floats = np.zeros((EXPERTS, len(LEVELS)), np.float32)
        """Regret of the period underway, summed over its samples."""
        self._samples = 0
        self._period = 0
        self.samples = Samples(width_of(self.inputs), MOST_BYTES - self.regression.size)
        dense = self.regression.dense
        dense[0] = (*_START, *_START, *_NOTHING, 0.0)
        dense[1] = _LEAN
        dense[1, _OF_STACKED], dense[1, _OF_MEAN] = 0.0, 1.0
        dense[self.inputs :, _OF_STACKED] = np.tile(np.eye(_LEVELS, dtype=np.float32), (SEEN, 1)) / SEEN
        self.regression.settle()

    def advise(self, sheet: Sheet) -> float:
        """Compute the shared experts from the inputs and the local experts; return the regression's mean."""
        scores = self.regression.predict(sheet.inputs, self._bins.of(sheet.values))
        _unlog(scores[_OF_QUICK_AND_SHARED].reshape(sheet.advised.shape), sheet.advised)
        np.add(sheet.visible, _FLOOR, out=sheet.seen)
        np.log(sheet.seen, out=sheet.seen)
        np.minimum(sheet.seen, _MOST_LOG, out=sheet.seen)
        _unlog(scores[_OF_STACKED] + self.regression.predict_more(sheet.seen.ravel()), sheet.stacked)
        ranked = sheet.usual.copy()
        ranked.sort(axis=0)
        np.add(ranked[2], ranked[3], out=sheet.median)
        sheet.median *= _HALF
        _tame(sheet.experts, sheet.median, min(_YOUNG_BAND + _BAND_GROWS * self.samples.batches, _OLD_BAND))
        _tame(sheet.experts, np.sort(sheet.anchors, axis=0)[1], _BAND)
        return exp(min(float(scores[_OF_MEAN]), 6.0))

    def trust(self, period: int, regret: Floats) -> None:
        """Take in a sample's regret (and squares); a period later than those so far ends the round before it."""
        if period > self._period:
            if self._samples:
                mean = self._round / self._samples
                self.regrets.add(np.stack((mean, mean * mean)), _KEEP)
                self._round[:], self._samples = 0.0, 0
            self._period = period
        self._round += regret[0]
        self._samples += 1

    def learn(self, row: Halves, target: float) -> bool:
        """Take in a sample; whether it completed a batch, so that the weights changed."""
        if not self.samples.add(row, target):
            return False
        newest = True
        for batch in self.samples.batch():
            places = self._bins.of(batch.inputs[:, 1 : self.inputs])
            self.regression.learn(batch.inputs, places, np.log(batch.targets + _FLOOR), batch.targets)
            if newest:
                self._move_pool(batch.targets)
                newest = False
        self.regression.average(self.samples.batches)
        return True

    def judge_means(self, errors: list[float]) -> None:
        """Take in the squared errors of a sample's means."""
        rate = max(_MEAN_RATE, 1.0 / (self.samples.seen + 1))
        self.mean_errors = [old + rate * (error - old) for old, error in zip(self.mean_errors, errors, strict=True)]

    def dump_weights(self) -> bytes:
        """Write all that changes with a batch only, but for the samples."""
        return msgspec.msgpack.encode(StoredSharedModel(self.regression.dump(), self.pool))

    def dump_waiting(self) -> bytes:
        """Write what changes with every sample."""
        return msgspec.msgpack.encode(
            StoredTrust(
                self.samples.dump_waiting(),
                self.regrets.dump(),
                pack(self._round),
                self._samples,
                self._period,
                self.mean_errors,
            )
        )

    def load(self, weights: bytes, waiting: bytes, kept: bytes) -> None:
        """Read the three parts; what is not such a part raises ValueError."""
        try:
            written = msgspec.msgpack.decode(weights, type=StoredSharedModel)
            trust = msgspec.msgpack.decode(waiting, type=StoredTrust)
            self.regression.load(written.regression)
            self.regrets.load(trust.regrets)
            self.pool = numbers(written.pool, len(LEVELS))
            self._round = unpack(trust.round, np.float32, self._round.shape)
            self._samples, self._period = max(trust.samples, 0), trust.period
            self.mean_errors = numbers(trust.mean_errors, MEANS)
            self.samples.load(trust.waiting, kept)
        except msgspec.MsgspecError as error:
            raise ValueError(f"not a shared model: {error}") from error

    def _move_pool(self, targets: Floats) -> None:
        """Follow the quantiles of all items' scaled demand."""
        rate = max(_LEAST_POOL_RATE, 0.3 / (self.samples.batches + 1))
        covered = (targets[:, None] <= np.array(self.pool)).mean(axis=0).tolist()
        self.pool = [
            quantile * exp(3.0 * rate * (level - share))
            for quantile, level, share in zip(self.pool, LEVELS, covered, strict=True)
        ]


def _unlog(scores: Floats, quantiles: Floats) -> None:
    """Write the quantiles, sorted, that a regression's scores stand for."""
    np.minimum(scores, _MOST_SCORE, out=quantiles)
    np.exp(quantiles, out=quantiles)
    np.maximum(quantiles, _FLOOR, out=quantiles)
    quantiles -= _FLOOR
    quantiles.sort()


def _tame(experts: Floats, middle: Floats, band: float) -> None:
    """Keep every expert within so many times the middle."""
    least, most = middle / np.float32(band), middle * np.float32(band)
    np.maximum(experts, least, out=experts)
    np.minimum(experts, most, out=experts)
