"""A shard is rebuilt beside the worker that holds it: either of the two does the work, but it is done."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from typing import Any

import msgspec
import pytest

from stream.errors import AnswerIsNo
from stream.kafka.ledger import StoredRecord
from stream.ports import JournalView
from stream.shard import owner as owner_module
from stream.shard.rebuild import rebuild
from tests.fakes.owned_shards import BrittleBroker, OwnedShards
from tests.fakes.waiting import until


class CommandsLedger:
    """The world's ledger, as a command reads it."""

    def __init__(self, broker: BrittleBroker) -> None:
        self.view = broker.view
        self._broker = broker

    def records(self, shard: int, start: int, end: int) -> Iterator[StoredRecord]:
        for offset, (timestamp, value) in enumerate(self._broker.ledgers[shard][start:end], start):
            yield StoredRecord(offset, timestamp, value)


class SlowJournal:
    """A journal whose first looks are slow, so that a fenced worker takes its shard back meanwhile."""

    def __init__(self, broker: BrittleBroker, world: OwnedShards, times: int) -> None:
        self.passage = broker.passage
        self.times = times
        self._broker, self._world = broker, world

    async def look(self, shard: int, start: int | None) -> JournalView:
        if self.times and start is not None:
            self.times -= 1
            fenced = self._world.instruments.counts["fenced"]
            self._world.append(3)
            await until(lambda: self._world.instruments.counts["fenced"] > fenced and self._world.folded())
        return await self._broker.look(shard, start)


@pytest.fixture
async def world(toy_core: Any, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[OwnedShards]:
    monkeypatch.setattr(owner_module, "AGAIN_SECONDS", 0.005)
    made = OwnedShards(toy_core)
    made.append(50)
    made.own()
    await until(made.folded)
    yield made
    await made.close()
    assert made.connections == 0, "a publisher was left open"


async def rebuilt(world: OwnedShards, slow: int = 0) -> bool:
    ports = msgspec.structs.replace(world.ports(), journal=SlowJournal(world.broker, world, slow))
    ledger: Any = CommandsLedger(world.broker)
    return await rebuild(0, ports, ledger, "1.0", lambda *_: None)


async def test_a_rebuild_publishes_nothing_twice_and_the_worker_goes_on(world: OwnedShards) -> None:
    published = world.published()
    await rebuilt(world)
    assert world.published() == published
    assert world.instruments.counts["replayed"] >= 50
    world.append(50)
    await until(world.folded)
    world.check()


async def test_a_worker_that_takes_its_shard_back_in_time_does_not_prevent_a_rebuild(world: OwnedShards) -> None:
    """Otherwise it would go on from the checkpoint that was to be rebuilt, and the command would call it rebuilt."""
    world.store.tables[0]["items"]["I1"] = b'[7,"wrong"]'
    await rebuilt(world, slow=2)
    await until(world.folded)
    world.check()


async def test_a_worker_that_always_takes_its_shard_back_is_named(world: OwnedShards) -> None:
    with pytest.raises(AnswerIsNo, match="shard 0: a running worker takes it back"):
        await asyncio.wait_for(rebuilt(world, slow=10**9), 60)
