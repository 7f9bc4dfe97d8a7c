"""A worker is alive while its work goes on, and while it waits for what starting it again would not mend."""

from typing import Any

import pytest
from faust.types import TP
from prometheus_client import CollectorRegistry

from schemas.journal import Point
from stream.consumer.readers import Readers
from stream.faults import BrokerDown
from stream.observability.answers import Answers
from stream.observability.liveness import Liveness
from stream.observability.probe import Probe
from stream.shard.owner import Owner
from tests.fakes.servers import FakeServers
from tests.fakes.standing_feed import StandingFeed

LEDGER, ORDERS = TP("ledger", 4), TP("orders", 0)
MOST_SECONDS = 300


class HeldShard:
    """The part of a shard that says how far it is."""

    def __init__(self) -> None:
        self.next = 90
        self.published = Point(0)


class StandingOwner(Owner):
    """An owner that moves only as a test moves its shard."""

    def __init__(self) -> None:
        self.partition, self.name, self.parked, self._stood = 4, "shard 4", None, None
        self.shard: Any = HeldShard()


class WatchedWorker:
    """A worker that holds a shard which is ten records behind, and a feed that is not behind."""

    def __init__(self) -> None:
        self.now = 1_000.0
        self.servers = FakeServers()
        self.servers.ends = {LEDGER: 100, ORDERS: 7}
        readers = Readers({})
        self.owner, self.feed = StandingOwner(), StandingFeed(7)
        readers.by_partition.update({LEDGER: self.owner, ORDERS: self.feed})
        self.letters_refused = False
        self.probe = Probe(Answers(CollectorRegistry()), readers, [LEDGER], self.servers.ends_of, self.servers.ping)
        self.liveness = Liveness(self.probe, MOST_SECONDS, lambda: self.letters_refused, lambda: self.now)

    async def after(self, seconds: float) -> str:
        """Why it is not alive so many seconds later."""
        for _ in range(2):
            self.now += seconds / 2
            await self.probe.ask()
            self.liveness.look()
        return self.liveness.why_not()


@pytest.fixture
async def world() -> WatchedWorker:
    world = WatchedWorker()
    assert await world.after(0) == ""
    return world


async def test_standing_still_before_work_is_death_after_its_time(world: WatchedWorker) -> None:
    assert await world.after(MOST_SECONDS) == ""
    assert await world.after(2) == "shard 4 has stood still for 302 s, 10 records behind: start this worker again"


async def test_any_step_is_life(world: WatchedWorker) -> None:
    for step in range(10):
        world.owner.shard.next += step % 2
        world.owner.shard.published = Point(90, step)  # within a long tick only this moves
        assert await world.after(MOST_SECONDS - 1) == ""


async def test_without_work_nothing_has_to_move(world: WatchedWorker) -> None:
    world.servers.ends[LEDGER] = 90
    assert await world.after(10 * MOST_SECONDS) == ""
    world.servers.ends[LEDGER] = 91
    assert await world.after(1) == "", "the work has only just come"


async def test_nobody_dies_of_a_server_that_is_away(world: WatchedWorker) -> None:
    world.servers.broker_fault = BrokerDown("gone")
    assert await world.after(10 * MOST_SECONDS) == ""
    world.servers.broker_fault = None
    assert await world.after(MOST_SECONDS / 2) == "", "it has time to go on once the server is back"
    assert await world.after(MOST_SECONDS) != ""


async def test_a_person_is_waited_for(world: WatchedWorker) -> None:
    world.owner.parked = "a reason"
    assert await world.after(10 * MOST_SECONDS) == ""


async def test_a_feed_stands_still_too_unless_dead_letters_are_refused(world: WatchedWorker) -> None:
    world.servers.ends = {LEDGER: 90, ORDERS: 9}
    world.letters_refused = True
    assert await world.after(10 * MOST_SECONDS) == ""
    world.letters_refused = False
    assert (await world.after(2 * MOST_SECONDS)).startswith("orders-id/0 has stood still")


async def test_a_shard_that_cannot_be_taken_stands_still(world: WatchedWorker) -> None:
    world.owner.shard = None
    assert await world.after(1) == ""
    assert await world.after(2 * MOST_SECONDS) == "shard 4 has stood still for 600 s: start this worker again"


async def test_a_partition_that_left_is_forgotten(world: WatchedWorker) -> None:
    del world.probe.readers.by_partition[LEDGER]
    assert await world.after(10 * MOST_SECONDS) == ""
