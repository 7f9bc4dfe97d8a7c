"""The ledger beside the consumer's reading of it: what the broker says of a partition, and single records."""

import asyncio
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import Executor
from typing import Any, NamedTuple, TypeVar

import xxhash
from confluent_kafka import Consumer, KafkaError, KafkaException, TopicCollection, TopicPartition
from confluent_kafka.admin import AdminClient

from stream.faults import BrokerDown
from stream.ports import LedgerView

ANSWER_SECONDS = 10.0
Result = TypeVar("Result")


def checksum(value: bytes) -> int:
    """Of a ledger record, to know it again."""
    return xxhash.xxh3_64_intdigest(value)


class StoredRecord(NamedTuple):
    """A record as it lies in a topic; it has the names of the consumer's records."""

    offset: int
    timestamp: int
    value: bytes


class KafkaLedger:
    """The ledger topic, looked at from beside."""

    def __init__(self, config: Mapping[str, Any], topic: str, threads: Executor) -> None:
        self._config = dict(config)
        self._topic = topic
        self._threads = threads

    async def view(self, shard: int) -> LedgerView:
        """What the broker says of this partition."""
        return await self._in_thread(self._view, shard)

    async def checksum(self, shard: int, offset: int) -> int:
        """Checksum of one record; 0 for the place before the first."""
        return await self._in_thread(self._checksum, shard, offset) if offset >= 0 else 0

    def records(self, shard: int, start: int, end: int) -> Iterator[StoredRecord]:
        """Read a stretch of it, for those who have time to wait."""
        return read(self._config, self._topic, shard, start, end)

    async def _in_thread(self, work: Callable[..., Result], *arguments: Any) -> Result:
        return await asyncio.get_running_loop().run_in_executor(self._threads, self._asked, work, *arguments)

    @staticmethod
    def _asked(work: Callable[..., Result], *arguments: Any) -> Result:
        try:
            return work(*arguments)
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
    """Topics' ids and their numbers of partitions; each call takes a client of its own, so ask for all at once."""
    client = AdminClient(
        {key: value for key, value in config.items() if key in _CLIENT or "sasl" in key or "ssl" in key}
    )
    described = client.describe_topics(TopicCollection(list(topics)), request_timeout=ANSWER_SECONDS)
    found = [described[topic].result() for topic in topics]
    return [(str(topic.topic_id), len(topic.partitions)) for topic in found]


_CLIENT = {"bootstrap.servers", "client.id", "security.protocol", "log_level", "error_cb"}


def read(config: Mapping[str, Any], topic: str, partition: int, start: int, end: int) -> Iterator[StoredRecord]:
    """Read the records of [start, end) that there are."""
    consumer = Consumer(dict(config))
    try:
        yield from read_with(consumer, topic, partition, start, end)
    finally:
        consumer.close()


def read_with(consumer: Consumer, topic: str, partition: int, start: int, end: int) -> Iterator[StoredRecord]:
    """The same with a consumer that is there already."""
    if start >= end:
        return
    consumer.assign([TopicPartition(topic, partition, start)])
    while True:
        # The client waits as long as it may for a full batch: first for one record, then for what is there.
        messages = consumer.consume(1, ANSWER_SECONDS)
        messages += consumer.consume(5000, 0.002) if messages else []
        if not messages:
            raise BrokerDown(f"{topic}/{partition} does not answer")
        for message in messages:
            error = message.error()
            if error is not None:
                if error.code() == KafkaError._PARTITION_EOF:  # noqa: SLF001 - librdkafka's own code
                    return
                raise KafkaException(error)
            offset = message.offset() or 0
            if offset < end:
                yield StoredRecord(offset, message.timestamp()[1], message.value() or b"")
            if offset >= end - 1:
                return
