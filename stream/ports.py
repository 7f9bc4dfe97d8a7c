"""What a shard needs, as protocols: a core that decides, a store of checkpoints, a publisher, journal and ledger.

The real ones are `agents/core/core.py`, `stream/checkpoint/store.py` and `stream/kafka/publisher.py`. Twins of store
and publisher in memory are in `stream/in_memory.py`; the same contract tests run over both.
"""

from collections.abc import AsyncIterator, Iterable, Mapping, Sequence
from typing import Any, NamedTuple, Protocol, TypeAlias

import msgspec

from schemas.journal import JournalEntry, JournalRecord, Point, Sealed
from schemas.ledger import Milliseconds, Record

Tables: TypeAlias = Mapping[str, Mapping[str, bytes | None]]
"""State by table and field; None means that the field is gone."""


class Output(msgspec.Struct, frozen=True):
    """One event to publish, with its journal entry."""

    topic: str
    """Logical name: replenishments, alerts, reviews or dead-letters."""
    item: str
    event: Any
    """An outbound event, or a dead letter, of `schemas`."""
    at: Point
    entry: JournalEntry | None = None
    """Its journal entry; None for `item.reviewed`, which replay makes again from the ledger."""
    review: tuple[Milliseconds, str] | None = None
    """The wake-up it comes of, as (due, item); None where a movement caused it."""
    traceparent: str | None = None
    """The span that it belongs to, for a header; None where nobody traces."""


class Replay(msgspec.Struct, frozen=True):
    """The journal entries of one ledger record: these outputs were published, and no others were."""

    entries: Sequence[JournalEntry]
    whole: bool
    """Whether every output of the record was published; if not, what comes after `done` is decided anew."""
    done: tuple[Milliseconds, str] | None = None
    """The last review that was published, as (due, item), of a record published in part."""
    step: int = 0
    """The step of the first output that was not published."""


class Within(msgspec.Struct, frozen=True, array_like=True):
    """How far a tick's reviews have come: a checkpoint may stand there."""

    done: tuple[Milliseconds, str]
    """The last of them, as (due, item)."""
    step: int
    """The step of the next output; in replay, where outputs are not made, at most that."""
    count: int
    """How many are done; from 1 on."""


class RawRecord(Protocol):
    """A ledger record as it was read."""

    @property
    def offset(self) -> int:
        """Its place in the ledger."""
        ...

    @property
    def timestamp(self) -> Milliseconds:
        """When the broker received it."""
        ...

    @property
    def value(self) -> bytes:
        """Its bytes."""
        ...


class ShardCore(Protocol):
    """The rules of one shard: a deterministic function of ledger and journal. It never sees a clock or a server."""

    def fold(
        self, record: Record, offset: int, appended: Milliseconds, replay: Replay | None
    ) -> Iterable[Output | None]:
        """Apply one ledger record and decide.

        Yields the outputs in step order, each after the state has changed accordingly. During long work it yields
        None now and then, always after the same number of reviews: then nothing is half done, other shards get their
        turn, and `within` says how far it has come. With `replay`, the journal entries are applied, and only what lies
        beyond them is decided. The caller exhausts the iterable before it folds the next record.
        """
        ...

    def go_on(self, record: Record, offset: int, within: Within, replay: Replay | None) -> Iterable[Output | None]:
        """Fold the rest of a record, of whose reviews the state holds those up to `within`; as `fold` otherwise.

        `replay` has the entries of the whole record.
        """
        ...

    @property
    def within(self) -> Within | None:
        """How far the record in hand has come; None before its first rest and between records."""
        ...

    @property
    def unsaved(self) -> int:
        """How much `changes` would encode, in kilobytes or so."""
        ...

    def fold_run(
        self, raws: Iterable[RawRecord], replay: Replay | None
    ) -> tuple[Record, Iterable[Output | None]] | None:
        """Fold records one after the other, up to the first that may have outputs; None when none of them has.

        Answers with that record and its outputs, as `fold` yields them, and takes no further record from `raws`.
        `replay` is without entries: the caller folds by itself whatever the journal speaks of.
        """
        ...

    def changes(self) -> Tables:
        """Encode what has changed since the last call."""
        ...

    def load(self, tables: Tables) -> None:
        """Read a slice of a checkpoint; called several times before the first fold."""
        ...

    def dump(self) -> Tables:
        """Encode the whole state, as an audit compares it."""
        ...


class Cursor(msgspec.Struct, frozen=True):
    """Where a checkpoint stands, and who wrote it."""

    token: str
    """Of the owner that wrote it."""
    next: int
    """R: the offset of the first ledger record not in the state, or not whole."""
    published: Point
    """K when it was written."""
    ledger: str
    """Topic id of the ledger."""
    partitions: int
    checksum: int
    """Of the last applied record."""
    layout: int
    version: str
    """Of the code that wrote it."""
    journal: int = -1
    """The journal's own offset below which nothing speaks of what comes after R; -1 where an older version wrote it."""
    within: Within | None = None
    """How far the record at `next`, a tick, is in the state all the same."""

    @property
    def place(self) -> "Place":
        """R as checkpoints are compared by it."""
        return Place(self.next, self.within.count if self.within is not None else 0)


class Place(NamedTuple):
    """R: the records before an offset are in the state, and of the one there so many reviews."""

    next: int
    reviews: int = 0


NOWHERE = Place(-1)
"""Where there is no checkpoint."""


class Held(msgspec.Struct, frozen=True):
    """What an owner finds: the last checkpoint, and whether it is whole."""

    cursor: Cursor
    whole: bool


class Store(Protocol):
    """Checkpoints of shards. Every method raises StoreDown when the server does not answer."""

    async def acquire(self, shard: int, token: str) -> Held | None:
        """Become the writer of a shard; returns what the last writer left, None where there is no checkpoint."""
        ...

    def load(self, shard: int) -> AsyncIterator[Tables]:
        """Read a checkpoint in slices."""
        ...

    async def checkpoint(self, shard: int, cursor: Cursor, since: Place, changes: Tables) -> None:
        """Write what has changed since the place of the last checkpoint, or since NOWHERE.

        Raises Fenced or Torn, and then has written nothing; asking again after a lost reply is harmless.
        """
        ...

    async def reset(self, shard: int, token: str) -> None:
        """Delete the shard's checkpoint; raises Fenced when another owner has become the writer."""
        ...


class Publisher(Protocol):
    """Publishes outputs and journal of one shard in one transaction, for one owner at a time."""

    async def open(self) -> None:
        """Fence the previous owner and settle what it left open."""
        ...

    async def publish(self, outputs: Sequence[Output], record: JournalRecord) -> int:
        """Publish all or nothing, and answer with the journal's own offset after this record.

        Raises Fenced if another owner came, Unclear if nobody knows which happened.
        """
        ...

    async def close(self) -> None:
        """Close the connection."""
        ...


class JournalView(msgspec.Struct, frozen=True):
    """The seals in a shard's journal, and where in the journal replay begins."""

    last: JournalRecord | None
    """Of the whole journal."""
    seals: Sequence[Sealed]
    """From `start` on, oldest first."""
    start: int
    """The journal's own offset from which on it was asked for, or where it begins if that is later."""
    end: int
    """The journal's own offset that was its end when it was read."""
    whole: bool
    """Whether it reaches back as far as was asked for."""


class Passage(NamedTuple):
    """Some records of a journal, and the journal's own offset of the next one."""

    records: Sequence[JournalRecord]
    next: int


class Journal(Protocol):
    """Reads back what a shard has published."""

    async def look(self, shard: int, start: int | None) -> JournalView:
        """Look at the seals from the journal's own offset `start` on, and at its last record.

        Without a start the view is of the whole journal, and its seals are not read.
        """
        ...

    async def passage(self, shard: int, start: int, end: int) -> Passage:
        """Read the first records of the journal's offsets [start, end), oldest first, as many as it likes."""
        ...


class LedgerView(msgspec.Struct, frozen=True):
    """One ledger partition as the broker has it now."""

    id: str
    """Topic id: a ledger made anew under the same name is another one."""
    partitions: int
    start: int
    end: int


class LedgerPort(Protocol):
    """Looks at the ledger; reading it is the transport's work."""

    async def view(self, shard: int) -> LedgerView:
        """Ask the broker for id and bounds of this partition."""
        ...

    async def checksum(self, shard: int, offset: int) -> int:
        """The checksum of one record; 0 for the offset before the first."""
        ...
