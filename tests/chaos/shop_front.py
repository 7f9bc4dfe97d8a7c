"""Publishing as shops do, with a plain producer, and reading topics as they lie: raw, committed records only."""

import json
from collections.abc import Iterable
from dataclasses import replace
from functools import partial
from typing import Any, NamedTuple

from confluent_kafka import Consumer, KafkaError, Message, Producer, TopicPartition
from confluent_kafka.admin import AdminClient

from tests.chaos.events import NUMBER, WrittenEvent
from tests.chaos.naive import TakenEvent


class TopicRecord(NamedTuple):
    """One record of a topic."""

    partition: int
    offset: int
    key: bytes | None
    value: bytes | None
    headers: dict[str, bytes]
    time_ms: int


class ShopFront:
    """Publishes events and knows which of them the broker acknowledged."""

    def __init__(self, kafka: str, prefix: str, partitions: int) -> None:
        self.events: list[WrittenEvent] = []
        self.acknowledged: dict[int, tuple[str, int, int]] = {}
        self._prefix, self._partitions = prefix, partitions
        self._producer = Producer(
            {"bootstrap.servers": kafka, "enable.idempotence": True, "message.timeout.ms": 0, "linger.ms": 5,
             "message.max.bytes": 2_000_000, "log_level": 0}
        )  # fmt: skip

    def publish(self, events: Iterable[WrittenEvent]) -> None:
        """Publish, and return once the broker has them all."""
        for event in events:
            number = len(self.events)
            self.events.append(replace(event, number=number))
            self._producer.produce(
                self._prefix + event.topic, event.value, event.key, event.place % self._partitions,
                headers=[*event.headers, (NUMBER, str(number).encode())], on_delivery=partial(self._report, number),
            )  # fmt: skip
            self._producer.poll(0)
        assert self._producer.flush(120) == 0, "the broker did not take what the shop published"

    def close(self) -> None:
        self._producer.close()

    def _report(self, number: int, error: KafkaError | None, message: Message) -> None:
        if error is None:
            topic = (message.topic() or "").removeprefix(self._prefix)
            self.acknowledged[number] = topic, message.partition() or 0, message.offset() or 0


class Topics:
    """Reads whole topics."""

    def __init__(self, kafka: str, prefix: str) -> None:
        self._prefix = prefix
        self._kafka = kafka

    def read(self, topic: str, since: dict[int, int] | None = None) -> list[TopicRecord]:
        """Every committed record, partition by partition; `since` moves on with what was read."""
        name, since = self._prefix + topic, {} if since is None else since
        consumer = Consumer(
            {"bootstrap.servers": self._kafka, "group.id": f"{self._prefix}checker", "enable.auto.commit": False,
             "isolation.level": "read_committed", "enable.partition.eof": True, "log_level": 0,
             "auto.offset.reset": "earliest", "fetch.wait.max.ms": 10}
        )  # fmt: skip
        try:
            partitions = consumer.list_topics(name, timeout=20).topics[name].partitions
            found: list[TopicRecord] = []
            consumer.assign([TopicPartition(name, p, since.get(p, 0)) for p in partitions])
            open_ones = set(partitions)
            while open_ones:
                messages = consumer.consume(1, 20.0) or []
                messages += consumer.consume(5000, 0.005)
                assert messages, f"{name} is silent"
                for message in messages:
                    partition = message.partition() or 0
                    if (error := message.error()) is not None:
                        assert error.code() == KafkaError._PARTITION_EOF, error
                        open_ones.discard(partition)
                        continue
                    raw = _raw(message)
                    since[partition] = raw.offset + 1
                    found.append(raw)
        finally:
            consumer.close()
        return sorted(found, key=lambda raw: (raw.partition, raw.offset))

    def taken(self, events: list[WrittenEvent]) -> list[TakenEvent]:
        """All committed events of the sources, where they lie."""
        return [
            TakenEvent(events[int(raw.headers[NUMBER])], topic, raw.partition, raw.offset)
            for topic in ("orders", "stock", "catalog")
            for raw in self.read(topic)
            if NUMBER in raw.headers
        ]

    def ids(self) -> dict[str, str]:
        from confluent_kafka import TopicCollection

        names = [self._prefix + topic for topic in ("orders", "stock", "catalog", "ledger")]
        client = AdminClient({"bootstrap.servers": self._kafka, "log_level": 0})
        described = client.describe_topics(TopicCollection(names), request_timeout=20)
        return {name.removeprefix(self._prefix): str(each.result().topic_id) for name, each in described.items()}


def said(raw: TopicRecord) -> dict[str, Any]:
    """An output as JSON."""
    event: dict[str, Any] = json.loads(raw.value or b"null")
    return event


def _raw(message: Message) -> TopicRecord:
    headers: Any = dict(message.headers() or ())
    return TopicRecord(
        message.partition() or 0, message.offset() or 0, message.key(), message.value(), headers, message.timestamp()[1]
    )
