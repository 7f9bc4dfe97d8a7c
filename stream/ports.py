"""What a shard leans on, as protocols: the core that thinks, the store that remembers, the publisher that tells.

The real ones are `agents/core.py`, `stream/store.py` and `stream/publisher.py`; twins of store and publisher that
live in memory are in `stream/memory.py`, and one contract suite holds for both.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, Protocol, TypeAlias

import msgspec

from schemas.journal import JournalRecord, Point, Told
from schemas.ledger import Milliseconds, Record

Tables: TypeAlias = Mapping[str, Mapping[str, bytes | None]]
"""State by table and field; None means that the field is gone."""


class Output(msgspec.Struct, frozen=True):
    """One event to publish, with what the journal keeps of it."""

    topic: str
    """Logical name: replenishments, alerts, reviews or dead-letters."""
    item: str
    event: Any
    """An outbound event, or a dead letter, of `schemas`."""
    at: Point
    told: Told | None = None
    review: tuple[Milliseconds, str] | None = None
    """The review this belongs to, as (due, item); None for what a movement caused."""


class Replay(msgspec.Struct, frozen=True):
    """What the journal says of one record's outputs: these were told, and nothing else was."""

    told: Sequence[Told]
    whole: bool
    """Whether every output of the record was published; if not, what comes after `done` is decided anew."""
    done: tuple[Milliseconds, str] | None = None
    """The last review that was published, as (due, item), of a record published in part."""
    step: int = 0
    """The step of the first output that was not published."""


class Core(Protocol):
    """The rules of one shard: a deterministic function of ledger and journal. It never sees a clock or a server."""

    def fold(self, record: Record, offset: int, appended: Milliseconds, replay: Replay | None) -> Iterable[Output | None]:
        """Apply one ledger record and decide.

        Yields the outputs in step order, each only after the state it speaks of is in place, and None now and then
        in long work so that others get their turn. With `replay`, what was told is applied and nothing is decided
        but what lies beyond it. The caller exhausts the iterable before it folds the next record.
        """
        ...

    def changes(self) -> Tables:
        """Encode what has changed since the last call."""
        ...

    def counts(self) -> Mapping[str, int]:
        """How many fields each table holds, once every change is written."""
        ...

    def load(self, tables: Tables) -> None:
        """Take in a slice of a checkpoint; called several times before the first fold."""
        ...

    def dump(self) -> Tables:
        """Everything, encoded: what an audit compares."""
        ...


class Cursor(msgspec.Struct, frozen=True):
    """Where a checkpoint stands and whose it is."""

    token: str
    next: int
    """R: the offset of the first ledger record not in the state."""
    published: Point
    """K as the writer knew it."""
    ledger: str
    """Topic id of the ledger."""
    partitions: int
    checksum: int
    """Of the last applied record."""
    counts: Mapping[str, int]
    layout: int
    version: str
    """Of the code that wrote it."""
    torn: bool = False


class Store(Protocol):
    """Checkpoints of shards. Every call names its shard; errors of the server come as `StoreDown`."""

    async def acquire(self, shard: int, token: str) -> Cursor | None:
        """Become the writer; what the shard's cursor says, or None when there is no checkpoint."""
        ...

    def load(self, shard: int, token: str) -> "AsyncTables":
        """Read a checkpoint in slices."""
        ...

    async def checkpoint(self, shard: int, cursor: Cursor, since: int, changes: Tables) -> None:
        """Write what has changed since offset `since`; raises Fenced, Stale or Torn and then has written nothing."""
        ...

    async def reset(self, shard: int, token: str) -> None:
        """Forget the shard's checkpoint, as its writer."""
        ...


class AsyncTables(Protocol):
    """Slices of a checkpoint."""

    def __aiter__(self) -> "AsyncTables": ...

    async def __anext__(self) -> Tables: ...


class Publisher(Protocol):
    """Outputs and journal of one shard, in one transaction, by one owner at a time."""

    async def open(self) -> None:
        """Fence the previous owner and settle what it left open."""
        ...

    async def publish(self, outputs: Sequence[Output], entry: JournalRecord) -> None:
        """Publish all of it or nothing; raises Fenced when another owner came, Unclear when nobody can know."""
        ...

    async def close(self) -> None:
        """Let go of the connection."""
        ...


class Journal(Protocol):
    """Reading back what a shard has published."""

    async def last(self, shard: int) -> JournalRecord | None:
        """The last committed record, None in an empty journal."""
        ...

    async def since(self, shard: int, point: Point) -> Sequence[JournalRecord]:
        """Every committed record that tells of something at or beyond the point, oldest first, and every seal."""
        ...


def told_by_offset(records: Iterable[JournalRecord]) -> Iterator[tuple[int, Told]]:
    """Read the told entries of journal records with the ledger offset that caused them."""
    for record in records:
        for told in getattr(record, "told", ()):
            yield told.at.offset, told
