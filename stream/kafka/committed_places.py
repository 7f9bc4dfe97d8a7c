"""Keeps places in topics as consumer groups commit them, for one process at a time, whole or not at all.

A place is an offset and a line of text (Kafka's metadata of a commit). Commits go through a transactional producer that
sends no records: a commit of many partitions is one, and who opens the same transactional id later fences the earlier,
whose next commit raises Fenced.
"""

import time
from collections.abc import Iterable, Mapping
from queue import Empty, SimpleQueue
from threading import Thread
from types import TracebackType
from typing import Any, Self, TypeAlias

from confluent_kafka import Consumer, ConsumerGroupTopicPartitions, KafkaError, KafkaException, Producer, TopicPartition

from stream.faults import BrokerDown, Fenced
from stream.kafka.clients import REACH_SECONDS, answering, producer_config, reach, reader_config
from stream.kafka.publisher import ANSWER_SECONDS, FENCED
from stream.settings import Settings

PATIENCE_SECONDS = 2 * ANSWER_SECONDS
_WITHOUT_COORDINATOR = (
    KafkaError.NOT_COORDINATOR,
    KafkaError.COORDINATOR_NOT_AVAILABLE,
    KafkaError.COORDINATOR_LOAD_IN_PROGRESS,
    KafkaError.UNSTABLE_OFFSET_COMMIT,
)
Place: TypeAlias = tuple[int, str]
"""An offset and a line."""


def look(settings: Settings, group: str) -> dict[tuple[str, int], Place]:
    """What a group has committed; nobody is fenced by looking."""
    client, _ = reach(settings)
    asked = ConsumerGroupTopicPartitions(group)
    with answering(settings):
        found = client.list_consumer_group_offsets([asked], request_timeout=REACH_SECONDS)[group].result()
    return {
        (place.topic, place.partition): (place.offset, place.metadata or "")
        for place in found.topic_partitions or ()
        if place.offset >= 0
    }


class CommittedPlaces:
    """The places of some consumer groups."""

    def __init__(self, settings: Settings, transactional_id: str) -> None:
        reach(settings)
        self._settings = settings
        self._consumers: dict[str, Consumer] = {}
        self._producer = Producer(producer_config(settings) | {"transactional.id": transactional_id})
        with answering(settings):
            self._producer.init_transactions(ANSWER_SECONDS)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for consumer in self._consumers.values():
            consumer.close()

    def read(self, group: str, partitions: Iterable[tuple[str, int]]) -> dict[tuple[str, int], Place]:
        """What a group has committed of these partitions; those of which it has nothing are left out."""
        wanted = [TopicPartition(topic, partition) for topic, partition in partitions]
        found = self._committed(group, wanted) if wanted else []
        return {
            (place.topic, place.partition): (place.offset, place.metadata or "") for place in found if place.offset >= 0
        }

    def commit(self, group: str, places: Mapping[tuple[str, int], Place]) -> None:
        """Commit all of them or none; Fenced when another process has taken over, BrokerDown when that is unclear."""
        offsets = [
            TopicPartition(topic, partition, offset, line) for (topic, partition), (offset, line) in places.items()
        ]
        ended: SimpleQueue[KafkaException | None] = SimpleQueue()
        Thread(target=self._commit, args=(offsets, self._consumer(group), ended), daemon=True).start()
        try:
            error = ended.get(timeout=PATIENCE_SECONDS)
        except Empty:
            raise BrokerDown("Kafka does not answer a commit") from None
        if error is not None:
            cause: Any = error.args[0]
            raise (Fenced if cause.code() in FENCED else BrokerDown)(cause.str()) from error

    def _commit(
        self, offsets: list[TopicPartition], consumer: Consumer, ended: "SimpleQueue[KafkaException | None]"
    ) -> None:
        """In a thread: of a broker that was restarted meanwhile the client may never return, whatever its time-out."""
        try:
            self._producer.begin_transaction()
            self._producer.send_offsets_to_transaction(offsets, consumer.consumer_group_metadata(), ANSWER_SECONDS)
            self._producer.commit_transaction(ANSWER_SECONDS)
        except KafkaException as error:
            ended.put(error)
        else:
            ended.put(None)

    def _committed(self, group: str, wanted: list[TopicPartition]) -> list[TopicPartition]:
        """Ask again while a broker that has just started has no coordinator for the group."""
        deadline = time.monotonic() + ANSWER_SECONDS
        while True:
            try:
                return self._consumer(group).committed(wanted, ANSWER_SECONDS)
            except KafkaException as error:
                if error.args[0].code() not in _WITHOUT_COORDINATOR or time.monotonic() > deadline:
                    raise BrokerDown(error.args[0].str()) from error
                time.sleep(0.05)

    def _consumer(self, group: str) -> Consumer:
        """A member of no group: it only names one."""
        if group not in self._consumers:
            self._consumers[group] = Consumer(reader_config(self._settings) | {"group.id": group})
        return self._consumers[group]
