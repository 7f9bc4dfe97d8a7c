"""What `pil-q` knows of one item, and how that is stored."""

import msgspec
import numpy as np

from agents.kernel.compiled import Numbers, Places, Records
from agents.kernel.records import read
from agents.policies.base import Rehearsal, Situation
from agents.policies.pil_q.arms import ARMS
from agents.policies.pil_q.averages import AVERAGES, sound
from agents.policies.shadow.shadows import alike, fitted
from schemas.stored import decoder_of

SHADOWS = ARMS + 1
"""The arms' shadow inventories, and last that of what they decide together."""
ITEM = np.dtype(
    [
        ("averages", AVERAGES),
        ("expected", np.float64),
        ("lived", np.int64),
        ("learned", np.int64),
        ("advantage", np.float64),
        ("fee", np.float64),
        ("costs", np.float32, ARMS),
        ("parts", np.uint8, ARMS),
        ("lots", np.int32),
    ],
    align=True,
)
"""All but its shadows: the item's averages; what its forecast says of the period underway, −1 for nothing; periods
since the shadows began, and those that costs average; what all arms together are expected to save against the analytic
rule, as a share of costs; what an order of the last review costs; cost of a period by arm; how much each arm has to
say, in parts of the greatest; whether these are arms of the menu of lots."""
WIDTHS = {1: "<i1", 2: "<i2", 4: "<i4", 8: "<i8"}
"""Kinds of whole numbers that units are stored in, by their bytes."""


class PilQState(msgspec.Struct):
    """What is known of one item."""

    item: Records = msgspec.field(default_factory=lambda: np.zeros(1, ITEM))
    units: Numbers = msgspec.field(default_factory=lambda: np.zeros((1, SHADOWS)))
    """Of shadows (`shadows.py`)."""
    drawn: Places = msgspec.field(default_factory=lambda: np.zeros(0, np.int64))
    """The lead times of their orders; none before they begin."""
    rehearsal: Rehearsal | None = None
    """Of the last period; not stored."""

    def begin(self, *, lots: bool) -> None:
        """Forget what arms of another menu have cost."""
        item = self.item
        item["lots"], item["learned"], item["costs"], item["parts"] = lots, 0, 0.0, 0
        self.units, self.drawn = np.zeros((1, SHADOWS)), np.zeros(0, np.int64)

    def make_room(self, situation: Situation, longest: int) -> None:
        """Begin with shadows where the item stands, or have room for orders of the longest lead time."""
        if not len(self.drawn):
            self.units, self.drawn = alike(situation, SHADOWS)
            self.item["lived"], self.item["fee"] = 0, 0.0
        elif len(self.drawn) != longest + 1:
            self.units, self.drawn = fitted(self.units, self.drawn, longest)


class StoredPilQ(msgspec.Struct, array_like=True, forbid_unknown_fields=True):
    """A state as it is stored."""

    version: int
    item: bytes
    stock: bytes
    underway: bytes
    """Units of shadows, each part in as few bytes as it needs."""
    drawn: list[int]


_decode = decoder_of(StoredPilQ, "a state of pil-q")


def encode_state(state: PilQState, version: int) -> bytes:
    """Write an item's state."""
    stock, underway = _narrow(state.units[0]), _narrow(state.units[1:])
    return msgspec.msgpack.encode(StoredPilQ(version, state.item.tobytes(), stock, underway, state.drawn.tolist()))


def decode_state(data: bytes, version: int) -> PilQState:
    """Read an item's state; one whose parts do not fit together raises ValueError."""
    stored = _decode(data)
    if stored.version != version or len(stored.item) != ITEM.itemsize:
        raise ValueError(f"not a state of pil-q version {version}: its parts do not fit together")
    item = read(stored.item, ITEM)
    if not sound(item["averages"][0]):
        raise ValueError(f"not a state of pil-q version {version}: numbers out of range")
    units = np.concatenate((_wide(stored.stock, 1), _wide(stored.underway, len(stored.drawn))))
    return PilQState(item, units, np.array(stored.drawn, np.int64))


def _narrow(units: Numbers) -> bytes:
    most = np.abs(units).max(initial=0.0)
    width = next(width for width in WIDTHS if most < 2.0 ** (8 * width - 1))
    return units.astype(WIDTHS[width]).tobytes()


def _wide(data: bytes, rows: int) -> Numbers:
    width = len(data) // (SHADOWS * rows) if rows else 1
    if len(data) != width * rows * SHADOWS or width not in WIDTHS:
        raise ValueError(f"not a state of pil-q: {len(data)} bytes of units for {rows} rows")
    return np.frombuffer(data, WIDTHS[width]).astype(np.float64).reshape(rows, SHADOWS)
