"""Reads records that were written as their bytes, and copies their numbers; what is no such record is a ValueError.

>>> kind = np.dtype([("count", np.int64), ("mean", np.float64)])
>>> read(np.array([(3, 2.5)], kind).tobytes(), kind)["mean"]
array([2.5])
>>> read(b"junk", kind)
Traceback (most recent call last):
ValueError: 4 bytes where records take 16 each
"""

from collections.abc import Iterable, Iterator, Mapping
from functools import cache
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt

from agents.kernel.compiled import Record, Records, compiled

Places: TypeAlias = slice | npt.NDArray[np.intp]


def read(data: bytes, kind: np.dtype[Record], positive: Iterable[str] = ()) -> Records:
    """So many records as there are, in memory of their own; counts may not be negative, nor some numbers zero."""
    if len(data) % kind.itemsize:
        raise ValueError(f"{len(data)} bytes where records take {kind.itemsize} each")
    found = np.zeros(len(data) // kind.itemsize, kind)
    found.view(np.uint8)[:] = np.frombuffer(data, np.uint8)
    if len(found):
        _check(found, kind, positive)
    return found


def _check(found: Records, kind: np.dtype[Record], positive: Iterable[str]) -> None:
    """Look at all numbers of a type at once: a record has some dozens of fields, and is read before every review."""
    for number, places in _places(kind):
        numbers = found.view(number).reshape(len(found), -1)[:, places]
        right = numbers >= 0 if number == np.int64 else np.isfinite(numbers)
        if not right.all():
            raise ValueError("a number is not what it can be")
    for name in positive:
        if not (found[name] > 0).all():
            raise ValueError(f"{name} is not what it can be")


@cache
def _places(kind: np.dtype[Record]) -> tuple[tuple[np.dtype[Any], Places], ...]:
    """Where in a record the numbers of each type stand, counted in numbers of that type."""
    found: dict[np.dtype[Any], list[int]] = {}
    for number, offset, count in _fields(kind):
        first = offset // number.itemsize
        found.setdefault(number, []).extend(range(first, first + count))
    return tuple((number, _slice_of(places)) for number, places in found.items())


def _slice_of(places: list[int]) -> Places:
    """The places as a slice, which copies nothing, where they follow one another."""
    follow = places == list(range(places[0], places[0] + len(places)))
    return slice(places[0], places[-1] + 1) if follow else np.array(places)


def _fields(kind: np.dtype[Record], at: int = 0) -> Iterator[tuple[np.dtype[Any], int, int]]:
    """The fields of a record: the type of their numbers, where they begin, and how many they are."""
    fields: Mapping[str, Any] = kind.fields or {}
    for name in kind.names or ():
        of, offset = fields[name][:2]
        if of.names:
            yield from _fields(of, at + offset)
        else:
            yield of.base, at + offset, of.itemsize // of.base.itemsize


@compiled
def copy(numbers: npt.NDArray[Any], into: npt.NDArray[Any]) -> None:
    """Write numbers over others, which may be smaller."""
    for place in range(len(into)):
        into[place] = numbers[place]
