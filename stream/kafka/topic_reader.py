"""Reading stretches of topics from outside any consumer group: what commands and checks do with logs.

It reads committed records only, knows when a stretch ends (also where it ends in transaction markers), and says
`Unreachable` when the broker falls silent, rather than waiting for ever.
"""

import time
from collections.abc import Iterator, Mapping
from types import TracebackType
from typing import Self, TypeAlias

from confluent_kafka import Consumer, KafkaError, KafkaException, Message, TopicPartition

from stream.errors import Unreachable
from stream.kafka.clients import REACH_SECONDS, answering, reach, reader_config
from stream.settings import Settings

Stretch: TypeAlias = tuple[int, int]
"""The offsets [start, end) of one partition."""
BATCH = 5_000
SILENCE_SECONDS = 30.0
"""A broker that was there and says nothing for so long is away, not busy."""
_WITHOUT_LEADER = (
    KafkaError.LEADER_NOT_AVAILABLE,
    KafkaError.NOT_LEADER_FOR_PARTITION,
    KafkaError.UNKNOWN_TOPIC_OR_PART,
)


class TopicReader:
    """One connection, used for one stretch after another."""

    def __init__(self, settings: Settings) -> None:
        reach(settings)
        self._settings = settings
        self._consumer = Consumer(reader_config(settings))

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._consumer.close()

    def partitions(self, topic: str) -> int:
        """How many partitions a topic has; 0 when there is no such topic."""
        with answering(self._settings):
            found = self._consumer.list_topics(topic, timeout=REACH_SECONDS).topics[topic]
        return 0 if found.error else len(found.partitions)

    def bounds(self, topic: str) -> dict[int, Stretch]:
        """The stretch that each partition holds, up to the first open transaction."""
        with answering(self._settings):
            return {partition: self._bounds(topic, partition) for partition in range(self.partitions(topic))}

    def _bounds(self, topic: str, partition: int) -> Stretch:
        """Ask again while a new topic, or one whose broker has just left, is without a leader."""
        deadline = time.monotonic() + REACH_SECONDS
        while True:
            try:
                return self._consumer.get_watermark_offsets(TopicPartition(topic, partition), timeout=REACH_SECONDS)
            except KafkaException as error:
                if error.args[0].code() not in _WITHOUT_LEADER or time.monotonic() > deadline:
                    raise
                time.sleep(0.05)

    def since(self, topic: str, time_ms: int) -> dict[int, Stretch]:
        """The stretches appended at or after a moment."""
        bounds = self.bounds(topic)
        wanted = [TopicPartition(topic, partition, time_ms) for partition in bounds]
        with answering(self._settings):
            found = {place.partition: place.offset for place in self._consumer.offsets_for_times(wanted, REACH_SECONDS)}
        return {p: (end if found[p] < 0 else found[p], end) for p, (_, end) in bounds.items()}

    def read(self, topic: str, stretches: Mapping[int, Stretch]) -> Iterator[Message]:
        """Every committed record of these stretches, in order within each partition."""
        ends = {partition: end for partition, (start, end) in stretches.items() if start < end}
        if not ends:
            return
        self._consumer.assign([TopicPartition(topic, partition, stretches[partition][0]) for partition in ends])
        heard = time.monotonic()
        while ends:
            with answering(self._settings):
                # The client waits for a full batch as long as it may: first for one record, then for what is there.
                messages = self._consumer.consume(1, timeout=0.5)
                messages += self._consumer.consume(BATCH, timeout=0.002) if messages else []
            if messages:
                heard = time.monotonic()
            elif time.monotonic() - heard > SILENCE_SECONDS:
                raise Unreachable(f"RESTOCK_KAFKA={self._settings.kafka} fell silent: see what its log says")
            for message in messages:
                partition, offset = message.partition() or 0, message.offset() or 0
                if partition not in ends:
                    continue
                if not (at_end := self._at_end(message)) and offset < ends[partition]:
                    yield message
                if at_end or offset + 1 >= ends[partition]:
                    del ends[partition]
                    self._consumer.incremental_unassign([TopicPartition(topic, partition)])
        self._consumer.unassign()

    def one(self, topic: str, partition: int, offset: int) -> Message | None:
        """The record at an offset, or None where there is none any more or yet."""
        low, high = self.bounds(topic).get(partition, (0, 0))
        if not low <= offset < high:
            return None
        return next((m for m in self.read(topic, {partition: (offset, offset + 1)}) if m.offset() == offset), None)

    def _at_end(self, message: Message) -> bool:
        """Whether this is no record but the news that a partition ends here."""
        error = message.error()
        if error is None:
            return False
        if error.code() == KafkaError._PARTITION_EOF:  # noqa: SLF001 - librdkafka's own codes carry an underscore
            return True
        with answering(self._settings):
            raise KafkaException(error)


def whole(stretches: Mapping[int, Stretch]) -> int:
    """How many records these stretches hold at most."""
    return sum(end - start for start, end in stretches.values())
