"""Feeds on a real broker: where they begin, what they commit, and what they do when their topic does not stay."""

import asyncio
import json
import logging
import time
from collections import Counter
from collections.abc import AsyncIterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from confluent_kafka import Consumer as KafkaConsumer
from confluent_kafka import TopicPartition
from faust.types import TP

from agents.intake import agent as intake_agent
from agents.intake.intake import Intake
from agents.worker.faust_app import FaustApp
from schemas.codec import Limits
from schemas.contract.examples import example
from schemas.ledger import FoldSettings, Movement, decode_record
from stream.consumer.feeds import SourceFeed
from stream.consumer.readers import Readers
from stream.kafka import topics
from stream.kafka.clients import producer_config, reader_config
from stream.kafka.ledger import identify, read
from stream.kafka.ledger_writer import LedgerWriter
from stream.observability.instruments import Instruments
from stream.settings import Settings
from tests.fakes.faust_worker import BrokerHand, FaustWorker
from tests.fakes.waiting import until


@pytest.fixture
def settings(kafka: str, app: str, topic_prefix: str) -> Settings:
    made = Settings(kafka=kafka, app=app, topic_prefix=topic_prefix, partitions=1)
    topics.create(made)
    return made


class OrdersFeed:
    """A source, and workers that read it into the ledger."""

    def __init__(self, settings: Settings, threads: ThreadPoolExecutor) -> None:
        self.settings = settings
        self.orders = TP(settings.topic("orders"), 0)
        self.broker = BrokerHand(settings)
        self.threads = threads
        self.workers: list[FaustWorker] = []

    def publish(self, count: int, start: int = 0) -> None:
        with self.broker.producer() as producer:
            for n in range(start, start + count):
                value = json.dumps(example("order.placed") | {"id": f"e{n}"}).encode()
                producer.produce(self.orders.topic, value, partition=0)

    def recreate(self) -> None:
        self.broker.delete(self.orders.topic)
        topics.create(self.settings)

    def commit(self, offset: int, name: str = "") -> None:
        client = KafkaConsumer({"bootstrap.servers": self.settings.kafka, "group.id": self.settings.app})
        client.commit(offsets=[TopicPartition(*self.orders, offset, metadata=name)], asynchronous=False)
        client.close()

    def committed(self) -> int | None:
        return self.broker.committed(self.settings.app, *self.orders)

    async def open(self, writer: LedgerWriter | None = None) -> "IntakeWorker":
        worker = IntakeWorker(self, writer)
        self.workers.append(worker)
        await worker.start()
        return worker

    async def close(self, worker: "IntakeWorker") -> None:
        self.workers.remove(worker)
        await worker.stop()

    def written(self) -> list[tuple[str, int]]:
        """Feed and offset of the first movement of every order in the ledger, in their order there."""
        config = reader_config(self.settings)
        records = [decode_record(r.value) for r in read(config, self.settings.topic("ledger"), 0, 0, 10**9)]
        return [(r.feed, r.offset) for r in records if isinstance(r, Movement) and r.ordinal == 0]

    def feed_name(self) -> str:
        return f"{identify(reader_config(self.settings), self.orders.topic)[0][0]}/0"


class IntakeWorker(FaustWorker):
    """A worker that takes in orders."""

    def __init__(self, shop: OrdersFeed, writer: LedgerWriter | None) -> None:
        settings = shop.settings
        self.instruments = Instruments()
        self.intake = Intake(
            writer=writer or LedgerWriter(producer_config(settings), settings.topic("ledger"), shop.threads),
            instruments=self.instruments,
            logical=lambda topic: topic.removeprefix(settings.topic_prefix),
            dead_letters=settings.topic("dead-letters"),
            partitions=1,
            limits=Limits(),
        )

        async def name(tp: TP) -> str:
            [(topic_id, _)] = await asyncio.to_thread(identify, reader_config(settings), tp.topic)
            return f"{topic_id}/{tp.partition}"

        def make(tp: TP) -> SourceFeed:
            return SourceFeed(tp, name, self.consumer, self.instruments)

        def declare(app: FaustApp, names: Sequence[str], readers: Readers) -> None:
            intake_agent.declare(app, names, readers, self.intake)

        super().__init__(settings, settings.app, [shop.orders.topic], make, declare)

    @property
    def feed(self) -> SourceFeed | None:
        return next((reader for reader in self.readers.by_partition.values() if isinstance(reader, SourceFeed)), None)

    async def at(self, offset: int) -> SourceFeed:
        """The feed, once it stands there."""
        await until(lambda: self.feed is not None and self.feed.next == offset)
        assert self.feed is not None
        return self.feed

    async def stop(self) -> None:
        await super().stop()
        self.intake.close()


@pytest.fixture
async def shop(settings: Settings) -> AsyncIterator[OrdersFeed]:
    with ThreadPoolExecutor(8) as threads:
        made = OrdersFeed(settings, threads)
        yield made
        for worker in list(made.workers):
            await worker.stop()


async def test_a_worker_writes_what_it_reads_and_commits_what_is_acknowledged(shop: OrdersFeed) -> None:
    shop.publish(20)
    worker = await shop.open()
    feed = await worker.at(20)
    name = shop.feed_name()
    assert feed.name == name
    assert shop.written() == [(name, n) for n in range(20)]
    await until(lambda: feed.drained)
    await until(lambda: shop.committed() == 20)
    await shop.close(worker)
    shop.publish(5, start=20)
    await (await shop.open()).at(25)
    assert shop.written() == [(name, n) for n in range(25)]


async def test_nothing_is_committed_while_the_ledger_does_not_acknowledge(shop: OrdersFeed) -> None:
    class Slow(LedgerWriter):
        async def write(self, *arguments: Any) -> None:
            await go_on.wait()
            await super().write(*arguments)

    go_on = asyncio.Event()
    shop.publish(20)
    writer = Slow(producer_config(shop.settings), shop.settings.topic("ledger"), shop.threads)
    worker = await shop.open(writer)
    feed = await worker.at(0)
    await until(lambda: not feed.wanted or feed._on_its_way)
    await worker.consumer.commit()
    assert shop.committed() in {None, 0}
    assert not feed.drained
    go_on.set()
    await worker.at(20)
    await until(lambda: shop.committed() == 20)


async def test_expired_commits_mean_the_start_and_the_fold_drops_what_it_knows(shop: OrdersFeed) -> None:
    shop.publish(20)
    worker = await shop.open()
    await worker.at(20)
    await shop.close(worker)
    for future in shop.broker.admin.delete_consumer_groups([shop.settings.app]).values():
        future.result(20)
    await (await shop.open()).at(20)
    assert Counter(shop.written()) == {(shop.feed_name(), n): 2 for n in range(20)}


async def test_records_deleted_before_they_were_read_are_counted_and_logged(
    shop: OrdersFeed, caplog: pytest.LogCaptureFixture
) -> None:
    shop.publish(20)
    shop.commit(4)
    shop.broker.delete_records(*shop.orders, before=11)
    worker = await shop.open()
    await worker.at(20)
    assert worker.instruments.counts["lost"] == 7
    assert 0 <= time.time() - worker.instruments.lost_at < 60
    assert [offset for _, offset in shop.written()] == list(range(11, 20))
    assert [r.levelno for r in caplog.records if r.levelno >= logging.WARNING] == [logging.CRITICAL]


@pytest.mark.parametrize("before, after", [(20, 5), (5, 20)])
async def test_a_topic_made_anew_while_nobody_read_is_read_from_its_start(
    shop: OrdersFeed, before: int, after: int
) -> None:
    shop.publish(before)
    worker = await shop.open()
    await worker.at(before)
    await until(lambda: shop.committed() == before)
    await shop.close(worker)
    old = shop.feed_name()
    shop.recreate()
    shop.publish(after)
    await (await shop.open()).at(after)
    new = shop.feed_name()
    assert old != new
    assert shop.written() == [*((old, n) for n in range(before)), *((new, n) for n in range(after))]


async def test_a_commit_for_a_deleted_topic_does_not_hold_for_the_new_one_of_its_name(shop: OrdersFeed) -> None:
    """A worker leaves such a commit if it is killed before it notices that the topic was made anew."""
    shop.publish(20)
    shop.commit(15, name="another topic's id/0")
    await (await shop.open()).at(20)
    assert shop.written() == [(shop.feed_name(), n) for n in range(20)]


async def test_a_topic_made_anew_while_it_is_read_is_read_from_its_start(shop: OrdersFeed) -> None:
    shop.publish(20)
    worker = await shop.open()
    await worker.at(20)
    old = shop.feed_name()
    shop.recreate()
    shop.publish(5)
    await worker.at(5)
    new = shop.feed_name()
    assert shop.written() == [*((old, n) for n in range(20)), *((new, n) for n in range(5))]
    await until(lambda: shop.committed() == 5)


async def test_a_topic_made_anew_that_soon_holds_more_than_before_is_noticed_at_the_next_tick(shop: OrdersFeed) -> None:
    shop.publish(5)
    worker = await shop.open()
    feed = await worker.at(5)
    old = shop.feed_name()
    shop.recreate()
    shop.publish(20)
    await worker.at(20)
    assert feed.name == old, "what lay beyond the old place was taken for the old topic's"
    new = shop.feed_name()
    await worker.intake.tick([feed], [new], None, FoldSettings())
    await until(lambda: feed.name == new)
    await worker.at(20)
    assert [offset for name, offset in shop.written() if name == new] == list(range(20))
