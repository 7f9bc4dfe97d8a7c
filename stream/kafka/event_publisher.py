"""Publishes events to the sources as a shop does: in order, each acknowledged; a record that is given up is an error.

`publish`, `import` and `dead-letters redrive` send through it. A worker's own outputs do not.
"""

import time
from collections import Counter
from collections.abc import Callable, Sequence
from types import TracebackType
from typing import Self

from confluent_kafka import KafkaError, KafkaException, Message, Producer

from schemas.envelope import STRUCTURED_HEADERS
from schemas.inbound import Inbound
from schemas.quantities import item
from stream.errors import AnswerIsNo, Unreachable, WrongUse
from stream.kafka.clients import compression, producer_config, reach
from stream.kafka.topics import SOURCES
from stream.settings import Settings

SILENCE_SECONDS = 60.0
"""If nothing is acknowledged for so long, the broker is away."""


class EventPublisher:
    """An idempotent producer for the source topics."""

    def __init__(self, settings: Settings, silence_seconds: float = SILENCE_SECONDS) -> None:
        self.acknowledged: Counter[str] = Counter()
        """How many events the broker has acknowledged, by topic."""
        self._settings = settings
        self._silence_seconds = silence_seconds
        self._failure: KafkaError | None = None
        self._names = {topic: settings.topic(topic) for topic in SOURCES}
        self._logical = {name: topic for topic, name in self._names.items()}
        _, metadata = reach(settings)
        missing = sorted(name for name in self._names.values() if name not in metadata.topics)
        if missing:
            raise WrongUse(f"{missing[0]}: there is no such topic: run `restock topics create`")
        config = producer_config(settings, linger_ms=20, queue_buffering_max_messages=200_000)
        self._producer = Producer(config | compression(settings))

    def __enter__(self) -> Self:
        """The publisher itself; nothing is sent yet."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Wait for what is on its way, unless something went wrong already."""
        try:
            if error is None:
                self.flush()
        finally:
            self._producer.purge()
            self._producer.close()

    def send(
        self,
        topic: str,
        key: bytes | str | None,
        value: bytes | None,
        headers: Sequence[tuple[str, str | bytes | None]] = STRUCTURED_HEADERS,
    ) -> None:
        """Queue one event for a topic's logical name."""
        while True:
            try:
                self._producer.produce(
                    self._names[topic], value, key, headers=list(headers), on_delivery=self._delivered
                )
            except BufferError:
                self._wait(until_at_most=100_000)
            except KafkaException as error:
                raise self._refused(error.args[0]) from None
            else:
                self._serve(self._producer.poll, 0)
                return

    def flush(self) -> None:
        """Return once everything that was sent is acknowledged."""
        self._wait(until_at_most=0)

    def _delivered(self, error: KafkaError | None, message: Message) -> None:
        if error is None:
            self.acknowledged[self._logical[message.topic() or ""]] += 1
        else:
            self._failure = self._failure or error

    def _wait(self, until_at_most: int) -> None:
        left, heard = len(self._producer), time.monotonic()
        while left > until_at_most:
            if until_at_most == 0:
                self._serve(self._producer.flush, 0.5)
            else:
                self._serve(self._producer.poll, 0.1)
            now_left = len(self._producer)
            if now_left < left:
                left, heard = now_left, time.monotonic()
            elif time.monotonic() - heard > self._silence_seconds:
                raise Unreachable(
                    f"RESTOCK_KAFKA={self._settings.kafka} acknowledges nothing any more: "
                    f"{self.acknowledged.total():,} events are safe, {left:,} are not; run it again when it is back"
                )
        if self._failure is not None:
            raise self._refused(self._failure)

    def _serve(self, wait: Callable[[float], int], seconds: float) -> None:
        """Let the client report deliveries. It turns a Ctrl-C during such a report into a SystemError."""
        try:
            wait(seconds)
        except SystemError:
            raise KeyboardInterrupt from None

    def _refused(self, error: KafkaError) -> AnswerIsNo:
        return AnswerIsNo(f"the broker refuses events ({error.str()}): {self.acknowledged.total():,} were taken before")


def key_of(data: Inbound) -> str | None:
    """The key that keeps what belongs together in order: an order's id, else the item, else none.

    >>> from schemas.inbound import StockCounted, CalendarConfigured
    >>> key_of(CalendarConfigured(location="BER1", closed_days=())) is None
    True
    """
    order_id: str | None = getattr(data, "order_id", None)
    sku: str | None = getattr(data, "sku", None)
    location: str | None = getattr(data, "location", None) or getattr(data, "source", None)
    return order_id or (item(sku, location) if sku and location else None)
