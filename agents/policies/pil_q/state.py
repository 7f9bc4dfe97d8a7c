"""What `pil-q` knows of one item, and how that is stored."""

import math

import msgspec
import numpy as np

from agents.policies.arrays import Floats
from agents.policies.base import Rehearsal
from agents.policies.pil_q.arms import ARMS
from agents.policies.pil_q.averages import Averages
from agents.policies.shadow.shadows import Shadows
from schemas.stored import decoder_of

MOST_STORED = 2**53
"""A quantity of stock beyond this was damaged: no inventory is so large."""


class PilQState(msgspec.Struct):
    """What is known of one item."""

    averages: Averages
    shadows: Shadows | None = None
    """The arms' shadow inventories, then that of the arm that acts."""
    expected: float | None = None
    """What the item's forecast says of the period underway."""
    lots: bool = False
    """Which menu the costs belong to."""
    lived: int = 0
    """Periods since the shadows began."""
    learned: int = 0
    """Periods that the costs average."""
    arm: int | None = None
    """Who acts; chosen anew once in a while."""
    advantage: float = 0.0
    """What the arm is expected to save against the analytic rule, as a share of costs."""
    costs: Floats = msgspec.field(default_factory=lambda: np.zeros(ARMS))
    rehearsal: Rehearsal | None = None
    """Of the last period; not stored."""


class StoredPilQ(msgspec.Struct, array_like=True, forbid_unknown_fields=True):
    """A state as it is stored."""

    version: int
    averages: Averages
    expected: float | None
    lots: bool
    lived: int
    learned: int
    arm: int | None
    advantage: float
    costs: list[float]
    stock: list[int]
    pipeline: list[list[int]]
    drawn: list[int]
    fees: list[float]


_decode = decoder_of(StoredPilQ, "a state of pil-q")


_decode = decoder_of(StoredPilQ, "a state of pil-q")


def encode_state(state: PilQState, version: int) -> bytes:
    """Write an item's state."""
    shadows = state.shadows
    stored = StoredPilQ(
        version,
        state.averages,
        state.expected,
        state.lots,
        state.lived,
        state.learned,
        state.arm,
        state.advantage,
        state.costs.tolist(),
        [] if shadows is None else shadows.stock.astype(np.int64).tolist(),
        [] if shadows is None else shadows.pipeline.astype(np.int64).tolist(),
        [] if shadows is None else shadows.drawn,
        [] if shadows is None or shadows.fees is None else shadows.fees.tolist(),
    )
    return msgspec.msgpack.encode(stored)


def decode_state(data: bytes, version: int) -> PilQState:
    """Read an item's state; one whose parts do not fit together raises ValueError."""
    stored = _decode(data)
    if stored.version != version or not _fits(stored):
        raise ValueError(f"not a state of pil-q version {version}: its parts do not fit together")
    shadows = None
    if stored.stock:
        shadows = Shadows(
            np.asarray(stored.stock, dtype=float),
            np.asarray(stored.pipeline, dtype=float),
            stored.drawn,
            np.asarray(stored.fees) if stored.fees else None,
        )
    chosen = (stored.lived, stored.learned, stored.arm, stored.advantage)
    return PilQState(stored.averages, shadows, stored.expected, stored.lots, *chosen, np.asarray(stored.costs))


def _fits(stored: StoredPilQ) -> bool:
    """Whether the numbers are finite, in range, and as many as there are arms."""
    rows = len(stored.drawn)
    return (
        len(stored.costs) == ARMS
        and all(map(math.isfinite, [*stored.costs, *stored.fees]))
        and stored.averages.fits()
        and min(stored.lived, stored.learned, stored.arm or 0) >= 0
        and (stored.arm or 0) < ARMS
        and math.isfinite(stored.advantage)
        and math.isfinite(stored.expected or 0.0)
        and len(stored.stock) == (ARMS + 1 if rows else 0)
        and len(stored.fees) in {0, len(stored.stock)}
        and len(stored.pipeline) == rows
        and all(len(row) == ARMS + 1 for row in stored.pipeline)
        and all(abs(units) < MOST_STORED for row in (stored.stock, stored.drawn, *stored.pipeline) for units in row)
    )
