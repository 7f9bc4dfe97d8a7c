"""Hands a shard the journal entries of the records that it folds again, read as the fold comes to them.

>>> import asyncio
>>> from schemas.journal import Alerted, Published, encode_journal
>>> from stream.in_memory import MemoryBroker
>>> def entry(offset):
...     return Alerted(Point(offset), "TEA-01@BER1", "low_stock", raised=True, episode="e", since=0)
>>> broker = MemoryBroker()
>>> for offset in (3, 4, 7):
...     record = Published(Point(offset), Point(offset + 1), None, "l", "1.0", "a", (entry(offset),))
...     broker.journals[0].append(encode_journal(record))
>>> async def replay_three_records():
...     replay = JournalReplay(broker, 0, 0, 3, since=4)
...     await replay.reach(6)
...     return [len(replay.pop(offset)) for offset in (3, 4, 5)]
>>> asyncio.run(replay_three_records())
[0, 1, 0]
"""

from collections import defaultdict
from collections.abc import Sequence
from sys import maxsize

from schemas.journal import JournalEntry, Point, Published
from schemas.ledger import Milliseconds
from stream.ports import Journal


class JournalReplay:
    """Reads a shard's journal forwards, between two of the journal's own offsets."""

    def __init__(self, journal: Journal, shard: int, start: int, end: int, since: int) -> None:
        self.done: tuple[Milliseconds, str] | None = None
        """The review that ended the last transaction read, if its ledger record was not finished there."""
        self._journal, self._shard = journal, shard
        self._next, self._end = start, end
        self._since = Point(since)
        self._reached = Point(0)
        self._entries: defaultdict[int, list[JournalEntry]] = defaultdict(list)

    async def reach(self, offset: int) -> None:
        """Read on until the entries of every ledger record before `offset` are known."""
        while self._next < self._end and self._reached < Point(offset):
            records, self._next = await self._journal.passage(self._shard, self._next, self._end)
            for record in records:
                self._reached = record.end
                if isinstance(record, Published):
                    self.done = record.done
                    for entry in record.entries:
                        if entry.at >= self._since:
                            self._entries[entry.at.offset].append(entry)

    @property
    def upcoming(self) -> int:
        """The first ledger offset whose entries are known and were not asked for."""
        return next(iter(self._entries), maxsize)

    def pop(self, offset: int) -> Sequence[JournalEntry]:
        """The entries of one ledger record; they are forgotten once they were asked for."""
        return self._entries.pop(offset, ())
