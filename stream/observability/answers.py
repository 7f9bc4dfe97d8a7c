"""What Kafka and Redis have answered when they were last asked, as metrics and as a sentence."""

import time
from collections.abc import Iterator

from prometheus_client import CollectorRegistry
from prometheus_client.core import Metric
from prometheus_client.registry import Collector

from stream.observability.metric_families import counter, gauge
from stream.observability.server_errors import KINDS, broker_errors, store_errors


class Answer:
    """The last answer of one server."""

    def __init__(self, server: str) -> None:
        self.server = server
        self.up = False
        self.at = 0.0
        """When it last answered, in seconds since 1970; 0 for never."""
        self.why = "it has not been asked yet"
        """Why it is not up."""

    def came(self) -> None:
        """Note that it answered."""
        self.up, self.at, self.why = True, time.time(), ""

    def failed(self, why: str) -> None:
        """Note that it did not."""
        self.up, self.why = False, why


class Answers(Collector):
    """The last answers of both servers; exported from a worker's first moment on, before it has anything to do."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self.broker = Answer("Kafka")
        self.store = Answer("Redis")
        registry.register(self)

    @property
    def missing(self) -> str:
        """Which server does not answer, and why; an empty text when both do."""
        down = next((answer for answer in (self.broker, self.store) if not answer.up), None)
        return f"{down.server} does not answer: {down.why}" if down else ""

    def describe(self) -> Iterator[Metric]:
        """Describe what is collected: it does not depend on anything that is not there yet."""
        return self.collect()

    def collect(self) -> Iterator[Metric]:
        """Collect what is known now."""
        broker, store = self.broker, self.store
        yield gauge("restock_broker_up", "Whether Kafka answered this worker's last question.", broker.up)
        yield gauge("restock_store_up", "Whether Redis answered this worker's last question.", store.up)
        text = "When Kafka last answered: every lag is measured from the ends it named then; 0 for never."
        yield gauge("restock_broker_answered_timestamp_seconds", text, broker.at)
        yield gauge("restock_store_answered_timestamp_seconds", "When Redis last answered; 0 for never.", store.at)
        none = dict.fromkeys(KINDS, 0)
        yield counter("restock_broker_errors", "Failures of Kafka, by kind.", (("kind",), none | broker_errors))
        yield counter("restock_store_errors", "Failures of Redis, by kind.", (("kind",), none | store_errors))
