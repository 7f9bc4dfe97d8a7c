"""An owner of a shard: what it does about each fault, that it parks alone, and that it goes on when that is mended."""

import asyncio
import gc
import logging
import weakref
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any

import msgspec
import pytest

from stream.consumer.batch import Batch
from stream.faults import Fenced, Torn
from stream.ports import Tables
from stream.shard import checkpointing
from stream.shard import owner as owner_module
from stream.shard.owner import AHEAD, MOST_ASTRAY, Owner
from stream.shard.shard import Shard
from tests.fakes.owned_shards import OwnedShards, parked
from tests.fakes.records import ConsumedRecord
from tests.fakes.waiting import until


@pytest.fixture
async def world(toy_core: Any, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[OwnedShards]:
    monkeypatch.setattr(owner_module, "AGAIN_SECONDS", 0.005)
    monkeypatch.setattr(owner_module, "PARKED_SECONDS", 0.02)
    made = OwnedShards(toy_core)
    yield made
    await made.close()
    assert made.connections == 0, "a publisher was left open"


# Without faults -------------------------------------------------------------------------------------------------------


async def test_an_owner_takes_folds_publishes_and_checkpoints(world: OwnedShards) -> None:
    world.append(100)
    owner = world.own()
    await until(world.folded)
    world.check()
    assert world.published()
    await until(lambda: owner.resting == 100)
    assert (owner.parked, owner.committable) == (None, None)


async def test_an_owner_wants_nothing_before_it_has_the_shard_and_only_little_ahead(world: OwnedShards) -> None:
    world.store.away = 3
    owner = world.own()
    assert not owner.wanted
    world.readers[0].cancel()
    await until(lambda: owner.wanted)
    wanted = []
    for _ in range(AHEAD):
        wanted.append(owner.wanted)
        owner.handed()
    wanted.append(owner.wanted)
    assert owner.resting is None
    await owner.resume()
    assert [*wanted, owner.wanted] == [*[True] * AHEAD, False, True]


async def test_what_was_received_is_checkpointed_before_it_leaves(world: OwnedShards) -> None:
    world.append(5)
    owner = world.own()
    await until(world.folded)
    world.readers[0].cancel()
    world.append(3)
    owner.handed()
    owner.receive(Batch(5, 8, tuple(ConsumedRecord(o, *world.broker.ledgers[0][o]) for o in range(5, 8))))
    await owner.leave()
    assert world.folded()
    world.check()


async def test_batches_lost_around_rebalances_are_read_again(world: OwnedShards) -> None:
    world.own()
    world.drop_batches = 5
    world.append(100)
    await until(world.folded)
    world.check()


async def test_with_a_backlog_a_checkpoint_must_be_worth_its_items_or_late(
    world: OwnedShards, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(checkpointing, "WORTH", 10)
    shard = Shard(0, world.ports(), "1.0")
    await shard.take()
    worth = []
    for records in (3, 29, 1):  # of three items
        world.append(records)
        stored = world.broker.ledgers[0]
        end = len(stored)
        await shard.work(Batch(shard.next, end, tuple(ConsumedRecord(o, *stored[o]) for o in range(shard.next, end))))
        worth.append(shard.worth_saving)
        if records == 3:
            await shard.save_all()
    assert worth == [True, False, True]
    monkeypatch.setattr(checkpointing, "WORTH", 1000)
    late = [shard.worth_saving]
    monkeypatch.setattr(checkpointing, "MOST_SECONDS", 0.0)
    late.append(shard.worth_saving)
    assert late == [False, True]
    await shard.close()


# Faults that pass -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("server", ["store", "broker"])
async def test_a_server_that_is_away_is_waited_for_with_one_line(
    world: OwnedShards, server: str, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("stream.retry.FIRST_SECONDS", 0.001)
    monkeypatch.setattr("stream.retry.LONGEST_SECONDS", 0.002)
    world.append(20)
    getattr(world, server).away = 10
    world.own()
    await until(world.folded)
    assert [r.getMessage() for r in caplog.records if r.levelno >= logging.WARNING] == [
        "Redis does not answer (connection refused); waiting for it"
        if server == "store"
        else "Kafka does not answer (timed out); waiting for it"
    ]
    world.check()


async def test_folding_goes_on_while_a_checkpoint_waits_for_the_store(world: OwnedShards) -> None:
    world.append(5)
    owner = world.own()
    await until(world.folded)
    world.store.away = 10**9
    world.append(60)
    await until(lambda: owner.resting == 65)
    assert world.store.cursors[0].next < 65
    world.store.away = 0
    await until(world.folded)
    world.check()


async def test_a_fenced_owner_takes_the_shard_again(world: OwnedShards) -> None:
    world.append(30)
    owner = world.own()
    await until(world.folded)
    other = Shard(0, world.ports(), "1.0")
    await other.take()
    world.append(30)
    await until(world.folded)
    await other.close()
    assert (owner.parked, world.instruments.counts["fenced"]) == (None, 1)
    world.check()


async def test_two_owners_of_one_shard_publish_everything_once(world: OwnedShards) -> None:
    """This happens after a pause longer than the session: both take the shard for theirs, and only one is right."""
    world.append(50)
    world.own()
    await until(world.folded)
    world.own()
    world.append(50)
    await until(world.folded)
    world.check()


async def test_a_torn_checkpoint_is_rebuilt_and_nothing_is_published_twice(world: OwnedShards) -> None:
    world.append(50)
    world.own()
    await until(world.folded)
    before = world.published()
    world.store.tables[0]["items"].popitem()
    world.append(1)
    await until(world.folded)
    assert world.published()[: len(before)] == before
    assert (world.instruments.counts["torn"], world.instruments.counts["replayed"] > 0) == (1, True)
    world.check()


@pytest.mark.parametrize("fails", [False, True])
async def test_a_store_that_is_emptied_while_it_is_read_is_not_believed(world: OwnedShards, fails: bool) -> None:  # noqa: FBT001
    """Half a state would take what it has seen for new, and publish it again."""
    world.append(53)  # no multiple of three for an item: a state without it decides at other records
    first = world.own()
    await until(world.folded)
    await first.leave()

    def empty(shard: int) -> None:
        world.store.forget(shard)
        world.store.away = int(fails)

    world.store.while_read = [empty]
    world.append(30)
    world.own()
    await until(world.folded)
    assert not world.store.while_read, "it was not read"
    steady = {at.offset for at, item in world.published() if item not in world.core(0).moody}
    assert sorted(steady) == world.due()
    world.check()


async def test_a_checkpoint_that_another_wrote_while_it_was_read_is_not_deleted(world: OwnedShards) -> None:
    """This happens after a pause in the middle of taking. With a long ledger, to rebuild it would cost hours."""
    world.append(50)
    first = world.own()
    await until(world.folded)
    await first.leave()
    world.append(30)
    load = world.store.load

    async def paused(shard: int) -> AsyncIterator[Tables]:
        world.store.load = load  # type: ignore[method-assign]
        async for tables in load(shard):
            yield tables
        other = Shard(0, world.ports(), "1.0")
        await other.take()
        stored = world.broker.ledgers[0]
        await other.work(Batch(50, 80, tuple(ConsumedRecord(o, *stored[o]) for o in range(50, 80))))
        await other.save_all()
        await other.close()

    world.store.load = paused  # type: ignore[method-assign]
    replayed = world.instruments.counts["replayed"]
    late = Shard(0, world.ports(), "1.0")
    with pytest.raises(Torn):
        await late.take()
    await late.close()
    assert world.folded()
    world.own()
    world.append(10)
    await until(world.folded)
    assert world.instruments.counts["replayed"] == replayed
    world.check()


async def test_a_shard_that_was_given_up_is_freed_at_once(world: OwnedShards, caplog: pytest.LogCaptureFixture) -> None:
    """The garbage collector runs seldom, and a shard is large: after many faults a worker would hold many."""
    world.append(50)
    owner = world.own()
    await until(world.folded)
    gc.disable()
    try:
        assert owner.shard is not None
        given_up = weakref.ref(owner.shard)
        caplog.set_level(logging.CRITICAL)  # a captured log record would keep the fault, and with it the shard
        world.store.forget(0)
        world.append(1)
        await until(world.folded)
        assert given_up() is None
    finally:
        gc.enable()


async def test_a_fault_that_does_not_come_again_parks_nothing(world: OwnedShards) -> None:
    world.append(50)
    world.poison = {25}
    owner = world.own()
    await until(lambda: owner._stumbled is not None)
    world.poison = set()
    await until(world.folded)
    assert owner.parked is None
    world.check()


# Faults that stay -----------------------------------------------------------------------------------------------------


async def test_a_record_that_cannot_be_folded_parks_its_shard_and_no_other(
    world: OwnedShards, caplog: pytest.LogCaptureFixture
) -> None:
    world.append(50)
    world.append(50, shard=1)
    world.poison = {25}
    poisoned, healthy = world.own(), world.own(1)
    await until(parked(poisoned))
    assert str(poisoned.parked).startswith("shard 0: ledger record 25: it cannot be folded (ZeroDivisionError): ")
    assert "install a version that can" in str(poisoned.parked)
    assert poisoned.resting is None
    await until(lambda: world.folded(1))
    world.append(50, shard=1)
    await until(lambda: world.folded(1))
    world.check(1)
    assert healthy.parked is None


async def test_a_parked_shard_says_so_once_and_goes_on_when_it_is_helped(
    world: OwnedShards, caplog: pytest.LogCaptureFixture
) -> None:
    world.append(50)
    world.poison = {25}
    tries: list[int] = []
    take = Shard.take

    async def counted(shard: Shard) -> None:
        tries.append(1)
        await take(shard)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Shard, "take", counted)
        owner = world.own()
        await until(lambda: len(tries) > 6)
    assert [r.levelno for r in caplog.records] == [logging.ERROR, logging.ERROR, logging.CRITICAL]
    world.poison = set()
    await until(world.folded)
    assert owner.parked is None
    world.check()


async def test_what_cannot_be_published_parks_its_shard(world: OwnedShards) -> None:
    """The publisher has tried again by itself: a fault that it raises twice would come for ever."""
    world.append(10)
    world.unpublishable = True
    owner = world.own()
    await until(parked(owner))
    assert "it causes cannot be published (Unclear('Broker: Message size too large'))" in str(owner.parked)
    world.unpublishable = False
    world.append(40)
    await until(world.folded)
    await until(lambda: owner.parked is None)
    world.check()


async def test_a_ledger_with_a_hole_parks_its_shard(world: OwnedShards) -> None:
    world.append(50)
    world.broker.gaps = {30}
    owner = world.own()
    await until(parked(owner))
    assert "[28, 35) with 6 records was read instead" in str(owner.parked)
    assert "it is missing" in str(owner.parked)
    world.broker.gaps = set()
    await until(world.folded)
    await until(lambda: owner.parked is None)
    world.check()
    assert MOST_ASTRAY > AHEAD + 1


@pytest.mark.parametrize(
    "difference, reason",
    [
        ("ledger made anew", "belongs to ledger ledger-id, but the topic is now other"),
        ("ledger repartitioned", "the ledger had 2 partitions and has 3"),
        ("ledger cut", "the checkpoint stands at 20, the ledger reaches from 25 to 40"),
        ("ledger shorter", "the ledger ends at 10"),
        ("journal gone", "Redis knows of a journal that is gone"),
        ("newer layout", "version 9.0 wrote its checkpoint in layout 99"),
        ("other record", "ledger record 19 is not the one that was applied"),
        ("checkpoint and ledger's start gone", "there is no usable checkpoint, and the ledger begins at"),
    ],
)
async def test_ledger_journal_and_checkpoint_that_do_not_fit_park_the_shard_until_they_do(
    world: OwnedShards, difference: str, reason: str, caplog: pytest.LogCaptureFixture
) -> None:
    world.append(20)
    first = world.own()
    await until(world.folded)
    world.readers[0].cancel()
    await first.leave()
    world.append(20)
    broker, store = world.broker, world.store
    lost = store.cursors[0]
    stored = (broker.id, broker.partitions, list(broker.ledgers[0]), list(broker.journals[0]))
    match difference:
        case "ledger made anew":
            broker.id = "other"
        case "ledger repartitioned":
            broker.partitions = 3
        case "ledger cut":
            broker.start = 25
        case "ledger shorter":
            del broker.ledgers[0][10:]
        case "journal gone":
            broker.journals[0].clear()
        case "newer layout":
            store.cursors[0] = msgspec.structs.replace(lost, layout=99, version="9.0")
        case "other record":
            broker.ledgers[0][19] = broker.ledgers[0][3]
        case _:
            broker.start = 1
            del store.cursors[0]
    owner = world.own()
    await until(parked(owner))
    reason_given = str(owner.parked)
    assert reason_given.startswith("shard 0: ")
    assert reason in reason_given
    assert "restore" in reason_given or "restock rebuild" in reason_given
    assert world.stored(), "the checkpoint was forgotten, though nothing else could be made of it"
    for _ in range(3):
        await until(lambda: owner.shard is None)
        await asyncio.sleep(0.03)
    assert len([r for r in caplog.records if r.levelno == logging.CRITICAL]) == 1
    broker.id, broker.partitions, broker.ledgers[0], broker.journals[0] = stored
    broker.start = 0
    store.cursors[0] = lost
    await until(world.folded)
    assert owner.parked is None
    world.check()


async def test_a_checkpoint_at_the_start_of_a_cut_ledger_is_gone_on_from(world: OwnedShards) -> None:
    """The last record that was applied cannot be looked at any more, but no record to come is missing."""
    world.append(20)
    first = world.own()
    await until(world.folded)
    world.readers[0].cancel()
    await first.leave()
    world.broker.start = 20
    world.append(20)
    world.own()
    await until(world.folded)
    world.check()


# Leaving --------------------------------------------------------------------------------------------------------------


async def _away(world: OwnedShards) -> Owner:
    world.store.away = 10**9
    owner = world.own()
    await until(lambda: world.store.away < 10**9)
    return owner


async def _parked(world: OwnedShards) -> Owner:
    world.append(5)
    world.poison = {2}
    owner = world.own()
    await until(parked(owner))
    return owner


@pytest.mark.parametrize("trouble", [_away, _parked])
async def test_an_owner_in_trouble_leaves_at_once(
    world: OwnedShards, trouble: Callable[[OwnedShards], Awaitable[Owner]], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(owner_module, "PARKED_SECONDS", 3600)
    owner = await trouble(world)
    async with asyncio.timeout(1):
        await owner.leave()
    assert world.connections == 0


async def test_a_fenced_owner_that_leaves_writes_nothing_more(world: OwnedShards) -> None:
    world.append(5)
    owner = world.own()
    await until(world.folded)
    world.readers[0].cancel()
    other = Shard(0, world.ports(), "1.0")
    await other.take()
    world.append(5)
    owner.handed()
    owner.receive(Batch(5, 10, tuple(ConsumedRecord(o, *world.broker.ledgers[0][o]) for o in range(5, 10))))
    await owner.leave()
    assert world.store.cursors[0].next == 5
    with pytest.raises(Fenced):
        await world.store.reset(0, owner_token(world))
    await other.close()


def owner_token(world: OwnedShards) -> str:
    return world.store.cursors[0].token
