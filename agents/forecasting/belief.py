"""What the blend knows of one item: its memory, the forecasts that wait to be judged, and whom it trusts.

A belief is written as one msgpack array; arrays stand in it as bytes. Whatever is not such an array is refused.
"""

from collections.abc import Sequence
from typing import NamedTuple

import msgspec
import numpy as np

from agents.forecasting.aggregation import Regrets
from agents.forecasting.arrays import Floats, Halves, numbers, pack, unpack
from agents.forecasting.base import LEVELS, Ahead, Forecast
from agents.forecasting.calibration import Rail
from agents.forecasting.experts import AVERAGES, Spread
from agents.forecasting.guide import EXPERTS, MEANS
from agents.forecasting.memory import Figures, Memory
from agents.forecasting.population import Votes
from agents.forecasting.rhythm import Pace

MOST_WAITING = 8
"""Forecasts that wait at a time; over longer horizons not every period files one."""


class Filed(msgspec.Struct):
    """A forecast that waits until its horizon has passed."""

    left: int
    """Open periods still to come."""
    total: float
    """Demand so far."""
    unit: float
    """Scale x H: what quantiles and demand are divided by."""
    inputs: Halves
    experts: Halves
    """Logs of the experts' quantiles."""
    mixture: Floats
    corrected: Floats
    """The mixture as it was published, before rounding."""
    means: Floats


class Belief:
    """The state of one item."""

    __slots__ = (
        "answer", "asked", "filed", "horizon", "judged", "mean_squares", "memory", "plan", "rail", "regrets", "shifted",
        "spread", "unbroken", "votes",
    )  # fmt: skip

    def __init__(self, pace: Pace) -> None:
        self.memory = Memory.fresh(pace)
        self.votes = Votes()
        self.horizon = 0
        self.filed: list[Filed] = []
        self.regrets = Regrets(EXPERTS)
        self.rail = Rail()
        self.spread = Spread()
        self.mean_squares = [0.0] * MEANS
        self.judged = 0
        self.plan: tuple[Ahead, ...] = ()
        """What `answer` speaks of; of a belief that was read only the hash in `asked` is known."""
        self.asked: int | None = None
        self.answer: Forecast | None = None
        self.unbroken = 0
        """Periods since demand last shifted."""
        self.shifted = False


class _Row(NamedTuple):
    """A filed forecast as it is written."""

    left: int
    total: float
    unit: float
    arrays: bytes


class _Written(msgspec.Struct, array_like=True):
    figures: Figures
    recent: bytes
    phase_sums: list[float]
    phase_counts: list[int]
    votes: Votes
    horizon: int
    filed: list[_Row]
    regrets: list[bytes]
    offsets: bytes
    squares: list[float]
    errors: int
    mean_squares: list[float]
    judged: int
    asked: int
    answer: Forecast | None
    unbroken: int
    shifted: bool


_encode = msgspec.msgpack.Encoder().encode
_decoder = msgspec.msgpack.Decoder(_Written)


def write(belief: Belief) -> bytes:
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
            [_Row(f.left, f.total, f.unit, _pack_filed(f)) for f in belief.filed],
            belief.regrets.dump(),
            pack(belief.rail.offsets),
            belief.spread.squares,
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


def read(data: bytes, pace: Pace, inputs: int) -> Belief:
    """Read a belief; one that was not written by `write` in this rhythm raises ValueError."""
    try:
        written = _decoder.decode(data)
    except (msgspec.MsgspecError, OverflowError) as error:
        raise ValueError(f"not what the blend knows of an item: {error}") from error
    belief = Belief(pace)
    memory = belief.memory
    memory.figures = _checked(written.figures)
    known = min(written.figures.periods, pace.long_memory)
    memory.recent[:known] = unpack(written.recent, np.float32, (known,))
    memory.phase_sums = numbers(written.phase_sums, pace.phases)
    memory.phase_counts = written.phase_counts
    if len(written.phase_counts) != pace.phases or min(written.phase_counts) < 0 or len(written.filed) > MOST_WAITING:
        raise ValueError("not what the blend knows of an item in this rhythm")
    belief.votes, belief.horizon = written.votes, written.horizon
    belief.filed = [_unpack_filed(row, inputs) for row in written.filed]
    belief.regrets.load(written.regrets)
    belief.rail.offsets = unpack(written.offsets, np.float32, (len(LEVELS),))
    belief.spread.squares, belief.spread.errors = numbers(written.squares, AVERAGES), max(written.errors, 0)
    belief.mean_squares, belief.judged = numbers(written.mean_squares, MEANS), max(written.judged, 0)
    belief.asked, belief.answer = written.asked, written.answer
    belief.unbroken, belief.shifted = written.unbroken, written.shifted
    return belief


def _checked(figures: Figures) -> Figures:
    values = [float(value) for value in msgspec.structs.astuple(figures)]
    numbers(values, len(values))
    if figures.periods < 0 or figures.sales < 0 or figures.since_sale < 0 or figures.total < 0.0:
        raise ValueError("a count of periods is negative")
    return figures


def _pack_filed(filed: Filed) -> bytes:
    floats = np.concatenate((filed.mixture, filed.corrected, filed.means))
    return pack(filed.inputs) + pack(filed.experts) + pack(floats)


def _unpack_filed(row: _Row, inputs: int) -> Filed:
    first, second = 2 * inputs, 2 * inputs + 2 * EXPERTS * len(LEVELS)
    floats = unpack(row.arrays[second:], np.float32, (2 * len(LEVELS) + MEANS,))
    if row.left < 1 or not 0.0 < row.unit < float("inf") or not 0.0 <= row.total < float("inf"):
        raise ValueError("a filed forecast of no size")
    return Filed(
        row.left,
        row.total,
        row.unit,
        unpack(row.arrays[:first], np.float16, (inputs,)),
        unpack(row.arrays[first:second], np.float16, (EXPERTS, len(LEVELS))),
        floats[: len(LEVELS)].copy(),
        floats[len(LEVELS) : 2 * len(LEVELS)].copy(),
        floats[2 * len(LEVELS) :].copy(),
    )
