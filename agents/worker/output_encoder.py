"""Turns the outputs of the core into Kafka messages: topic, partition, key, headers, bytes."""

from collections import Counter
from collections.abc import Callable, Mapping

import msgspec

from schemas.codec import encode
from schemas.dead_letter import Origin, letter_headers
from schemas.envelope import STRUCTURED_HEADERS
from schemas.ledger import encode_record
from schemas.refused import RefusedRecord
from schemas.topics import place
from stream.kafka.publisher import Message
from stream.observability.instruments import Rare
from stream.ports import Output

FRAME_BYTES = 200
"""What a record takes beside its key and value: headers, and Kafka's frame around a batch of one record."""


class OutputEncoder:
    """Turns outputs into messages; the broker takes none of more than `most_bytes`."""

    def __init__(
        self,
        topics: Mapping[str, tuple[str, int]],
        most_bytes: int,
        place_of_feed: Callable[[str], tuple[str, int]],
        counts: Counter[Rare],
    ) -> None:
        self._topics = topics
        """Logical name to the broker's name and the number of partitions."""
        self._most_bytes = most_bytes
        self._place_of_feed = place_of_feed
        self._counts = counts

    def __call__(self, output: Output) -> Message:
        """Encode one output."""
        topic, partitions = self._topics[output.topic]
        partition, key = place(output.item, partitions), output.item.encode()
        if isinstance(output.event, RefusedRecord):
            return self._letter(output.event, topic, partition, key)
        value = encode(output.event)
        if len(value) + len(key) + FRAME_BYTES > self._most_bytes:
            self._counts["oversize"] += 1
            # Only attributes copied from the cause have no bound: without them every event is small enough.
            value = encode(msgspec.structs.replace(output.event, correlation=None, causation=None, trace=None))
        headers = STRUCTURED_HEADERS
        if output.traceparent is not None:
            headers = (*headers, ("traceparent", output.traceparent.encode()))
        return Message(topic, partition, key, value, headers)

    def _letter(self, refused: RefusedRecord, topic: str, partition: int, key: bytes) -> Message:
        record = refused.record
        origin = Origin(*self._place_of_feed(record.feed), record.offset, refused.appended)
        headers = letter_headers(refused.refusal, stage="controller", origin=origin)
        return Message(topic, partition, key, encode_record(record), headers)
