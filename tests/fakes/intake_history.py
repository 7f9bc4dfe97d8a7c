"""Seeded simulation of intake: several processes write one feed to a ledger; deliveries fail, linger, come late.

Intake is the real one, and so is the rule by which the fold admits movements; feed and producer are twins. Producers
deliver in order per partition. But records that a discarded producer had in flight may still arrive at any time, all or
some of them; and a producer that gives up some records may still deliver those behind them.
"""

import asyncio
import random
from collections import defaultdict, deque
from collections.abc import Sequence
from typing import Any
from unittest import mock

import msgspec
from faust.types import TP

from agents.intake.intake import Intake
from agents.inventory.timeline import Timeline
from schemas.codec import Limits
from schemas.ledger import Movement, decode_record
from schemas.topics import place
from stream import retry
from stream.consumer.batch import Batch
from stream.faults import BrokerDown
from stream.observability.instruments import Instruments
from tests.fakes.records import ConsumedRecord
from tests.fakes.shard_history import Step

PARTITIONS = 2
ITEMS = [f"I{number}" for number in range(4)]
KINDS = {
    "publish": 14,
    "read": 24,
    "deliver": 40,
    "fail": 4,
    "gap": 5,
    "ghost": 10,
    "die": 3,
    "hand over": 6,
    "commit": 12,
}


class FeedTwin:
    """A feed in memory, with what intake uses of it."""

    def __init__(self, position: int) -> None:
        self.tp = TP("orders", 0)
        self.name = "orders-id/0"
        self.next: int | None = position
        self.read_up_to: int | None = None
        self.last: dict[int, tuple[int, int]] = {}
        self.last_on_its_way = True

    def end_run(self) -> None:
        self.last = {}

    def advance(self, name: str, end: int, last: dict[int, tuple[int, int]], read_up_to: int | None) -> None:
        self.last, self.read_up_to = last, read_up_to
        self.next = max(self.next or 0, end)

    async def rewind(self) -> None:
        """There is nothing to seek: the simulation cuts each batch where the feed stands."""


class HeldWriter:
    """A writer that holds its records back until the simulation delivers them."""

    def __init__(self) -> None:
        self.queues: dict[int, deque[bytes]] = {}
        self.done: asyncio.Future[None] | None = None
        self.gave_up = False
        """Whether some records of this write will never arrive; reported once the others have."""

    async def write(self, lines: Any, letters: Any = ()) -> None:
        self.queues = {partition: deque(line[1] for line in records) for partition, records in lines.items()}
        if any(self.queues.values()):
            self.done, self.gave_up = asyncio.get_running_loop().create_future(), False
            await self.done

    def finish(self) -> None:
        """Report the result, once nothing is left."""
        if self.done is not None and not self.done.done() and not any(self.queues.values()):
            if self.gave_up:
                self.done.set_exception(BrokerDown("some were given up"))
            else:
                self.done.set_result(None)

    def close(self) -> None:
        pass


class IntakeProcess:
    """A worker, alive or a zombie."""

    def __init__(self, position: int) -> None:
        self.feed: Any = FeedTwin(position)
        self.writer = HeldWriter()
        writer: Any = self.writer
        self.intake = Intake(
            writer=writer, instruments=IntakeHistory.instruments, logical=str, dead_letters="dead-letters",
            partitions=PARTITIONS, limits=Limits(),
        )  # fmt: skip
        self.task: asyncio.Task[None] | None = None

    @property
    def idle(self) -> bool:
        return self.task is None or self.task.done()


class IntakeHistory:
    """One history of one feed."""

    instruments = Instruments()

    def __init__(self) -> None:
        self.source: list[ConsumedRecord] = []
        self.committed = 0
        self.ledger: dict[int, list[bytes]] = defaultdict(list)
        self.ghosts: list[dict[int, deque[bytes]]] = []
        self.processes: list[IntakeProcess] = []

    async def live(self, steps: Sequence[Step]) -> None:
        self.processes.append(IntakeProcess(0))
        for step in steps:
            chance = random.Random(step.number)
            await self._happen(step.kind, chance.choice(self.processes[-2:]), chance)
            for _ in range(6):
                await asyncio.sleep(0)

    async def _happen(self, kind: str, process: IntakeProcess, chance: random.Random) -> None:
        match kind:
            case "publish":
                self.source += [_order(len(self.source) + n, chance) for n in range(chance.randrange(1, 4))]
            case "read" if process.idle:
                self._read(process, chance.randrange(1, 5))
            case "deliver" if process.writer.done is not None:
                self._deliver(process.writer.queues, chance)
                process.writer.finish()
            case "gap" if process.writer.done is not None and not process.writer.done.done():
                self._lose(process.writer.queues, chance)
                process.writer.gave_up = True
                process.writer.finish()
            case "fail" if process.writer.done is not None and not process.writer.done.done():
                self.ghosts.append(process.writer.queues)
                process.writer.done.set_exception(BrokerDown("nobody answered"))
            case "ghost" if self.ghosts:
                self._deliver(self.ghosts[chance.randrange(len(self.ghosts))], chance)
            case "die":
                await self._end(process)
                self.processes = [each for each in self.processes if each is not process] or [
                    IntakeProcess(self.committed)
                ]
            case "hand over":
                self.processes.append(IntakeProcess(self.committed))
            case "commit":
                self.committed = max(self.committed, self.processes[-1].feed.next)

    def _read(self, process: IntakeProcess, count: int) -> None:
        start = process.feed.next
        records = tuple(self.source[start : start + count])
        if records:
            batch = Batch(start, start + len(records), records)
            process.task = asyncio.create_task(process.intake.take(process.feed, batch))

    def _lose(self, queues: dict[int, deque[bytes]], chance: random.Random) -> None:
        queue = chance.choice(list(queues.values()))
        for _ in range(min(len(queue), chance.randrange(1, 3))):
            queue.popleft()

    def _deliver(self, queues: dict[int, deque[bytes]], chance: random.Random) -> None:
        waiting = [partition for partition, queue in queues.items() if queue]
        if waiting:
            partition = chance.choice(waiting)
            for _ in range(chance.randrange(1, 4)):
                if queues[partition]:
                    self.ledger[partition].append(queues[partition].popleft())

    async def _end(self, process: IntakeProcess) -> None:
        if process.task is not None:
            if not process.idle:
                self.ghosts.append(process.writer.queues)
            process.task.cancel()
            await asyncio.gather(process.task, return_exceptions=True)

    async def finish(self) -> None:
        """Let everything heal: one process reads the rest, and what is in flight arrives."""
        for process in self.processes:
            await self._end(process)
        last = IntakeProcess(self.committed)
        while (last.feed.next or 0) < len(self.source):
            self._read(last, 5)
            while not last.idle:
                await asyncio.sleep(0)
                for queue in last.writer.queues.values():
                    while queue:
                        self._word_of_a_ghost()
                        self.ledger[self._partition(last, queue)].append(queue.popleft())
                last.writer.finish()
        while any(any(queues.values()) for queues in self.ghosts):
            self._word_of_a_ghost()

    def _word_of_a_ghost(self) -> None:
        for queues in self.ghosts:
            for partition, queue in queues.items():
                if queue:
                    self.ledger[partition].append(queue.popleft())
                    return

    def _partition(self, process: IntakeProcess, queue: deque[bytes]) -> int:
        return next(partition for partition, each in process.writer.queues.items() if each is queue)

    def check(self) -> None:
        """Every movement of every event changes its item once, in the order of its feed."""
        for partition in range(PARTITIONS):
            timeline, applied = Timeline(), []
            for value in self.ledger[partition]:
                record = decode_record(value)
                assert isinstance(record, Movement)
                if timeline.admit(record.feed, record.offset, record.ordinal, record.prev) == "applied":
                    applied.append((record.offset, record.ordinal))
            expected = [
                (source.offset, ordinal)
                for source in self.source
                for ordinal, item in enumerate(_items_of(source))
                if place(item, PARTITIONS) == partition
            ]
            missing, twice = set(expected) - set(applied), len(applied) - len(set(applied))
            assert applied == expected, f"partition {partition}: missing {sorted(missing)}, {twice} twice"


def _order(offset: int, chance: random.Random) -> ConsumedRecord:
    lines = [
        {"line_id": str(n), "sku": chance.choice(ITEMS), "location": "B", "quantity": 1}
        for n in range(chance.randrange(1, 4))
    ]
    event = {
        "specversion": "1.0", "id": f"e{offset}", "source": "shop", "type": "order.placed",
        "time": "2026-03-02T10:15:00+00:00", "data": {"order_id": f"o{offset}", "lines": lines},
    }  # fmt: skip
    return ConsumedRecord(offset, 0, msgspec.json.encode(event))


def _items_of(record: ConsumedRecord) -> list[str]:
    return [f"{line['sku']}@{line['location']}" for line in msgspec.json.decode(record.value or b"")["data"]["lines"]]


def steps_of(seed: int) -> list[Step]:
    """Draw a history."""
    chance = random.Random(seed)
    kinds = chance.choices(tuple(KINDS), tuple(KINDS.values()), k=chance.randrange(10, 70))
    return [Step(kind, chance.getrandbits(30), 0) for kind in kinds]


def run(steps: Sequence[Step]) -> str:
    """Run a history, and return what is wrong in the end; empty if nothing is."""
    world = IntakeHistory()

    async def whole() -> None:
        await world.live(steps)
        await world.finish()
        world.check()

    with mock.patch.object(retry, "FIRST_SECONDS", 0.0):
        try:
            asyncio.run(whole())
        except AssertionError as error:
            return str(error).splitlines()[0]
    return ""
