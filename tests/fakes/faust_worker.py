"""Faust apps on a real broker with our transport, and readers that record what they are given."""

import asyncio
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any, TypeAlias

import aiokafka
from confluent_kafka import Consumer as KafkaConsumer
from confluent_kafka import Producer, TopicPartition
from confluent_kafka.admin import AdminClient, NewTopic
from faust.types import TP

from agents.worker.faust_app import FaustApp
from stream.consumer.batch import Batch, batch_of
from stream.consumer.readers import Reader, Readers
from stream.consumer.transport import Consumer
from stream.kafka.clients import producer_config
from stream.settings import Settings


class RecordingReader:
    """A reader that records every batch; the test says whether it has room and what is committed."""

    def __init__(self, consumer: Consumer, tp: TP, start: int = 0) -> None:
        self.tp = tp
        self.name = "notes"
        self.parked: str | None = None
        self.next = start
        self.want = True
        self.batches: list[Batch] = []
        self.strays: list[Batch] = []
        self.acknowledged: int | None = None
        self.left = False
        self.resumed = 0
        self._consumer = consumer
        self._placed = asyncio.create_task(consumer.move(tp, start))

    @property
    def wanted(self) -> bool:
        return self.want and self._placed.done()

    @property
    def committable(self) -> int | None:
        return self.acknowledged

    @property
    def resting(self) -> int | None:
        return self.next

    def handed(self) -> None:
        """Nothing has to be noted: every batch is received at once."""

    def receive(self, batch: Batch) -> None:
        if batch.start == self.next:
            self.batches.append(batch)
            self.next = batch.end
        else:
            self.strays.append(batch)

    async def resume(self) -> None:
        self.resumed += 1
        await self._consumer.move(self.tp, self.next)

    async def rewind(self) -> None:
        await self._consumer.move(self.tp, self.next)

    async def leave(self) -> None:
        self.left = True

    @property
    def values(self) -> list[bytes]:
        return [record.value for batch in self.batches for record in batch.records]


Declare: TypeAlias = Callable[[FaustApp, Sequence[str], Readers], None]


def hand_over(app: FaustApp, topics: Sequence[str], readers: Readers) -> None:
    """Declare an agent that hands its readers their batches."""

    @app.agent(app.topic(*topics, key_serializer="raw", value_serializer="raw"), name="notes")
    async def take(events: Any) -> None:
        async for event in events.events():
            tp, batch = batch_of(event.message)
            readers.of(tp).receive(batch)


class FaustWorker:
    """One Faust app; `make` makes the reader of a partition."""

    def __init__(
        self,
        settings: Settings,
        group: str,
        topics: Sequence[str],
        make: Callable[[TP], Reader],
        declare: Declare = hand_over,
    ) -> None:
        self.app = FaustApp(settings, group)
        self.app.conf.broker_heartbeat_interval = self.app.conf.broker_commit_interval = 0.2
        self.crashes: list[BaseException] = []
        self.app.crashed_by = self.crashes.append
        self.readers = self.app.readers = Readers(dict.fromkeys(topics, make))
        self._topics = topics
        self._mending: asyncio.Task[None] | None = None
        declare(self.app, topics, self.readers)

    @property
    def consumer(self) -> Consumer:
        consumer = self.app.consumer
        assert isinstance(consumer, Consumer)
        return consumer

    @property
    def partitions(self) -> set[int]:
        return {tp.partition for tp in self.readers.by_partition}

    def reader(self, partition: int) -> Any:
        return self.readers.by_partition[TP(self._topics[0], partition)]

    async def start(self) -> None:
        await self.app.start()
        self._mending = asyncio.create_task(self.readers.mend(self.consumer.next_offset))

    async def stop(self) -> None:
        if self._mending is not None:
            self._mending.cancel()
        await self.readers.close()
        await self.app.stop()


class BrokerHand:
    """What a test does with the broker itself: topics, records, commits."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self.admin = AdminClient({"bootstrap.servers": settings.kafka})

    def create(self, topic: str, partitions: int, config: Mapping[str, str] | None = None) -> str:
        name = self.settings.topic(topic)
        new = NewTopic(name, partitions, 1, config=dict(config or {}))
        self.admin.create_topics([new])[name].result(20)
        while not self.admin.list_topics(name, timeout=5).topics[name].partitions:
            time.sleep(0.02)
        return name

    def delete(self, name: str) -> None:
        self.admin.delete_topics([name])[name].result(20)
        while name in self.admin.list_topics(timeout=5).topics:
            time.sleep(0.02)

    def delete_records(self, name: str, partition: int, before: int) -> None:
        place = TopicPartition(name, partition, before)
        for future in self.admin.delete_records([place]).values():
            future.result(20)

    @contextmanager
    def producer(self, **config: Any) -> Iterator[Producer]:
        made = Producer(producer_config(self.settings, **config))
        try:
            yield made
            assert made.flush(20) == 0
        finally:
            made.purge()
            made.close()

    def committed(self, group: str, name: str, partition: int) -> int | None:
        """What the group has committed; None for nothing."""
        client = KafkaConsumer({"bootstrap.servers": self.settings.kafka, "group.id": group})
        try:
            offset = client.committed([TopicPartition(name, partition)], timeout=10)[0].offset
            return None if offset < 0 else int(offset)
        finally:
            client.close()


def place(tp: TP) -> Any:
    """A partition as aiokafka names it."""
    return aiokafka.TopicPartition(*tp)
