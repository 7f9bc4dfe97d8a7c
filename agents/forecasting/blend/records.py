"""Reads records that were written as their bytes; what is not such records is refused with ValueError.

>>> kind = np.dtype([("count", np.int64), ("mean", np.float64)])
>>> read(np.array([(3, 2.5)], kind).tobytes(), kind)["mean"]
array([2.5])
>>> read(b"junk", kind)
Traceback (most recent call last):
ValueError: 4 bytes where records take 16 each
"""

import numpy as np
import numpy.typing as npt


def read(data: bytes, kind: np.dtype[np.void]) -> npt.NDArray[np.void]:
    """So many records as there are, in memory of their own."""
    if len(data) % kind.itemsize:
        raise ValueError(f"{len(data)} bytes where records take {kind.itemsize} each")
    found = np.frombuffer(data, kind).copy()
    for name in kind.names or ():
        if kind[name].base.kind == "f" and not np.isfinite(found[name]).all():
            raise ValueError(f"{name} is no number")
    return found
