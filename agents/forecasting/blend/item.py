"""What the blend knows of one item: its past, the forecasts that wait to be judged, and how far each expert is trusted.

It is one record, and a row for every filed forecast; what is stored is the bytes of those that are in use.
"""

from math import ceil

import numpy as np

from agents.forecasting.base import LEVELS
from agents.forecasting.blend import aggregation
from agents.forecasting.blend.aggregation import EXPERTS, REGRETS
from agents.forecasting.blend.experts import SPREAD
from agents.forecasting.blend.past import PAST
from agents.forecasting.blend.population import VOTES
from agents.forecasting.blend.samples import STORED_INPUTS
from agents.forecasting.blend.shared_model import MEANS
from agents.kernel.compiled import Records, compiled
from agents.kernel.records import read

MOST_WAITING = 8
"""Forecasts that wait at a time; over longer horizons not every period files one."""
_RHYTHM = ("season", "phases", "memory")
_OF_PRICES = ("prices", "log_price", "log_price_base")
_POSITIVE = ("squares", "greatest_square", "stretches")
_ERRORS = ("filed", "judged", "errors", "mean_squares", "mean_errors", "usual_errors")

ITEM = np.dtype(
    [
        ("season", np.int64),  # what the item's rhythm is known by
        ("phases", np.int64),
        ("memory", np.int64),
        ("horizon", np.int64),
        ("filed", np.int64),  # forecasts that wait
        ("unbroken", np.int64),  # periods since demand last shifted
        ("shifted", np.int64),
        ("judged", np.int64),
        ("mean_squares", np.float64, MEANS),
        ("stretches", np.float64, len(LEVELS)),
        *VOTES,
        *SPREAD,
        *PAST,
        *REGRETS,
        ("unused", np.float32),  # without it four bytes at the end would be stored as they happen to be
    ],
    align=True,
)
FILED = np.dtype(
    [
        ("left", np.int64),  # open periods still to come
        ("total", np.float64),  # demand so far
        ("unit", np.float64),  # scale x H: what quantiles, means and demand are divided by
        ("experts", np.float32, (EXPERTS, len(LEVELS))),
        ("mixture", np.float32, len(LEVELS)),
        ("corrected", np.float32, len(LEVELS)),
        ("means", np.float32, MEANS),
        STORED_INPUTS,
    ],
    align=True,
)
"""A forecast that waits until its horizon has passed."""


class BlendState:
    """The state of one item."""

    __slots__ = ("filed", "record")

    def __init__(self, record: Records) -> None:
        self.record = record
        self.filed = np.zeros(MOST_WAITING, FILED)
        """The oldest first."""

    def remember(self, other: "BlendState") -> None:
        """Take over the past of another; of prices only the last is remembered."""
        for name, *_ in PAST:
            if name not in _OF_PRICES:
                self.record[str(name)] = other.record[str(name)]

    def forget_errors(self) -> None:
        """Forget how well the item was forecast, and the forecasts that wait to be judged."""
        for name in _ERRORS:
            self.record[name] = 0
        self.record["stretches"] = 1.0
        aggregation.begin(self.record)
        self.record["unbroken"] = np.minimum(self.record["periods"], self.record["memory"])
        self.record["shifted"] = 0


def begin(pace: Records) -> BlendState:
    """Know nothing of an item."""
    record = np.zeros(1, ITEM)
    for name in _RHYTHM:
        record[name] = pace[name]
    record["stretches"] = 1.0
    aggregation.begin(record)
    return BlendState(record)


def write(state: BlendState) -> bytes:
    """Write a state."""
    return state.record.tobytes() + state.filed[: state.record["filed"][0]].tobytes()


def load(data: bytes, pace: Records) -> BlendState:
    """Read a state; one that was not written by `write` in this rhythm raises ValueError."""
    record, filed = read(data[: ITEM.itemsize], ITEM, _POSITIVE), read(data[ITEM.itemsize :], FILED, ("left", "unit"))
    if len(record) != 1 or any(record[name][0] != pace[name][0] for name in _RHYTHM):
        raise ValueError("not what the blend knows of an item in this rhythm")
    if not len(filed) == record["filed"][0] <= MOST_WAITING or record["unbroken"][0] > record["memory"][0]:
        raise ValueError("not what the blend knows of an item")
    state = BlendState(record)
    state.filed[: len(filed)] = filed
    return state


@compiled
def stride_of(horizon: int) -> int:
    """Periods between the forecasts of this horizon that are filed."""
    return max(1, ceil(horizon / MOST_WAITING))


@compiled
def waiting_at(horizon: int) -> int:
    """How many of them wait at a time."""
    return ceil(horizon / stride_of(horizon))


@compiled(ITEM, int)
def turn(items: Records, horizon: int) -> None:
    """Turn to another horizon: errors are rescaled to it, and what waits is dropped."""
    item = items[0]
    if item["horizon"] > 0 and horizon > 0:
        for number in range(len(item["mean_errors"])):
            item["mean_errors"][number] *= horizon / item["horizon"]
            item["usual_errors"][number] *= horizon / item["horizon"]
    item["horizon"], item["filed"] = horizon, 0
