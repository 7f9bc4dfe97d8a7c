"""What taking a shard needs, put together from the settings: for workers, and for commands that look at shards."""

import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from itertools import product

from confluent_kafka import KafkaException

from agents.core.core import Core
from agents.core.counters import Counters, ErrorSums
from agents.forecasting.registry import FORECASTERS
from agents.policies.guardrails import REASONS
from agents.policies.registry import POLICIES
from agents.worker.output_encoder import OutputEncoder
from schemas.topics import TOPICS
from stream.checkpoint.redis_client import async_client_of
from stream.checkpoint.store import RedisStore
from stream.errors import WrongUse
from stream.faults import BrokerDown
from stream.kafka.clients import admin, compression, producer_config, reader_config, record_bytes
from stream.kafka.journal import KafkaJournal
from stream.kafka.ledger import KafkaLedger, identify
from stream.kafka.ledger_state import LedgerState, ledger_state
from stream.kafka.publisher import KafkaPublisher
from stream.kafka.topics import find
from stream.observability.instruments import NO_SHARD, Instruments
from stream.observability.metrics import CLASSES
from stream.settings import Settings
from stream.shard.dependencies import Ports

SOURCES = tuple(topic.name for topic in TOPICS.values() if topic.role == "source")
OUTPUTS = tuple(topic.name for topic in TOPICS.values() if topic.role in {"output", "dead_letters"})
FEEDS_GOOD_SECONDS = 1.0
"""How long a list of the feeds may be used: ticks can come far more often than topics are made anew."""


class Resources:
    """Store, ledger, journal and publishers of one application."""

    def __init__(self, settings: Settings, state: LedgerState | None = None) -> None:
        self.settings = settings
        self.state = state or ledger_state(settings)
        self.instruments = Instruments()
        self.instruments.count_on(NO_SHARD, _nothing())
        self.threads = ThreadPoolExecutor(max_workers=self.state.partitions + 8, thread_name_prefix="kafka")
        self.store = RedisStore(async_client_of(settings), settings.app)
        reader = reader_config(settings)
        self.ledger = KafkaLedger(reader, settings.topic("ledger"), self.threads)
        self.journal = KafkaJournal(reader, settings.topic("journal"), self.threads)
        self._feeds: dict[str, str] = {}
        self._every_feed: list[str] = []
        self._named_at = -FEEDS_GOOD_SECONDS

    def ports(self) -> Ports:
        """What a shard leans on."""
        settings = self.settings
        config = producer_config(settings, message_timeout_ms=30_000, linger_ms=0, retry_backoff_ms=2)
        config |= compression(settings)
        encode = OutputEncoder(self._output_topics(), record_bytes(settings), self.place_of_feed)

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

    def name_feeds(self) -> list[str]:
        """Every feed there is, by topic id and partition; BrokerDown when nobody answers."""
        topics = [self.settings.topic(source) for source in SOURCES]
        try:
            found = identify(reader_config(self.settings), *topics)
        except KafkaException as error:
            raise BrokerDown(error.args[0].str()) from error
        self._feeds |= {topic: topic_id for topic, (topic_id, _) in zip(topics, found, strict=True)}
        self._every_feed = [f"{topic_id}/{number}" for topic_id, partitions in found for number in range(partitions)]
        self._named_at = time.monotonic()
        return self._every_feed

    def every_feed(self) -> list[str]:
        """The same, asked of the broker only now and then."""
        good = time.monotonic() - self._named_at < FEEDS_GOOD_SECONDS
        return self._every_feed if good else self.name_feeds()

    def name_of_feed(self, topic: str, partition: int) -> str:
        """A feed's name in the ledger: a topic made anew under the same name is another feed."""
        self.name_feeds()
        return f"{self._feeds[topic]}/{partition}"

    def place_of_feed(self, feed: str) -> tuple[str, int]:
        """The topic by its name, where it is still the one the feed was of, and the partition."""
        topic_id, _, partition = feed.rpartition("/")
        names = (topic for topic, known in self._feeds.items() if known == topic_id)
        return next(names, topic_id), int(partition)

    async def close(self) -> None:
        """Let go of connections and threads."""
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


def _nothing() -> Counters:
    """A 0 for everything that can be counted: `increase()` would miss the first of what was not there before."""
    counters = Counters()
    for policy, kind in product(POLICIES, ("requested", "proposed")):
        counters.decisions[policy, kind] = counters.units[policy, kind] = 0
    counters.clamps.update(dict.fromkeys(REASONS, 0))
    counters.failures.update(dict.fromkeys((*FORECASTERS, *POLICIES), 0))
    for counter in (counters.demand, counters.unserved):
        counter.update(dict.fromkeys(CLASSES, 0))
    counters.errors.update(dict.fromkeys(CLASSES, ErrorSums()))
    counters.costs.update(dict.fromkeys(product(CLASSES, ("champion", "baseline", *POLICIES)), 0.0))
    return counters


def chosen(shard: int | None, partitions: int) -> Sequence[int]:
    """The shards a command is asked to look at."""
    if shard is not None and not 0 <= shard < partitions:
        raise WrongUse(f"--shard {shard} does not exist: there are {partitions}, numbered from 0")
    return range(partitions) if shard is None else [shard]
