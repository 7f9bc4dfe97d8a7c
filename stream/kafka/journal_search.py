"""Finds what was published at a point of the ledger: by bisection, since points grow along a shard's journal."""

from collections.abc import Iterator

from confluent_kafka import Message

from schemas.journal import JournalRecord, Point, Published, decode_journal
from stream.kafka.topic_reader import TopicReader
from stream.settings import Settings

NEAR = 200
"""So few records are read one after another."""


def published_at(reader: TopicReader, settings: Settings, partition: int, point: Point) -> Published | None:
    """The journal record that covers this point; None when nothing was published there, or retention deleted it."""
    topic = settings.topic("journal")
    low, high = reader.bounds(topic).get(partition, (0, 0))
    end = high
    while high - low > NEAR:
        middle = (low + high) // 2
        found = next(_records(reader.read(topic, {partition: (middle, high)})), None)
        if found is not None and found[1].end <= point:
            low = found[0]
        else:
            high = middle
    for _, record in _records(reader.read(topic, {partition: (low, min(end, high + NEAR))})):
        if isinstance(record, Published) and record.start <= point < record.end:
            return record
    return None


def _records(messages: Iterator[Message]) -> Iterator[tuple[int, JournalRecord]]:
    for message in messages:
        yield message.offset() or 0, decode_journal(message.value() or b"")
