"""Reading a shard's journal, from its end backwards: what was told last is what matters first."""

import asyncio
from collections.abc import Mapping
from concurrent.futures import Executor
from typing import Any

from confluent_kafka import Consumer, KafkaException, TopicPartition

from schemas.journal import JournalRecord, Point, Sealed, decode_journal
from stream.faults import BrokerDown
from stream.ledger import ANSWER_SECONDS, read_with
from stream.ports import JournalView

FIRST_STEP = 256


class KafkaJournal:
    """The journal topic."""

    def __init__(self, config: Mapping[str, Any], topic: str, threads: Executor) -> None:
        self._config = dict(config)
        self._topic = topic
        self._threads = threads

    async def read(self, shard: int, since: int, writer: str | None) -> JournalView:
        """Read committed records back to what tells of offset `since` and to the seal of `writer`."""
        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(self._threads, self._read, shard, since, writer)

    def _read(self, shard: int, since: int, writer: str | None) -> JournalView:
        consumer = Consumer(self._config)
        try:
            return read_back(consumer, self._topic, shard, since, writer)
        except KafkaException as error:
            raise BrokerDown(error.args[0].str()) from error
        finally:
            consumer.close()


def read_back(consumer: Consumer, topic: str, shard: int, since: int, writer: str | None) -> JournalView:
    """Read in growing steps from the end until the journal reaches back far enough."""
    low, high = consumer.get_watermark_offsets(TopicPartition(topic, shard), timeout=ANSWER_SECONDS)
    found: list[JournalRecord] = []
    top, step = high, FIRST_STEP
    while top > low and not _reaches(found, since, writer):
        start = max(low, top - step)
        found = [decode_journal(record.value) for record in read_with(consumer, topic, shard, start, top)] + found
        top, step = start, step * 4
    return JournalView(found, whole=low == 0 or _reaches(found, since, writer))


def _reaches(records: list[JournalRecord], since: int, writer: str | None) -> bool:
    if writer is None or not records:
        return False
    told = any(record.end <= Point(since) for record in records)
    return told and any(isinstance(record, Sealed) and record.token == writer for record in records)
