"""Looks at the ledger topic for the owner of a shard and for commands: bounds of a partition, and single records.

Workers fold what Faust's consumer reads; this is for everything else.
"""

from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import Executor
from typing import Any, NamedTuple, TypeVar

import xxhash
from confluent_kafka import Consumer, KafkaException, TopicCollection, TopicPartition
from confluent_kafka.admin import AdminClient

from stream.faults import BrokerDown
from stream.kafka.stretches import Silent, read_stretches
from stream.ports import LedgerView
from stream.threads import in_thread

ANSWER_SECONDS = 10.0
Result = TypeVar("Result")


def checksum(value: bytes) -> int:
    """The checksum of a ledger record, to recognise it later."""
    return xxhash.xxh3_64_intdigest(value)


class StoredRecord(NamedTuple):
    """A record as it lies in a topic; its fields are named as in the records of Faust's consumer."""

    offset: int
    timestamp: int
    value: bytes


class KafkaLedger:
    """Looks at the ledger topic."""

    def __init__(self, config: Mapping[str, Any], topic: str, threads: Executor) -> None:
        self._config = dict(config)
        self._topic = topic
        self._threads = threads

    async def view(self, shard: int) -> LedgerView:
        """Ask the broker for id and bounds of this partition."""
        return await self._ask(self._view, shard)

    async def checksum(self, shard: int, offset: int) -> int:
        """The checksum of one record; 0 for the offset before the first."""
        return await self._ask(self._checksum, shard, offset) if offset >= 0 else 0

    def records(self, shard: int, start: int, end: int) -> Iterator[StoredRecord]:
        """Read the records of [start, end); it blocks, so it is for commands."""
        return read(self._config, self._topic, shard, start, end)

    async def _ask(self, work: Callable[..., Result], *arguments: Any) -> Result:
        try:
            return await in_thread(self._threads, work, *arguments)
        except KafkaException as error:
            raise BrokerDown(error.args[0].str()) from error

    def _view(self, shard: int) -> LedgerView:
        [(topic_id, partitions)] = identify(self._config, self._topic)
        consumer = Consumer(self._config)
        try:
            start, end = consumer.get_watermark_offsets(TopicPartition(self._topic, shard), timeout=ANSWER_SECONDS)
        finally:
            consumer.close()
        return LedgerView(topic_id, partitions, start, end)

    def _checksum(self, shard: int, offset: int) -> int:
        for record in read(self._config, self._topic, shard, offset, offset + 1):
            return checksum(record.value)
        return 0


def identify(config: Mapping[str, Any], *topics: str) -> list[tuple[str, int]]:
    """Ids of topics and their numbers of partitions. Each call makes a client, so ask for all at once."""
    client = AdminClient(
        {key: value for key, value in config.items() if key in _CLIENT or "sasl" in key or "ssl" in key}
    )
    described = client.describe_topics(TopicCollection(list(topics)), request_timeout=ANSWER_SECONDS)
    found = [described[topic].result() for topic in topics]
    return [(str(topic.topic_id), len(topic.partitions)) for topic in found]


_CLIENT = {"bootstrap.servers", "client.id", "security.protocol", "log_level", "error_cb"}


def read(config: Mapping[str, Any], topic: str, partition: int, start: int, end: int) -> Iterator[StoredRecord]:
    """Read the records of [start, end) that there are, with a consumer of their own."""
    consumer = Consumer(dict(config))
    try:
        yield from read_with(consumer, topic, partition, start, end)
    finally:
        consumer.close()


def read_with(consumer: Consumer, topic: str, partition: int, start: int, end: int) -> Iterator[StoredRecord]:
    """Read the records of [start, end) that there are; BrokerDown when the broker falls silent."""
    try:
        for message in read_stretches(consumer, topic, {partition: (start, end)}, ANSWER_SECONDS):
            yield StoredRecord(message.offset() or 0, message.timestamp()[1], message.value() or b"")
    except Silent:
        raise BrokerDown(f"{topic}/{partition} does not answer") from None
