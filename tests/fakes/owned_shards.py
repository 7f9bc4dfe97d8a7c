"""Owners of shards over a ledger, a journal and a store in memory, which a test can make fail."""

import asyncio
from collections.abc import AsyncIterator, Callable, Iterable
from typing import Any

import msgspec

from schemas.ledger import FoldSettings, Movement, Placed, Record, Ticked, decode_record
from stream.consumer.batch import Batch
from stream.faults import BrokerDown, StoreDown, Unclear
from stream.in_memory import MemoryBroker, MemoryPublisher, MemoryStore
from stream.observability.instruments import Instruments
from stream.ports import Cursor, Held, LedgerView, Output, Place, RawRecord, Replay, Tables, Within
from stream.shard.dependencies import Ports
from stream.shard.owner import Owner
from tests.fakes.records import ConsumedRecord
from tests.fakes.toy_core import fold_run


class OwnedShards:
    """Owners of shards, with a ledger, a journal and a store in memory that a test can make fail."""

    def __init__(self, core: Callable[[int], Any]) -> None:
        self.broker = BrittleBroker(partitions=2)
        self.store = BrittleStore()
        self.instruments = Instruments()
        self.core = core
        self.poison: set[int] = set()
        """Ledger offsets of shard 0 that the core cannot fold."""
        self.unpublishable = False
        self.connections = 0
        self.drop_batches = 0
        self.owners: list[Owner] = []
        self.readers: list[asyncio.Task[None]] = []

    def ports(self) -> Ports:
        return Ports(
            core=lambda shard: StumblingCore(self, shard, self.core(shard)),
            store=self.store,
            publisher=lambda shard: BrittlePublisher(self, shard),
            journal=self.broker,
            ledger=self.broker,
            instruments=self.instruments,
        )

    def append(self, number: int = 1, shard: int = 0) -> None:
        for _ in range(number):
            n = len(self.broker.ledgers[shard])
            record: Record = Movement(f"I{n % 3}", "f/0", n, 0, None, "s", f"{n}", n, n, n, Placed(1))
            self.broker.append(shard, Ticked("w", n, (), (), FoldSettings()) if n % 10 == 9 else record, n)

    def own(self, shard: int = 0) -> Owner:
        """Start an owner and a consumer that reads for it as the transport does."""
        at = [0]

        async def seek(offset: int) -> None:
            at[0] = offset

        made = Owner(shard, self.ports(), "1.0", 0.01, seek)
        self.owners.append(made)
        self.readers.append(asyncio.create_task(self.read(made, at, shard)))
        return made

    async def read(self, owner: Owner, at: list[int], shard: int) -> None:
        while True:
            await asyncio.sleep(0.001)
            start, end = at[0], min(len(self.broker.ledgers[shard]), at[0] + 7)
            if owner.resting not in {None, start}:
                await owner.rewind()
            elif owner.wanted and start < end:
                stored = self.broker.ledgers[shard]
                records = tuple(ConsumedRecord(o, *stored[o]) for o in range(start, end) if o not in self.broker.gaps)
                at[0] = end
                owner.handed()
                if self.drop_batches:
                    self.drop_batches -= 1
                    await owner.resume()
                else:
                    owner.receive(Batch(start, end, records))

    async def close(self) -> None:
        for reader in self.readers:
            reader.cancel()
        await asyncio.gather(*(owner.leave() for owner in self.owners))

    def published(self, shard: int = 0) -> list[tuple[Any, str]]:
        return [(output.at, output.item) for output in self.broker.outputs[shard]]

    def due(self, shard: int = 0) -> list[int]:
        """The ledger offsets at which a core without faults has something to decide."""
        naive = self.core(shard)
        for offset, (appended, value) in enumerate(self.broker.ledgers[shard]):
            list(naive.fold(decode_record(value), offset, appended, None))
        offsets: list[int] = naive.due
        return offsets

    def stored(self, shard: int = 0) -> Tables:
        return {table: fields for table, fields in self.store.tables[shard].items() if fields}

    def expected(self, shard: int = 0) -> Tables:
        """The fold of ledger and journal by a core without faults."""
        published = [output.entry for output in self.broker.outputs[shard] if output.entry is not None]
        naive = self.core(shard)
        for offset, (appended, value) in enumerate(self.broker.ledgers[shard]):
            here = [entry for entry in published if entry.at.offset == offset]
            list(naive.fold(decode_record(value), offset, appended, Replay(here, whole=True)))
        dumped: Tables = naive.dump()
        return {table: fields for table, fields in dumped.items() if fields}

    def folded(self, shard: int = 0) -> bool:
        """Whether the checkpoint holds the whole ledger."""
        cursor = self.store.cursors.get(shard)
        return cursor is not None and cursor.next == len(self.broker.ledgers[shard])

    def check(self, shard: int = 0) -> None:
        assert self.published(shard) == sorted(set(self.published(shard))), "something was published twice"
        assert self.stored(shard) == self.expected(shard)


class StumblingCore:
    """The toy core; it raises an error at the offsets of `world.poison`."""

    def __init__(self, world: OwnedShards, shard: int, core: Any) -> None:
        self.world = world
        self.shard = shard
        self.inner = core
        self.changes, self.load, self.dump, self.go_on = core.changes, core.load, core.dump, core.go_on

    @property
    def within(self) -> Within | None:
        within: Within | None = self.inner.within
        return within

    @property
    def unsaved(self) -> int:
        unsaved: int = self.inner.unsaved
        return unsaved

    def fold(self, record: Record, offset: int, appended: int, replay: Replay | None) -> Iterable[Output | None]:
        if self.shard == 0 and offset in self.world.poison:
            raise ZeroDivisionError(f"cannot divide, at {id(self)}")
        found: Iterable[Output | None] = self.inner.fold(record, offset, appended, replay)
        return found

    def fold_run(
        self, raws: Iterable[RawRecord], replay: Replay | None
    ) -> tuple[Record, Iterable[Output | None]] | None:
        return fold_run(self, raws, replay)


class BrittleStore(MemoryStore):
    """A store that is away for so many calls as `away` says; `while_read` is called between slices, one entry each."""

    def __init__(self) -> None:
        super().__init__()
        self.away = 0
        self.while_read: list[Callable[[int], None]] = []

    def _answer(self) -> None:
        if self.away:
            self.away -= 1
            raise StoreDown("connection refused")

    async def acquire(self, shard: int, token: str) -> Held | None:
        self._answer()
        return await super().acquire(shard, token)

    async def load(self, shard: int) -> AsyncIterator[Tables]:
        async for tables in super().load(shard):
            yield tables
            if self.while_read:
                self.while_read.pop(0)(shard)
                self._answer()

    async def checkpoint(self, shard: int, cursor: Cursor, since: Place, changes: Tables) -> None:
        self._answer()
        await super().checkpoint(shard, cursor, since, changes)


class BrittleBroker(MemoryBroker):
    """A broker with holes in the ledger, which is away for so many calls as `away` says."""

    def __init__(self, partitions: int) -> None:
        super().__init__(partitions)
        self.gaps: set[int] = set()
        self.away = 0
        self.start = 0

    async def view(self, shard: int) -> LedgerView:
        if self.away:
            self.away -= 1
            raise BrokerDown("timed out")
        return msgspec.structs.replace(await super().view(shard), start=self.start)

    async def checksum(self, shard: int, offset: int) -> int:
        if 0 <= offset < self.start:
            raise BrokerDown("offset out of range")
        return await super().checksum(shard, offset)


class BrittlePublisher(MemoryPublisher):
    """A publisher that counts its connections, and publishes no outputs while `world.unpublishable`."""

    def __init__(self, world: OwnedShards, shard: int) -> None:
        super().__init__(world.broker, shard)
        self.world = world

    async def open(self) -> None:
        self.world.connections += self._epoch < 0
        await super().open()

    async def publish(self, outputs: Any, record: Any) -> int:
        if outputs and self.world.unpublishable:
            raise Unclear("Broker: Message size too large")
        return await super().publish(outputs, record)

    async def close(self) -> None:
        self.world.connections -= self._epoch >= 0
        await super().close()


def parked(owner: Owner) -> Callable[[], bool]:
    return lambda: owner.parked is not None
