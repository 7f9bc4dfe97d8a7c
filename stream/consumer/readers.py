"""Who reads which partition: shards read the ledger, feeds read the sources.

The transport hands batches to the readers and asks them for positions. After every rebalance the readers that stay are
positioned anew, new ones find out for themselves where to begin, and those that lost their partition let go.
"""

import asyncio
import logging
from collections.abc import Callable, Mapping
from typing import Protocol

from faust.types import TP

from stream.consumer.batch import Batch

logger = logging.getLogger(__name__)
MEND_SECONDS = 0.5


class Reader(Protocol):
    """Reads one partition while it is assigned to this process; the transport asks it what to fetch and to commit."""

    name: str
    """Stored with every commit, to recognise it by."""
    parked: str | None
    """Why it cannot go on by itself."""

    @property
    def wanted(self) -> bool:
        """Whether there is room for another batch; asked from the consumer's thread."""
        ...

    @property
    def committable(self) -> int | None:
        """The offset below which everything is safe elsewhere; None where nothing is committed."""
        ...

    @property
    def resting(self) -> int | None:
        """The offset to read next when no batch is on its way; None while one is."""
        ...

    def handed(self) -> None:
        """Note that a batch is on its way."""
        ...

    def receive(self, batch: Batch) -> None:
        """Take a batch that has arrived."""
        ...

    async def resume(self) -> None:
        """Seek after a rebalance that left the partition here; what was on its way will not arrive."""
        ...

    async def rewind(self) -> None:
        """Seek back: what was read is not what comes next."""
        ...

    async def leave(self) -> None:
        """Let go: the partition belongs to somebody else now, or the process ends."""
        ...


class NoReader:
    """Stands in for the reader of a partition that nobody here reads: it wants nothing and drops what arrives."""

    name = ""
    parked: str | None = None
    wanted = False
    committable = None
    resting = None

    def handed(self) -> None:
        """Note nothing."""

    def receive(self, batch: Batch) -> None:
        """Drop it: the partition was lost while the batch was on its way."""

    async def resume(self) -> None:
        """There is nothing to seek."""

    async def rewind(self) -> None:
        """There is nothing to seek."""

    async def leave(self) -> None:
        """There is nothing to let go."""


NOBODY: Reader = NoReader()


class Readers:
    """All readers of this process, by partition."""

    def __init__(self, make: Mapping[str, Callable[[TP], Reader]]) -> None:
        self.by_partition: dict[TP, Reader] = {}
        self.closed = False
        self._make = make
        """Makes the reader of a partition, by topic."""
        self._leaving: set[asyncio.Task[None]] = set()

    def of(self, partition: TP) -> Reader:
        """The reader of a partition, or one that does nothing."""
        return self.by_partition.get(partition, NOBODY)

    def wanted(self, partition: TP) -> bool:
        """Whether a batch of this partition may be handed over now; none may once the readers are closed."""
        return not self.closed and self.of(partition).wanted

    async def kept(self, partitions: frozenset[TP]) -> None:
        """Let go of every partition that is not among these: it belongs to somebody else now."""
        for tp in [tp for tp in self.by_partition if tp not in partitions]:
            task = asyncio.create_task(self.by_partition.pop(tp).leave())
            self._leaving.add(task)
            task.add_done_callback(self._leaving.discard)

    async def assigned(self, partitions: frozenset[TP]) -> None:
        """Read these partitions from now on, and no others."""
        await self.kept(partitions)
        logger.info("Assigned: %d partitions, %d of them still held", len(partitions), len(self.by_partition))
        held = list(self.by_partition.values())
        for tp in sorted(partitions - self.by_partition.keys()):
            if tp.topic in self._make and not self.closed:
                self.by_partition[tp] = self._make[tp.topic](tp)
        await asyncio.gather(*(reader.resume() for reader in held))

    async def mend(self, next_offset: Callable[[TP], int | None]) -> None:
        """Seek back where the consumer has moved on without a reader: Faust drops batches around rebalances."""
        suspects: dict[TP, int] = {}
        while not self.closed:
            await asyncio.sleep(MEND_SECONDS)
            astray = {}
            for tp, reader in list(self.by_partition.items()):
                expected = reader.resting
                if expected is not None and (position := next_offset(tp)) not in {None, expected}:
                    astray[tp] = expected
                    if suspects.get(tp) == expected:
                        logger.info("%s/%d stands at %s instead of %d: seeking back", *tp, position, expected)
                        await reader.rewind()
            suspects = astray

    async def close(self) -> None:
        """Take no more batches, and let every reader finish; they are still asked once what to commit."""
        self.closed = True
        await asyncio.gather(*(reader.leave() for reader in self.by_partition.values()), *self._leaving)
