"""What the worker publishes, read as warehouses and planners read it: committed records only, each once."""

import time
from collections.abc import Iterator
from types import TracebackType
from typing import Self, TypeAlias

import msgspec
from confluent_kafka import Consumer, TopicPartition

from agents.demo.planner import Proposal
from agents.demo.warehouse import Request
from schemas.outbound import AlertState, Period, Position, Severity
from stream.errors import Unreachable
from stream.kafka.clients import reader_config
from stream.settings import Settings

TOPICS = ("replenishments", "alerts", "reviews")
SILENCE_SECONDS = 60.0
BATCH = 5_000


class Alert(msgspec.Struct, frozen=True):
    """As much of a stock alert as the picture needs."""

    kind: str
    state: AlertState
    episode: str
    severity: Severity


class Expected(msgspec.Struct, frozen=True):
    """What had been forecast of a period."""

    mean: float


class Costs(msgspec.Struct, frozen=True):
    """The cost ledger of an item."""

    champion: str
    baseline: str
    challengers: dict[str, str]


class ReviewData(msgspec.Struct, frozen=True):
    """As much of a review as the demo compares and shows."""

    sku: str
    location: str
    period: Period
    demand: int
    forecast: Expected
    cost: Costs
    position: Position
    policy: str | None = None
    late_demand: int = 0


class ReplenishmentRead(msgspec.Struct, frozen=True, tag_field="type", tag="replenishment.requested"):
    """A request, in its envelope."""

    data: Request


class ProposalRead(msgspec.Struct, frozen=True, tag_field="type", tag="replenishment.proposed"):
    """A proposal, in its envelope."""

    data: Proposal


class AlertRead(msgspec.Struct, frozen=True, tag_field="type", tag="stock.alert"):
    """An alert, in its envelope."""

    data: Alert


class ReviewRead(msgspec.Struct, frozen=True, tag_field="type", tag="item.reviewed"):
    """A review, in its envelope."""

    data: ReviewData


PublishedOutput: TypeAlias = ReplenishmentRead | ProposalRead | AlertRead | ReviewRead
_decode = msgspec.json.Decoder(PublishedOutput).decode


class Inbox:
    """Everything published, from the beginning."""

    def __init__(self, settings: Settings) -> None:
        # A broker without new records may keep us waiting: it answers at once when something is committed.
        self._consumer = Consumer(reader_config(settings, fetch_wait_max_ms=500, enable_partition_eof=False))
        self._consumer.assign(
            [TopicPartition(settings.topic(name), p, 0) for name in TOPICS for p in range(settings.partitions)]
        )

    def __enter__(self) -> Self:
        """Read from the start of every partition."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Leave."""
        self._consumer.close()

    def read(self, seconds: float = SILENCE_SECONDS) -> Iterator[PublishedOutput]:
        """Wait for outputs, and hand out what is there by then."""
        silent_at = time.monotonic() + seconds
        while time.monotonic() < silent_at:
            # The client waits for a full batch as long as it may: first for one record, then for what is there.
            messages = self._consumer.consume(1, timeout=0.5)
            messages += self._consumer.consume(BATCH, timeout=0.002) if messages else []
            found = [_decode(message.value() or b"") for message in messages if message.error() is None]
            if found:
                yield from found
                return
        raise Unreachable(f"the worker has published nothing for {seconds:.0f} s: see its log")
