"""Reads records that were written as their bytes, and copies their numbers; what is no such record is a ValueError.

>>> kind = np.dtype([("count", np.int64), ("mean", np.float64)])
>>> read(np.array([(3, 2.5)], kind).tobytes(), kind)["mean"]
array([2.5])
>>> read(b"junk", kind)
Traceback (most recent call last):
ValueError: 4 bytes where records take 16 each
"""

from collections.abc import Iterable
from functools import cache
from math import isfinite
from typing import Any

import numpy as np
import numpy.typing as npt

from agents.kernel.compiled import Numbers, Places, Record, Records, Singles, compiled

_ANYTHING, _SINGLE, _POSITIVE_SINGLE, _NUMBER, _POSITIVE_NUMBER, _COUNT, _POSITIVE_COUNT = range(7)
"""What may stand in four bytes of a record, or in eight that begin there."""
_KINDS = {np.dtype(np.float32): _SINGLE, np.dtype(np.float64): _NUMBER, np.dtype(np.int64): _COUNT}


def read(data: bytes, kind: np.dtype[Record], positive: tuple[str, ...] = ()) -> Records:
    """So many records as there are, in memory of their own; counts may not be negative, nor some numbers zero."""
    if len(data) % kind.itemsize:
        raise ValueError(f"{len(data)} bytes where records take {kind.itemsize} each")
    room = np.zeros(len(data) + 7 & -8, np.uint8)
    room[: len(data)] = np.frombuffer(data, np.uint8)
    singles, numbers, counts = room.view(np.float32), room.view(np.float64), room.view(np.int64)
    if not _are_sound(singles, numbers, counts, _kinds(kind, positive), len(data)):
        raise ValueError("a number is not what it can be")
    return room[: len(data)].view(kind)


@compiled(np.float32, np.float64, np.int64, np.int64, int)
def _are_sound(singles: Singles, numbers: Numbers, counts: Places, kinds: Places, size: int) -> bool:
    """Whether every number of the records may be what it is; a worker asks before every review."""
    for place in range(size // 4):
        kind = kinds[place % len(kinds)]
        if kind in (_SINGLE, _POSITIVE_SINGLE):
            if not isfinite(singles[place]) or (kind == _POSITIVE_SINGLE and singles[place] <= 0.0):
                return False
        elif kind in (_NUMBER, _POSITIVE_NUMBER):
            number = numbers[place // 2]
            if not isfinite(number) or (kind == _POSITIVE_NUMBER and number <= 0.0):
                return False
        elif kind != _ANYTHING and counts[place // 2] < kind - _COUNT:
            return False
    return True


@cache
def _kinds(kind: np.dtype[Record], positive: tuple[str, ...]) -> Places:
    """What may stand in every four bytes of a record."""
    found = np.full(kind.itemsize // 4, _ANYTHING)
    _mark(found, kind, 0, positive)
    return found


def _mark(found: Places, kind: np.dtype[Record], at: int, positive: Iterable[str]) -> None:
    for name, (field, offset, *_) in (kind.fields or {}).items():
        if field.names:
            _mark(found, field, at + offset, ())
        elif field.base in _KINDS:
            places = slice((at + offset) // 4, (at + offset + field.itemsize) // 4, field.base.itemsize // 4)
            found[places] = _KINDS[field.base] + (name in positive)


@compiled
def copy(numbers: npt.NDArray[Any], into: npt.NDArray[Any]) -> None:
    """Write numbers over others, which may be smaller."""
    for place in range(len(into)):
        into[place] = numbers[place]
