"""Reads dead letters: filtered, each refusal once, with the bytes that the producer published.

A letter of intake holds the refused record itself. A letter of the controller holds the ledger record that was made of
it, so the bytes are fetched from the source, at the origin that the letter names.
"""

import contextlib
from collections.abc import Callable, Iterator, Mapping
from typing import Any, NamedTuple

import msgspec
from confluent_kafka import Message

from schemas.dead_letter import DeadLetter
from schemas.envelope import Headers, Mode, header_attributes, mode_of
from schemas.inbound import INBOUND
from schemas.ledger import Movement, Notice, decode_record
from schemas.refusal import Reason
from stream.errors import WrongUse
from stream.kafka.stretches import Stretch
from stream.kafka.topic_reader import TopicReader
from stream.kafka.topics import SOURCES
from stream.settings import Settings


class DeadLetterPlace(NamedTuple):
    """Where a letter lies on the topic, written as `3/17`."""

    partition: int
    offset: int

    def __str__(self) -> str:
        return f"{self.partition}/{self.offset}"

    @classmethod
    def of(cls, text: str) -> "DeadLetterPlace":
        """Read a place."""
        partition, slash, offset = text.partition("/")
        if not (slash and partition.isdigit() and offset.isdigit()):
            raise WrongUse(f"{text} is no place of a dead letter: write it as `dead-letters list` does, such as 3/17")
        return cls(int(partition), int(offset))


class FiledDeadLetter(NamedTuple):
    """A letter and its place."""

    place: DeadLetterPlace
    appended_ms: int
    letter: DeadLetter

    @property
    def record(self) -> Movement | Notice | None:
        """The ledger record that the controller refused; None for a letter of intake."""
        if self.letter.stage != "controller":
            return None
        try:
            record = decode_record(self.letter.value or b"")
        except msgspec.MsgspecError:
            return None
        return record if isinstance(record, Movement | Notice) else None

    @property
    def ordinal(self) -> int:
        """Which movement of its event was refused; -1 where the whole event was."""
        record = self.record
        return record.ordinal if record else -1

    @property
    def event(self) -> "EventName":
        """The name of the refused event, as far as it can be read."""
        record = self.record
        return EventName(record.source, record.id) if record else _name_of(self.letter)


class EventName(NamedTuple):
    """What identifies an event, and its type; None where it cannot be read."""

    source: str | None = None
    id: str | None = None
    type: str | None = None


class Original(NamedTuple):
    """A record as its producer sent it."""

    key: bytes | None
    value: bytes | None
    headers: Headers


class Filter(NamedTuple):
    """Which letters are wanted; a field that is None wants all."""

    reason: str | None = None
    topic: str | None = None
    """Logical name of the source."""

    def wants(self, letter: DeadLetter, settings: Settings) -> bool:
        """Whether a letter is among them."""
        return self.reason in {None, letter.reason} and (
            self.topic is None or letter.origin.topic == settings.topic(self.topic)
        )


def letters(
    reader: TopicReader,
    settings: Settings,
    wanted: Filter,
    stretches: Mapping[int, Stretch],
    progress: Callable[[int], None] = lambda _: None,
) -> Iterator[FiledDeadLetter]:
    """Every refusal of these stretches once: after a crash intake may have written one twice."""
    seen: set[tuple[object, ...]] = set()
    for number, message in enumerate(reader.read(settings.topic("dead-letters"), stretches), 1):
        progress(number)
        filed = _filed(message)
        if filed is None or not wanted.wants(filed.letter, settings):
            continue
        origin = filed.letter.origin
        refusal = (origin.topic, origin.partition, origin.offset, filed.letter.stage, filed.ordinal)
        if refusal not in seen:
            seen.add(refusal)
            yield filed


def letter_at(reader: TopicReader, settings: Settings, place: DeadLetterPlace) -> FiledDeadLetter:
    """The letter at a place."""
    message = reader.one(settings.topic("dead-letters"), *place)
    filed = None if message is None else _filed(message)  # a message without bytes is false
    if filed is None:
        raise WrongUse(f"{place} holds no dead letter: see `restock dead-letters list`")
    return filed


def original(reader: TopicReader, letter: DeadLetter) -> Original | None:
    """The record as it was published; None when its source no longer holds it."""
    if letter.stage != "controller":
        return Original(letter.key, letter.value, letter.headers)
    message = reader.one(letter.origin.topic, letter.origin.partition, letter.origin.offset)
    if message is None:
        return None
    return Original(message.key(), message.value(), message.headers())  # type: ignore[arg-type]


def destination(settings: Settings, letter: DeadLetter, value: bytes | None) -> str | None:
    """The logical topic that a letter is published to again: where it came from, or where its type belongs."""
    logical = letter.origin.topic.removeprefix(settings.topic_prefix)
    if letter.reason == Reason.WRONG_TOPIC:
        try:
            kind = INBOUND.get(msgspec.json.decode(value or b"", type=_Typed).type)
        except (msgspec.MsgspecError, ValueError):
            kind = None
        logical = kind.topic if kind else logical
    return logical if logical in SOURCES else None


class _Typed(msgspec.Struct):
    type: str


class _Named(msgspec.Struct):
    source: Any = None
    id: Any = None
    type: Any = None


def _name_of(letter: DeadLetter) -> EventName:
    """The name of an event that intake could not read, as far as its headers or its JSON hold one."""
    if mode_of(letter.headers) is Mode.BINARY:
        with contextlib.suppress(UnicodeDecodeError):
            found = header_attributes(letter.headers)
            return EventName(found.get("source"), found.get("id"), found.get("type"))
        return EventName()
    try:
        named = msgspec.json.decode(letter.value or b"", type=_Named)
    except (msgspec.MsgspecError, ValueError, RecursionError):
        return EventName()
    return EventName(*(each if isinstance(each, str) else None for each in msgspec.structs.astuple(named)))


def _filed(message: Message) -> FiledDeadLetter | None:
    """Read a record of the topic; None for any that is no dead letter."""
    try:
        letter = DeadLetter.from_record(message.key(), message.value(), message.headers())  # type: ignore[arg-type]
    except (ValueError, UnicodeDecodeError):
        return None
    return FiledDeadLetter(
        DeadLetterPlace(message.partition() or 0, message.offset() or 0), message.timestamp()[1], letter
    )
