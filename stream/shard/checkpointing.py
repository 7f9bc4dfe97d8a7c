"""Writes the checkpoints of one hold on a shard, one at a time, while folding goes on."""

import asyncio
from time import monotonic

from stream.failpoints import failpoint
from stream.observability.instruments import Instruments
from stream.ports import Cursor, Place, Store, Tables
from stream.retry import until_answered

WORTH = 20
"""With a backlog, a shard folds so many records for each item of its last checkpoint before it writes the next. With
fewer, a shard of very many items would encode an item for nearly every record."""
MOST_SECONDS = 60.0
"""The longest time between two checkpoints, whatever they cost: what a crash loses must be folded again."""
PATIENCE_SECONDS = 2.0
"""How long folding waits for the store; it goes on in an outage."""


class CheckpointWriter:
    """Writes checkpoints, and knows where the last one stands."""

    def __init__(self, partition: int, store: Store, instruments: Instruments, saved: Place) -> None:
        self.saved = saved
        """R: where the last checkpoint stands, or NOWHERE."""
        self.saved_at = monotonic()
        self._partition = partition
        self._store = store
        self._instruments = instruments
        self._items = 0
        """Items in the last checkpoint."""
        self._writing: asyncio.Task[None] | None = None
        self._given_up: asyncio.Task[None] | None = None
        """The write that was not waited for any longer."""

    def worth(self, next_: int) -> bool:
        """Whether a checkpoint at this offset costs little compared with the folding since the last one, or is late."""
        folded = next_ - max(self.saved.next, 0)
        return folded >= WORTH * self._items or monotonic() - self.saved_at >= MOST_SECONDS

    def underway(self) -> asyncio.Task[None] | None:
        """The write that is not finished yet, if any; raises the Fenced or Torn with which the last one failed."""
        if self._writing is not None and not self._writing.done():
            return self._writing
        if self._writing is not None:
            self._writing.result()
        return None

    async def make_room(self) -> bool:
        """Wait for the write that is not finished, so that the next stays small; False when the store is away.

        Then folding goes on without it, and the next write is the larger.
        """
        underway = self.underway()
        if underway is None:
            return True
        if underway is not self._given_up:
            await asyncio.wait({underway}, timeout=PATIENCE_SECONDS)
            self._given_up = None if underway.done() else underway
        return self.underway() is None

    def write(self, cursor: Cursor, changes: Tables) -> asyncio.Task[None]:
        """Begin to write a checkpoint."""
        self._items = len(changes.get("items", ()))
        self._writing = asyncio.create_task(self._write(cursor, changes))
        return self._writing

    def cancel(self) -> None:
        """Give up the write that is not finished."""
        if self._writing is not None:
            self._writing.cancel()

    async def close(self) -> None:
        """Give up the write that is not finished, and wait until it has ended."""
        self.cancel()
        if self._writing is not None:
            await asyncio.gather(self._writing, return_exceptions=True)
            # An error of this task refers to the shard: without this, both would wait for the garbage collector.
            self._writing = None

    async def _write(self, cursor: Cursor, changes: Tables) -> None:
        failpoint("checkpoint.before")
        since = self.saved
        with self._instruments.stage("checkpoint"):
            await until_answered(lambda: self._store.checkpoint(self._partition, cursor, since, changes))
        self.saved = cursor.place
        self.saved_at = monotonic()
        self._instruments.checkpointed(self._partition, cursor.next)
        failpoint("checkpoint.after")
