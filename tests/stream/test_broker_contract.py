"""The contract of publisher, journal and ledger, tested with those in memory and with Kafka."""

import contextlib
import time
from abc import ABC, abstractmethod
from collections.abc import Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from confluent_kafka import Consumer, KafkaException, Producer, TopicPartition
from confluent_kafka.admin import AdminClient

from schemas import journal
from schemas.journal import Alerted, JournalRecord, Point, Published, Sealed, encode_journal
from schemas.ledger import FoldSettings, Movement, Placed, Record, Ticked, encode_record
from stream.faults import Fenced, Torn, Unclear
from stream.in_memory import MemoryBroker, MemoryPublisher
from stream.kafka import topics
from stream.kafka.clients import producer_config, reader_config
from stream.kafka.journal import KafkaJournal
from stream.kafka.ledger import KafkaLedger, checksum, read
from stream.kafka.publisher import KafkaPublisher, Message
from stream.ports import Journal, LedgerPort, Output, Publisher
from stream.retry import until_answered
from stream.settings import Settings
from tests.fakes.journal_reading import FoundJournal, read_journal

SHARD = 1
START = Point(0)


class BrokerUnderTest(ABC):
    """One application's topics: what is tested, and a test's own way to write and read them."""

    journal: Journal
    ledger: LedgerPort

    @abstractmethod
    def publisher(self, shard: int = SHARD) -> Publisher: ...

    @abstractmethod
    def outputs(self) -> list[str]:
        """The items of the outputs that a read_committed consumer sees, in their order."""

    @abstractmethod
    def append(self, *records: Record) -> None:
        """Write to the ledger of the shard."""

    @abstractmethod
    def write(self, *records: JournalRecord) -> None:
        """Write to the journal of the shard, past any owner."""


class MemoryUnderTest(BrokerUnderTest):
    def __init__(self) -> None:
        self.journal = self.ledger = self.broker = MemoryBroker(partitions=2)

    def publisher(self, shard: int = SHARD) -> Publisher:
        return MemoryPublisher(self.broker, shard)

    def outputs(self) -> list[str]:
        return [output.item for output in self.broker.outputs[SHARD]]

    def append(self, *records: Record) -> None:
        for record in records:
            self.broker.append(SHARD, record, 1)

    def write(self, *records: JournalRecord) -> None:
        self.broker.journals[SHARD] += map(encode_journal, records)


class KafkaUnderTest(BrokerUnderTest):
    def __init__(self, settings: Settings, threads: ThreadPoolExecutor) -> None:
        self.settings = settings
        self.threads = threads
        self.reader = reader_config(settings)
        self.journal = KafkaJournal(self.reader, settings.topic("journal"), threads)
        self.ledger = KafkaLedger(self.reader, settings.topic("ledger"), threads)
        self.publishers: list[KafkaPublisher] = []

    def publisher(self, shard: int = SHARD) -> KafkaPublisher:
        made = KafkaPublisher(
            producer_config(self.settings, message_timeout_ms=30_000, linger_ms=0, retry_backoff_ms=2),
            f"{self.settings.app}-{shard}",
            self.encode,
            (self.settings.topic("journal"), shard),
            self.threads,
        )
        self.publishers.append(made)
        return made

    def encode(self, output: Output) -> Message:
        return Message(self.settings.topic(output.topic), 0, output.item.encode(), output.event)

    def outputs(self) -> list[str]:
        topic = self.settings.topic("alerts")
        while self._end(topic, "read_committed") < self._end(topic, "read_uncommitted"):
            time.sleep(0.01)  # a commit is acknowledged before its markers are written
        records = read(self.reader, topic, 0, 0, 10_000_000)
        return [record.value.decode() for record in records]

    def _end(self, topic: str, isolation: str) -> int:
        consumer = Consumer(self.reader | {"isolation.level": isolation})
        try:
            while True:
                with contextlib.suppress(KafkaException):  # a new topic's partition has no leader yet
                    end: int = consumer.get_watermark_offsets(TopicPartition(topic, 0), timeout=10)[1]
                    return end
        finally:
            consumer.close()

    def append(self, *records: Record) -> None:
        self._write("ledger", map(encode_record, records))

    def write(self, *records: JournalRecord) -> None:
        self._write("journal", map(encode_journal, records))

    def _write(self, topic: str, values: Iterable[bytes]) -> None:
        producer = Producer(producer_config(self.settings))
        for value in values:
            producer.produce(self.settings.topic(topic), value, partition=SHARD)
        assert producer.flush(10) == 0
        producer.close()


@pytest.fixture
async def kafka_under_test(kafka: str, app: str, topic_prefix: str) -> Any:
    settings = Settings(kafka=kafka, app=app, topic_prefix=topic_prefix, partitions=2)
    topics.create(settings)
    with ThreadPoolExecutor(4) as threads:
        broker = KafkaUnderTest(settings, threads)
        yield broker
        for publisher in broker.publishers:
            await publisher.close()


@pytest.fixture(params=["memory", "kafka"])
def broker(request: pytest.FixtureRequest) -> BrokerUnderTest:
    if request.param == "memory":
        return MemoryUnderTest()
    made: BrokerUnderTest = request.getfixturevalue("kafka_under_test")
    return made


def output(item: str, at: Point = START) -> Output:
    return Output("alerts", item, item.encode(), at)


def entry(item: str, at: Point) -> journal.JournalEntry:
    return Alerted(at, item, "low_stock", raised=True, episode="e", since=0)


def sealed(token: str, saved: int = 0, end: Point = START) -> Sealed:
    return Sealed(token, saved, "ledger-id", "1.0", end)


def published(start: Point, end: Point, token: str = "a", items: Sequence[str] = ()) -> Published:  # noqa: S107
    return Published(start, end, None, "ledger-id", "1.0", token, tuple(entry(item, start) for item in items))


async def journal_of(broker: BrokerUnderTest, start: int | None = None) -> FoundJournal:
    return await read_journal(broker.journal, SHARD, start)


async def opened(broker: BrokerUnderTest, *records: JournalRecord) -> Publisher:
    publisher = broker.publisher()
    await publisher.open()
    for record in records:
        await publisher.publish((), record)
    return publisher


# Publishing ---------------------------------------------------------------------------------------------------------


async def test_outputs_and_their_journal_record_appear_together(broker: BrokerUnderTest) -> None:
    publisher = await opened(broker)
    record = published(Point(0), Point(2), items=["A@B", "C@B"])
    await publisher.publish([output("A@B"), output("C@B")], record)
    assert broker.outputs() == ["A@B", "C@B"]
    assert (await journal_of(broker)).records == [record]


async def test_a_shard_has_its_own_journal_and_owner(broker: BrokerUnderTest) -> None:
    await opened(broker, sealed("a"))
    other = broker.publisher(0)
    await other.open()
    await other.publish((), sealed("b"))
    assert (await journal_of(broker)).records == [sealed("a")]
    assert (await read_journal(broker.journal, 0)).records == [sealed("b")]


async def test_a_successor_fences_the_publisher_before_it(broker: BrokerUnderTest) -> None:
    first = await opened(broker, sealed("a"))
    second = await opened(broker)
    with pytest.raises(Fenced):
        await first.publish([output("ZOMBIE@B")], published(Point(0), Point(1)))
    await second.publish((), sealed("b"))
    assert broker.outputs() == []
    assert (await journal_of(broker)).records == [sealed("a"), sealed("b")]


async def test_a_fenced_publisher_stays_fenced_until_it_opens_again(broker: BrokerUnderTest) -> None:
    first, second = await opened(broker), await opened(broker)
    for _ in range(2):
        with pytest.raises((Fenced, Unclear)):
            await first.publish((), sealed("a"))
    await first.open()
    await first.publish((), sealed("a"))
    with pytest.raises(Fenced):
        await second.publish((), sealed("b"))
    assert (await journal_of(broker)).records == [sealed("a")]


async def test_a_closed_publisher_publishes_nothing(broker: BrokerUnderTest) -> None:
    publisher = await opened(broker)
    await publisher.close()
    await publisher.close()
    with pytest.raises(Unclear):
        await publisher.publish([output("A@B")], published(Point(0), Point(1)))
    assert broker.outputs() == []


# Reading the journal back -------------------------------------------------------------------------------------------


async def test_an_empty_journal_is_whole(broker: BrokerUnderTest) -> None:
    for start in (None, 0):
        view, records = await journal_of(broker, start)
        assert (records, view.last, view.whole) == ([], None, True)


async def test_a_look_without_a_start_is_of_the_whole_journal(broker: BrokerUnderTest) -> None:
    history: list[JournalRecord] = [sealed("a"), published(Point(0), Point(3)), sealed("b", 3, Point(3))]
    await opened(broker, *history)
    view, records = await journal_of(broker)
    assert (records, view.last, view.seals, view.whole) == (history, history[-1], (), True)


async def test_what_a_publisher_answers_is_where_the_next_owner_looks_from(broker: BrokerUnderTest) -> None:
    first = await opened(broker, sealed("a"))
    await first.publish([output("A@B")], published(Point(0), Point(1)))
    place = await first.publish((), published(Point(1), Point(2)))
    view, records = await journal_of(broker, place)
    assert (records, view.last, view.whole) == ([], published(Point(1), Point(2)), True)
    later: list[JournalRecord] = [sealed("b", 2), published(Point(2), Point(3), "b"), sealed("c", 3)]
    await opened(broker, *later)
    view, records = await journal_of(broker, place)
    assert (records, list(view.seals), view.last, view.whole) == (later, [later[0], later[2]], later[2], True)


async def test_a_journal_that_was_cut_is_not_waited_for(kafka_under_test: KafkaUnderTest, kafka: str) -> None:
    """The shard is then taken again and parks; it would wait for ever if that were taken for a broker that is away."""
    kafka_under_test.write(*[published(Point(n), Point(n + 1)) for n in range(9)])
    place = TopicPartition(kafka_under_test.settings.topic("journal"), SHARD, 5)
    admin = AdminClient({"bootstrap.servers": kafka})
    for cut in admin.delete_records([place]).values():
        cut.result(20)
    with pytest.raises(Torn, match="no longer holds"):
        await kafka_under_test.journal.passage(SHARD, 2, 9)
    assert len((await kafka_under_test.journal.passage(SHARD, 5, 9)).records) == 4


# The ledger ---------------------------------------------------------------------------------------------------------


async def test_the_ledgers_bounds_and_checksums(broker: BrokerUnderTest) -> None:
    before = await until_answered(lambda: broker.ledger.view(SHARD))
    assert (before.partitions, before.start, before.end) == (2, 0, 0)
    records: list[Record] = [
        Movement("A@B", "f/0", 1, 0, None, "s", "1", 1, 1, 1, Placed(1)),
        Ticked("w", 1, (), (), FoldSettings()),
        Movement("A@B", "f/0", 2, 0, (1, 0), "s", "2", 2, 2, 2, Placed(1)),
    ]
    broker.append(*records)
    after = await broker.ledger.view(SHARD)
    assert (after.id, after.partitions, after.start, after.end) == (before.id, 2, 0, 3)
    sums = [await broker.ledger.checksum(SHARD, offset) for offset in (-1, 0, 1, 2)]
    assert sums == [0, *(checksum(encode_record(record)) for record in records)]
