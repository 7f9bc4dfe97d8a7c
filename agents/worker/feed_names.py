"""Names source feeds as the ledger does: by topic id and partition, so that a topic made anew is another feed."""

import time
from collections.abc import Mapping, Sequence
from concurrent.futures import Executor
from typing import Any

from confluent_kafka import KafkaException
from faust.types import TP

from stream.faults import BrokerDown
from stream.kafka.ledger import identify
from stream.retry import until_answered
from stream.threads import in_thread

GOOD_SECONDS = 1.0
"""How long a list of the feeds may be used: ticks can come far more often than topics are made anew."""


class FeedNames:
    """The feeds of these topics, as the broker names them."""

    def __init__(self, config: Mapping[str, Any], topics: Sequence[str], threads: Executor) -> None:
        self._config = config
        self._topics = topics
        self._threads = threads
        self._ids: dict[str, str] = {}
        """Topic ids by the names of topics."""
        self._every: Sequence[str] = ()
        self._asked_at = -GOOD_SECONDS

    async def every(self) -> Sequence[str]:
        """Every feed there is; the broker is asked only now and then, and waited for."""
        if time.monotonic() - self._asked_at >= GOOD_SECONDS:
            await until_answered(self._ask)
        return self._every

    async def of(self, tp: TP) -> str:
        """The name of one feed as it is now; BrokerDown when nobody answers."""
        await self._ask()
        return f"{self._ids[tp.topic]}/{tp.partition}"

    def place(self, feed: str) -> tuple[str, int]:
        """Topic and partition of a feed: the topic's name, or only its id if the topic is another one today."""
        topic_id, _, partition = feed.rpartition("/")
        names = (topic for topic, known in self._ids.items() if known == topic_id)
        return next(names, topic_id), int(partition)

    async def _ask(self) -> None:
        try:
            found = await in_thread(self._threads, identify, self._config, *self._topics)
        except KafkaException as error:
            raise BrokerDown(error.args[0].str()) from error
        self._ids |= {topic: topic_id for topic, (topic_id, _) in zip(self._topics, found, strict=True)}
        self._every = [f"{topic_id}/{number}" for topic_id, partitions in found for number in range(partitions)]
        self._asked_at = time.monotonic()
