"""Samples of one horizon: they wait until a batch is full, and some of every batch are kept to be learned again.

A batch is full after a fixed count of samples, so what is learned depends on the order of samples only. Learning old
samples again keeps the newest period from pulling the weights its way, because all items share that period's luck.
The random draws come from a generator of whole numbers, whose state is the model's.

Inputs are stored as whole numbers of 1/512, which is finer than what is learned from them.
"""

from math import floor

import numpy as np
import numpy.typing as npt

from agents.forecasting.blend.inputs import WIDTH
from agents.kernel.compiled import Numbers, Places, Record, Records, compiled

BATCH = 64
KEPT = 1024
"""Samples kept for learning again, at most."""
_KEPT_OF_BATCH = 8
_STEPS, _MOST = 512.0, 32_767.0
FIRST_SEED = 11
_PRIME, _FACTOR = 2_147_483_647, 48_271

STORED_INPUTS = ("inputs", np.int16, WIDTH)
SAMPLE = np.dtype([("target", np.float32), STORED_INPUTS], align=True)


@compiled
def store(stored: npt.NDArray[np.int16], values: Numbers) -> None:
    """Write inputs as they are stored."""
    for number in range(WIDTH):
        stored[number] = int(min(max(floor(values[number] * _STEPS + 0.5), -_MOST), _MOST))


@compiled
def restore(stored: npt.NDArray[np.int16], values: Numbers) -> None:
    """Read stored inputs."""
    for number in range(WIDTH):
        values[number] = int(stored[number]) / _STEPS


@compiled
def replay(model: Record, chosen: Places) -> None:
    """Choose the kept samples that are learned again beside a batch."""
    for number in range(len(chosen)):
        chosen[number] = BATCH + _draw(model, model["kept"])


@compiled
def keep_some(model: Record, stored: Records) -> None:
    """Keep some of a full batch, and all while few are kept; where there is no more room, others go."""
    step, most = 1 if model["kept"] < 2 * BATCH else BATCH // _KEPT_OF_BATCH, len(stored) - BATCH
    count = BATCH // step
    grows = model["kept"] + count <= most
    for number in range(count):
        chosen = number * step + _draw(model, step)
        place = BATCH + (model["kept"] + number if grows else _draw(model, most))
        stored[place] = stored[chosen]
    if grows:
        model["kept"] += count


@compiled
def _draw(model: Record, count: int) -> int:
    """A whole number from 0 to below `count`.

    Park, Miller: Random Number Generators: Good Ones Are Hard to Find. CACM 31, 1988; with the factor of CACM 36, 1993.
    """
    model["seed"] = model["seed"] * _FACTOR % _PRIME
    return int(model["seed"] * count // _PRIME)
