"""Batches and positions on a real broker: nothing is lost, whatever lies between records and whoever comes or goes."""

import asyncio
import warnings
from collections.abc import AsyncIterator, Awaitable, Callable
from concurrent.futures import Future
from typing import Any, TypeAlias
from unittest import mock

import pytest
from aiokafka.errors import GroupAuthorizationFailedError, KafkaError
from faust.types import TP

from stream.settings import Settings
from tests.fakes.faust_worker import BrokerHand, FaustWorker, RecordingReader
from tests.fakes.waiting import until

Start: TypeAlias = Callable[..., Awaitable[FaustWorker]]


@pytest.fixture
def settings(kafka: str, app: str, topic_prefix: str) -> Settings:
    return Settings(kafka=kafka, app=app, topic_prefix=topic_prefix)


@pytest.fixture
def broker(settings: Settings) -> BrokerHand:
    return BrokerHand(settings)


@pytest.fixture
async def start(settings: Settings) -> AsyncIterator[Start]:
    workers: list[FaustWorker] = []

    async def start(topic: str, begin: int = 0, kind: type[RecordingReader] = RecordingReader) -> FaustWorker:
        worker: FaustWorker

        def make(tp: TP) -> RecordingReader:
            return kind(worker.consumer, tp, begin)

        worker = FaustWorker(settings, settings.app, [topic], make)
        workers.append(worker)
        await worker.start()
        return worker

    yield start
    for worker in workers:
        await worker.stop()
        assert worker.crashes == []


async def test_batches_cover_everything_and_hold_what_was_committed(broker: BrokerHand, start: Start) -> None:
    """Transaction markers and aborted records leave gaps; a batch states the offsets where it starts and ends."""
    topic = broker.create("t", 1)
    kept = []
    with broker.producer(transactional_id=f"{topic}-p") as producer:
        producer.init_transactions(10)
        for number in range(60):
            producer.begin_transaction()
            for n in range(number % 4):
                producer.produce(topic, b"%d.%d" % (number, n), partition=0)
            if number % 3:
                producer.commit_transaction(10)
                kept += [b"%d.%d" % (number, n) for n in range(number % 4)]
            else:
                producer.flush()
                producer.abort_transaction(10)
    worker = await start(topic)
    await until(lambda: worker.partitions == {0})
    notes = worker.reader(0)
    await until(lambda: notes.values == kept)
    end = (await worker.consumer.bounds(TP(topic, 0)))[1]
    await until(lambda: notes.next == end)
    assert notes.strays == []
    spans = [(batch.start, batch.end) for batch in notes.batches]
    assert [start for start, _ in spans] == [0, *(end for _, end in spans[:-1])], "batches follow one another"
    assert end > len(kept), "there are gaps"
    for batch in notes.batches:
        assert all(batch.start <= record.offset < batch.end for record in batch.records)


async def test_a_stretch_without_records_moves_the_reader_on(broker: BrokerHand, start: Start) -> None:
    topic = broker.create("t", 1)
    with broker.producer(transactional_id=f"{topic}-p") as producer:
        producer.init_transactions(10)
        producer.begin_transaction()
        producer.produce(topic, b"aborted", partition=0)
        producer.flush()
        producer.abort_transaction(10)
    worker = await start(topic)
    await until(lambda: worker.partitions == {0} and worker.reader(0).next == 2)
    assert worker.reader(0).values == []
    assert worker.consumer.end(TP(topic, 0)) == 2


async def test_an_open_transaction_holds_the_end_back(broker: BrokerHand, start: Start) -> None:
    topic = broker.create("t", 1)
    with broker.producer() as producer:
        producer.produce(topic, b"before", partition=0)
    with broker.producer(transactional_id=f"{topic}-p") as producer:
        producer.init_transactions(10)
        producer.begin_transaction()
        producer.produce(topic, b"within", partition=0)
        producer.flush()
        worker = await start(topic)
        await until(lambda: worker.partitions == {0} and worker.reader(0).values == [b"before"])
        assert worker.consumer.end(TP(topic, 0)) == 1
        producer.commit_transaction(10)
    await until(lambda: worker.reader(0).values == [b"before", b"within"])


async def test_a_slow_reader_holds_back_only_itself(broker: BrokerHand, start: Start) -> None:
    topic = broker.create("t", 2)
    worker = await start(topic)
    await until(lambda: worker.partitions == {0, 1})
    slow, quick = worker.reader(0), worker.reader(1)
    slow.want = False
    with broker.producer() as producer:
        for n in range(20_000):
            producer.produce(topic, b"%d" % n, partition=n % 2)
            if n == 15_000:
                producer.flush()
    await until(lambda: len(quick.values) == 10_000)
    assert slow.batches == []
    slow.want = True
    await until(lambda: len(slow.values) == 10_000)
    assert slow.values == [b"%d" % n for n in range(0, 20_000, 2)]


async def test_only_what_is_acknowledged_is_committed(broker: BrokerHand, settings: Settings, start: Start) -> None:
    topic = broker.create("t", 1)
    with broker.producer() as producer:
        for n in range(100):
            producer.produce(topic, b"%d" % n, partition=0)
    worker = await start(topic)
    await until(lambda: worker.partitions == {0} and worker.reader(0).next == 100)
    await worker.consumer.commit()
    assert broker.committed(settings.app, topic, 0) is None
    worker.reader(0).acknowledged = 42
    with broker.producer() as producer:
        producer.produce(topic, b"100", partition=0)
    await until(lambda: broker.committed(settings.app, topic, 0) == 42)
    worker.reader(0).acknowledged = 101
    await until(lambda: broker.committed(settings.app, topic, 0) == 101)


async def test_readers_decide_positions_before_and_after_rebalances(broker: BrokerHand, start: Start) -> None:
    """Nothing is committed at all: only the reader knows from where to read."""
    topic = broker.create("t", 4)
    with broker.producer() as producer:
        for n in range(400):
            producer.produce(topic, b"%d" % n, partition=n % 4)
    first = await start(topic, 30)
    await until(lambda: first.partitions == {0, 1, 2, 3})
    readers = [first.reader(p) for p in range(4)]
    await until(lambda: all(reader.next == 100 for reader in readers))
    assert [record.offset for record in readers[0].batches[0].records] == list(range(30, 100))
    second = await start(topic, 60)
    await until(lambda: len(first.partitions) == len(second.partitions) == 2)
    await until(lambda: all(second.reader(p).next == 100 for p in second.partitions))
    assert {p for p in range(4) if readers[p].left} == second.partitions
    with broker.producer() as producer:
        for n in range(400):
            producer.produce(topic, b"%d" % n, partition=n % 4)
    here = [*(first.reader(p) for p in first.partitions), *(second.reader(p) for p in second.partitions)]
    await until(lambda: all(reader.next == 200 for reader in here))
    lost = set(second.partitions)
    await second.stop()
    await until(lambda: first.partitions == {0, 1, 2, 3})
    again = [first.reader(p) for p in lost]
    await until(lambda: all(reader.next == 200 for reader in again))
    assert all(reader.batches[0].start == 30 for reader in again), "a new reader begins where it says"
    for reader in [*readers, *here, *again]:
        spans = [(batch.start, batch.end) for batch in reader.batches]
        assert [start for start, _ in spans[1:]] == [end for _, end in spans[:-1]]


async def test_joining_and_leaving_under_load_loses_no_record(broker: BrokerHand, start: Start) -> None:
    """Three come and go while records pour in; whoever holds a partition goes on where the last one stood."""
    topic = broker.create("t", 6)
    total = [0] * 6
    at: dict[int, int] = {}

    async def pour() -> None:
        with broker.producer() as producer:
            while not done:
                for p in range(6):
                    producer.produce(topic, b"%d" % total[p], partition=p)
                    total[p] += 1
                producer.poll(0)
                await asyncio.sleep(0.001)

    done = False
    seen: list[RecordingReader] = []

    class Following(RecordingReader):
        """Begins where the last reader of its partition stood."""

        def __init__(self, consumer: Any, tp: TP, start: int = 0) -> None:
            super().__init__(consumer, tp, at.get(tp.partition, start))
            seen.append(self)

        async def leave(self) -> None:
            at[self.tp.partition] = max(self.next, at.get(self.tp.partition, 0))

    pouring = asyncio.create_task(pour())
    workers = [await start(topic, kind=Following)]
    await until(lambda: len(workers[0].partitions) == 6)
    for _ in range(2):
        workers.append(await start(topic, kind=Following))
        await until(lambda: {len(w.partitions) for w in workers} == {6 // len(workers)})
    await workers.pop(0).stop()
    await until(lambda: [len(w.partitions) for w in workers] == [3, 3])
    await workers.pop().stop()
    await until(lambda: len(workers[0].partitions) == 6)
    done = True
    await pouring
    await until(lambda: all(workers[0].reader(p).next == total[p] for p in range(6)))
    for p in range(6):
        read = {(batch.start, batch.end): batch for notes in seen if notes.tp.partition == p for batch in notes.batches}
        values = {record.value for batch in read.values() for record in batch.records}
        assert values == {b"%d" % n for n in range(total[p])}


async def test_a_reader_that_falls_behind_the_logs_start_gets_a_batch_that_shows_the_gap(
    broker: BrokerHand, start: Start
) -> None:
    """No silent reset: the batch says that it does not start where it was asked to."""
    topic = broker.create("t", 1)
    with broker.producer() as producer:
        for n in range(100):
            producer.produce(topic, b"%d" % n, partition=0)
    broker.delete_records(topic, 0, 50)
    worker = await start(topic, 10)
    await until(lambda: worker.partitions == {0} and worker.reader(0).strays)
    assert worker.reader(0).strays[0].start == 50
    assert worker.reader(0).next == 10


async def test_a_broker_that_is_slow_to_answer_after_a_rebalance_does_not_end_the_reading(
    broker: BrokerHand, start: Start
) -> None:
    """Faust gives up a seek that takes long, and with it, without a log line, all that follows a rebalance."""
    topic = broker.create("t", 2)

    class Asking(RecordingReader):
        """Asks the broker when it resumes, and gets no answer."""

        async def resume(self) -> None:
            await super().resume()
            await asyncio.Event().wait()

    first = await start(topic, kind=Asking)
    await until(lambda: first.partitions == {0, 1})
    with warnings.catch_warnings(action="ignore"):  # what was read of it so far may keep its old value
        first.app.conf.broker_request_timeout = 1.0
    second = await start(topic)
    await until(lambda: len(first.partitions) == len(second.partitions) == 1)
    (kept,) = first.partitions
    await until(lambda: first.reader(kept).resumed)
    await second.stop()
    await until(lambda: first.partitions == {0, 1} and first.consumer.flow_active)
    with broker.producer() as producer:
        for p in range(2):
            producer.produce(topic, b"later", partition=p)
    await until(lambda: all(first.reader(p).values == [b"later"] for p in range(2)))


def _no_group(client: Any) -> Any:
    return mock.patch.object(client._coordinator, "_do_heartbeat", side_effect=GroupAuthorizationFailedError("over"))


def _no_fetching(client: Any) -> Any:
    ended: Future[None] = Future()
    ended.set_exception(KafkaError("over"))
    return mock.patch.object(client._fetcher, "_fetch_task", ended)


@pytest.mark.parametrize("trouble", [_no_group, _no_fetching])
async def test_a_client_that_cannot_go_on_ends_the_worker(
    broker: BrokerHand, settings: Settings, trouble: Callable[[Any], Any]
) -> None:
    """Otherwise it would wait for ever until somebody asks for its error, and the worker with it."""
    topic = broker.create("t", 1)
    worker: FaustWorker
    worker = FaustWorker(settings, settings.app, [topic], lambda tp: RecordingReader(worker.consumer, tp))
    await worker.start()
    await until(lambda: worker.partitions == {0})
    try:
        with trouble(worker.consumer._thread._ensure_consumer()):
            await until(lambda: worker.crashes, 10)
    finally:
        await worker.stop()
    assert "over" in str(worker.crashes[0])


async def test_a_group_that_could_not_be_joined_for_long_is_joined_again(broker: BrokerHand, start: Start) -> None:
    """The client takes a worker that reads nothing for one that hangs, and nobody reads while a group is joined."""
    topic = broker.create("t", 1)
    worker = await start(topic)
    await until(lambda: worker.partitions == {0})
    coordinator = worker.consumer._thread._ensure_consumer()._coordinator
    coordinator._max_poll_interval = 1.0
    tries = 0

    async def refused(_: Any) -> bool:
        nonlocal tries
        tries += 1
        await asyncio.sleep(1.5)
        return False

    with mock.patch.object(coordinator, "_do_rejoin_group", refused):
        await worker.consumer._thread.call_thread(_at_once, coordinator.request_rejoin)
        await until(lambda: tries == 2, 10)
    await until(lambda: worker.consumer.flow_active)
    with broker.producer() as producer:
        producer.produce(topic, b"later", partition=0)
    await until(lambda: worker.reader(0).values == [b"later"])


async def _at_once(work: Callable[[], None]) -> None:
    work()
