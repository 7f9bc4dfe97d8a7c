"""Which reader reads what after a rebalance, what readers are asked, and how a wrong position is corrected."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import pytest
from faust.types import TP

from stream.consumer import readers as readers_module
from stream.consumer.batch import Batch
from stream.consumer.readers import Readers
from tests.fakes.consumer import FakeConsumer

LEDGER = [TP("ledger", n) for n in range(4)]
STRANGER = TP("somebody else's", 0)
BATCH = Batch(0, 1, ())


class NotingReader:
    def __init__(self, tp: TP) -> None:
        self.tp = tp
        self.name = f"reader of {tp.partition}"
        self.parked: str | None = None
        self.wanted = True
        self.committable: int | None = 7
        self.resting: int | None = None
        self.events: list[Any] = []
        self.leaving = asyncio.Event()
        self.leaving.set()

    def handed(self) -> None:
        self.events.append("handed")

    def receive(self, batch: Batch) -> None:
        self.events.append(batch)

    async def resume(self) -> None:
        self.events.append("resumed")

    async def rewind(self) -> None:
        self.events.append("rewound")

    async def leave(self) -> None:
        self.events.append("leaving")
        await self.leaving.wait()
        self.events.append("left")


@pytest.fixture
def readers() -> Readers:
    return Readers({"ledger": NotingReader})


def reader(readers: Readers, tp: TP) -> Any:
    return readers.by_partition[tp]


async def test_readers_come_stay_and_go_with_the_assignment(readers: Readers) -> None:
    await readers.assigned(frozenset(LEDGER[:3]))
    zero, one, two = (reader(readers, tp) for tp in LEDGER[:3])
    assert zero.events == one.events == two.events == []
    await readers.assigned(frozenset(LEDGER[1:]))
    await asyncio.sleep(0)
    assert readers.by_partition.keys() == set(LEDGER[1:])
    assert (reader(readers, LEDGER[1]), reader(readers, LEDGER[2])) == (one, two)
    assert zero.events == ["leaving", "left"]
    assert one.events == two.events == ["resumed"]
    assert reader(readers, LEDGER[3]).events == []


async def test_a_partition_that_comes_back_gets_a_new_reader(readers: Readers) -> None:
    await readers.assigned(frozenset(LEDGER[:1]))
    first = reader(readers, LEDGER[0])
    first.leaving.clear()
    await readers.kept(frozenset())
    await readers.assigned(frozenset(LEDGER[:1]))
    assert reader(readers, LEDGER[0]) is not first
    first.leaving.set()
    await readers.close()
    assert first.events == ["leaving", "left"]


async def test_lost_partitions_are_left_before_new_ones_are_read(readers: Readers) -> None:
    """Faust seeks only when partitions were added; a partition may also be lost alone."""
    await readers.assigned(frozenset(LEDGER[:2]))
    await readers.kept(frozenset(LEDGER[:1]))
    assert readers.by_partition.keys() == set(LEDGER[:1])
    assert reader(readers, LEDGER[0]).events == []


async def test_a_topic_without_readers_is_left_alone(readers: Readers) -> None:
    await readers.assigned(frozenset([STRANGER]))
    assert readers.by_partition == {}
    assert not readers.wanted(STRANGER)
    assert readers.of(STRANGER).committable is None
    assert readers.of(STRANGER).name == ""
    readers.of(STRANGER).handed()
    readers.of(STRANGER).receive(BATCH)


async def test_questions_and_batches_go_to_the_reader(readers: Readers) -> None:
    await readers.assigned(frozenset(LEDGER[:2]))
    asked = reader(readers, LEDGER[1])
    assert readers.wanted(LEDGER[1])
    asked.wanted = False
    assert not readers.wanted(LEDGER[1])
    assert (readers.of(LEDGER[1]).committable, readers.of(LEDGER[1]).name) == (7, "reader of 1")
    readers.of(LEDGER[1]).handed()
    readers.of(LEDGER[1]).receive(BATCH)
    assert asked.events == ["handed", BATCH]
    assert reader(readers, LEDGER[0]).events == []


async def test_a_closed_worker_wants_nothing_and_takes_on_nothing(readers: Readers) -> None:
    await readers.assigned(frozenset(LEDGER[:2]))
    first, second = reader(readers, LEDGER[0]), reader(readers, LEDGER[1])
    first.leaving.clear()
    closing = asyncio.create_task(readers.close())
    await looks()
    assert not readers.wanted(LEDGER[1])
    readers.of(LEDGER[0]).receive(BATCH)
    assert first.events == ["leaving", BATCH], "what was on its way still arrives"
    first.leaving.set()
    await closing
    assert first.events[-1] == second.events[-1] == "left"
    assert readers.of(LEDGER[1]).committable == 7, "Faust commits once more when it stops"
    await readers.assigned(frozenset(LEDGER))
    assert readers.by_partition.keys() == set(LEDGER[:2])


# Mending --------------------------------------------------------------------------------------------------------------


@pytest.fixture
async def mending(readers: Readers, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[FakeConsumer]:
    """A consumer of partition 0, whose positions are checked as often as possible."""
    monkeypatch.setattr(readers_module, "MEND_SECONDS", 0)
    await readers.assigned(frozenset(LEDGER[:1]))
    consumer: Any = FakeConsumer()
    task = asyncio.create_task(readers.mend(consumer.next_offset))
    yield consumer
    readers.closed = True
    await task


async def looks(count: int = 10) -> None:
    for _ in range(count):
        await asyncio.sleep(0)


async def test_a_partition_that_stands_elsewhere_for_long_is_sought_back(
    readers: Readers, mending: FakeConsumer
) -> None:
    mending.positions[LEDGER[0]] = 30
    await looks()
    assert reader(readers, LEDGER[0]).events == [], "something is on its way"
    reader(readers, LEDGER[0]).resting = 20
    await looks()
    assert "rewound" in reader(readers, LEDGER[0]).events


@pytest.mark.parametrize("position", [20, None])
async def test_a_partition_that_stands_right_or_is_not_known_is_left_alone(
    readers: Readers, mending: FakeConsumer, position: int | None
) -> None:
    reader(readers, LEDGER[0]).resting = 20
    mending.positions[LEDGER[0]] = position
    await looks()
    assert reader(readers, LEDGER[0]).events == []


async def test_a_reader_that_moves_on_is_not_astray(readers: Readers, mending: FakeConsumer) -> None:
    """Between a batch's arrival and the next look both positions change: only a difference that stays is one."""
    mending.positions[LEDGER[0]] = 1000
    for place in range(20):
        reader(readers, LEDGER[0]).resting = place
        await asyncio.sleep(0)
    assert reader(readers, LEDGER[0]).events == []
