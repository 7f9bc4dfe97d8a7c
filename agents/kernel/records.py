"""Reads records that were written as their bytes, and copies their numbers; what is no such record is a ValueError.

>>> kind = np.dtype([("count", np.int64), ("mean", np.float64)])
>>> read(np.array([(3, 2.5)], kind).tobytes(), kind)["mean"]
array([2.5])
>>> read(b"junk", kind)
Traceback (most recent call last):
ValueError: 4 bytes where records take 16 each
"""

from collections.abc import Iterable
from typing import Any

import numpy as np
import numpy.typing as npt

from agents.kernel.compiled import Record, Records, compiled


def read(data: bytes, kind: np.dtype[Record], positive: Iterable[str] = ()) -> Records:
    """So many records as there are, in memory of their own; counts may not be negative, nor some numbers zero."""
    if len(data) % kind.itemsize:
        raise ValueError(f"{len(data)} bytes where records take {kind.itemsize} each")
    found = np.zeros(len(data) // kind.itemsize, kind)
    found.view(np.uint8)[:] = np.frombuffer(data, np.uint8)
    _check(found, kind, positive)
    return found


def _check(found: Records, kind: np.dtype[Record], positive: Iterable[str]) -> None:
    for name in kind.names or ():
        if kind[name].names:
            _check(found[name], kind[name], ())
            continue
        least = 0 if kind[name].base == np.int64 else -np.inf
        right = found[name] > 0 if name in positive else found[name] >= least
        if not (right & np.isfinite(found[name])).all():
            raise ValueError(f"{name} is not what it can be")


@compiled
def copy(numbers: npt.NDArray[Any], into: npt.NDArray[Any]) -> None:
    """Write numbers over others, which may be smaller."""
    for place in range(len(into)):
        into[place] = numbers[place]
