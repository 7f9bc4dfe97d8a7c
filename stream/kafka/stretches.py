"""Reads stretches of a topic to their ends, with a consumer that is outside any group.

A stretch may end in transaction markers, which no record shows: its end is known from the client, which says where a
partition ends (`enable.partition.eof`).
"""

import time
from collections.abc import Iterator, Mapping
from typing import TypeAlias

from confluent_kafka import Consumer, KafkaError, KafkaException, Message, TopicPartition

Stretch: TypeAlias = tuple[int, int]
"""The offsets [start, end) of one partition."""
BATCH = 5_000
FIRST_SECONDS, REST_SECONDS = 0.5, 0.002
"""The client waits for a full batch: so the first read asks for one record only, and later ones hardly wait."""


class Silent(Exception):
    """The broker has sent nothing for too long."""


def read_stretches(
    consumer: Consumer, topic: str, stretches: Mapping[int, Stretch], silence_seconds: float
) -> Iterator[Message]:
    """Every record of these stretches, in order within each partition; raises Silent when nothing comes for so long."""
    ends = {partition: end for partition, (start, end) in stretches.items() if start < end}
    if not ends:
        return
    consumer.assign([TopicPartition(topic, partition, stretches[partition][0]) for partition in ends])
    heard = time.monotonic()
    while ends:
        messages = consumer.consume(1, FIRST_SECONDS)
        messages += consumer.consume(BATCH, REST_SECONDS) if messages else []
        if messages:
            heard = time.monotonic()
        elif time.monotonic() - heard > silence_seconds:
            raise Silent
        for message in messages:
            partition, offset = message.partition() or 0, message.offset() or 0
            end = ends.get(partition, 0)  # 0: the client has read beyond the end of a stretch that is done
            at_end = message.error() is not None and _is_end(message)
            if not at_end and offset < end:
                yield message
            if end and (at_end or offset + 1 >= end):
                del ends[partition]
                consumer.incremental_unassign([TopicPartition(topic, partition)])
    consumer.unassign()


def _is_end(message: Message) -> bool:
    """Whether this is the client's note that a partition ends here; raises any error."""
    error = message.error()
    if error is not None and error.code() == KafkaError._PARTITION_EOF:  # noqa: SLF001 - librdkafka's own codes carry an underscore
        return True
    raise KafkaException(error)
