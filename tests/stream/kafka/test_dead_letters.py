"""Dead letters as they are read back: each refusal once, its original found, and where it is published again."""

from collections.abc import Callable, Iterator
from typing import Any

import msgspec
import pytest
from confluent_kafka import Producer

from schemas.dead_letter import Origin, letter_headers
from schemas.ledger import Acknowledged, Movement, Placed, encode_record
from schemas.refusal import Reason, Refusal
from stream.errors import WrongUse
from stream.kafka import topics
from stream.kafka.dead_letter_marks import mark, read_marks
from stream.kafka.dead_letters import (
    DeadLetterPlace,
    EventName,
    FiledDeadLetter,
    Filter,
    destination,
    letter_at,
    letters,
    original,
)
from stream.kafka.topic_reader import TopicReader
from stream.settings import Settings

Put = Callable[..., None]
EVERYTHING = Filter()


@pytest.fixture
def settings(kafka: str, app: str, topic_prefix: str) -> Settings:
    settings = Settings(kafka=kafka, app=app, topic_prefix=topic_prefix, partitions=1)
    topics.create(settings)
    return settings


@pytest.fixture
def put(settings: Settings) -> Put:
    producer = Producer({"bootstrap.servers": settings.kafka, "log_level": 0})

    def write(topic: str, value: bytes, key: bytes = b"k", headers: Any = ()) -> None:
        producer.produce(settings.topic(topic), value, key, headers=list(headers))
        assert producer.flush(30) == 0

    return write


@pytest.fixture
def reader(settings: Settings) -> Iterator[TopicReader]:
    with TopicReader(settings) as reader:
        yield reader


def headers(settings: Settings, offset: int, reason: Reason, stage: str = "intake", topic: str = "orders") -> Any:
    refusal = Refusal(reason, "", "is wrong", "mend it")
    return letter_headers(refusal, stage=stage, origin=Origin(settings.topic(topic), 0, offset, 1_772_446_500_000))


def movement(ordinal: int) -> bytes:
    change = Placed(1) if ordinal else Acknowledged("rep-x", "accepted", 1)
    return encode_record(Movement("A@B", "f/0", 0, ordinal, None, "shop", "1", 1, 1, 0, change))


def read(reader: TopicReader, settings: Settings, wanted: Filter = EVERYTHING) -> list[FiledDeadLetter]:
    return list(letters(reader, settings, wanted, reader.bounds(settings.topic("dead-letters"))))


def test_what_intake_wrote_twice_after_a_crash_is_one_refusal(
    settings: Settings, put: Put, reader: TopicReader
) -> None:
    for offset in (4, 5, 4):
        put("dead-letters", b"{", headers=headers(settings, offset, Reason.NOT_JSON))
    put("dead-letters", b"somebody else's")
    found = read(reader, settings)
    assert [(filed.place, filed.letter.origin.offset) for filed in found] == [
        (DeadLetterPlace(0, 0), 4),
        (DeadLetterPlace(0, 1), 5),
    ]


def test_one_event_refused_for_two_items_is_two_refusals(settings: Settings, put: Put, reader: TopicReader) -> None:
    for ordinal in (0, 1, 1):
        put("dead-letters", movement(ordinal), headers=headers(settings, 0, Reason.UNKNOWN_ITEM, "controller"))
    assert [filed.record and filed.record.ordinal for filed in read(reader, settings)] == [0, 1]


def test_letters_are_filtered_by_reason_and_source(settings: Settings, put: Put, reader: TopicReader) -> None:
    put("dead-letters", b"1", headers=headers(settings, 1, Reason.NOT_JSON))
    put("dead-letters", b"2", headers=headers(settings, 2, Reason.EMPTY))
    put("dead-letters", b"3", headers=headers(settings, 3, Reason.EMPTY, topic="stock"))
    assert [filed.letter.value for filed in read(reader, settings, Filter(reason="empty"))] == [b"2", b"3"]
    assert [filed.letter.value for filed in read(reader, settings, Filter("empty", "stock"))] == [b"3"]


def test_the_original_is_the_letters_own_or_the_sources(settings: Settings, put: Put, reader: TopicReader) -> None:
    put("orders", b"as it was sent", key=b"o-1", headers=[("content-type", b"application/json"), ("ce_id", b"1")])
    put("dead-letters", movement(1), headers=headers(settings, 0, Reason.CONFLICTING_DUPLICATE, "controller"))
    put("dead-letters", b"{", key=b"o-2", headers=[("mine", b"x"), *headers(settings, 1, Reason.NOT_JSON)])
    put("dead-letters", movement(1), headers=headers(settings, 7, Reason.UNKNOWN_ITEM, "controller"))
    put("orders", b"")
    put("dead-letters", movement(1), headers=headers(settings, 1, Reason.UNKNOWN_ITEM, "controller"))
    of_controller, of_intake, gone, of_nothing = (original(reader, filed.letter) for filed in read(reader, settings))
    assert of_controller is not None
    assert (of_controller.key, of_controller.value) == (b"o-1", b"as it was sent")
    assert list(of_controller.headers or ()) == [("content-type", b"application/json"), ("ce_id", b"1")]
    assert of_intake is not None
    assert (of_intake.key, of_intake.value, list(of_intake.headers or ())) == (b"o-2", b"{", [("mine", b"x")])
    assert gone is None
    assert of_nothing is not None
    assert of_nothing.value == b""


def test_a_letter_goes_back_where_it_came_from_or_where_its_type_belongs(
    settings: Settings, put: Put, reader: TopicReader
) -> None:
    count = msgspec.json.encode({"type": "stock.counted"})
    put("dead-letters", count, headers=headers(settings, 0, Reason.OUT_OF_RANGE))
    put("dead-letters", count, headers=headers(settings, 1, Reason.WRONG_TOPIC))
    put("dead-letters", b"{", headers=headers(settings, 2, Reason.WRONG_TOPIC, topic="catalog"))
    put("dead-letters", b"{", headers=headers(settings, 3, Reason.NOT_JSON, topic="SfA1tdtqQPy1n81"))
    found = [filed.letter for filed in read(reader, settings)]
    assert [destination(settings, letter, letter.value) for letter in found] == ["orders", "stock", "catalog", None]


def test_a_mark_is_of_an_event_or_of_one_of_its_items(settings: Settings, put: Put, reader: TopicReader) -> None:
    for ordinal in (0, 1):
        put("dead-letters", movement(ordinal), headers=headers(settings, 0, Reason.UNKNOWN_ITEM, "controller"))
    put("dead-letters", b"{", headers=headers(settings, 5, Reason.NOT_JSON))
    first, second, of_intake = read(reader, settings)
    mark(settings, "discarded", [second, of_intake])

    def states() -> list[str | None]:
        found = read(reader, settings)
        marks = read_marks(reader, settings, reader.bounds(settings.topic("dead-letters")))
        return [marks.of(filed) for filed in found]

    assert states() == [None, "discarded", "discarded"]
    mark(settings, "redriven", [first])
    assert states() == ["redriven", "redriven", "discarded"]
    assert [filed.place.offset for filed in read(reader, settings)] == [0, 1, 2], "marks are no letters"


@pytest.mark.parametrize(
    "value, sent, name",
    [
        (b'{"id": "1", "source": "shop", "type": "order.placed", "data": ', (), EventName()),
        (b'{"id": "1", "source": 7, "type": "order.placed"}', (), EventName(None, "1", "order.placed")),
        (b"{}", (("ce_id", b"1"), ("ce_source", b"shop")), EventName("shop", "1")),
        (b"{}", (("ce_id", b"\xff"),), EventName()),
        (b"\xff", (), EventName()),
    ],
)
def test_an_event_is_named_as_far_as_it_can_be_read(
    settings: Settings, put: Put, reader: TopicReader, value: bytes, sent: Any, name: EventName
) -> None:
    put("dead-letters", value, headers=[*sent, *headers(settings, 1, Reason.NOT_JSON)])
    put("dead-letters", movement(1), headers=headers(settings, 2, Reason.UNKNOWN_ITEM, "controller"))
    assert [filed.event for filed in read(reader, settings)] == [name, EventName("shop", "1")]


def test_a_dead_letter_is_found_at_its_place_and_no_other(settings: Settings, put: Put, reader: TopicReader) -> None:
    put("dead-letters", b"{", headers=headers(settings, 4, Reason.NOT_JSON))
    assert letter_at(reader, settings, DeadLetterPlace.of("0/0")).letter.reason == "not_json"
    with pytest.raises(WrongUse, match="0/1 holds no dead letter"):
        letter_at(reader, settings, DeadLetterPlace.of("0/1"))
    with pytest.raises(WrongUse, match="first is no place"):
        DeadLetterPlace.of("first")
