"""Arrays to bytes and back: little-endian, of a known shape, finite; anything else is refused with ValueError.

>>> half = pack(np.array([1.5, 2.0], np.float16))
>>> len(half), unpack(half, np.float16, (2,))
(4, array([1.5, 2. ], dtype=float16))
>>> unpack(half[:3], np.float16, (2,))
Traceback (most recent call last):
ValueError: 3 bytes where an array of 2 x float16 takes 4
"""

from math import isfinite, prod
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt

Floats: TypeAlias = npt.NDArray[np.float32]
Halves: TypeAlias = npt.NDArray[np.float16]
_LINE = 16
"""Numbers of four bytes in 64."""
_WRITTEN: dict[Any, np.dtype[Any]] = {kind: np.dtype(kind).newbyteorder("<") for kind in (np.float16, np.float32)}
"""What numbers of a kind look like in bytes."""


def constant(value: float) -> Floats:
    """A number that NumPy need not convert at every use."""
    return np.array(value, np.float32)


def aligned(*shape: int) -> Floats:
    """Zeros at a multiple of 64 bytes, so that a product of them is the same to the last bit in every process."""
    count = prod(shape)
    room: Floats = np.zeros(count + _LINE, np.float32)
    first = -room.ctypes.data // room.itemsize % _LINE
    return room[first : first + count].reshape(shape)


def pack(array: npt.NDArray[Any]) -> bytes:
    """Write the numbers, without their shape."""
    return array.astype(array.dtype.newbyteorder("<"), copy=False).tobytes()


def unpack(data: bytes, kind: type[np.floating[Any]], shape: tuple[int, ...]) -> npt.NDArray[Any]:
    """Read an array of this shape into memory of its own."""
    dtype, count = _WRITTEN[kind], prod(shape)
    if len(data) != count * dtype.itemsize:
        wanted = f"{' x '.join(map(str, shape))} x {np.dtype(kind)}"
        raise ValueError(f"{len(data)} bytes where an array of {wanted} takes {count * dtype.itemsize}")
    array = np.frombuffer(data, dtype).astype(kind).reshape(shape)
    if not np.isfinite(array).all():
        raise ValueError("an array holds what is no number")
    return array


def numbers(found: list[float], count: int) -> list[float]:
    """The list itself, if it holds that many finite numbers."""
    if len(found) != count or not all(map(isfinite, found)):
        raise ValueError(f"{len(found)} numbers where {count} finite ones are due")
    return found
