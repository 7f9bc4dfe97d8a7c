"""What a shard's items learn together about one horizon: regressions, the pool, and which expert to trust.

- *shared*: the strongest expert, and the one that knows the mean.
- *quick*: the same at higher rates, for when things change.
- *stacked*: sees the other experts' quantiles besides, so that it learns when to trust whom.

All three are columns of one regression, because they touch the same weights' places.
"""

from math import exp

import msgspec
import numpy as np

from agents.forecasting.aggregation import Regrets
from agents.forecasting.arrays import Floats, Halves, numbers, pack, unpack
from agents.forecasting.base import LEVELS
from agents.forecasting.bins import Bins
from agents.forecasting.inputs import FLOOR
from agents.forecasting.lessons import Lessons
from agents.forecasting.regression import Rates, Regression

SHAPED, QUICK, SUMS, AVERAGED, SHARED, STACKED, MEDIAN = 0, 1, 2, slice(3, 6), 6, 7, 8
"""Rows of the experts' quantiles: the first seven are those that the stacked regression sees."""
USUAL = slice(QUICK, SHARED + 1)
"""Experts that the median is of."""
EXPERTS = 9
SEEN = 7
ANCHORS = slice(SHARED, MEDIAN + 1)
"""Experts whose median every other one must keep near."""
MEANS = 5
"""Experts on the mean: the shared regression, the three averages, and the average by phase and plan."""
MOST_BYTES = 495_000
"""Of weights and samples together, so that the models of two horizons stay below 1 MB."""
_MOST_LOG = np.float32(3.4)
_MOST_SCORE = np.float32(6.0)
_BAND = np.float32(6.0)
_HALF, _ZERO, _FLOOR, _LITTLE = np.float32(0.5), np.float32(0.0), np.float32(FLOOR), np.float32(1e-6)
_STEADY, _QUICK, _STACKED = Rates(0.02, 0.003), Rates(0.05, 0.02), Rates(0.01, 0.003)
_START = (-0.6, 0.3, 0.7, 1.1, 1.8)
_START_MEAN = 0.3
_NOTHING = (0.0,) * len(LEVELS)
_LEAN = 0.6
"""Weight of the moving average at the start."""
_POOL = (0.3, 1.2, 2.0, 3.2, 6.0)
_KEEP = 0.995
"""Share of the shard's regret kept a period."""
_LEAST_POOL_RATE = 0.01
_MEAN_RATE = 0.001


class Written(msgspec.Struct, array_like=True):
    """A guide's weights as bytes."""

    regression: list[bytes]
    pool: list[float]


class WrittenTrust(msgspec.Struct, array_like=True):
    """What changes with every sample, as bytes."""

    waiting: bytes
    regrets: list[bytes]
    round: bytes
    samples: int
    period: int
    mean_errors: list[float]


class Guide:
    """The shared model of one horizon."""

    def __init__(self, bins: Bins) -> None:
        self._bins = bins
        self.inputs = 1 + bins.inputs
        """The first is always 1."""
        rates = (_STEADY, _QUICK, _STACKED)
        self.regression = Regression(self.inputs, bins.count, rates, with_mean=True, more=SEEN * len(LEVELS))
        self.regrets = Regrets(EXPERTS)
        self.pool = list(_POOL)
        self.mean_errors = [1.0] * MEANS
        """Faded mean squared errors of the experts on the mean, in scaled demand."""
        self._round: Floats = np.zeros((EXPERTS, len(LEVELS)), np.float32)
        """Regret of the period underway, summed over its samples."""
        self._samples = 0
        self._period = 0
        self.lessons = Lessons(width_of(bins), MOST_BYTES - self.regression.size)
        dense, stacked = self.regression.dense, slice(2 * len(LEVELS), 3 * len(LEVELS))
        dense[0] = (*_START, *_START, *_NOTHING, _START_MEAN)
        dense[1] = _LEAN
        dense[1, stacked] = 0.0
        dense[self.inputs :, stacked] = np.tile(np.eye(len(LEVELS), dtype=np.float32), (SEEN, 1)) / SEEN
        self.regression.settle()

    def advise(self, row: Halves, experts: Floats) -> float:
        """Fill in what the local experts left open of a row of inputs, and of experts; returns the mean."""
        inputs = row[: self.inputs].astype(np.float32)
        scores = self.regression.predict(inputs, self._bins.of(inputs[1:]))
        experts[SHARED], experts[QUICK] = _unlog(scores[: 2 * len(LEVELS)].reshape(2, len(LEVELS)))
        seen = experts[:SEEN] + _FLOOR
        np.log(seen, out=seen)
        np.minimum(seen, _MOST_LOG, out=seen)
        row[self.inputs :] = seen.ravel()
        ranked = experts[USUAL].copy()
        ranked.sort(axis=0)
        np.add(ranked[2], ranked[3], out=experts[MEDIAN])
        experts[MEDIAN] *= _HALF
        more = self.regression.predict_more(row[self.inputs :].astype(np.float32))
        experts[STACKED] = _unlog(scores[2 * len(LEVELS) : 3 * len(LEVELS)] + more)
        _tame(experts)
        return exp(min(float(scores[-1]), 6.0))

    def trust(self, period: int, regret: Floats) -> None:
        """Take in a sample's regret; a period later than those so far ends the round before it."""
        if period > self._period:
            if self._samples:
                self.regrets.add(self._round / np.float32(self._samples), _KEEP)
                self._round, self._samples = np.zeros_like(self._round), 0
            self._period = period
        self._round += regret
        self._samples += 1

    def learn(self, row: Halves, target: float) -> bool:
        """Take in a sample; whether it completed a batch, so that the weights changed."""
        if not self.lessons.add(row, target):
            return False
        newest = True
        for batch in self.lessons.batch():
            places = self._bins.of(batch.inputs[:, 1 : self.inputs])
            self.regression.learn(batch.inputs, places, np.log(batch.targets + _FLOOR), batch.targets)
            if newest:
                self._move_pool(batch.targets)
                newest = False
        self.regression.average(self.lessons.batches)
        return True

    def judge_means(self, errors: list[float]) -> None:
        """Take in the squared errors of a sample's means."""
        rate = max(_MEAN_RATE, 1.0 / (self.lessons.seen + 1))
        for number, error in enumerate(errors):
            self.mean_errors[number] += rate * (error - self.mean_errors[number])

    def dump_weights(self) -> bytes:
        """Write all that changes with a batch only, but for the samples."""
        return msgspec.msgpack.encode(Written(self.regression.dump(), self.pool))

    def dump_waiting(self) -> bytes:
        """Write what changes with every sample."""
        return msgspec.msgpack.encode(
            WrittenTrust(
                self.lessons.dump_waiting(),
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
            written = msgspec.msgpack.decode(weights, type=Written)
            trust = msgspec.msgpack.decode(waiting, type=WrittenTrust)
            self.regression.load(written.regression)
            self.regrets.load(trust.regrets)
            self.pool = numbers(written.pool, len(LEVELS))
            self._round = unpack(trust.round, np.float32, self._round.shape)
            self._samples, self._period = max(trust.samples, 0), trust.period
            self.mean_errors = numbers(trust.mean_errors, MEANS)
            self.lessons.load(trust.waiting, kept)
        except msgspec.MsgspecError as error:
            raise ValueError(f"not a shared model: {error}") from error

    def _move_pool(self, targets: Floats) -> None:
        """Follow the quantiles of all items' scaled demand."""
        rate = max(_LEAST_POOL_RATE, 0.3 / (self.lessons.batches + 1))
        covered = (targets[:, None] <= np.array(self.pool)).mean(axis=0).tolist()
        self.pool = [
            quantile * exp(3.0 * rate * (level - share))
            for quantile, level, share in zip(self.pool, LEVELS, covered, strict=True)
        ]


def width_of(bins: Bins) -> int:
    """Inputs of the stacked regression: an intercept, those of an item, and the logs of the experts that it sees."""
    return 1 + bins.inputs + SEEN * len(LEVELS)


def _unlog(scores: Floats) -> Floats:
    """Quantiles from a regression's scores, sorted."""
    quantiles: Floats = np.minimum(scores, _MOST_SCORE)
    np.exp(quantiles, out=quantiles)
    quantiles -= _FLOOR
    np.maximum(quantiles, _ZERO, out=quantiles)
    quantiles.sort()
    return quantiles


def _tame(experts: Floats) -> None:
    """Keep every expert within 1/6 to 6 times the anchors' median: one wild expert would ruin the mixture."""
    anchors = experts[ANCHORS].copy()
    anchors.sort(axis=0)
    middle = anchors[1]
    np.maximum(experts, middle / _BAND, out=experts)
    middle *= _BAND
    middle += _LITTLE
    np.minimum(experts, middle, out=experts)
