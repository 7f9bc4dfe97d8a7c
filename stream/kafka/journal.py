"""Reads a shard's journal: its last record, the seals of owners from a place on, and in passages what was published.

A journal grows for years, so only one passage of it is in memory at a time.
"""

from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import Executor
from typing import Any, TypeVar

from confluent_kafka import Consumer, KafkaError, KafkaException, TopicPartition

from schemas.journal import JournalRecord, Sealed, decode_journal
from stream.faults import BrokerDown, Torn
from stream.kafka.ledger import ANSWER_SECONDS, read_with
from stream.ports import JournalView, Passage
from stream.threads import in_thread

FIRST_STEP, MOST_STEP = 256, 16_384
MARKER = 1
"""The end of a transaction takes an offset after its last record."""
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

    async def look(self, shard: int, start: int | None) -> JournalView:
        """Look at the seals from the journal's own offset `start` on, and at its last record."""
        return await self._ask(_look, self._topic, shard, start)

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


def _look(consumer: Consumer, topic: str, shard: int, start: int | None) -> JournalView:
    low, high = consumer.get_watermark_offsets(TopicPartition(topic, shard), timeout=ANSWER_SECONDS)
    if start is None:
        return JournalView(_last(consumer, topic, shard, low, high), (), low, high, whole=low == 0)
    last: JournalRecord | None = None
    seals: list[Sealed] = []
    for stored in read_with(consumer, topic, shard, max(low, start), high):
        last = decode_journal(stored.value)
        seals += [last] if isinstance(last, Sealed) else []
    last = last or _last(consumer, topic, shard, low, min(start, high))
    # Where retention has deleted all of a quiet journal, nothing but the marker of the last transaction is missing.
    return JournalView(last, seals, max(low, start), high, whole=low <= start or high <= start + MARKER)


def _last(consumer: Consumer, topic: str, shard: int, low: int, high: int) -> JournalRecord | None:
    """The last committed record below `high`: transactions that were aborted leave gaps before it."""
    end, step = high, FIRST_STEP
    while end > low:
        start = max(low, end - step)
        last: JournalRecord | None = None
        for stored in read_with(consumer, topic, shard, start, end):
            last = decode_journal(stored.value)
        if last is not None:
            return last
        end, step = start, min(4 * step, MOST_STEP)
    return None


def _passage(consumer: Consumer, topic: str, shard: int, start: int, end: int) -> Passage:
    records, size = [], 0
    for stored in read_with(consumer, topic, shard, start, end):
        records.append(decode_journal(stored.value))
        size += len(stored.value)
        if size >= PASSAGE_BYTES:
            return Passage(records, stored.offset + 1)
    return Passage(records, end)
