"""What was told of the records that a shard folds again, read from the journal as the fold comes to them.

>>> import asyncio
>>> from schemas.journal import Alerted, Published, encode_journal
>>> from stream.in_memory import MemoryBroker
>>> def told(offset):
...     return Alerted(Point(offset), "TEA-01@BER1", "low_stock", raised=True, episode="e", since=0)
>>> broker = MemoryBroker()
>>> for offset in (3, 4, 7):
...     record = Published(Point(offset), Point(offset + 1), None, "l", "1.0", "a", (told(offset),))
...     broker.journals[0].append(encode_journal(record))
>>> async def tell_again():
...     retelling = JournalReplay(broker, 0, 0, 3, since=4)
...     await retelling.reach(6)
...     return [len(retelling.pop(offset)) for offset in (3, 4, 5)]
>>> asyncio.run(tell_again())
[0, 1, 0]
"""

from collections import defaultdict
from collections.abc import Sequence

from schemas.journal import JournalEntry, Point, Published
from schemas.ledger import Milliseconds
from stream.ports import Journal


class JournalReplay:
    """A shard's journal between two of its own offsets, read forwards."""

    def __init__(self, journal: Journal, shard: int, start: int, end: int, since: int) -> None:
        self.done: tuple[Milliseconds, str] | None = None
        """Of the last transaction that was read: the review it ended with, where its record was not finished."""
        self._journal, self._shard = journal, shard
        self._next, self._end = start, end
        self._since = Point(since)
        self._reached = Point(0)
        self._told: defaultdict[int, list[JournalEntry]] = defaultdict(list)

    async def reach(self, offset: int) -> None:
        """Know what was told of every ledger record before `offset`."""
        while self._next < self._end and self._reached < Point(offset):
            records, self._next = await self._journal.passage(self._shard, self._next, self._end)
            for record in records:
                self._reached = record.end
                if isinstance(record, Published):
                    self.done = record.done
                    for entry in record.entries:
                        if entry.at >= self._since:
                            self._told[entry.at.offset].append(entry)

    def pop(self, offset: int) -> Sequence[JournalEntry]:
        """What was told of a ledger record; asked for once."""
        return self._told.pop(offset, ())
