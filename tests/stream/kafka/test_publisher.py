"""What only Kafka can do to publisher, journal and ledger: zombies, aborts, retention, records too large."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import TypeAlias

import pytest
from confluent_kafka import KafkaError, KafkaException, Producer, TopicPartition
from confluent_kafka.admin import AdminClient, AlterConfigOpType, ConfigEntry, ConfigResource, ResourceType

from schemas.journal import JournalRecord, Point, Published, Sealed, encode_journal
from stream.faults import Unclear
from stream.kafka import topics
from stream.kafka.clients import producer_config, reader_config
from stream.kafka.journal import KafkaJournal
from stream.kafka.ledger import KafkaLedger, read
from stream.kafka.publisher import TRIES, KafkaPublisher, Message
from stream.ports import Output
from stream.retry import until_answered
from stream.settings import Settings
from tests.fakes.journal_reading import FoundJournal, read_journal

SHARD = 1
DONE = Published(Point(0), Point(1), None, "ledger-id", "1.0", "a", ())

Make: TypeAlias = Callable[[], KafkaPublisher]


def sealed(token: str, saved: int = 0) -> Sealed:
    return Sealed(token, saved, "ledger-id", "1.0", Point(saved))


def output(text: str, size: int = 0) -> Output:
    return Output("alerts", "A@B", text.encode().ljust(size, b"."), Point(0))


@pytest.fixture
def settings(kafka: str, app: str, topic_prefix: str) -> Settings:
    made = Settings(kafka=kafka, app=app, topic_prefix=topic_prefix, partitions=2)
    topics.create(made)
    return made


@pytest.fixture
def threads() -> Iterator[ThreadPoolExecutor]:
    with ThreadPoolExecutor(4) as pool:
        yield pool


@pytest.fixture
async def make(settings: Settings, threads: ThreadPoolExecutor) -> AsyncIterator[Make]:
    """Makes publishers of the shard, configured as a worker's; nothing is compressed, so sizes are what they seem."""
    config = producer_config(settings, message_timeout_ms=30_000, linger_ms=0, retry_backoff_ms=2)
    journal = (settings.topic("journal"), SHARD)
    made: list[KafkaPublisher] = []

    def encode(output: Output) -> Message:
        return Message(settings.topic(output.topic), 0, None, output.event)

    def make() -> KafkaPublisher:
        plain = config | {"compression.type": "none"}
        made.append(KafkaPublisher(plain, transactional_id(settings), encode, journal, threads))
        return made[-1]

    yield make
    for publisher in made:
        await publisher.close()


@pytest.fixture
async def publisher(make: Make) -> KafkaPublisher:
    made = make()
    await made.open()
    return made


@pytest.fixture
def journal(settings: Settings, threads: ThreadPoolExecutor) -> KafkaJournal:
    return KafkaJournal(reader_config(settings), settings.topic("journal"), threads)


@pytest.fixture
def zombie(settings: Settings) -> Iterator[Producer]:
    """The shard's producer with an open transaction that wrote to output and journal, as a stopped worker leaves it."""
    with producer(settings, transactional_id=transactional_id(settings)) as made:
        made.init_transactions(10)
        made.begin_transaction()
        made.produce(settings.topic("alerts"), b"zombie", partition=0)
        made.produce(settings.topic("journal"), b"zombie", partition=SHARD)
        made.flush()
        yield made


@contextlib.contextmanager
def producer(settings: Settings, **config: str) -> Iterator[Producer]:
    made = Producer(producer_config(settings, **config))
    try:
        yield made
    finally:
        made.purge()
        with contextlib.suppress(KafkaException, SystemError):
            made.close()


def transactional_id(settings: Settings) -> str:
    return f"{settings.app}-{SHARD}"


def visible(settings: Settings) -> list[str]:
    """What a read_committed consumer of alerts sees."""
    return [r.value.decode().rstrip(".") for r in read(reader_config(settings), settings.topic("alerts"), 0, 0, 10**9)]


def published(offset: int) -> Published:
    return Published(Point(offset), Point(offset + 1), None, "ledger-id", "1.0", "a", ())


async def look(journal: KafkaJournal, start: int | None = None) -> FoundJournal:
    return await read_journal(journal, SHARD, start)


def write(settings: Settings, topic: str, *values: bytes) -> None:
    with producer(settings) as plain:
        for value in values:
            plain.produce(settings.topic(topic), value, partition=SHARD)
        assert plain.flush(10) == 0


def take_at_most(settings: Settings, size: int) -> None:
    """Let the broker refuse larger alerts, and return once it does so, and takes smaller ones."""
    resource = ConfigResource(ResourceType.TOPIC, settings.topic("alerts"))
    set_to = AlterConfigOpType.SET
    resource.add_incremental_config(ConfigEntry("max.message.bytes", f"{size}", incremental_operation=set_to))
    admin = AdminClient({"bootstrap.servers": settings.kafka})
    for future in admin.incremental_alter_configs([resource]).values():
        future.result(10)
    with producer(settings, compression_type="none") as probe:
        while not (accepts(probe, settings, size - 200) and not accepts(probe, settings, size + 1)):
            pass


def accepts(probe: Producer, settings: Settings, size: int) -> bool:
    errors: list[KafkaError | None] = []
    where = settings.topic("alerts")
    probe.produce(where, b"." * size, partition=SHARD, on_delivery=lambda error, _: errors.append(error))
    probe.flush(10)
    return errors[0] is None


def cut(settings: Settings, topic: str, before: int) -> None:
    admin = AdminClient({"bootstrap.servers": settings.kafka})
    for future in admin.delete_records([TopicPartition(settings.topic(topic), SHARD, before)]).values():
        future.result(10)


# Zombies and aborted transactions -------------------------------------------------------------------------------------


async def test_an_open_transaction_of_the_last_owner_is_settled_by_open(
    settings: Settings, zombie: Producer, publisher: KafkaPublisher, journal: KafkaJournal
) -> None:
    assert (await look(journal)).records == []
    await publisher.publish([output("ours")], sealed("a"))
    assert (await look(journal)).records == [sealed("a")]
    assert visible(settings) == ["ours"]
    with pytest.raises(KafkaException) as refused:
        zombie.commit_transaction(10)
    assert refused.value.args[0].code() == KafkaError._FENCED


async def test_a_strangers_open_transaction_on_an_output_topic_holds_back_its_readers_only(
    settings: Settings, publisher: KafkaPublisher, journal: KafkaJournal
) -> None:
    with producer(settings, transactional_id="stranger") as stranger:
        stranger.init_transactions(10)
        stranger.begin_transaction()
        stranger.produce(settings.topic("alerts"), b"stranger", partition=0)
        stranger.flush()
        await publisher.publish([output("ours")], sealed("a"))
        assert (await look(journal)).records == [sealed("a")]
        assert visible(settings) == []
        stranger.abort_transaction(10)
    assert visible(settings) == ["ours"]


async def test_a_journal_with_aborted_records_all_over_is_read(
    settings: Settings, make: Make, journal: KafkaJournal
) -> None:
    def abort_some() -> None:
        with producer(settings, transactional_id=transactional_id(settings)) as doomed:
            doomed.init_transactions(10)
            for _ in range(2):
                doomed.begin_transaction()
                for _ in range(200):
                    doomed.produce(settings.topic("journal"), b"aborted", partition=SHARD)
                doomed.flush()
                doomed.abort_transaction(10)

    abort_some()
    owner = make()
    await owner.open()
    sealed_at = await owner.publish((), sealed("a"))
    done_at = await owner.publish((), DONE)
    abort_some()
    for start, found in ((None, [sealed("a"), DONE]), (0, [sealed("a"), DONE]), (sealed_at, [DONE]), (done_at, [])):
        view, records = await look(journal, start)
        assert (records, view.last, view.whole) == (found, DONE, True)


async def test_a_long_journal_comes_in_passages(
    settings: Settings, journal: KafkaJournal, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Of years of journal only one passage is held at a time; nothing is missed between two of them."""
    monkeypatch.setattr("stream.kafka.journal.PASSAGE_BYTES", 1000)
    history: list[JournalRecord] = [sealed("a"), *[published(n) for n in range(300)]]
    write(settings, "journal", *map(encode_journal, history))
    first = (await journal.passage(SHARD, 0, len(history))).records
    assert 1 < len(first) < 100
    view, records = await look(journal)
    assert (records, view.whole) == (history, True)


# Retention ------------------------------------------------------------------------------------------------------------


async def test_a_journal_that_was_cut_is_whole_only_as_far_as_it_reaches(
    settings: Settings, journal: KafkaJournal
) -> None:
    history: list[JournalRecord] = [sealed("a"), *map(published, range(4)), sealed("b", 4)]
    write(settings, "journal", *map(encode_journal, history))
    cut(settings, "journal", before=4)
    assert not (await look(journal)).view.whole
    assert not (await look(journal, 3)).view.whole
    view, records = await look(journal, 4)
    assert (records, view.whole) == (history[4:], True)


async def test_a_quiet_journal_of_which_nothing_is_left_lacks_nothing(
    settings: Settings, publisher: KafkaPublisher, journal: KafkaJournal
) -> None:
    """The end of the transaction takes an offset, which is deleted with the rest."""
    place = await publisher.publish((), sealed("a"))
    end = (await look(journal)).view.end
    assert end == place + 1
    cut(settings, "journal", before=end)
    view, records = await look(journal, place)
    assert (records, view.last, view.whole) == ([], None, True)
    assert not (await look(journal, place - 1)).view.whole


async def test_a_ledger_that_was_cut_says_where_it_starts(settings: Settings, threads: ThreadPoolExecutor) -> None:
    write(settings, "ledger", *[b"record"] * 5)
    cut(settings, "ledger", before=3)
    ledger = KafkaLedger(reader_config(settings), settings.topic("ledger"), threads)
    view = await until_answered(lambda: ledger.view(SHARD))
    assert (view.start, view.end) == (3, 5)


# Sizes and failures ---------------------------------------------------------------------------------------------------


async def test_more_outputs_than_the_clients_queue_holds_go_out_in_one_transaction(
    settings: Settings, publisher: KafkaPublisher
) -> None:
    many = [output(f"{n}") for n in range(100_500)]
    await publisher.publish(many, DONE)
    assert visible(settings) == [f"{n}" for n in range(100_500)]


@pytest.mark.parametrize("refused_by", ["client", "broker"])
async def test_an_output_that_is_too_large_publishes_nothing(
    settings: Settings,
    publisher: KafkaPublisher,
    journal: KafkaJournal,
    refused_by: str,
    caplog: pytest.LogCaptureFixture,
) -> None:
    """Its transaction is aborted each time: it is not tried for ever, and the error names the cause."""
    take_at_most(settings, 2_000)
    giant = output("giant", size=4_300_000 if refused_by == "client" else 3_000)
    with pytest.raises(Unclear, match=r"(?i)size too large"):
        await publisher.publish([output("small"), giant], DONE)
    assert len(caplog.records) == (TRIES - 1 if refused_by == "broker" else 0)
    assert visible(settings) == []
    assert (await look(journal)).records == []


async def test_what_was_aborted_is_published_again_as_it_was(
    settings: Settings, publisher: KafkaPublisher, journal: KafkaJournal, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The broker takes the record only at the second try."""
    take_at_most(settings, 2_000)
    settle = KafkaPublisher._settle

    def settle_and_help(publisher: KafkaPublisher, producer: Producer, cause: KafkaError, left: int) -> None:
        settle(publisher, producer, cause, left)
        take_at_most(settings, 20_000)

    monkeypatch.setattr(KafkaPublisher, "_settle", settle_and_help)
    await publisher.publish([output("small"), output("large", size=3_000)], DONE)
    assert visible(settings) == ["small", "large"]
    assert (await look(journal)).records == [DONE]


async def test_after_a_failure_it_can_be_opened_again(settings: Settings, publisher: KafkaPublisher) -> None:
    with pytest.raises(Unclear):
        await publisher.publish([output("giant", size=4_300_000)], DONE)
    await publisher.open()
    await publisher.publish([output("small")], DONE)
    assert visible(settings) == ["small"]


async def test_a_publisher_that_is_closed_while_it_opens_keeps_no_connection(make: Make) -> None:
    publisher = make()
    opening = asyncio.create_task(publisher.open())
    await asyncio.sleep(0)  # its thread has begun
    await publisher.close()
    await opening
    assert publisher._producer is None
