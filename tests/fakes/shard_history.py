"""Seeded simulation of one shard: a history is drawn first, as a list of steps, so that a failing one can be shortened.

The shard is the real one; store and publisher are their twins in memory, made unreliable. A step that crashes ends its
owner at the n-th failpoint it passes; other owners live on, as zombies do.
"""

import asyncio
import copy
import random
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from functools import partial
from typing import Any, ClassVar, NamedTuple
from unittest import mock

from schemas.journal import JournalRecord, decode_journal
from schemas.ledger import FoldSettings, Movement, Placed, Record, Ticked, decode_record
from stream import retry
from stream.consumer.batch import Batch
from stream.faults import Fault, StoreDown, Unclear
from stream.in_memory import MemoryBroker, MemoryPublisher, MemoryStore
from stream.observability.instruments import Instruments
from stream.ports import Cursor, Output, Place, Replay, ShardCore, Tables
from stream.shard import checkpointing, takeover
from stream.shard import shard as shard_module
from stream.shard.dependencies import Ports
from stream.shard.shard import Shard
from tests.fakes.records import ConsumedRecord

KINDS = {
    "append": 26, "own": 7, "own amid change": 3, "work": 34, "save": 16, "save while working": 6,
    "forget": 3, "snapshot": 6, "restore": 5, "tear": 1, "heal": 2,
    "renew": 3,
}  # fmt: skip


ABANDONED = (
    *("own", "append", "work", "save", "snapshot", "append-quietly", "work", "work", "save", "snapshot"),
    *("restore", "own", "work", "work", "work", "restore", "own", "work", "append", "save"),
)
"""The skeleton of a rare history: an older file of the store is restored, and later the newer one."""


class Step(NamedTuple):
    """One step of a history."""

    kind: str
    number: int
    """A random number that decides everything else about the step."""
    crash: int
    """Ends the owner at this failpoint of the step, counted from 1; 0 for none."""


class SimulatedCrash(Exception):
    """The process ended here."""


class ShakyStore(MemoryStore):
    """Loses replies, and may change while it is read."""

    while_read: ClassVar[list[Callable[[], Awaitable[None]]]] = []
    """What happens between two fields, the last first."""

    def __init__(self) -> None:
        super().__init__()
        self.lost_replies = 0

    async def load(self, shard: int) -> AsyncIterator[Tables]:
        async for tables in super().load(shard):
            yield tables
            if self.while_read:
                await self.while_read.pop()()

    async def checkpoint(self, shard: int, cursor: Cursor, since: Place, changes: Tables) -> None:
        await super().checkpoint(shard, cursor, since, changes)
        if self.lost_replies:
            self.lost_replies -= 1
            raise StoreDown("the reply was lost")


class ShakyPublisher(MemoryPublisher):
    """Does not know whether it published."""

    unclear = ""

    async def publish(self, outputs: Sequence[Output], record: JournalRecord) -> int:
        unclear, ShakyPublisher.unclear = ShakyPublisher.unclear, ""
        if unclear == "lost":
            raise Unclear("nobody knows")
        place = await super().publish(outputs, record)
        if unclear == "done":
            raise Unclear("nobody knows")
        return place


def steps_of(seed: int) -> list[Step]:
    """Draw a history."""
    chance = random.Random(seed)
    kinds = chance.choices(tuple(KINDS), tuple(KINDS.values()), k=chance.randrange(8, 50))
    if chance.random() < 0.15:
        kinds = list(ABANDONED)
    return [
        Step(kind, chance.getrandbits(30), chance.randrange(1, 7) if chance.random() < 0.12 else 0) for kind in kinds
    ]


class ShardHistory:
    """One history of one shard."""

    instruments = Instruments()

    def __init__(self, core: Callable[[int], Any], ports: dict[str, Any] | None = None) -> None:
        self.broker, self.store = MemoryBroker(), ShakyStore()
        self.owners: list[Shard] = []
        self.core = core
        self._snapshots: list[dict[str, Any]] = []
        self._fuse = 0
        self._ports = ports or {}

    # Steps --------------------------------------------------------------------------------------------------------

    async def live(self, steps: Sequence[Step]) -> None:
        """Run the steps."""
        for step in steps:
            chance = random.Random(step.number)
            random.seed(step.number)  # for the decisions of the toy core
            self._fuse = step.crash
            owner = chance.choice(self.owners[-2:]) if self.owners else None
            try:
                await self._happen(step.kind, owner, chance)
            except (SimulatedCrash, Fault):
                if not step.kind.startswith(("own", "heal")):  # an owner that failed to take it never had it
                    self._end(owner)
            self._fuse = 0
            ShakyStore.while_read.clear()

    async def _happen(self, kind: str, owner: Shard | None, chance: random.Random) -> None:  # noqa: C901, PLR0912 - one case a kind
        match kind:
            case "append" | "append-quietly":
                for _ in range(chance.randrange(1, 12)):
                    at = len(self.broker.ledgers[0]) + 1
                    self.broker.append(0, _record(at, chance, quiet=kind != "append"), at)
            case "own":
                await self._own()
            case "own amid change":
                change = chance.choice((self._forget, self._forget, self._restore, self._another_owns))
                later = chance.randrange(4)
                ShakyStore.while_read[:] = [partial(change, chance), *[_nothing] * later]
                await self._own()
            case "work" if owner is not None:
                ShakyPublisher.unclear = chance.choice(("", "", "", "", "", "", "", "", "lost", "done"))
                await self.work(owner, chance)
            case "save" if owner is not None:
                self.store.lost_replies = chance.randrange(4) // 3
                if saving := owner.save():
                    await saving
            case "save while working" if owner is not None:
                owner.save()
                await self.work(owner, chance)
            case "renew" if owner is not None:
                owner._sealed_at = -shard_module.RENEW_SECONDS
                await owner.renew_seal()
            case "forget":
                await self._forget(chance)
            case "snapshot":
                self._snapshots.append(copy.deepcopy(self.store.__dict__))
            case "restore":
                await self._restore(chance)
            case "tear" if self.store.tables[0]["items"]:
                self.store.tables[0]["items"].popitem()
            case "heal" if not self.owners:
                await self._own()

    async def _own(self) -> Shard:
        owner = self.owner()
        await owner.take()
        self.owners.append(owner)
        return owner

    async def _another_owns(self, chance: random.Random) -> None:
        other = await self._own()
        await self.work(other, chance)
        await other.save_all()

    async def _forget(self, _: random.Random) -> None:
        self.store.forget(0)

    async def _restore(self, chance: random.Random) -> None:
        if self._snapshots:
            self.store.__dict__.update(copy.deepcopy(chance.choice(self._snapshots)))

    def failpoint(self, _: str) -> None:
        if self._fuse:
            self._fuse -= 1
            if self._fuse == 0:
                raise SimulatedCrash

    def _end(self, owner: Shard | None) -> None:
        if owner is not None:
            owner._checkpoints.cancel()
            self.owners.remove(owner)

    def owner(self) -> Shard:
        ports: dict[str, Any] = {
            "core": self.core, "store": self.store, "publisher": lambda _: ShakyPublisher(self.broker, 0),
            "journal": self.broker, "ledger": self.broker, "instruments": self.instruments,
        }  # fmt: skip
        return Shard(0, Ports(**ports | self._ports), "v")

    async def work(self, shard: Shard, chance: random.Random) -> None:
        """Give an owner a batch, now and then one that begins too early or too late."""
        start = max(0, shard.next + chance.choice((0, 0, 0, 0, 0, 0, -2, 1, 3)))
        end = min(len(self.broker.ledgers[0]), start + chance.randrange(1, 9))
        records = tuple(ConsumedRecord(offset, *self.broker.ledgers[0][offset]) for offset in range(start, end))
        if records and (new := shard.continuation(Batch(start, end, records))) is not None:
            await shard.work(new)

    # The end ------------------------------------------------------------------------------------------------------

    async def finish(self) -> Shard:
        """Let everything heal, and one owner fold the rest."""
        for owner in list(self.owners):
            self._end(owner)
        self.store.lost_replies, ShakyPublisher.unclear = 0, ""
        last = self.owner()
        await last.take()
        chance = random.Random(0)
        while last.next < len(self.broker.ledgers[0]):
            await self.work(last, chance)
        await last.save_all()
        return last

    def check(self, last: Shard) -> None:
        """Check that every output was published once, and that the state is the fold of ledger and journal."""
        outputs = [(output.at, output.item, output.event) for output in self.broker.outputs[0]]
        assert len(outputs) == len({(at.offset, item) for at, item, _ in outputs}), "something was published twice"
        naive: ShardCore = self.core(0)
        entries = [entry for raw in self.broker.journals[0] for entry in getattr(decode_journal(raw), "entries", ())]
        assert entries == [event for *_, event in outputs], "journal and outputs differ"
        expected: Any = naive
        for offset, (appended, value) in enumerate(self.broker.ledgers[0]):
            here = [entry for entry in entries if entry.at.offset == offset]
            list(naive.fold(decode_record(value), offset, appended, Replay(here, whole=True)))
        steady = {entry.at.offset for entry in entries if entry.item not in expected.moody}
        assert steady >= set(expected.due), "something was not published"
        assert steady <= set(expected.due), "something was published that was not due"
        assert last.core.dump() == naive.dump(), "the state is not what ledger and journal say"
        stored = {table: fields for table, fields in self.store.tables[0].items() if fields}
        assert stored == {table: fields for table, fields in naive.dump().items() if fields}, "the checkpoint differs"


async def _nothing() -> None:
    """Do nothing."""


def _record(n: int, chance: random.Random, *, quiet: bool) -> Record:
    """A movement or a tick; quiet ones are about items that have few outputs."""
    if not quiet and chance.random() < 0.1:
        return Ticked("w", n, (), (), FoldSettings())
    return Movement(
        f"I{chance.randrange(2, 5) if quiet else chance.randrange(5)}",
        "f/0",
        n,
        0,
        None,
        "s",
        f"{n}",
        n,
        n,
        n,
        Placed(1),
    )


def run(
    steps: Sequence[Step], core: Callable[[int], Any], ports: dict[str, Any] | None = None, most_unsaved: int = 3
) -> str:
    """Run a history, and return what is wrong in the end; empty if nothing is."""
    world = ShardHistory(core, ports)

    async def whole() -> None:
        await world.live(steps)
        world.check(await world.finish())

    with (
        mock.patch.object(shard_module, "failpoint", world.failpoint),
        mock.patch.object(takeover, "failpoint", world.failpoint),
        mock.patch.object(checkpointing, "failpoint", world.failpoint),
        mock.patch.object(shard_module, "CHUNK", 2),
        mock.patch.object(shard_module, "MOST_UNSAVED", most_unsaved),
        mock.patch.object(retry, "FIRST_SECONDS", 0.0),
    ):
        try:
            asyncio.run(whole())
        except (AssertionError, Fault) as error:
            return f"{type(error).__name__}: {str(error).splitlines()[0]}"
    return ""


def shortest(steps: Sequence[Any], fails: Callable[[Sequence[Any]], bool]) -> list[Any]:
    """Leave out all steps that the failure does not need."""
    kept = list(steps)
    size = max(1, len(kept) // 2)
    while True:
        place = 0
        while place < len(kept):
            fewer = kept[:place] + kept[place + size :]
            if fails(fewer):
                kept = fewer
            else:
                place += size
        if size == 1:
            return kept
        size = max(1, size // 2)
