"""What the items of a shard share, in parts by kind: looked up at any time, written when it has changed.

>>> from schemas.stored import decoder_of
>>> shared = SharedParts(decoder_of(int, "a count"), lambda count: count >= 0, "counts of the kind")
>>> shared["a"] = 3
>>> shared.get("a"), sorted(shared.dump()), sorted(shared.dump())
(3, ['a'], [])
"""

from collections.abc import Callable, Mapping
from typing import Generic, TypeVar

import msgspec

Part = TypeVar("Part")


class SharedParts(Generic[Part]):
    """Parts of one sort; whoever changes one sets it again."""

    def __init__(self, decode: Callable[[bytes], Part], sound: Callable[[Part], bool], what: str) -> None:
        self._decode = decode
        self._sound = sound
        """Whether a part that was read can be one."""
        self._what = what
        self._parts: dict[str, Part] = {}
        self._changed: set[str] = set()

    def get(self, kind: str) -> Part | None:
        """The part of a kind; None where there is none yet."""
        return self._parts.get(kind)

    def __setitem__(self, kind: str, part: Part) -> None:
        """Keep a part that is new, or has changed."""
        self._parts[kind] = part
        self._changed.add(kind)

    def dump(self) -> Mapping[str, bytes]:
        """Write the parts that changed since the last call."""
        changed, self._changed = self._changed, set()
        return {kind: msgspec.msgpack.encode(self._parts[kind]) for kind in sorted(changed)}

    def load(self, parts: Mapping[str, bytes]) -> None:
        """Read parts; one that is none raises ValueError."""
        for kind, data in parts.items():
            part = self._decode(data)
            if not self._sound(part):
                raise ValueError(f"not {self._what} {kind!r}: numbers out of range")
            self._parts[kind] = part
