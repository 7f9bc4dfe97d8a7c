"""Reads and writes what a ledger states about itself: its application, its name, and the settings of its fold.

`topics create` begins a ledger, `settings apply` changes its settings. The last statement of the settings is found by
reading backwards from the end, and is always near, because every tick states them.
"""

import hashlib
from collections.abc import Iterable, Mapping
from typing import NamedTuple

import msgspec
from confluent_kafka import ConsumerGroupTopicPartitions, Message, Producer

from schemas.ledger import FoldSettings, LedgerCreated, Record, SettingsChanged, Ticked, decode_record, encode_record
from stream.errors import AnswerIsNo, Unreachable, WrongUse
from stream.kafka.clients import REACH_SECONDS, answering, client_config, reach
from stream.kafka.stretches import Stretch
from stream.kafka.topic_reader import TopicReader
from stream.kafka.topics import find
from stream.settings import Settings
from stream.shard.lineage import ANEW

FIRST_STEP = 500
ASK = "ask"
_DIGITS = "0123456789abcdefghijklmnopqrstuvwxyz"


class LedgerState(NamedTuple):
    """What a ledger states about itself, and its topic."""

    ledger: str
    """Its short name, part of every replenishment's id."""
    app: str | None
    """The application it belongs to; None where retention has deleted its first record."""
    settings: FoldSettings
    topic_id: str
    partitions: int


def ledger_name(topic_id: str) -> str:
    """The short name of a ledger: random as topic ids are, and always the same for the same topic.

    >>> ledger_name("SfA1tdtqQPy1n81+gVRnPQ")
    'gss61'
    """
    number = int.from_bytes(hashlib.blake2s(topic_id.encode()).digest()[:8], "big")
    return "".join(_DIGITS[number // 36**place % 36] for place in range(5))


def ledger_state(settings: Settings) -> LedgerState:
    """The ledger of these settings, as its partition 0 states it, or another where deletion left no statement there."""
    topic_id = ledger_id(settings)
    with TopicReader(settings) as reader:
        topic = settings.topic("ledger")
        bounds = reader.bounds(topic)
        first = {0: bounds[0]}
        stated = stated_settings(reader, topic, first) or stated_settings(reader, topic, bounds)
        created = first_records(reader, topic, first).get(0)
    if not stated and bounds[0][1] > 0:
        raise WrongUse(f"{topic} no longer says what it follows, every record that does was deleted: {ANEW}")
    if not stated:
        raise WrongUse(f"{topic} was never begun: run `restock topics create`")
    return LedgerState(
        created.ledger if created else ledger_name(topic_id),
        created.app if created else None,
        min(stated.items())[1],
        topic_id,
        len(bounds),
    )


def stated_settings(reader: TopicReader, topic: str, bounds: Mapping[int, Stretch]) -> dict[int, FoldSettings]:
    """The settings last stated in each partition, found backwards in growing steps; those without any are absent."""
    stated: dict[int, FoldSettings] = {}
    ends, step = dict(bounds), FIRST_STEP
    while ends := {p: (low, end) for p, (low, end) in ends.items() if p not in stated and low < end}:
        slices = {partition: (max(low, end - step), end) for partition, (low, end) in ends.items()}
        for message in reader.read(topic, slices):
            record = _statement(message)
            if record is not None:
                stated[message.partition() or 0] = record.settings
        ends = {partition: (low, slices[partition][0]) for partition, (low, _) in ends.items()}
        step *= 8
    return stated


def first_records(reader: TopicReader, topic: str, bounds: Mapping[int, Stretch]) -> dict[int, LedgerCreated | None]:
    """The first record of each partition, None where there is none; partitions whose start was deleted are left out."""
    whole = {partition: (0, min(end, 1)) for partition, (low, end) in bounds.items() if low == 0}
    found: dict[int, LedgerCreated | None] = dict.fromkeys(whole)
    for message in reader.read(topic, whole):
        try:
            record = decode_record(message.value() or b"")
        except msgspec.MsgspecError:
            raise WrongUse(
                f"{message.topic()}/{message.partition()} begins with what is no ledger record: "
                "somebody else writes there; set another RESTOCK_TOPIC_PREFIX"
            ) from None
        found[message.partition() or 0] = record if isinstance(record, LedgerCreated) else None
    return found


def begin(settings: Settings) -> int:
    """Write the first record to every empty partition, and return how many those were.

    After a crash in the middle it can be run again: the same name is written. So can two commands at the same time.
    """
    topic = settings.topic("ledger")
    name = ledger_name(ledger_id(settings))
    with TopicReader(settings) as reader:
        bounds = reader.bounds(topic)
        firsts = first_records(reader, topic, bounds)
        others = {first.app for first in firsts.values() if first and first.app != settings.app}
        if others:
            raise WrongUse(
                f"RESTOCK_APP={settings.app} is not the owner of {topic}, {others.pop()} is: "
                "set RESTOCK_APP to that, or another RESTOCK_TOPIC_PREFIX for a ledger of its own"
            )
        stated = next(iter(stated_settings(reader, topic, bounds).values()), settings.fold_settings())
    empty = [partition for partition, (_, end) in bounds.items() if end == 0]
    write(settings, {p: LedgerCreated(name, settings.app, p, len(bounds), stated) for p in empty})
    return len(empty)


def apply(settings: Settings) -> int:
    """State these settings in every partition that follows other ones, and return how many those were."""
    topic, wanted = settings.topic("ledger"), settings.fold_settings()
    _check_nobody_works(settings)
    with TopicReader(settings) as reader:
        stated = stated_settings(reader, topic, reader.bounds(topic))
    if not stated:
        raise WrongUse(f"{topic} was never begun: run `restock topics create`")
    if any((found.unknown_items == ASK) != (wanted.unknown_items == ASK) for found in stated.values()):
        raise WrongUse(
            f"RESTOCK_UNKNOWN_ITEMS={wanted.unknown_items} cannot be applied, since with {ASK} all spellings of a name "
            "lie in one partition from a ledger's beginning on: set it back, or begin another ledger with another "
            "RESTOCK_TOPIC_PREFIX"
        )
    differing = [partition for partition, found in stated.items() if found != wanted]
    write(settings, {partition: SettingsChanged(wanted) for partition in differing})
    return len(differing)


def differing_settings(stated: FoldSettings, wanted: FoldSettings) -> Iterable[str]:
    """The fields in which two settings differ."""
    return [name for name in FoldSettings.__struct_fields__ if getattr(stated, name) != getattr(wanted, name)]


def write(settings: Settings, records: Mapping[int, Record]) -> None:
    """Append one record to each of these ledger partitions, acknowledged by the broker."""
    producer = Producer(client_config(settings, acks="all", enable_idempotence="true", message_timeout_ms=30_000))
    failures: list[str] = []
    for partition, record in records.items():
        producer.produce(
            settings.topic("ledger"),
            encode_record(record),
            partition=partition,
            on_delivery=lambda error, _: failures.append(str(error)) if error else None,
        )
    left = producer.flush(REACH_SECONDS * 4)
    if failures or left:
        raise Unreachable(
            f"{settings.topic('ledger')}: {len(failures) + left} of {len(records)} records were not acknowledged "
            f"({failures[0] if failures else 'no answer'}): run the command again"
        )


def ledger_id(settings: Settings) -> str:
    """The topic id of the ledger: a topic that was made anew under the same name has another."""
    client, _ = reach(settings)
    name = settings.topic("ledger")
    with answering(settings):
        found = find(client, [name]).get(name)
    if found is None:
        raise WrongUse(f"{name} does not exist: run `restock topics create`")
    return found.id


def _statement(message: Message) -> LedgerCreated | SettingsChanged | Ticked | None:
    value = message.value() or b""
    if value[1:3] == b"\xa1m":  # a movement, as most are: its tag is the first of its fields
        return None
    try:
        record = decode_record(value)
    except msgspec.MsgspecError:  # it parks the shard that has to fold it, and must not keep the others from starting
        return None
    return record if isinstance(record, LedgerCreated | SettingsChanged | Ticked) else None


def working(settings: Settings) -> int:
    """How many workers this application has; a worker that stopped answering counts until its session ends."""
    client, _ = reach(settings)
    with answering(settings):
        groups = client.describe_consumer_groups([settings.app], request_timeout=REACH_SECONDS)
        return len(groups[settings.app].result().members)


def unread(settings: Settings) -> dict[tuple[str, int], int]:
    """By topic and partition that workers have read from: how many records they have not read yet."""
    client, _ = reach(settings)
    group = ConsumerGroupTopicPartitions(settings.app)
    with answering(settings):
        read = client.list_consumer_group_offsets([group], request_timeout=REACH_SECONDS)[settings.app].result()
    places = {(at.topic, at.partition): at.offset for at in read.topic_partitions or () if at.offset >= 0}
    with TopicReader(settings) as reader:
        ends = {topic: reader.bounds(topic) for topic in {topic for topic, _ in places}}
    found = {place: ends[place[0]].get(place[1], (0, 0))[1] - offset for place, offset in places.items()}
    return {place: max(0, count) for place, count in found.items()}


def _check_nobody_works(settings: Settings) -> None:
    """Refuse while a worker runs: it would go on to state its old settings with every tick."""
    members = working(settings)
    if members:
        raise AnswerIsNo(f"{members} workers of {settings.app} are running: stop them, apply, and start them anew")
