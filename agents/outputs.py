"""From what the core decided to what goes to the broker: topic, partition, key, headers, bytes."""

from collections.abc import Callable, Mapping

import msgspec

from schemas.codec import encode
from schemas.dead_letter import DeadLetter
from schemas.envelope import STRUCTURED_HEADERS
from schemas.topics import place
from stream.ports import Output
from stream.publisher import Message


class Encoder:
    """Turns outputs into messages; the broker takes none of more than `most_bytes`."""

    def __init__(self, topics: Mapping[str, tuple[str, int]], most_bytes: int, topic_of_feed: Callable[[str], str]) -> None:
        self._topics = topics
        """Logical name to the broker's name and the number of partitions."""
        self._most_bytes = most_bytes
        self._topic_of_feed = topic_of_feed

    def __call__(self, output: Output) -> Message:
        """Encode one output."""
        topic, partitions = self._topics[output.topic]
        partition, key = place(output.item, partitions), output.item.encode()
        if isinstance(output.event, DeadLetter):
            letter = msgspec.structs.replace(output.event, topic=self._topic_of_feed(output.event.topic))
            return Message(topic, partition, letter.key, letter.value, letter.to_headers())
        value = encode(output.event)
        if len(value) > self._most_bytes:  # only the attributes carried from cause to effect have no bound of their own
            value = encode(msgspec.structs.replace(output.event, correlation=None, causation=None, trace=None))
        return Message(topic, partition, key, value, STRUCTURED_HEADERS)
