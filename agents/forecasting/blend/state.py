"""What the blend knows of one item: its past, the forecasts that wait to be judged, and how far each expert is trusted.

A state is written as one msgpack array; arrays stand in it as bytes. Whatever is not such an array is refused.
"""

from collections.abc import Sequence
from math import ceil
from typing import NamedTuple

import msgspec
import numpy as np

from agents.forecasting.base import LEVELS, Ahead, DemandForecast
from agents.forecasting.blend.aggregation import Regrets
from agents.forecasting.blend.arrays import Halves, numbers, pack, unpack
from agents.forecasting.blend.calibration import Calibration
from agents.forecasting.blend.experts import AVERAGES, Spread
from agents.forecasting.blend.past import Past, PastFigures
from agents.forecasting.blend.population import Votes
from agents.forecasting.blend.sheet import EXPERTS, MEANS
from agents.forecasting.rhythm import Pace

MOST_WAITING = 8
"""Forecasts that wait at a time; over longer horizons not every period files one."""


def stride_of(horizon: int) -> int:
    """Periods between the forecasts of this horizon that are filed."""
    return max(1, ceil(horizon / MOST_WAITING))


def waiting_at(horizon: int) -> int:
    """How many of them wait at a time."""
    return ceil(horizon / stride_of(horizon))


class FiledForecast(msgspec.Struct):
    """A forecast that waits until its horizon has passed."""

    left: int
    """Open periods still to come."""
    total: float
    """Demand so far."""
    unit: float
    """Scale x H: what quantiles and demand are divided by."""
    record: Halves
    """A sheet's row."""


class BlendState:
    """The state of one item."""

    __slots__ = (
        "answer", "asked", "calibration", "filed", "horizon", "judged", "mean_squares", "past", "plan", "regrets",
        "shifted", "spread", "unbroken", "votes",
    )  # fmt: skip

    def __init__(self, pace: Pace) -> None:
        self.past = Past.fresh(pace)
        self.votes = Votes()
        self.horizon = 0
        self.filed: list[FiledForecast] = []
        self.regrets = Regrets(EXPERTS)
        self.calibration = Calibration()
        self.spread = Spread()
        self.mean_squares = [0.0] * MEANS
        self.judged = 0
        self.plan: tuple[Ahead, ...] = ()
        """The plan that `answer` was made for; after a state was read only its hash is known, in `asked`."""
        self.asked: int | None = None
        self.answer: DemandForecast | None = None
        self.unbroken = 0
        """Periods since demand last shifted."""
        self.shifted = False

    def forget_errors(self) -> None:
        """Forget how well the item was forecast, and the forecasts that wait to be judged."""
        self.filed, self.regrets, self.calibration, self.spread = [], Regrets(EXPERTS), Calibration(), Spread()
        self.regrets.slow_down(waiting_at(self.horizon))
        self.mean_squares, self.judged = [0.0] * MEANS, 0
        self.unbroken, self.shifted = min(self.past.figures.periods, len(self.past.recent)), False


class _StoredForecast(NamedTuple):
    """A filed forecast as it is written."""

    left: int
    total: float
    unit: float
    record: bytes


class _StoredState(msgspec.Struct, array_like=True):
    figures: PastFigures
    recent: bytes
    phase_sums: list[float]
    phase_counts: list[int]
    votes: Votes
    horizon: int
    filed: list[_StoredForecast]
    regrets: list[bytes]
    stretches: list[float]
    squares: list[float]
    usual: list[float]
    errors: int
    mean_squares: list[float]
    judged: int
    asked: int
    answer: DemandForecast | None
    unbroken: int
    shifted: bool


_encode = msgspec.msgpack.Encoder().encode
_decoder = msgspec.msgpack.Decoder(_StoredState)


def write(state: BlendState) -> bytes:
    """Write a state."""
    past = state.past
    return _encode(
        _StoredState(
            past.figures,
            pack(past.recent[: past.figures.periods]),
            past.phase_sums,
            past.phase_counts,
            state.votes,
            state.horizon,
            [_StoredForecast(f.left, f.total, f.unit, pack(f.record)) for f in state.filed],
            state.regrets.dump(),
            state.calibration.stretches,
            state.spread.squares,
            state.spread.usual,
            state.spread.errors,
            state.mean_squares,
            state.judged,
            plan_hash(state.plan) if state.asked is None else state.asked,
            state.answer,
            state.unbroken,
            state.shifted,
        )
    )


def plan_hash(ahead: Sequence[Ahead]) -> int:
    """A hash of a plan; of numbers only, so that it is the same in every process."""
    prices = (-1.0 if period.price is None else period.price for period in ahead)
    return hash((*((p.starts, p.ends, p.is_open, p.promotion) for p in ahead), *prices))


def read(data: bytes, pace: Pace, width: int) -> BlendState:
    """Read a state; one that was not written by `write` in this rhythm raises ValueError."""
    try:
        written = _decoder.decode(data)
    except (msgspec.MsgspecError, OverflowError) as error:
        raise ValueError(f"not what the blend knows of an item: {error}") from error
    state = BlendState(pace)
    past = state.past
    past.figures = _checked(written.figures)
    known = min(written.figures.periods, pace.long_memory)
    past.recent[:known] = unpack(written.recent, np.float32, (known,))
    past.phase_sums = numbers(written.phase_sums, pace.phases)
    past.phase_counts = written.phase_counts
    if len(written.phase_counts) != pace.phases or min(written.phase_counts) < 0 or len(written.filed) > MOST_WAITING:
        raise ValueError("not what the blend knows of an item in this rhythm")
    state.votes, state.horizon = written.votes, written.horizon
    state.filed = [_filed(row, width) for row in written.filed]
    state.regrets.load(written.regrets)
    state.regrets.slow_down(waiting_at(written.horizon))
    state.calibration.stretches = numbers(written.stretches, len(LEVELS))
    spread = state.spread
    spread.squares, spread.usual = numbers(written.squares, AVERAGES), numbers(written.usual, AVERAGES)
    spread.errors = max(written.errors, 0)
    state.mean_squares, state.judged = numbers(written.mean_squares, MEANS), max(written.judged, 0)
    state.asked, state.answer = written.asked, written.answer
    state.unbroken, state.shifted = written.unbroken, written.shifted
    return state


def _checked(figures: PastFigures) -> PastFigures:
    values = [float(value) for value in msgspec.structs.astuple(figures)]
    numbers(values, len(values))
    if figures.periods < 0 or figures.sales < 0 or figures.since_sale < 0 or figures.total < 0.0:
        raise ValueError("a count of periods is negative")
    return figures


def _filed(row: _StoredForecast, width: int) -> FiledForecast:
    if row.left < 1 or not 0.0 < row.unit < float("inf") or not 0.0 <= row.total < float("inf"):
        raise ValueError("a filed forecast of no size")
    return FiledForecast(row.left, row.total, row.unit, unpack(row.record, np.float16, (width,)))
