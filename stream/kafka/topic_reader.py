"""Reads topics for commands and checks, outside any consumer group.

It reads committed records only, and raises `Unreachable` when the broker falls silent, rather than waiting for ever.
"""

import time
from collections.abc import Iterator, Mapping
from types import TracebackType
from typing import Self

from confluent_kafka import Consumer, KafkaError, KafkaException, Message, TopicPartition

from stream.errors import Unreachable
from stream.kafka.clients import REACH_SECONDS, answering, reach, reader_config
from stream.kafka.stretches import Silent, Stretch, read_stretches
from stream.settings import Settings

SILENCE_SECONDS = 30.0
"""A broker that answered before and is silent for so long is away, not busy."""
_WITHOUT_LEADER = (
    KafkaError.LEADER_NOT_AVAILABLE,
    KafkaError.NOT_LEADER_FOR_PARTITION,
    KafkaError.UNKNOWN_TOPIC_OR_PART,
)


class TopicReader:
    """One connection, used for one question after another."""

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
        try:
            with answering(self._settings):
                yield from read_stretches(self._consumer, topic, stretches, SILENCE_SECONDS)
        except Silent:
            raise Unreachable(f"RESTOCK_KAFKA={self._settings.kafka} fell silent: see what its log says") from None

    def one(self, topic: str, partition: int, offset: int) -> Message | None:
        """The record at an offset; None where it was deleted or is not there yet."""
        low, high = self.bounds(topic).get(partition, (0, 0))
        if not low <= offset < high:
            return None
        return next((m for m in self.read(topic, {partition: (offset, offset + 1)}) if m.offset() == offset), None)


def whole(stretches: Mapping[int, Stretch]) -> int:
    """How many records these stretches hold at most."""
    return sum(end - start for start, end in stretches.values())
