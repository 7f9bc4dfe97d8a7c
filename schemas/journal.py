"""The journal's records: what was decided and published. One partition a shard, written with the outputs themselves.

Replay reads here what was published and never decides it again. Everything that a decision or an alert changes in the
state of an item is in its entry, so a rebuilt state cannot contradict what a warehouse has read.
"""

from typing import TypeAlias

import msgspec

from schemas.ledger import Milliseconds
from schemas.outbound import Why


class Point(msgspec.Struct, frozen=True, array_like=True, order=True):
    """A place in the ledger: a record's offset, and how many outputs of that record lie before it.

    >>> Point(7, 3) < Point(8)
    True
    """

    offset: int
    step: int = 0


class Decided(msgspec.Struct, frozen=True, array_like=True, tag="d"):
    """A replenishment was requested, or proposed, or a proposal became a request."""

    at: Point
    item: str
    replenishment: str
    quantity: int
    proposed: bool
    decided_at: Milliseconds
    need_by: Milliseconds
    supplier: str | None
    why: Why


class Alerted(msgspec.Struct, frozen=True, array_like=True, tag="a"):
    """An alert was raised or cleared."""

    at: Point
    item: str
    kind: str
    raised: bool
    episode: str
    since: Milliseconds


class Refused(msgspec.Struct, frozen=True, array_like=True, tag="r"):
    """A movement was refused by the state it met, and sent to the dead letters."""

    at: Point
    item: str
    reason: str


JournalEntry: TypeAlias = Decided | Alerted | Refused


class Published(msgspec.Struct, frozen=True, array_like=True, tag="p"):
    """One transaction: all outputs of [start, end) have been published."""

    start: Point
    end: Point
    """The new K."""
    done: tuple[Milliseconds, str] | None
    """The last review published, as (due, item), where the ledger record at `end` is published only in part."""
    ledger: str
    version: str
    token: str
    entries: tuple[JournalEntry, ...]


class Sealed(msgspec.Struct, frozen=True, array_like=True, tag="s"):
    """A new owner took the shard, whose checkpoint stood at `saved`; or an owner goes on in a quiet journal."""

    token: str
    saved: int
    ledger: str
    version: str
    end: Point
    """K when the shard was taken."""
    reviews: int = 0
    """How many reviews of the record at `saved`, a tick, the checkpoint held."""


JournalRecord: TypeAlias = Published | Sealed

encode_journal = msgspec.msgpack.Encoder().encode
decode_journal = msgspec.msgpack.Decoder(JournalRecord).decode
