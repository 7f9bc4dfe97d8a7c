"""The end of a day is written in slices, each whole: who is lost between two of them loses no more than one."""

import asyncio
from collections.abc import Iterator

import pytest

from agents.core.core import Core
from schemas.journal import decode_journal
from schemas.ledger import Configured, Counted, LedgerCreated, Movement, Placed, Progress, Terms, Ticked, decode_record
from stream.checkpoint.store import encode_arguments
from stream.consumer.batch import Batch
from stream.in_memory import MemoryBroker, MemoryPublisher, MemoryStore
from stream.observability.instruments import Instruments
from stream.ports import Cursor, Place, Replay, ShardCore, Tables
from stream.shard.dependencies import Ports
from stream.shard.shard import Shard
from tests.fakes.folded_ledger import DAY, SETTINGS, T0
from tests.fakes.records import ConsumedRecord

ITEMS = [f"I{number:04}@BER1" for number in range(1_200)]
MOST_BYTES = 4_000_000


class LostOwner(Exception):
    """The process ended here."""


class MeasuredStore(MemoryStore):
    """Notes how large a checkpoint is, and loses its owner after some of those within a tick."""

    def __init__(self, *, lose_after: int = 0) -> None:
        super().__init__()
        self.places: list[Place] = []
        self.written_bytes: list[int] = []
        self.lose_after = lose_after
        self.away: asyncio.Event | None = None
        """Until this is set, no answer comes."""

    async def checkpoint(self, shard: int, cursor: Cursor, since: Place, changes: Tables) -> None:
        if self.away is not None:
            await self.away.wait()
        self.written_bytes.append(
            sum(len(each) if isinstance(each, str | bytes) else 8 for each in encode_arguments(changes))
        )
        self.places.append(cursor.place)
        await super().checkpoint(shard, cursor, since, changes)
        if cursor.within is not None and self.lose_after:
            self.lose_after -= 1
            if not self.lose_after:
                raise LostOwner


@pytest.fixture
def broker() -> MemoryBroker:
    """Two days of a shop with many items."""
    made, sent = MemoryBroker(), iter(range(1_000_000))
    made.append(0, LedgerCreated("k3f9", "restock", 0, 1, SETTINGS), T0)
    for record, appended in records(sent):
        made.append(0, record, appended)
    return made


def records(sent: Iterator[int]) -> Iterator[tuple[Movement | Ticked, int]]:
    def movement(item: str, change: Configured | Counted | Placed, time: int) -> tuple[Movement, int]:
        number = next(sent)
        return Movement(item, "f/0", number, 0, None, "shop", f"e{number}", number, number << 16, time, change), time

    for item in ITEMS:
        yield movement(item, Configured(Terms(lead_time_days=2.0)), T0)
        yield movement(item, Counted(T0, 5), T0)
    for day in range(2):
        for number, item in enumerate(ITEMS):
            yield movement(item, Placed(1 + number % 3), T0 + day * DAY + 1)
        now = T0 + (day + 1) * DAY + 1
        progress = Progress("f/0", next(sent), now, drained=True, prev=None)
        yield Ticked("w", now, (progress,), ("f/0",), SETTINGS), now


def owner(broker: MemoryBroker, store: MemoryStore) -> Shard:
    ports = Ports(
        core=Core,
        store=store,
        publisher=lambda shard: MemoryPublisher(broker, shard),
        journal=broker,
        ledger=broker,
        instruments=Instruments(),
    )
    return Shard(0, ports, "1.0")


async def fold(shard: Shard, broker: MemoryBroker) -> None:
    await shard.take()
    await fold_on(shard, broker)
    await shard.save_all()


async def fold_on(shard: Shard, broker: MemoryBroker) -> None:
    while shard.next < len(broker.ledgers[0]):
        end = min(len(broker.ledgers[0]), shard.next + 500)
        batch = tuple(ConsumedRecord(offset, *broker.ledgers[0][offset]) for offset in range(shard.next, end))
        await shard.work(Batch(shard.next, end, batch))


def refolded(broker: MemoryBroker) -> ShardCore:
    """The fold of ledger and journal."""
    core = Core(0)
    entries = [entry for raw in broker.journals[0] for entry in getattr(decode_journal(raw), "entries", ())]
    for offset, (appended, value) in enumerate(broker.ledgers[0]):
        here = [entry for entry in entries if entry.at.offset == offset]
        list(core.fold(decode_record(value), offset, appended, Replay(here, whole=True)))
    return core


async def test_no_slice_is_large_and_most_stand_within_the_tick(broker: MemoryBroker) -> None:
    store = MeasuredStore()
    await fold(owner(broker, store), broker)
    assert max(store.written_bytes) <= MOST_BYTES
    assert store.places == sorted(store.places)
    assert sum(place.reviews > 0 for place in store.places) >= 4


@pytest.mark.parametrize("lose_after", [1, 2, 4])
async def test_a_successor_goes_on_within_the_tick(broker: MemoryBroker, lose_after: int) -> None:
    store = MeasuredStore(lose_after=lose_after)
    first = owner(broker, store)
    with pytest.raises(LostOwner):
        await fold(first, broker)
    stood = store.places[-1]
    assert stood.reviews > 0
    successor = owner(broker, store)
    await fold(successor, broker)
    assert min(store.places[len(store.places) // 2 :]) > Place(0)
    assert successor.core.dump() == refolded(broker).dump()
    reviewed = [output.item for output in broker.outputs[0] if output.topic == "reviews"]
    assert sorted(reviewed) == sorted(ITEMS * 2), "each item is reviewed once a day"
    names = [output.event.id for output in broker.outputs[0]]
    assert len(names) == len(set(names))


async def test_an_outage_of_the_store_does_not_hold_up_the_days_end(
    broker: MemoryBroker, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("stream.shard.checkpointing.PATIENCE_SECONDS", 0.01)
    store = MeasuredStore()
    shard = owner(broker, store)
    await shard.take()
    store.away = asyncio.Event()
    folding = asyncio.create_task(fold_on(shard, broker))
    async with asyncio.timeout(60):
        await folding
    assert store.places == []
    assert len([output for output in broker.outputs[0] if output.topic == "reviews"]) == 2 * len(ITEMS)
    store.away.set()
    await shard.save_all()
    assert shard.core.dump() == refolded(broker).dump()
