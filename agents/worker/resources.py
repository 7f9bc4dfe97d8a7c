"""The clients and threads of one application, made from its settings for workers and commands."""

import asyncio
import contextlib
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from itertools import product

from agents.core.core import Core
from agents.core.counters import Counters, ErrorSums
from agents.forecasting.registry import FORECASTERS
from agents.policies.guardrails import REASONS
from agents.policies.registry import POLICIES
from agents.worker.feed_names import FeedNames
from agents.worker.output_encoder import OutputEncoder
from schemas.topics import TOPICS
from stream.checkpoint.redis_client import async_client_of
from stream.checkpoint.store import RedisStore
from stream.errors import WrongUse
from stream.kafka.clients import admin, compression, producer_config, reader_config, record_bytes
from stream.kafka.journal import KafkaJournal
from stream.kafka.ledger import KafkaLedger
from stream.kafka.ledger_state import LedgerState, ledger_state
from stream.kafka.publisher import KafkaPublisher
from stream.kafka.topics import find
from stream.observability.core_metrics import CLASSES
from stream.observability.instruments import NO_SHARD, Instruments
from stream.settings import Settings
from stream.shard.dependencies import Ports

SOURCES = tuple(topic.name for topic in TOPICS.values() if topic.role == "source")
OUTPUTS = tuple(topic.name for topic in TOPICS.values() if topic.role in {"output", "dead_letters"})
TRACES_SECONDS = 3.0
"""How long a worker that ends waits for the collector of its traces."""


class Resources:
    """Store, ledger, journal, publishers and feeds of one application; closed together."""

    def __init__(
        self,
        settings: Settings,
        state: LedgerState | None = None,
        instruments: Instruments | None = None,
        close_traces: Callable[[], None] = lambda: None,
    ) -> None:
        self.settings = settings
        self.state = state or ledger_state(settings)
        self.instruments = instruments or Instruments()
        self.instruments.count_on(NO_SHARD, zeros())
        self._close_traces = close_traces
        self.threads = ThreadPoolExecutor(max_workers=self.state.partitions + 8, thread_name_prefix="kafka")
        self.store = RedisStore(async_client_of(settings), settings.app)
        reader = reader_config(settings)
        self.ledger = KafkaLedger(reader, settings.topic("ledger"), self.threads)
        self.journal = KafkaJournal(reader, settings.topic("journal"), self.threads)
        self.feeds = FeedNames(reader, [settings.topic(source) for source in SOURCES], self.threads)

    def ports(self) -> Ports:
        """The ports of this application's shards."""
        settings = self.settings
        config = producer_config(settings, message_timeout_ms=30_000, linger_ms=0, retry_backoff_ms=2)
        config |= compression(settings)
        encode = OutputEncoder(self._output_topics(), record_bytes(settings), self.feeds.place, self.instruments.counts)

        def publisher(shard: int) -> KafkaPublisher:
            journal = (settings.topic("journal"), shard)
            return KafkaPublisher(config, f"{settings.app}-{shard}", encode, journal, self.threads)

        return Ports(
            core=self._make_core,
            store=self.store,
            publisher=publisher,
            journal=self.journal,
            ledger=self.ledger,
            instruments=self.instruments,
        )

    async def close(self) -> None:
        """Close connections and threads."""
        with contextlib.suppress(TimeoutError):  # the collector may be away, and nothing depends on it
            await asyncio.wait_for(asyncio.to_thread(self._close_traces), TRACES_SECONDS)
        await self.store.close()
        self.threads.shutdown(wait=False, cancel_futures=True)

    def _make_core(self, shard: int) -> Core:
        core = Core(shard, self.state.ledger)
        self.instruments.count_on(shard, core.counters)
        return core

    def _output_topics(self) -> dict[str, tuple[str, int]]:
        names = {logical: self.settings.topic(logical) for logical in OUTPUTS}
        found = find(admin(self.settings), list(names.values()))
        return {logical: (name, found[name].partitions) for logical, name in names.items()}


def zeros() -> Counters:
    """Counters with a 0 under every label there can be: `increase()` would miss the first event of a new label."""
    counters = Counters()
    for policy, kind in product(POLICIES, ("requested", "proposed")):
        counters.decisions[policy, kind] = counters.units[policy, kind] = 0
    counters.clamps.update(dict.fromkeys(REASONS, 0))
    counters.failures.update(dict.fromkeys((*FORECASTERS, *POLICIES), 0))
    for by_class in (counters.demand, counters.unserved):
        by_class.update(dict.fromkeys(CLASSES, 0))
    counters.errors.update(dict.fromkeys(CLASSES, ErrorSums()))
    counters.costs.update(dict.fromkeys(product(CLASSES, ("champion", "baseline", *POLICIES)), 0.0))
    return counters


def chosen(shard: int | None, partitions: int) -> Sequence[int]:
    """The shards that a command shall look at: one, or all."""
    if shard is not None and not 0 <= shard < partitions:
        raise WrongUse(f"--shard {shard} does not exist: there are {partitions}, numbered from 0")
    return range(partitions) if shard is None else [shard]
