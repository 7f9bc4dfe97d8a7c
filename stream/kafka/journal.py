"""Reads a shard's journal: backwards for the seals of earlier owners, forwards in passages for what was published.

A journal grows for years, so only one passage of it is in memory at a time.
"""

from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import Executor
from typing import Any, TypeVar

from confluent_kafka import Consumer, KafkaError, KafkaException, TopicPartition

from schemas.journal import JournalRecord, Point, Sealed, decode_journal
from stream.faults import BrokerDown, Torn
from stream.kafka.ledger import ANSWER_SECONDS, read_with
from stream.ports import JournalView, Passage
from stream.threads import in_thread

FIRST_STEP, MOST_STEP = 256, 16_384
PASSAGE_BYTES = 1 << 18
AHEAD_KILOBYTES = 1024
"""How far the client reads ahead: without a bound it would fetch 250 passages and throw them away."""
Result = TypeVar("Result")


class KafkaJournal:
    """Reads the journal topic."""

    def __init__(self, config: Mapping[str, Any], topic: str, threads: Executor) -> None:
        self._config = {**config, "queued.max.messages.kbytes": AHEAD_KILOBYTES}
        self._topic = topic
        self._threads = threads

    async def look(self, shard: int, since: int, writer: str | None) -> JournalView:
        """Look at committed records back to those about ledger offset `since`, and to the seal of `writer`."""
        return await self._ask(look_back, self._topic, shard, since, writer)

    async def passage(self, shard: int, start: int, end: int) -> Passage:
        """Read the first records of the journal's offsets [start, end), as many as a passage holds."""
        return await self._ask(_passage, self._topic, shard, start, end)

    def records(self, shard: int) -> Iterator[JournalRecord]:
        """Every record, one after another; it blocks, so it is for commands."""
        consumer = Consumer(self._config)
        try:
            low, high = consumer.get_watermark_offsets(TopicPartition(self._topic, shard), timeout=ANSWER_SECONDS)
            for stored in read_with(consumer, self._topic, shard, low, high):
                yield decode_journal(stored.value)
        finally:
            consumer.close()

    async def _ask(self, work: Callable[..., Result], *arguments: Any) -> Result:
        return await in_thread(self._threads, self._with_consumer, work, *arguments)

    def _with_consumer(self, work: Callable[..., Result], *arguments: Any) -> Result:
        consumer = Consumer(self._config)
        try:
            return work(consumer, *arguments)
        except KafkaException as error:
            if error.args[0].code() == KafkaError._AUTO_OFFSET_RESET:  # noqa: SLF001 - librdkafka's own code
                raise Torn(f"{self._topic} no longer holds what was to be read of it") from error
            raise BrokerDown(error.args[0].str()) from error
        finally:
            consumer.close()


def look_back(consumer: Consumer, topic: str, shard: int, since: int, writer: str | None) -> JournalView:
    """Go back from the end in growing steps until the journal reaches back far enough."""
    low, high = consumer.get_watermark_offsets(TopicPartition(topic, shard), timeout=ANSWER_SECONDS)
    last: JournalRecord | None = None
    seals: list[Sealed] = []
    start, step, reached = high, FIRST_STEP, False
    while start > low and not reached:
        end, start = start, max(low, start - step)
        newest, some, far_enough = None, [], False
        for stored in read_with(consumer, topic, shard, start, end):
            newest = decode_journal(stored.value)
            far_enough = far_enough or newest.end <= Point(since)
            some += [newest] if isinstance(newest, Sealed) else []
        last, seals = last or newest, some + seals
        reached = last is not None if writer is None else far_enough and any(seal.token == writer for seal in seals)
        step = min(4 * step, MOST_STEP)
    if writer is None:
        return JournalView(last, (), low, high, whole=low == 0)
    return JournalView(last, seals, start, high, whole=reached or low == 0)


def _passage(consumer: Consumer, topic: str, shard: int, start: int, end: int) -> Passage:
    records, size = [], 0
    for stored in read_with(consumer, topic, shard, start, end):
        records.append(decode_journal(stored.value))
        size += len(stored.value)
        if size >= PASSAGE_BYTES:
            return Passage(records, stored.offset + 1)
    return Passage(records, end)
