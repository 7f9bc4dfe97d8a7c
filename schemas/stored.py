"""Reads what was stored as msgpack: one form of a decoder, and one error for whatever is something else.

>>> read = decoder_of(dict[str, int], "the numbers of a shard")
>>> read(msgspec.msgpack.encode({"open": 3}))
{'open': 3}
>>> read(b"?")
Traceback (most recent call last):
ValueError: not the numbers of a shard: Expected `object`, got `int`
"""

from collections.abc import Callable
from typing import TypeVar

import msgspec

T = TypeVar("T")


def decoder_of(kind: type[T], what: str) -> Callable[[bytes | memoryview], T]:
    """A function that decodes a `kind` from msgpack; it raises ValueError with "not `what`" for anything else."""
    decode = msgspec.msgpack.Decoder(kind).decode

    def read(data: bytes | memoryview) -> T:
        try:
            return decode(data)
        except msgspec.MsgspecError as error:
            raise ValueError(f"not {what}: {error}") from error

    return read
