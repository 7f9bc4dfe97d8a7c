"""From decisions to records: where they go, what they carry, and that none is larger than the broker takes."""

from collections import Counter
from typing import Any

import msgspec
import pytest

from agents.worker.output_encoder import FRAME_BYTES, OutputEncoder
from schemas.codec import decode_output
from schemas.contract.examples import example
from schemas.dead_letter import DeadLetter
from schemas.journal import Point
from schemas.ledger import Counted, Movement, decode_record
from schemas.outbound import OUTBOUND
from schemas.refusal import Reason, Refusal
from schemas.refused import RefusedRecord
from schemas.topics import place
from stream import ports
from stream.observability.instruments import Rare

NOW = 1_772_446_500_000
TOPICS = {"replenishments": ("eu.replenishments", 3), "alerts": ("eu.alerts", 5), "reviews": ("eu.reviews", 7)}
LETTERS = {"dead-letters": ("eu.dead-letters", 4)}
MOST_BYTES = 5_000
KAFKA_FRAME_BYTES = 61 + 12 + 5
"""A batch's own bytes, a record's, and the lengths of two headers' names and values."""


def place_of_feed(feed: str) -> tuple[str, int]:
    assert feed == "stock-id/2"
    return "eu.stock", 2


COUNTS: Counter[Rare] = Counter()
encode = OutputEncoder(TOPICS | LETTERS, MOST_BYTES, place_of_feed, COUNTS)


def output(name: str, **changes: Any) -> ports.Output:
    """An output of a type, as the core would make it of its example."""
    event = decode_output(msgspec.json.encode(example(name)))
    event = msgspec.structs.replace(event, **changes)
    return ports.Output(event.topic, event.item, event, Point(7))


@pytest.mark.parametrize("name", OUTBOUND)
def test_every_type_goes_to_its_topic_and_reads_back(name: str) -> None:
    message = encode(output(name, trace="00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"))
    topic, partitions = TOPICS[OUTBOUND[name].topic]
    assert (message.topic, message.partition) == (topic, place("TEA-01@BER1", partitions))
    assert message.key == b"TEA-01@BER1"
    assert dict(message.headers) == {"content-type": b"application/cloudevents+json"}
    read = decode_output(message.value or b"")
    assert read.trace == "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"
    assert read.body == decode_output(msgspec.json.encode(example(name))).body


def test_a_span_is_named_in_a_header_and_changes_no_payload() -> None:
    made = output("replenishment.requested", trace="00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01")
    plain, span = encode(made), "00-4bf92f3577b34da6a3ce929d0e0e4736-b7ad6b7169203331-01"
    traced = encode(msgspec.structs.replace(made, traceparent=span))
    assert traced._replace(headers=plain.headers) == plain
    assert traced.headers == (*plain.headers, ("traceparent", span.encode()))
    beside = sum(len(name) + len(value or b"") for name, value in traced.headers)
    assert beside + KAFKA_FRAME_BYTES <= FRAME_BYTES


def test_an_event_that_would_be_too_large_leaves_out_the_attributes_of_its_cause() -> None:
    before = COUNTS["oversize"]
    encode(output("replenishment.requested"))
    assert COUNTS["oversize"] == before
    message = encode(output("replenishment.requested", correlation="c" * MOST_BYTES, causation="k", trace="t"))
    assert COUNTS["oversize"] == before + 1
    read = decode_output(message.value or b"")
    assert (read.correlation, read.causation, read.trace) == (None, None, None)
    assert read.body == decode_output(msgspec.json.encode(example("replenishment.requested"))).body


def test_key_headers_and_frame_count_as_well() -> None:
    """The broker measures the whole record, not the value alone."""
    bare = len(encode(output("stock.alert", correlation="")).value or b"")
    for length in range(MOST_BYTES - bare - 400, MOST_BYTES - bare):
        message = encode(output("stock.alert", correlation="c" * length))
        headers = sum(len(name) + len(value or b"") for name, value in message.headers)
        assert len(message.value or b"") + len(message.key or b"") + headers + 100 <= MOST_BYTES


def test_a_refused_movement_is_a_dead_letter_with_the_origin_of_its_event() -> None:
    movement = Movement("TEA@B", "stock-id/2", 41, 1, None, "wms", "cnt-1", 1, 2, NOW, Counted(3, NOW), appended=NOW)
    refusal = Refusal(Reason.COUNT_TOO_OLD, "data.as_of", "is too long ago", "count again")
    refused = RefusedRecord(refusal, movement, NOW + 5)
    message = encode(ports.Output("dead-letters", "TEA@B", refused, Point(7)))
    assert (message.topic, message.partition) == ("eu.dead-letters", place("TEA@B", 4))
    letter = DeadLetter.from_record(message.key, message.value, list(message.headers))
    assert (letter.reason, letter.stage) == ("count_too_old", "controller")
    assert (letter.origin.topic, letter.origin.partition, letter.origin.offset) == ("eu.stock", 2, 41)
    assert decode_record(letter.value or b"") == movement
