"""Reads `alerts` and `replenishments` from their beginning, and from then on what is new, into matters."""

import logging

import msgspec

from agents.notify.matters import Matters, RecordPlace, TopicPartitionName
from schemas.codec import decode_output
from stream.errors import WrongUse
from stream.kafka.topic_reader import TopicReader
from stream.settings import Settings

logger = logging.getLogger(__name__)

TOPICS = ("alerts", "replenishments")


class OutputTopics:
    """Both topics, as far as they were read; committed records only."""

    def __init__(self, settings: Settings, reader: TopicReader, matters: Matters) -> None:
        self._settings = settings
        self._reader = reader
        self._matters = matters
        self.offsets: dict[TopicPartitionName, int] = {}
        """The next record of each partition."""

    def read(self) -> None:
        """Read what has come."""
        for topic in TOPICS:
            name = self._settings.topic(topic)
            bounds = self._reader.bounds(name)
            if not bounds:
                raise WrongUse(f"{name}: there is no such topic: run `restock topics create`")
            new = {
                partition: (max(start, min(self.offsets.get((topic, partition), 0), end)), end)
                for partition, (start, end) in bounds.items()
            }
            for message in self._reader.read(name, new):
                _, appended_ms = message.timestamp()
                place = RecordPlace(topic, message.partition() or 0, message.offset() or 0, appended_ms)
                self._take(place, message.value() or b"")
            self.offsets |= {(topic, partition): end for partition, (_, end) in bounds.items()}

    def _take(self, place: RecordPlace, value: bytes) -> None:
        try:
            event = decode_output(value)
        except msgspec.DecodeError as error:
            logger.warning("%s/%d/%d is no output of restock: %s", *place[:3], error)
            return
        self._matters.take(place, event)
