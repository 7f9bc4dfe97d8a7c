"""Shards on real Kafka and Redis, folded by workers that come and go under load: nothing is lost or done twice."""

import asyncio
import json
from collections import Counter
from collections.abc import AsyncIterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from confluent_kafka import Producer
from faust.types import TP

from schemas.journal import Published, decode_journal
from schemas.ledger import FoldSettings, Movement, Placed, Record, Ticked, encode_record
from schemas.topics import place
from stream.checkpoint.redis_client import async_client_of
from stream.checkpoint.store import RedisStore
from stream.kafka import topics
from stream.kafka.clients import producer_config, reader_config
from stream.kafka.journal import KafkaJournal
from stream.kafka.ledger import KafkaLedger, read
from stream.kafka.publisher import KafkaPublisher, Message
from stream.observability.instruments import Instruments
from stream.ports import Output
from stream.settings import Settings
from stream.shard.dependencies import Ports
from stream.shard.owner import Owner
from tests.fakes.faust_worker import BrokerHand, FaustWorker
from tests.fakes.waiting import until

PARTITIONS = 6


@pytest.fixture
def settings(kafka: str, redis_url: str, app: str, topic_prefix: str) -> Settings:
    made = Settings(kafka=kafka, redis=redis_url, app=app, topic_prefix=topic_prefix, partitions=PARTITIONS)
    topics.create(made)
    return made


class Fleet:
    """Workers with the toy core, all over the same topics and the same Redis."""

    def __init__(self, settings: Settings, threads: ThreadPoolExecutor, core: Any) -> None:
        self.settings = settings
        self.broker = BrokerHand(settings)
        self.workers: list[FaustWorker] = []
        self.store = RedisStore(async_client_of(settings), settings.app)
        config = producer_config(settings, message_timeout_ms=30_000, linger_ms=0, retry_backoff_ms=2)
        reader = reader_config(settings)
        self.ports = Ports(
            core=core,
            store=self.store,
            publisher=lambda shard: KafkaPublisher(
                config, f"{settings.app}-{shard}", self.encode, (settings.topic("journal"), shard), threads
            ),
            journal=KafkaJournal(reader, settings.topic("journal"), threads),
            ledger=KafkaLedger(reader, settings.topic("ledger"), threads),
            instruments=Instruments(),
        )

    def encode(self, output: Output) -> Message:
        fields = [output.item, output.at.offset, output.at.step, output.event.episode]
        return Message(self.settings.topic("alerts"), place(output.item, PARTITIONS), None, json.dumps(fields).encode())

    async def join(self) -> FaustWorker:
        def make(tp: TP) -> Owner:
            return Owner(tp.partition, self.ports, "1.0", 0.05, lambda offset: worker.consumer.move(tp, offset))

        worker = FaustWorker(self.settings, self.settings.app, [self.settings.topic("ledger")], make)
        self.workers.append(worker)
        await worker.start()
        return worker

    async def leave(self, worker: FaustWorker) -> None:
        self.workers.remove(worker)
        await worker.stop()

    def read(self, topic: str, shard: int) -> list[bytes]:
        """What a read_committed consumer finds in a partition."""
        records = read(reader_config(self.settings), self.settings.topic(topic), shard, 0, 10**9)
        return [record.value for record in records]

    async def counts(self, shard: int) -> dict[str, int]:
        """How often each item was moved, as the checkpoint has it."""
        found: dict[str, int] = {}
        async for tables in self.store.load(shard):
            found |= {item: json.loads(value or b"")[0] for item, value in tables.get("items", {}).items()}
        return found

    def shared(self, *shares: int) -> bool:
        """Whether the partitions are shared so, and all shards are taken."""
        owners = [owner for worker in self.workers for owner in worker.readers.by_partition.values()]
        taken = all(isinstance(owner, Owner) and owner.shard is not None for owner in owners)
        return taken and sorted(len(worker.partitions) for worker in self.workers) == sorted(shares)


class LedgerLoad:
    """Writes movements and ticks to every shard of the ledger, until it is stopped."""

    def __init__(self, settings: Settings, broker: BrokerHand) -> None:
        self.moved: Counter[str] = Counter()
        self.ends = [0] * PARTITIONS
        self._ledger = settings.topic("ledger")
        self._broker = broker
        self._number = 0
        self._going_on = True
        self._task = asyncio.create_task(self._pour())

    async def stop(self) -> None:
        self._going_on = False
        await self._task

    async def _pour(self) -> None:
        with self._broker.producer(linger_ms=1) as producer:
            while self._going_on:
                for _ in range(30):
                    self._move(producer)
                if self._number % 900 == 0:
                    for shard in range(PARTITIONS):
                        self._write(producer, shard, Ticked("w", self._number, (), (), FoldSettings()))
                producer.poll(0)
                await asyncio.sleep(0.005)

    def _move(self, producer: Producer) -> None:
        self._number += 1
        n, item = self._number, f"I{self._number % 50}"
        self.moved[item] += 1
        self._write(
            producer, place(item, PARTITIONS), Movement(item, "f/0", n, 0, None, "s", f"{n}", n, 0, n, Placed(1))
        )

    def _write(self, producer: Producer, shard: int, record: Record) -> None:
        producer.produce(self._ledger, encode_record(record), partition=shard)
        self.ends[shard] += 1


@pytest.fixture
async def fleet(settings: Settings, toy_core: Any) -> AsyncIterator[Fleet]:
    with ThreadPoolExecutor(3 * PARTITIONS) as threads:
        made = Fleet(settings, threads, toy_core)
        yield made
        for worker in list(made.workers):
            await made.leave(worker)
        await made.store.close()


async def test_three_workers_join_and_leave_under_load(fleet: Fleet, settings: Settings) -> None:
    """No shard is ever folded by the wrong worker; every record is folded once and every output published once."""
    load = LedgerLoad(settings, fleet.broker)
    first = await fleet.join()
    await until(lambda: fleet.shared(6))
    await fleet.join()
    await until(lambda: fleet.shared(3, 3))
    await fleet.join()
    await until(lambda: fleet.shared(2, 2, 2))
    await fleet.leave(first)
    await until(lambda: fleet.shared(3, 3))
    await fleet.leave(fleet.workers[0])
    await until(lambda: fleet.shared(6))
    await load.stop()
    last = fleet.workers[0]
    await until(lambda: [last.reader(p).resting for p in range(PARTITIONS)] == load.ends)
    await fleet.leave(last)

    held = [await fleet.store.acquire(shard, "auditor") for shard in range(PARTITIONS)]
    assert [each and (each.whole, each.cursor.next) for each in held] == [(True, end) for end in load.ends]
    folded = [await fleet.counts(shard) for shard in range(PARTITIONS)]
    assert {item: count for counts in folded for item, count in counts.items()} == load.moved

    published = [json.loads(value) for p in range(PARTITIONS) for value in fleet.read("alerts", p)]
    points = {(item, offset) for item, offset, *_ in published}
    assert len(points) == len(published) > 100, "something was published twice"
    journal = [decode_journal(value) for p in range(PARTITIONS) for value in fleet.read("journal", p)]
    entries = [entry for record in journal if isinstance(record, Published) for entry in record.entries]
    assert sorted((item, episode) for item, *_, episode in published) == sorted(
        (entry.item, getattr(entry, "episode", "")) for entry in entries
    )
