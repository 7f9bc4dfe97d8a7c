"""Who reads which partition: the application's side of the transport's positions.

Shards read the ledger, feeds read the sources. After every rebalance the readers that stay are positioned anew, new
ones find out for themselves where to begin, and those that lost their partition let go.
"""

import asyncio
import logging
from collections.abc import Callable, Mapping
from typing import Protocol

from faust.types import TP

from stream.consumer.transport import Batch, Consumer

logger = logging.getLogger(__name__)
MEND_SECONDS = 0.5


class Reader(Protocol):
    """Reads one partition as long as it is assigned."""

    name: str
    """What its commits are marked with."""
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
        """Where the partition should stand now that nothing is on its way; None while something is."""
        ...

    def handed(self) -> None:
        """A batch is on its way."""
        ...

    def receive(self, batch: Batch) -> None:
        """A batch has arrived."""
        ...

    async def resume(self) -> None:
        """Still ours after a rebalance: seek, and expect nothing of what was on its way."""
        ...

    async def rewind(self) -> None:
        """What is read is not what comes next: seek back."""
        ...

    async def leave(self) -> None:
        """The partition is somebody else's now, or the process ends."""
        ...


class Readers:
    """All readers of this process, by partition; it keeps the promises of `stream.consumer.transport.Positions`."""

    def __init__(self, make: Mapping[str, Callable[[TP], Reader]]) -> None:
        self.by_partition: dict[TP, Reader] = {}
        self.closed = False
        self._make = make
        self._leaving: set[asyncio.Task[None]] = set()

    async def kept(self, partitions: frozenset[TP]) -> None:
        """Whatever is not among these belongs to somebody else now."""
        for tp in [tp for tp in self.by_partition if tp not in partitions]:
            task = asyncio.create_task(self.by_partition.pop(tp).leave())
            self._leaving.add(task)
            task.add_done_callback(self._leaving.discard)

    async def assigned(self, partitions: frozenset[TP]) -> None:
        """These partitions are ours now."""
        await self.kept(partitions)
        logger.info("Assigned: %d partitions, %d of them still held", len(partitions), len(self.by_partition))
        held = list(self.by_partition.values())
        for tp in sorted(partitions - self.by_partition.keys()):
            if tp.topic in self._make and not self.closed:
                self.by_partition[tp] = self._make[tp.topic](tp)
        await asyncio.gather(*(reader.resume() for reader in held))

    def wanted(self, partition: TP) -> bool:
        """Whether records of this partition may be handed over now."""
        reader = self.by_partition.get(partition)
        return reader is not None and not self.closed and reader.wanted

    def handed(self, partition: TP) -> None:
        """A batch of this partition is on its way."""
        if reader := self.by_partition.get(partition):
            reader.handed()

    def receive(self, partition: TP, batch: Batch) -> None:
        """A batch has arrived; of a partition that was lost meanwhile, nothing is kept."""
        if reader := self.by_partition.get(partition):
            reader.receive(batch)

    def committable(self, partition: TP) -> int | None:
        """The offset below which everything is safe elsewhere."""
        reader = self.by_partition.get(partition)
        return reader.committable if reader else None

    def name(self, partition: TP) -> str:
        """What a commit of this partition is marked with."""
        reader = self.by_partition.get(partition)
        return reader.name if reader else ""

    async def mend(self, consumer: Consumer) -> None:
        """Seek back where a partition has moved on without its reader: Faust drops batches around rebalances."""
        suspects: dict[TP, int] = {}
        while not self.closed:
            await asyncio.sleep(MEND_SECONDS)
            astray = {}
            for tp, reader in list(self.by_partition.items()):
                expected = reader.resting
                if expected is not None and (position := consumer.stands(tp)) not in {None, expected}:
                    astray[tp] = expected
                    if suspects.get(tp) == expected:
                        logger.info("%s/%d stands at %s instead of %d: seeking back", *tp, position, expected)
                        await reader.rewind()
            suspects = astray

    async def close(self) -> None:
        """Take nothing more, and let every reader finish what it has; they stay to be asked for the last commit."""
        self.closed = True
        await asyncio.gather(*(reader.leave() for reader in self.by_partition.values()), *self._leaving)
