"""Where partitions end, as the broker says it: also after it was away, or nobody answers."""

import asyncio
from collections.abc import Sequence
from concurrent.futures import Future
from unittest.mock import Mock

import pytest
from confluent_kafka import OFFSET_INVALID, KafkaError, KafkaException, TopicPartition
from faust.types import TP

from stream.faults import BrokerDown
from stream.kafka import partition_ends
from stream.kafka.clients import client_config
from stream.kafka.partition_ends import ANSWER_SECONDS, PartitionEnds
from stream.local import LocalServers
from stream.observability.server_errors import kind_of
from stream.settings import Settings
from tests.fakes.faust_worker import BrokerHand
from tests.fakes.standing_still import standing_still


@pytest.fixture
def settings(kafka: str, topic_prefix: str) -> Settings:
    return Settings(kafka=kafka, topic_prefix=topic_prefix)


@pytest.fixture
def hand(settings: Settings) -> BrokerHand:
    return BrokerHand(settings)


async def test_ends_are_those_of_the_broker_and_a_topic_that_is_not_there_has_none(
    hand: BrokerHand, settings: Settings
) -> None:
    topic = hand.create("notes", 2)
    asked = PartitionEnds(client_config(settings))
    with hand.producer() as producer:
        producer.produce(topic, b"one", partition=1)
    places = [TP(topic, 0), TP(topic, 1), TP(settings.topic("nowhere"), 0)]
    assert await asked.of(places) == {TP(topic, 0): 0, TP(topic, 1): 1}


async def test_a_broker_that_came_back_answers_whoever_leads_now(
    hand: BrokerHand, settings: Settings, servers: LocalServers
) -> None:
    places = [TP(hand.create("notes", 1), 0)]
    asked_before, asked = PartitionEnds(client_config(settings)), PartitionEnds(client_config(settings))
    assert await asked_before.of(places) == await asked.of(places) == {places[0]: 0}
    servers.kafka_process.stop()
    try:
        with pytest.raises(BrokerDown) as away:
            await asked.of(places)
        assert kind_of(away.value) in {"timeout", "unreachable"}, repr(away.value.__cause__)
    finally:
        servers.kafka_process.start()
    await until_led(asked, places)
    assert await asked_before.of(places) == {places[0]: 0}, "its client knows the last leader only"


async def test_a_broker_that_stands_still_is_not_waited_for_long(
    hand: BrokerHand, settings: Settings, servers: LocalServers
) -> None:
    places = [TP(hand.create("notes", 1), 0)]
    asked = PartitionEnds(client_config(settings))
    assert await asked.of(places) == {places[0]: 0}
    with standing_still(servers.kafka_process.pid):
        async with asyncio.timeout(3 * ANSWER_SECONDS):
            with pytest.raises(BrokerDown) as silent:
                await asked.of(places)
        assert kind_of(silent.value) == "timeout", repr(silent.value.__cause__)
    await until_led(asked, places)


async def test_a_broker_that_is_silent_when_it_is_asked_again_is_told_in_words(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = PartitionEnds(client_config(settings))
    led_by_another = KafkaException(KafkaError(KafkaError.NOT_LEADER_FOR_PARTITION))
    monkeypatch.setattr(asked, "_ask", Mock(side_effect=[led_by_another, TimeoutError()]))
    with pytest.raises(BrokerDown, match="no answer"):
        await asked.of([TP("orders", 0)])


async def test_a_client_that_answers_with_no_offset_has_heard_nothing(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    nothing: Future[Mock] = Future()
    nothing.set_result(Mock(offset=OFFSET_INVALID))
    client = Mock(list_offsets=Mock(return_value={TopicPartition("orders", 0): nothing}))
    monkeypatch.setattr(partition_ends, "AdminClient", Mock(return_value=client))
    with pytest.raises(BrokerDown, match="no answer"):
        await PartitionEnds(client_config(settings)).of([TP("orders", 0)])


async def until_led(asked: PartitionEnds, places: Sequence[TP]) -> None:
    """Wait until partitions have leaders, which takes a moment after their broker has begun to answer."""
    async with asyncio.timeout(30):
        while True:
            try:
                await asked.of(places)
            except BrokerDown:
                continue
            return
