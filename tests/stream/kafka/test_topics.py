"""Topics, ledger and preconditions against a real broker: made once, compared, begun, and refused where they differ."""

from collections.abc import Mapping
from typing import Any

import msgspec
import pytest
import redis
from confluent_kafka import Producer, TopicPartition
from confluent_kafka.admin import AdminClient, AlterConfigOpType, ConfigEntry, ConfigResource, NewTopic, ResourceType

from schemas.ledger import (
    FoldSettings,
    LedgerCreated,
    Movement,
    Placed,
    SettingsChanged,
    Ticked,
    decode_record,
    encode_record,
)
from stream.errors import Unreachable, WrongUse
from stream.kafka import ledger_state, topic_check, topics
from stream.kafka.topic_reader import TopicReader
from stream.preconditions import verify
from stream.settings import Settings


@pytest.fixture
def settings(kafka: str, redis_url: str, app: str, topic_prefix: str) -> Settings:
    return Settings(kafka=kafka, redis=redis_url, app=app, topic_prefix=topic_prefix, partitions=3)


@pytest.fixture
def begun(settings: Settings) -> Settings:
    topics.create(settings)
    ledger_state.begin(settings)
    return settings


def changed(settings: Settings, **changes: Any) -> Settings:
    return msgspec.structs.replace(settings, **changes)


def records(settings: Settings, topic: str = "ledger") -> list[tuple[int, bytes]]:
    name = settings.topic(topic)
    with TopicReader(settings) as reader:
        return [(m.partition() or 0, m.value() or b"") for m in reader.read(name, reader.bounds(name))]


def set_config(settings: Settings, topic: str, what: str, value: str) -> None:
    resource = ConfigResource(ResourceType.TOPIC, settings.topic(topic))
    resource.add_incremental_config(ConfigEntry(what, value, incremental_operation=AlterConfigOpType.SET))
    admin = AdminClient({"bootstrap.servers": settings.kafka})
    for future in admin.incremental_alter_configs([resource]).values():
        future.result()


# Creating and checking ----------------------------------------------------------------------------------------------


def test_what_is_missing_is_made_and_then_nothing_differs(settings: Settings) -> None:
    assert {difference.found for difference in topic_check.check(settings)} == {"missing"}
    assert len(topics.create(settings)) == 9
    assert topic_check.check(settings) == []
    assert topics.create(settings) == []


def test_one_broker_relaxes_replication_unless_it_is_set() -> None:
    planned = topics.plan(Settings(), brokers=1)
    assert {(topic.replication, topic.config["min.insync.replicas"]) for topic in planned} == {(1, "1")}
    assert {topic.replication for topic in topics.plan(Settings(replication=2), brokers=1)} == {2}
    planned = topics.plan(Settings(), brokers=5)
    assert {(topic.replication, topic.config["min.insync.replicas"]) for topic in planned} == {(3, "2")}


def test_more_replicas_than_brokers_are_refused_with_the_setting(settings: Settings) -> None:
    with pytest.raises(WrongUse, match="RESTOCK_REPLICATION=3 is more than there are brokers"):
        topics.create(changed(settings, replication=3))


@pytest.mark.parametrize(
    "topic, what, value, grave",
    [
        ("ledger", "cleanup.policy", "compact", True),
        ("catalog", "cleanup.policy", "compact", True),
        ("journal", "message.timestamp.type", "CreateTime", True),
        ("orders", "message.timestamp.type", "CreateTime", False),
        ("journal", "retention.ms", "604800000", True),
        ("ledger", "retention.bytes", "1000000", True),
        ("replenishments", "max.message.bytes", "1000", True),
        ("orders", "max.message.bytes", "9000000", False),
    ],
)
def test_a_changed_configuration_is_found_and_can_be_repaired(
    begun: Settings,
    topic: str,
    what: str,
    value: str,
    grave: bool,  # noqa: FBT001
) -> None:
    set_config(begun, topic, what, value)
    (difference,) = topic_check.check(begun)
    assert (difference.topic, difference.what, difference.found) == (begun.topic(topic), what, value)
    assert difference.grave == grave
    if grave:
        with pytest.raises(
            WrongUse, match=rf"{topic}: {what} is {value}, not .*: run `restock topics create --repair`"
        ):
            verify(begun)
    else:
        verify(begun)
    assert topic_check.repair(begun) == [difference]
    assert topic_check.check(begun) == []


def test_configuration_that_its_users_may_choose_is_no_difference(begun: Settings) -> None:
    set_config(begun, "replenishments", "retention.ms", "3600000")
    set_config(begun, "ledger", "retention.ms", "-1")
    set_config(begun, "reviews", "max.message.bytes", "20000000")
    assert topic_check.check(begun) == []


def test_a_source_may_have_other_partitions_and_the_ledger_may_not(settings: Settings) -> None:
    admin = AdminClient({"bootstrap.servers": settings.kafka})
    made = admin.create_topics(
        [NewTopic(settings.topic("orders"), 5, 1, config={"message.timestamp.type": "LogAppendTime"})]
    )
    for future in made.values():
        future.result()
    topics.create(settings)
    assert topic_check.check(settings) == []
    differences = topic_check.check(changed(settings, partitions=4))
    assert {(d.topic.removeprefix(settings.topic_prefix), d.what, d.found, d.wanted) for d in differences} == {
        ("ledger", "partitions", "3", "4"),
        ("journal", "partitions", "3", "4"),
    }


# The ledger's own account ---------------------------------------------------------------------------------------------


def test_the_first_record_of_every_partition_says_whose_ledger_it_is(begun: Settings) -> None:
    first = [decode_record(value) for _, value in sorted(records(begun))]
    state = ledger_state.ledger_state(begun)
    assert first == [LedgerCreated(state.ledger, begun.app, p, 3, FoldSettings()) for p in range(3)]
    assert 4 <= len(state.ledger) <= 6
    assert state.ledger.isalnum()
    assert state.ledger == state.ledger.lower()
    assert (state.app, state.partitions, state.settings) == (begun.app, 3, FoldSettings())


def test_beginning_again_changes_nothing_and_repairs_a_crash_in_the_middle(settings: Settings) -> None:
    topics.create(settings)
    topic = settings.topic("ledger")
    found_topic = topics.find(AdminClient({"bootstrap.servers": settings.kafka}), [topic])[topic]
    name = ledger_state.ledger_name(found_topic.id)
    ledger_state.write(settings, {1: LedgerCreated(name, settings.app, 1, 3, FoldSettings(period_ms=3_600_000))})
    assert ledger_state.begin(settings) == 2
    assert ledger_state.begin(settings) == 0
    found = [decode_record(value) for _, value in sorted(records(settings))]
    assert found == [LedgerCreated(name, settings.app, p, 3, FoldSettings(period_ms=3_600_000)) for p in range(3)]


def test_settings_are_found_behind_many_movements(begun: Settings) -> None:
    movement = encode_record(Movement("A@B", "feed", 1, 0, None, "shop", "1", 1, 1, 0, Placed(1)))
    tick = Ticked("intake", None, (), (), FoldSettings(lateness_ms=7))
    producer = Producer({"bootstrap.servers": begun.kafka, "log_level": 0})
    producer.produce(begun.topic("ledger"), encode_record(tick), partition=0)
    for _ in range(ledger_state.FIRST_STEP * 12):
        producer.produce(begun.topic("ledger"), movement, partition=0)
    assert producer.flush(30) == 0
    assert ledger_state.ledger_state(begun).settings == FoldSettings(lateness_ms=7)


def test_applying_writes_to_every_partition_that_differs(begun: Settings) -> None:
    other = changed(begun, lateness_ms=600_000)
    with pytest.raises(WrongUse, match=r"RESTOCK_LATENESS=10m is not what the ledger follows, 5m: .*settings apply"):
        verify(other)
    ledger_state.write(begun, {2: SettingsChanged(other.fold_settings())})
    with pytest.raises(WrongUse, match=r"RESTOCK_LATENESS=5m is not what the ledger follows, 10m.*partition 2"):
        verify(begun)
    assert ledger_state.apply(other) == 2
    assert ledger_state.apply(other) == 0
    assert verify(other).settings == other.fold_settings()
    assert sorted(partition for partition, _ in records(other)) == [0, 0, 1, 1, 2, 2]


def test_a_ledger_of_another_application_is_refused(begun: Settings) -> None:
    stranger = changed(begun, app="stranger")
    with pytest.raises(WrongUse, match=rf"RESTOCK_APP=stranger is not the owner of .*ledger, {begun.app} is"):
        verify(stranger)
    with pytest.raises(WrongUse, match=rf"RESTOCK_APP=stranger is not the owner of .*ledger, {begun.app} is"):
        ledger_state.begin(stranger)


def test_a_ledger_that_was_never_begun_is_refused(settings: Settings) -> None:
    topics.create(settings)
    with pytest.raises(WrongUse, match="never begun: run `restock topics create`"):
        verify(settings)


def test_a_topic_that_begins_otherwise_is_no_ledger(settings: Settings) -> None:
    topics.create(settings)
    append_garbage(settings)
    for refused in (verify, ledger_state.begin):
        with pytest.raises(WrongUse, match="ledger/0 begins with what is no ledger record"):
            refused(settings)


def test_a_strangers_record_in_the_ledger_keeps_no_worker_from_starting(begun: Settings) -> None:
    append_garbage(begun)
    assert verify(begun).partitions == 3


def test_a_ledger_that_was_deleted_to_its_end_is_refused(begun: Settings) -> None:
    delete(begun, {0: -1, 1: -1, 2: -1})
    with pytest.raises(WrongUse, match="every record that does was deleted: restore the topic, or begin anew"):
        verify(begun)


@pytest.mark.parametrize("left", [0, 1])
def test_where_deletion_left_no_statement_the_other_partitions_state_the_settings(begun: Settings, left: int) -> None:
    movement = encode_record(Movement("A@B", "feed", 1, 0, None, "shop", "1", 1, 1, 0, Placed(1)))
    producer = Producer({"bootstrap.servers": begun.kafka, "log_level": 0})
    producer.produce(begun.topic("ledger"), movement, partition=0)
    assert producer.flush(30) == 0
    before = verify(begun)
    delete(begun, {0: 2 - left})
    assert verify(begun) == before._replace(app=None)
    with pytest.raises(WrongUse, match=r"RESTOCK_LATENESS=10m is not what the ledger follows"):
        verify(changed(begun, lateness_ms=600_000))


def delete(settings: Settings, before: Mapping[int, int]) -> None:
    """Delete the records of ledger partitions before these offsets, as retention does; -1 is the end."""
    client = AdminClient({"bootstrap.servers": settings.kafka, "log_level": 0})
    places = [TopicPartition(settings.topic("ledger"), partition, offset) for partition, offset in before.items()]
    for deleted in client.delete_records(places).values():
        deleted.result(30)


def append_garbage(settings: Settings) -> None:
    producer = Producer({"bootstrap.servers": settings.kafka, "log_level": 0})
    producer.produce(settings.topic("ledger"), b"hello", partition=0)
    assert producer.flush(30) == 0


# Preconditions --------------------------------------------------------------------------------------------------------


def test_where_everything_is_right_verify_returns_what_the_ledger_states(begun: Settings) -> None:
    assert verify(begun).partitions == 3


@pytest.mark.parametrize(
    "key, value, message",
    [
        ("maxmemory-policy", "allkeys-lru", "maxmemory-policy is allkeys-lru and would evict state"),
        ("appendonly", "no", "appendonly is off"),
    ],
)
def test_a_forgetful_redis_is_refused(begun: Settings, key: str, value: str, message: str) -> None:
    with redis.Redis.from_url(begun.redis) as client:
        before = client.config_get(key)[key]
        client.config_set(key, value)
        try:
            with pytest.raises(WrongUse, match=message):
                verify(begun)
        finally:
            client.config_set(key, before)
    verify(begun)


def test_servers_that_do_not_answer_are_named(begun: Settings) -> None:
    with pytest.raises(Unreachable, match=r"RESTOCK_REDIS=redis://:\*\*\*@127.0.0.1:1/0 does not answer"):
        verify(changed(begun, redis="redis://:secret@127.0.0.1:1/0"))


def test_a_reader_sees_only_what_was_committed_and_ends_behind_markers(begun: Settings) -> None:
    topic = begun.topic("alerts")
    producer = Producer({"bootstrap.servers": begun.kafka, "transactional.id": begun.app, "log_level": 0})
    producer.init_transactions(30)
    for value, commit in ((b"aborted", False), (b"committed", True)):
        producer.begin_transaction()
        producer.produce(topic, value, partition=1)
        producer.flush(30)
        (producer.commit_transaction if commit else producer.abort_transaction)(30)
    with TopicReader(begun) as reader:
        assert [message.value() for message in reader.read(topic, reader.bounds(topic))] == [b"committed"]
        low, high = reader.bounds(topic)[1]
        assert (low, high) == (0, 4)
        found = reader.one(topic, 1, 2)
        assert found is not None
        assert found.value() == b"committed"
        assert reader.one(topic, 1, 3) is None
        assert reader.one(topic, 1, 99) is None
