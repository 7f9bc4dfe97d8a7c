"""What `pil-q` knows of one item, and how that is stored."""

import math

import msgspec
import numpy as np

from agents.policies.arrays import Floats, Singles
from agents.policies.base import Rehearsal, Situation
from agents.policies.pil_q.arms import ARMS
from agents.policies.pil_q.averages import Averages
from agents.policies.pil_q.counterfactual import Together
from agents.policies.pil_q.shares import of_parts, parts_of
from agents.policies.shadow.shadows import Shadows
from schemas.stored import decoder_of

LITTLE = np.dtype("<f4")
"""How costs are stored, on every machine."""
MOST_STORED = 2**53
"""A quantity of stock beyond this was damaged: no inventory is so large."""


class PilQState(msgspec.Struct):
    """What is known of one item."""

    averages: Averages
    shadows: Shadows | None = None
    """The arms' shadow inventories, and last the item's own."""
    expected: float | None = None
    """What the item's forecast says of the period underway."""
    lots: bool = False
    """Which menu the costs belong to."""
    lived: int = 0
    """Periods since the shadows began."""
    learned: int = 0
    """Periods that the costs average."""
    shares: Floats | None = None
    """How much each arm has to say; worked out anew once in a while."""
    advantage: float = 0.0
    """What all of them together are expected to save against the analytic rule, as a share of costs."""
    costs: Singles = msgspec.field(default_factory=lambda: np.zeros(ARMS, np.float32))
    """Of a period, by arm."""
    rehearsal: Rehearsal | None = None
    """Of the last period; not stored."""
    decided: tuple[Situation, Together] | None = None
    """What arms decide for the situation learned last; not stored."""

    def begin(self, *, lots: bool) -> None:
        """Forget what arms of another menu have cost."""
        self.lots, self.shadows, self.shares = lots, None, None
        self.learned, self.costs = 0, np.zeros(ARMS, np.float32)


class StoredPilQ(msgspec.Struct, array_like=True, forbid_unknown_fields=True):
    """A state as it is stored."""

    version: int
    averages: Averages
    expected: float | None
    lots: bool
    lived: int
    learned: int
    shares: bytes
    advantage: float
    costs: bytes
    stock: list[int]
    pipeline: list[list[int]]
    drawn: list[int]
    fees: list[float]


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
        b"" if state.shares is None else parts_of(state.shares),
        state.advantage,
        state.costs.astype(LITTLE).tobytes(),
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
    shares = of_parts(np.frombuffer(stored.shares, np.uint8).astype(float)) if stored.shares else None
    counts = (stored.lots, stored.lived, stored.learned)
    costs = np.frombuffer(stored.costs, LITTLE).astype(np.float32)
    return PilQState(stored.averages, shadows, stored.expected, *counts, shares, stored.advantage, costs)


def _fits(stored: StoredPilQ) -> bool:
    """Whether the numbers are finite, in range, and as many as there are arms."""
    rows = len(stored.drawn)
    return (
        len(stored.costs) == LITTLE.itemsize * ARMS
        and bool(np.isfinite(np.frombuffer(stored.costs, LITTLE)).all())
        and all(map(math.isfinite, stored.fees))
        and stored.averages.fits()
        and min(stored.lived, stored.learned) >= 0
        and len(stored.shares) in {0, ARMS}
        and (not stored.shares or any(stored.shares))
        and math.isfinite(stored.advantage)
        and math.isfinite(stored.expected or 0.0)
        and len(stored.stock) == (ARMS + 1 if rows else 0)
        and len(stored.fees) in {0, len(stored.stock)}
        and len(stored.pipeline) == rows
        and all(len(row) == ARMS + 1 for row in stored.pipeline)
        and all(max(map(abs, row), default=0) < MOST_STORED for row in (stored.stock, stored.drawn, *stored.pipeline))
    )
