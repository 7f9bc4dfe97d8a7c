"""Samples of one horizon: they wait until a batch is full, and some of every batch are kept to be learned again.

A batch is full after a fixed count of samples, so what is learned depends on the order of samples only. Learning old
samples again keeps the newest period from pulling the weights its way, because all items share that period's luck.
The random draws are seeded by the number of the batch.

Inputs are stored as whole numbers of 1/512, which is finer than what is learned from them.
"""

from math import floor

import numpy as np
import numpy.typing as npt

from agents.forecasting.blend.inputs import PHASE, WIDTH
from agents.kernel.compiled import compiled

BATCH = 64
KEPT = 1024
"""Samples kept for learning again, at most."""
_KEPT_OF_BATCH = 8
_STEPS, _MOST = 512.0, 32_767.0
_PRIME, _FACTOR = 2_147_483_647, 48_271
_FORERUN = 3

STORED_INPUTS = ("inputs", np.int16, WIDTH)
SAMPLE = np.dtype([("target", np.float32), STORED_INPUTS], align=True)


def check(stored: npt.NDArray[np.void], phases: int) -> None:
    """Refuse inputs whose phase does not exist."""
    found = stored["inputs"][:, PHASE]
    if len(found) and not 0 <= int(found.min()) <= int(found.max()) < phases * _STEPS:
        raise ValueError("inputs of another rhythm")


@compiled
def store(stored: npt.NDArray[np.int16], values: npt.NDArray[np.float64]) -> None:
    """Write inputs as they are stored."""
    for number in range(WIDTH):
        stored[number] = int(min(max(floor(values[number] * _STEPS + 0.5), -_MOST), _MOST))


@compiled
def restore(stored: npt.NDArray[np.int16], values: npt.NDArray[np.float64]) -> None:
    """Read stored inputs."""
    for number in range(WIDTH):
        values[number] = int(stored[number]) / _STEPS


@compiled
def replayed(batches: int, kept: int, chosen: npt.NDArray[np.int64]) -> None:
    """Choose the kept samples that are learned again beside a batch."""
    seed = _seed(2 * batches)
    for number in range(len(chosen)):
        seed = _next(seed)
        chosen[number] = BATCH + _below(seed, kept)


@compiled
def keep_some(samples: npt.NDArray[np.void], batches: int, kept: int) -> int:
    """Keep some of a full batch, and all while few are kept; answers with how many are kept now."""
    seed, most = _seed(2 * batches + 1), len(samples) - BATCH
    step = 1 if kept < 2 * BATCH else BATCH // _KEPT_OF_BATCH
    count = BATCH // step
    grows = kept + count <= most
    for number in range(count):
        seed = _next(seed)
        chosen = number * step + _below(seed, step)
        seed = _next(seed)
        place = BATCH + (kept + number if grows else _below(seed, most))
        samples[place]["target"] = samples[chosen]["target"]
        for value in range(WIDTH):
            samples[place]["inputs"][value] = samples[chosen]["inputs"][value]
    return kept + count if grows else kept


@compiled
def _seed(number: int) -> int:
    """The state from which a run of draws begins."""
    seed = number % (_PRIME - 1) + 1
    for _ in range(_FORERUN):
        seed = _next(seed)
    return seed


@compiled
def _next(seed: int) -> int:
    """Lehmer's generator, as Park and Miller have it: CACM 31, 1988, and 36, 1993."""
    return seed * _FACTOR % _PRIME


@compiled
def _below(seed: int, count: int) -> int:
    """A draw from 0 to below `count`."""
    return seed * count // _PRIME
