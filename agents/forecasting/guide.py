"""What a shard's items learn together about one horizon: regressions, the pool, and which expert to trust.

- *shared*: the strongest expert, and the one that knows the mean.
- *quick*: the same at higher rates, for when things change.
- *stacked*: sees the other experts' quantiles besides, so that it learns when to trust whom.
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

SHARED, QUICK, STACKED, LOCAL, MEDIAN = 0, 1, 2, slice(3, 7), 7
"""Rows of the experts' quantiles."""
EXPERTS = 8
MEANS = 5
"""Experts on the mean: the shared regression, the three averages, and the average by phase and plan."""
_SEEN = np.array([SHARED, QUICK, 3, 4, 5, 6])
"""Experts that the stacked regression sees: shared, quick and the local ones."""
_MOST_LOG = np.float16(3.4)
_MOST_SCORE = np.float32(6.0)
_BAND = np.float32(6.0)
_STEADY, _QUICK, _STACKED = Rates(0.02, 0.003), Rates(0.05, 0.02), Rates(0.01, 0.003)
_START = (-0.6, 0.3, 0.7, 1.1, 1.8)
_START_MEAN = 0.3
_LEAN = 0.6
"""Weight of the moving average at the start."""
_POOL = (0.3, 1.2, 2.0, 3.2, 6.0)
_KEEP = 0.995
"""Share of the shard's regret kept a period."""
_LEAST_POOL_RATE = 0.01
_MEAN_RATE = 0.001


class Written(msgspec.Struct, array_like=True):
    """A guide's weights as bytes."""

    shared: list[bytes]
    stacked: list[bytes]
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
        seen = len(_SEEN) * len(LEVELS)
        self.shared = Regression(bins.inputs, bins.count, (_STEADY, _QUICK), with_mean=True)
        """Shared and quick in one."""
        self.stacked = Regression(bins.inputs + seen, bins.count, (_STACKED,))
        self.regrets = Regrets(EXPERTS)
        self.pool = list(_POOL)
        self.mean_errors = [1.0] * MEANS
        """Faded mean squared errors of the experts on the mean, in scaled demand."""
        self._round: Floats = np.zeros((EXPERTS, len(LEVELS)), np.float32)
        """Regret of the period underway, summed over its samples."""
        self._samples = 0
        self._period = 0
        self.lessons = Lessons(bins.inputs, seen)
        self.shared.dense[0] = (*_START, *_START, _START_MEAN)
        self.shared.dense[1] = _LEAN
        for number in range(seen):
            self.stacked.dense[1 + bins.inputs + number, number % len(LEVELS)] = 1.0 / len(_SEEN)
        for regression in (self.shared, self.stacked):
            regression.settle()

    def advise(self, inputs: Floats, experts: Floats) -> float:
        """Fill in the rows beside the local experts'; returns the shared regression's mean."""
        places = self._bins.of(inputs[None])[0]
        scores = self.shared.predict(inputs, places)
        experts[: QUICK + 1] = unlog(scores[:-1].reshape(2, len(LEVELS)))
        ranked = experts[_SEEN]
        ranked.sort(axis=0)
        experts[MEDIAN] = (ranked[2] + ranked[3]) * np.float32(0.5)
        stacked = self.stacked.predict(np.concatenate((inputs, seen_by_stacked(logs_of(experts)))), places)
        experts[STACKED] = unlog(stacked)
        tame(experts, experts[SHARED], experts[STACKED], experts[MEDIAN])
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

    def learn(self, inputs: Halves, logs: Halves, target: float) -> bool:
        """Take in a sample; whether it completed a batch, so that the weights changed."""
        if not self.lessons.add(inputs, seen_by_stacked(logs), target):
            return False
        newest = True
        for batch in self.lessons.batch():
            places, log_targets = self._bins.of(batch.inputs), np.log(batch.targets + np.float32(FLOOR))
            self.shared.learn(batch.inputs, places, log_targets, batch.targets)
            both = np.concatenate((batch.inputs, batch.experts), axis=1)
            self.stacked.learn(both, places, log_targets, batch.targets)
            if newest:
                self._move_pool(batch.targets)
                newest = False
        for regression in (self.shared, self.stacked):
            regression.average()
        return True

    def judge_means(self, errors: list[float]) -> None:
        """Take in the squared errors of a sample's means."""
        for number, error in enumerate(errors):
            self.mean_errors[number] += _MEAN_RATE * (error - self.mean_errors[number])

    def dump_weights(self) -> bytes:
        """Write all that changes with a batch only, but for the samples."""
        return msgspec.msgpack.encode(Written(self.shared.dump(), self.stacked.dump(), self.pool))

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
            self.shared.load(written.shared)
            self.stacked.load(written.stacked)
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


def unlog(scores: Floats) -> Floats:
    """Quantiles from a regression's scores, sorted."""
    quantiles: Floats = np.exp(np.minimum(scores, _MOST_SCORE)) - np.float32(FLOOR)
    np.maximum(quantiles, np.float32(0.0), out=quantiles)
    quantiles.sort()
    return quantiles


def tame(experts: Floats, a: Floats, b: Floats, c: Floats) -> None:
    """Keep every expert within 1/6 to 6 times the median of these three: one wild expert would ruin the mixture."""
    middle = np.maximum(np.minimum(a, b), np.minimum(np.maximum(a, b), c))
    np.maximum(experts, middle / _BAND, out=experts)
    np.minimum(experts, middle * _BAND + np.float32(1e-6), out=experts)


def logs_of(experts: Floats) -> Halves:
    """Experts' quantiles as they are kept until they are judged."""
    logs: Halves = np.log(experts + np.float32(FLOOR)).astype(np.float16)
    return logs


def seen_by_stacked(logs: Halves) -> Halves:
    """What the stacked regression sees of the experts, flat."""
    seen: Halves = np.minimum(logs[_SEEN], _MOST_LOG).ravel()
    return seen
