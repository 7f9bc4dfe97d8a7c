"""Asks the broker itself where partitions end: what a consumer fetched last says nothing once the broker is gone."""

import asyncio
from collections.abc import Collection, Mapping
from time import monotonic
from typing import Any

from confluent_kafka import IsolationLevel, KafkaError, KafkaException, TopicPartition
from confluent_kafka.admin import AdminClient, OffsetSpec
from faust.types import TP

from stream.faults import BrokerDown

ANSWER_SECONDS = 5.0
_LED_BY_ANOTHER = (
    KafkaError.FENCED_LEADER_EPOCH,
    KafkaError.UNKNOWN_LEADER_EPOCH,
    KafkaError.NOT_LEADER_FOR_PARTITION,
    KafkaError.LEADER_NOT_AVAILABLE,
    KafkaError._NOENT,  # noqa: SLF001 - it knows of no leader, since it has asked while there was none
)
_GONE = (KafkaError.UNKNOWN_TOPIC_OR_PART, KafkaError._UNKNOWN_TOPIC, KafkaError._UNKNOWN_PARTITION)  # noqa: SLF001


class PartitionEnds:
    """One connection for one kind of question."""

    def __init__(self, config: Mapping[str, Any]) -> None:
        # The client would wait much longer for a broker that stands still than it is told to.
        self._config = {**config, "socket.timeout.ms": int(ANSWER_SECONDS * 1000)}
        self._client: AdminClient | None = None

    async def of(self, partitions: Collection[TP]) -> dict[TP, int]:
        """The ends of what may be read of these partitions; raises BrokerDown when one of them does not answer.

        Partitions that are not there are left out.
        """
        # Not the threads of the work: in an outage all of them may be waiting.
        return await asyncio.to_thread(self._ask_twice, partitions)

    def _ask_twice(self, partitions: Collection[TP]) -> dict[TP, int]:
        """Ask again with a new client when the leaders have changed: it does not look for new ones by itself."""
        try:
            return self._ask(partitions)
        except (KafkaException, TimeoutError) as error:
            self._client = None
            if isinstance(error, TimeoutError) or error.args[0].code() not in _LED_BY_ANOTHER:
                raise _down(error) from error
        try:
            return self._ask(partitions)
        except (KafkaException, TimeoutError) as error:
            self._client = None
            raise _down(error) from error

    def _ask(self, partitions: Collection[TP]) -> dict[TP, int]:
        if self._client is None:
            self._client = AdminClient(self._config)
        latest = OffsetSpec.latest()  # type: ignore[no-untyped-call]
        questions = dict.fromkeys((TopicPartition(*tp) for tp in partitions), latest)
        answers = self._client.list_offsets(
            questions, isolation_level=IsolationLevel.READ_COMMITTED, request_timeout=ANSWER_SECONDS
        )
        ends, deadline = {}, monotonic() + ANSWER_SECONDS
        for place, answer in answers.items():
            try:
                end = answer.result(max(0.0, deadline - monotonic())).offset
            except KafkaException as error:
                if error.args[0].code() not in _GONE:
                    raise
                continue
            # So the client answers, now and then, for a broker that was silent until the time was up.
            if end < 0:
                raise TimeoutError
            ends[TP(place.topic, place.partition)] = end
        return ends


def _down(error: KafkaException | TimeoutError) -> BrokerDown:
    """The fault with a reason that can be read: a time-out has no text of its own."""
    return BrokerDown("no answer" if isinstance(error, TimeoutError) else error.args[0].str())
