"""What the blend knows of one item: its memory, the forecasts that wait to be judged, and whom it trusts.

A belief is written as one msgpack array; arrays stand in it as bytes. Whatever is not such an array is refused.
"""

from collections.abc import Sequence
from math import ceil
from typing import NamedTuple

import msgspec
import numpy as np

from agents.forecasting.base import LEVELS, Ahead, DemandForecast
from agents.forecasting.blend.aggregation import Regrets
from agents.forecasting.blend.arrays import Halves, numbers, pack, unpack
from agents.forecasting.blend.calibration import Rail
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
        "answer", "asked", "filed", "horizon", "judged", "mean_squares", "memory", "plan", "rail", "regrets", "shifted",
        "spread", "unbroken", "votes",
    )  # fmt: skip

    def __init__(self, pace: Pace) -> None:
        self.memory = Past.fresh(pace)
        self.votes = Votes()
        self.horizon = 0
        self.filed: list[FiledForecast] = []
        self.regrets = Regrets(EXPERTS)
        self.rail = Rail()
        self.spread = Spread()
        self.mean_squares = [0.0] * MEANS
        self.judged = 0
        self.plan: tuple[Ahead, ...] = ()
        """What `answer` speaks of; of a belief that was read only the hash in `asked` is known."""
        self.asked: int | None = None
        self.answer: DemandForecast | None = None
        self.unbroken = 0
        """Periods since demand last shifted."""
        self.shifted = False


class _Row(NamedTuple):
    """A filed forecast as it is written."""

    left: int
    total: float
    unit: float
    record: bytes


class _Written(msgspec.Struct, array_like=True):
    figures: PastFigures
    recent: bytes
    phase_sums: list[float]
    phase_counts: list[int]
    votes: Votes
    horizon: int
    filed: list[_Row]
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
_decoder = msgspec.msgpack.Decoder(_Written)


def write(belief: BlendState) -> bytes:
    """Write a belief."""
    memory = belief.memory
    return _encode(
        _Written(
            memory.figures,
            pack(memory.recent[: memory.figures.periods]),
            memory.phase_sums,
            memory.phase_counts,
            belief.votes,
            belief.horizon,
            [_Row(f.left, f.total, f.unit, pack(f.record)) for f in belief.filed],
            belief.regrets.dump(),
            belief.rail.stretches,
            belief.spread.squares,
            belief.spread.usual,
            belief.spread.errors,
            belief.mean_squares,
            belief.judged,
            plan_hash(belief.plan) if belief.asked is None else belief.asked,
            belief.answer,
            belief.unbroken,
            belief.shifted,
        )
    )


def plan_hash(ahead: Sequence[Ahead]) -> int:
    """A hash of a plan; of numbers only, so that it is the same in every process."""
    prices = (-1.0 if period.price is None else period.price for period in ahead)
    return hash((*((p.starts, p.ends, p.is_open, p.promotion) for p in ahead), *prices))


def read(data: bytes, pace: Pace, width: int) -> BlendState:
    """Read a belief; one that was not written by `write` in this rhythm raises ValueError."""
    try:
        written = _decoder.decode(data)
    except (msgspec.MsgspecError, OverflowError) as error:
        raise ValueError(f"not what the blend knows of an item: {error}") from error
    belief = BlendState(pace)
    memory = belief.memory
    memory.figures = _checked(written.figures)
    known = min(written.figures.periods, pace.long_memory)
    memory.recent[:known] = unpack(written.recent, np.float32, (known,))
    memory.phase_sums = numbers(written.phase_sums, pace.phases)
    memory.phase_counts = written.phase_counts
    if len(written.phase_counts) != pace.phases or min(written.phase_counts) < 0 or len(written.filed) > MOST_WAITING:
        raise ValueError("not what the blend knows of an item in this rhythm")
    belief.votes, belief.horizon = written.votes, written.horizon
    belief.filed = [_filed(row, width) for row in written.filed]
    belief.regrets.load(written.regrets)
    belief.regrets.slow_down(waiting_at(written.horizon))
    belief.rail.stretches = numbers(written.stretches, len(LEVELS))
    spread = belief.spread
    spread.squares, spread.usual = numbers(written.squares, AVERAGES), numbers(written.usual, AVERAGES)
    spread.errors = max(written.errors, 0)
    belief.mean_squares, belief.judged = numbers(written.mean_squares, MEANS), max(written.judged, 0)
    belief.asked, belief.answer = written.asked, written.answer
    belief.unbroken, belief.shifted = written.unbroken, written.shifted
    return belief


def _checked(figures: PastFigures) -> PastFigures:
    values = [float(value) for value in msgspec.structs.astuple(figures)]
    numbers(values, len(values))
    if figures.periods < 0 or figures.sales < 0 or figures.since_sale < 0 or figures.total < 0.0:
        raise ValueError("a count of periods is negative")
    return figures


def _filed(row: _Row, width: int) -> FiledForecast:
    if row.left < 1 or not 0.0 < row.unit < float("inf") or not 0.0 <= row.total < float("inf"):
        raise ValueError("a filed forecast of no size")
    return FiledForecast(row.left, row.total, row.unit, unpack(row.record, np.float16, (width,)))
