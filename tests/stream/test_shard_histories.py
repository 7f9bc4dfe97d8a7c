"""Thousands of short histories of one shard, with a crash possible between any two steps, and a forgetful store.

Whatever happens on the way, in the end every output was published once, and the state is what ledger and journal say.
"""

import asyncio
import copy
import random
from collections.abc import Callable
from typing import Any

import pytest

from schemas.journal import decode_journal
from schemas.ledger import FoldSettings, Movement, Placed, Record, Ticked, decode_record
from stream import failpoints
from stream import shard as shard_module
from stream.faults import Fault
from stream.memory import MemoryBroker, MemoryPublisher, MemoryStore
from stream.ports import Core, Replay
from stream.shard import Ports, Shard
from stream.transport import Batch
from stream.watch import Watch

HISTORIES = 3000


class Crash(Exception):
    """The process ended here."""


class Raw:
    """A ledger record as the consumer hands it over."""

    def __init__(self, offset: int, stored: tuple[int, bytes]) -> None:
        self.offset = offset
        self.timestamp, self.value = stored


class History:
    """One seeded history: records come, owners come and go, the store forgets."""

    def __init__(self, seed: int, core: Callable[[int], Any]) -> None:
        self.chance = random.Random(seed)
        self.broker, self.store = MemoryBroker(), MemoryStore()
        self.core = core
        self.watch = Watch()
        self.snapshots: list[MemoryStore] = []
        self.appended = 0

    def append(self) -> None:
        for _ in range(self.chance.randrange(1, 12)):
            self.appended += 1
            self.broker.append(0, self.record(), self.appended)

    def record(self) -> Record:
        n = self.appended
        if self.chance.random() < 0.1:
            return Ticked("w", n, (), (), FoldSettings())
        return Movement(f"I{self.chance.randrange(5)}", "f/0", n, 0, None, "s", f"{n}", n, n, n, Placed(1))

    def own(self) -> Shard:
        ports = Ports(
            core=self.core,
            store=self.store,
            publisher=lambda shard: MemoryPublisher(self.broker, shard),
            journal=self.broker,
            ledger=self.broker,
            watch=self.watch,
        )
        return Shard(0, ports, "v")

    async def work(self, shard: Shard) -> None:
        end = min(len(self.broker.ledgers[0]), shard.next + self.chance.randrange(1, 9))
        records = tuple(Raw(o, self.broker.ledgers[0][o]) for o in range(shard.next, end))
        if records:
            await shard.work(Batch(shard.next, end, records))
        if self.chance.random() < 0.5 and (saving := shard.save()):
            await saving

    async def live(self) -> None:
        """A few owners, most of them killed; two may be alive at a time, as after a pause beyond the session."""
        owners: list[Shard] = []
        for _ in range(self.chance.randrange(4, 30)):
            self.append()
            self.trouble_the_store()
            try:
                if not owners or self.chance.random() < 0.15:
                    owners.append(self.own())
                    await owners[-1].take()
                owner = self.chance.choice(owners[-2:])
                if owner.saved >= 0 or owner.published.offset or owner.next == 0:
                    await self.work(owner)
            except (Crash, Fault):
                owners.clear()

    def trouble_the_store(self) -> None:
        dice = self.chance.random()
        if dice < 0.05:
            self.store.forget(0)
        elif dice < 0.15:
            self.snapshots.append(copy.deepcopy(self.store))
        elif dice < 0.2 and self.snapshots:
            self.store.__dict__.update(copy.deepcopy(self.chance.choice(self.snapshots)).__dict__)
        elif dice < 0.22 and self.store.tables[0]["items"]:
            self.store.tables[0]["items"].popitem()

    async def finish(self) -> Shard:
        """Everything heals, and one owner works off the rest."""
        last = self.own()
        await last.take()
        while last.next < len(self.broker.ledgers[0]):
            await self.work(last)
        while (saving := last.save()) is not None:
            await saving
        return last

    def check(self, last: Shard) -> None:
        outputs = [(output.at, output.item, output.event) for output in self.broker.outputs[0]]
        assert len(outputs) == len({(at.offset, item) for at, item, _ in outputs}), "something was published twice"
        naive: Core = self.core(0)
        told = [entry for raw in self.broker.journals[0] for entry in getattr(decode_journal(raw), "told", ())]
        assert told == [event for *_, event in outputs], "journal and outputs differ"
        for offset, (appended, value) in enumerate(self.broker.ledgers[0]):
            here = [entry for entry in told if entry.at.offset == offset]
            list(naive.fold(decode_record(value), offset, appended, Replay(here, whole=True)))
        assert last.core.dump() == naive.dump(), "the state is not what ledger and journal say"
        stored = {table: fields for table, fields in self.store.tables[0].items() if fields}
        assert stored == {table: fields for table, fields in naive.dump().items() if fields}


@pytest.fixture
def histories(toy_core: Any, monkeypatch: pytest.MonkeyPatch) -> Callable[[int], History]:
    """Makes histories that crash at failpoints."""
    monkeypatch.setattr(shard_module, "CHUNK", 2)

    def make(seed: int) -> History:
        history = History(seed, toy_core)

        def crash(_: str) -> None:
            if history.chance.random() < 0.03:
                raise Crash

        monkeypatch.setattr(shard_module, "failpoint", crash)
        return history

    return make


def test_every_output_once_and_the_state_as_told(
    histories: Callable[[int], History], monkeypatch: pytest.MonkeyPatch
) -> None:
    for seed in range(HISTORIES):
        history = histories(seed)
        try:
            asyncio.run(run(history, monkeypatch))
        except AssertionError as error:
            error.add_note(f"seed {seed}")
            raise


async def run(history: History, monkeypatch: pytest.MonkeyPatch) -> None:
    random.seed(history.chance.random())
    await history.live()
    monkeypatch.setattr(shard_module, "failpoint", failpoints.failpoint)
    history.check(await history.finish())
