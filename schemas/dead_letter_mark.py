"""Marks what became of a dead letter: a later record on the same partition, with headers and without a value.

>>> mark = DeadLetterMark("redriven", "orders", 3, 17)
>>> DeadLetterMark.from_record(mark.headers()) == mark
True
"""

from typing import Final, Literal, Self, TypeAlias, get_args

import msgspec

from schemas.dead_letter import OwnHeaders
from schemas.envelope import Headers

PREFIX: Final = "restock.mark."
MarkState: TypeAlias = Literal["redriven", "discarded"]
"""`redriven`: published again; `discarded`: looked at and left alone."""
STATES: tuple[MarkState, ...] = get_args(MarkState)


class DeadLetterMark(msgspec.Struct, frozen=True):
    """Marks the refusal of an event by the event's origin: a letter that was written twice is marked once."""

    state: MarkState
    topic: str
    """The broker's name."""
    partition: int
    offset: int
    ordinal: int | None = None
    """Of the refused movement within its event; None marks every refusal of the event."""

    def headers(self) -> OwnHeaders:
        """The headers of the marking record."""
        values = {
            "state": self.state,
            "topic": self.topic,
            "partition": self.partition,
            "offset": self.offset,
            "ordinal": "" if self.ordinal is None else self.ordinal,
        }
        return [(PREFIX + name, str(value).encode()) for name, value in values.items()]

    @classmethod
    def from_record(cls, headers: Headers) -> Self | None:
        """Read a mark; None for any other record, and for a mark that only a later version knows."""
        said = {name.removeprefix(PREFIX): value or b"" for name, value in headers or () if name.startswith(PREFIX)}
        try:
            state = msgspec.convert(said["state"].decode(), MarkState)
            ordinal = int(said["ordinal"]) if said["ordinal"] else None
            return cls(state, said["topic"].decode(), int(said["partition"]), int(said["offset"]), ordinal)
        except (KeyError, ValueError):
            return None
