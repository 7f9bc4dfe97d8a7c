"""The shared model of a shard and one horizon: regressions, the pool of scaled demand, and each expert's regret."""

import numpy as np
import numpy.typing as npt

from agents.forecasting.base import LEVELS
from agents.forecasting.blend import aggregation, regression, samples
from agents.forecasting.blend.aggregation import EXPERTS, REGRETS
from agents.forecasting.blend.bins import TOUCHED, flags_from, places_of, rows_of
from agents.forecasting.blend.experts import MEDIAN, QUICK, SLOW, STACKED, STEADY
from agents.forecasting.blend.inputs import FAST, FLOOR, INPUTS, ONE, PHASE, SEEN, WIDTH
from agents.forecasting.blend.regression import AVERAGED, COLUMNS, LEARNING, MOST_SCORE, SQUARES
from agents.forecasting.blend.samples import BATCH, KEPT, SAMPLE
from agents.kernel.arithmetic import exp, log
from agents.kernel.compiled import Numbers, Places, Record, Records, Singles, compiled
from agents.kernel.ranking import sort
from agents.kernel.records import copy, read

MEANS = 5
"""Experts on the mean: the shared regression, the average by phase and plan, and the three moving averages."""
MOST_BYTES = 495_000
"""Of weights and samples together, so that the models of two horizons stay below 1 MB."""
_MOST_LOG = 3.4
_BAND = 6.0
"""One wild expert would ruin the mixture: each is kept within so many times the anchors' median, and …"""
_YOUNG_BAND, _BAND_GROWS, _OLD_BAND = 1.5, 0.05, 8.0
"""… within so many times the median of most experts, more with each batch that the regressions have learned from."""
_START = (-0.6, 0.3, 0.7, 1.1, 1.8)
_LEAN = 0.6
"""Weight of the moving average at the start; the mean begins as that average."""
_POOL = (0.3, 1.2, 2.0, 3.2, 6.0)
_KEEP = 0.995
"""Share of the shard's regret kept a period."""
_LEAST_POOL_RATE = 0.01
_MEAN_RATE = 0.001
_POSITIVE = ("squares", "greatest_square", "pool", "seed")

MODEL = np.dtype(
    [
        ("pool", np.float64, len(LEVELS)),  # quantiles of all items' scaled demand
        ("mean_squares", np.float64, MEANS),  # faded mean squared errors of the experts on the mean, in scaled demand
        *REGRETS,
        ("round", np.float64, (EXPERTS, len(LEVELS))),  # regret of the period underway, summed over its samples
        ("round_samples", np.int64),
        ("period", np.int64),
        ("waiting", np.int64),
        ("kept", np.int64),
        ("batches", np.int64),
        ("seed", np.int64),  # of random draws
    ],
    align=True,
)
"""All but weights and samples."""


class SharedModel:
    """The shared model of one horizon, in a rhythm of so many phases."""

    __slots__ = ("record", "samples", "weights")

    def __init__(self, phases: int) -> None:
        self.record = np.zeros(1, MODEL)
        self.record["pool"], self.record["mean_squares"] = _POOL, 1.0
        self.record["seed"] = samples.FIRST_SEED
        aggregation.begin(self.record)
        first = rows_of(phases)
        self.weights: Singles = np.zeros((3, first + PHASE, COLUMNS), np.float32)
        self.weights[SQUARES] = regression.DENSE_START
        self.weights[SQUARES, : flags_from(phases)] = regression.SPARSE_START
        learning, stacked = self.weights[LEARNING, first:], slice(regression.STACKED, regression.MEAN)
        learning[ONE, : regression.STACKED] = _START * 2
        learning[FAST, : regression.STACKED], learning[FAST, regression.MEAN] = _LEAN, 1.0
        learning[INPUTS:, stacked] = np.tile(np.eye(len(LEVELS)), (SEEN, 1)) / SEEN
        self.weights[AVERAGED] = self.weights[LEARNING]
        room = (MOST_BYTES - self.weights.nbytes) // SAMPLE.itemsize - BATCH
        self.samples = np.zeros(BATCH + max(2 * BATCH, min(KEPT, room)), SAMPLE)

    def dump_waiting(self) -> bytes:
        """Write what changes with every sample."""
        return self.record.tobytes() + self.samples[: self.record["waiting"][0]].tobytes()

    def dump_kept(self) -> bytes:
        """Write the samples kept, which change with every batch as the weights do."""
        return self.samples[BATCH : BATCH + self.record["kept"][0]].tobytes()

    def load(self, weights: bytes, waiting: bytes, kept: bytes) -> None:
        """Read the weights and the other two parts; what is not such a part raises ValueError."""
        kind = np.dtype([(name, np.float32, self.weights.shape[1:]) for name in ("learning", "averaged", "squares")])
        found, record = read(weights, kind, ("squares",)), read(waiting[: MODEL.itemsize], MODEL, _POSITIVE)
        stored = [read(waiting[MODEL.itemsize :], SAMPLE), read(kept, SAMPLE)]
        counts = [len(part) for part in stored]
        if len(found) != 1 or len(record) != 1 or counts != [record["waiting"][0], record["kept"][0]]:
            raise ValueError("not the parts of a shared model")
        if counts[0] >= BATCH or counts[1] > len(self.samples) - BATCH:
            raise ValueError("more samples than are kept")
        self.record, self.weights[:] = record, np.stack([found[name][0] for name in kind.names or ()])
        for place, part in zip((0, BATCH), stored, strict=True):
            self.samples[place : place + len(part)] = part


@compiled
def advise(model: Record, weights: Singles, phases: int, values: Numbers, experts: Numbers) -> float:
    """Compute the shared experts from the inputs and the local experts; return the regression's mean.

    The logs of the experts that the stacked regression sees are written behind the inputs.
    """
    places, scores, first = np.empty(TOUCHED, np.int64), np.empty(COLUMNS), rows_of(phases)
    places_of(values, phases, places)
    regression.score_places(weights[AVERAGED], places, scores)
    regression.score_inputs(weights[AVERAGED], first, values, 0, INPUTS, scores)
    _unlog(scores, regression.QUICK, experts[QUICK])
    _unlog(scores, regression.STEADY, experts[STEADY])
    for expert in range(SEEN):
        for level in range(len(LEVELS)):
            values[INPUTS + expert * len(LEVELS) + level] = min(log(experts[expert, level] + FLOOR), _MOST_LOG)
    regression.score_inputs(weights[AVERAGED], first, values, INPUTS, PHASE, scores)
    _unlog(scores, regression.STACKED, experts[STACKED])
    _tame(experts, min(_YOUNG_BAND + _BAND_GROWS * model["batches"], _OLD_BAND))
    return exp(min(scores[regression.MEAN], MOST_SCORE))


@compiled
def trust(model: Record, period: int, saved: Numbers) -> None:
    """Take in a sample's regret; a period later than those so far ends the round before it."""
    if period > model["period"]:
        if model["round_samples"] > 0:
            aggregation.add(model, model["round"], 1.0 / model["round_samples"], _KEEP)
        model["period"], model["round_samples"] = period, 0
    for expert in range(EXPERTS):
        for level in range(len(LEVELS)):
            before = model["round"][expert, level] if model["round_samples"] > 0 else 0.0
            model["round"][expert, level] = before + saved[expert, level]
    model["round_samples"] += 1


@compiled
def judge_means(model: Record, errors: Numbers) -> None:
    """Take in the squared errors of a sample's means."""
    rate = max(_MEAN_RATE, 1.0 / (model["batches"] * BATCH + model["waiting"] + 1))
    for number in range(MEANS):
        model["mean_squares"][number] += rate * (errors[number] - model["mean_squares"][number])


@compiled
def learn(
    model: Record, weights: Singles, stored: Records, phases: int, inputs: npt.NDArray[np.int16], target: float
) -> bool:
    """Take in a sample; whether it completed a batch, so that the weights changed."""
    sample = stored[model["waiting"]]
    sample["target"] = target
    copy(inputs, sample["inputs"])
    model["waiting"] += 1
    if model["waiting"] < BATCH:
        return False
    chosen = np.arange(BATCH)
    _learn_batch(weights, stored, phases, chosen)
    _move_pool(model, stored)
    if model["kept"] >= BATCH:
        samples.replay(model, chosen)
        _learn_batch(weights, stored, phases, chosen)
    samples.keep_some(model, stored)
    model["waiting"] = 0
    model["batches"] += 1
    regression.average(weights, model["batches"])
    return True


@compiled
def _learn_batch(weights: Singles, stored: Records, phases: int, chosen: Places) -> None:
    """Learn from the chosen samples."""
    values, places = np.empty((BATCH, WIDTH)), np.empty((BATCH, TOUCHED), np.int64)
    targets = np.empty(BATCH)
    for number in range(BATCH):
        sample = stored[chosen[number]]
        samples.restore(sample["inputs"], values[number])
        places_of(values[number], phases, places[number])
        targets[number] = np.float64(sample["target"])
    regression.learn(weights, flags_from(phases), rows_of(phases), values, places, targets)


@compiled
def _move_pool(model: Record, stored: Records) -> None:
    """Follow the quantiles of all items' scaled demand, by the batch that is full."""
    rate, pool = max(_LEAST_POOL_RATE, 0.3 / (model["batches"] + 1)), model["pool"]
    for level in range(len(LEVELS)):
        covered = 0
        for number in range(BATCH):
            covered += np.float64(stored[number]["target"]) <= pool[level]
        pool[level] *= exp(3.0 * rate * (LEVELS[level] - covered / BATCH))


@compiled
def _unlog(scores: Numbers, first: int, expert: Numbers) -> None:
    """Write the quantiles, sorted, that a regression's scores stand for."""
    for level in range(len(LEVELS)):
        expert[level] = max(exp(min(scores[first + level], MOST_SCORE)), FLOOR) - FLOOR
    sort(expert)


@compiled
def _tame(experts: Numbers, band: float) -> None:
    """Write the median of most experts, and keep every expert near it and near the anchors' median."""
    usual, anchors = np.empty(STEADY - SLOW + 1), np.empty(MEDIAN - STEADY + 1)
    for level in range(len(LEVELS)):
        for number in range(len(usual)):
            usual[number] = experts[SLOW + number, level]
        sort(usual)
        median = 0.5 * (usual[2] + usual[3])
        experts[MEDIAN, level] = median
        for expert in range(EXPERTS):
            experts[expert, level] = min(max(experts[expert, level], median / band), median * band)
        for number in range(len(anchors)):
            anchors[number] = experts[STEADY + number, level]
        sort(anchors)
        for expert in range(EXPERTS):
            experts[expert, level] = min(max(experts[expert, level], anchors[1] / _BAND), anchors[1] * _BAND)
