"""Twins of store, publisher, journal and ledger that live in memory and keep the same promises.

With them everything runs in a test or a doctest without a server; the same contract tests run over them and the real
ones. They keep what is written as bytes, so that a later change of an object cannot reach it.
"""

from collections import defaultdict
from collections.abc import AsyncIterator, Sequence

from schemas.journal import JournalRecord, Sealed, decode_journal, encode_journal
from schemas.ledger import Record, encode_record
from stream.checkpoint.store import TABLES
from stream.faults import Fenced, Torn, Unclear
from stream.kafka.ledger import checksum
from stream.ports import NOWHERE, Cursor, Held, JournalView, LedgerView, Output, Passage, Place, Tables


class MemoryStore:
    """Checkpoints in a dictionary."""

    def __init__(self) -> None:
        self.cursors: dict[int, Cursor] = {}
        self.tokens: dict[int, str] = {}
        self.tables: defaultdict[int, dict[str, dict[str, bytes]]] = defaultdict(lambda: {name: {} for name in TABLES})
        self.sizes: dict[int, tuple[int, ...]] = {}

    async def acquire(self, shard: int, token: str) -> Held | None:
        """Become the writer, and read what the last one left."""
        self.tokens[shard] = token
        cursor = self.cursors.get(shard)
        return None if cursor is None else Held(cursor, whole=self.sizes[shard] == self._measure(shard))

    async def load(self, shard: int) -> AsyncIterator[Tables]:
        """Read the tables field by field, and skip fields that have gone meanwhile."""
        for table in TABLES:
            for field in list(self.tables[shard][table]):
                if field in self.tables[shard][table]:
                    yield {table: {field: self.tables[shard][table][field]}}

    async def checkpoint(self, shard: int, cursor: Cursor, since: Place, changes: Tables) -> None:
        """Write what has changed since the place of the last checkpoint, or since NOWHERE."""
        if self.tokens.get(shard) != cursor.token:
            raise Fenced(f"shard {shard} has another writer")
        held = self.cursors.get(shard)
        at = held.place if held else NOWHERE
        if cursor.place <= at:
            return
        if since != at or self.sizes.get(shard, self._measure(shard)) != self._measure(shard):
            raise Torn(f"the checkpoint of shard {shard} is stale or torn")
        for table, fields in changes.items():
            for field, value in fields.items():
                if value is None:
                    self.tables[shard][table].pop(field, None)
                else:
                    self.tables[shard][table][field] = value
        self.cursors[shard], self.sizes[shard] = cursor, self._measure(shard)

    async def reset(self, shard: int, token: str) -> None:
        """Delete the shard's checkpoint, as its writer."""
        if self.tokens.get(shard) != token:
            raise Fenced(f"shard {shard} has another writer")
        self.forget(shard)
        self.tokens[shard] = token

    def forget(self, shard: int) -> None:
        """Lose everything of a shard, as FLUSHALL does."""
        for part in (self.cursors, self.tokens, self.tables, self.sizes):
            part.pop(shard, None)

    def _measure(self, shard: int) -> tuple[int, ...]:
        return tuple(len(fields) for fields in self.tables[shard].values())


class MemoryBroker:
    """The topics of one application: ledger, journal and outputs, shard by shard."""

    def __init__(self, partitions: int = 1, ledger: str = "ledger-id") -> None:
        self.id = ledger
        self.partitions = partitions
        self.ledgers: defaultdict[int, list[tuple[int, bytes]]] = defaultdict(list)
        self.journals: defaultdict[int, list[bytes]] = defaultdict(list)
        self.outputs: defaultdict[int, list[Output]] = defaultdict(list)
        self.epochs: defaultdict[int, int] = defaultdict(int)

    def append(self, shard: int, record: Record, appended: int) -> int:
        """Write a ledger record, and return its offset."""
        self.ledgers[shard].append((appended, encode_record(record)))
        return len(self.ledgers[shard]) - 1

    # Ledger

    async def view(self, shard: int) -> LedgerView:
        """Id and bounds of this partition."""
        return LedgerView(self.id, self.partitions, 0, len(self.ledgers[shard]))

    async def checksum(self, shard: int, offset: int) -> int:
        """The checksum of one record; 0 for the offset before the first."""
        return checksum(self.ledgers[shard][offset][1]) if offset >= 0 else 0

    # Journal

    async def look(self, shard: int, start: int | None) -> JournalView:
        """Look at the seals from the journal's own offset `start` on, and at its last record."""
        records = [decode_journal(value) for value in self.journals[shard]]
        last = records[-1] if records else None
        if start is None:
            return JournalView(last, (), 0, len(records), whole=True)
        owners = [record for record in records[start:] if isinstance(record, Sealed)]
        return JournalView(last, owners, start, len(records), whole=True)

    async def passage(self, shard: int, start: int, end: int) -> Passage:
        """Read one record only, so that tests see many passages."""
        return Passage([decode_journal(value) for value in self.journals[shard][start:end][:1]], start + 1)


class MemoryPublisher:
    """One owner's publisher of one shard."""

    def __init__(self, broker: MemoryBroker, shard: int) -> None:
        self._broker = broker
        self._shard = shard
        self._epoch = -1

    async def open(self) -> None:
        """Fence the previous owner."""
        self._broker.epochs[self._shard] += 1
        self._epoch = self._broker.epochs[self._shard]

    async def publish(self, outputs: Sequence[Output], record: JournalRecord) -> int:
        """Publish all of it or nothing; answers with the journal's own offset after this record."""
        if self._epoch < 0:
            raise Unclear("the publisher was closed")
        if self._epoch != self._broker.epochs[self._shard]:
            raise Fenced("another owner came")
        self._broker.outputs[self._shard] += outputs
        self._broker.journals[self._shard].append(encode_journal(record))
        return len(self._broker.journals[self._shard])

    async def close(self) -> None:
        """Publish no more."""
        self._epoch = -1
