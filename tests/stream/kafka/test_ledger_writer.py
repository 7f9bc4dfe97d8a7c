"""Writing to the ledger on a real broker: in order, and all of it or an error, however much it is or long it takes."""

import asyncio
import logging
import os
import signal
from collections.abc import AsyncIterator, Iterator
from concurrent.futures import ThreadPoolExecutor
from itertools import chain

import pytest

from stream.faults import BrokerDown
from stream.kafka import ledger_writer, topics
from stream.kafka.clients import producer_config, reader_config
from stream.kafka.ledger import read
from stream.kafka.ledger_writer import LedgerLine, LedgerWriter
from stream.kafka.publisher import Message
from stream.local import LocalServers
from stream.settings import Settings
from tests.fakes.standing_still import standing_still


@pytest.fixture
def settings(kafka: str, app: str, topic_prefix: str) -> Settings:
    made = Settings(kafka=kafka, app=app, topic_prefix=topic_prefix, partitions=2)
    topics.create(made)
    return made


@pytest.fixture
async def writer(settings: Settings) -> AsyncIterator[LedgerWriter]:
    with ThreadPoolExecutor(1) as threads:
        made = LedgerWriter(producer_config(settings), settings.topic("ledger"), threads)
        yield made
        made.close()


@pytest.fixture
def stalled(servers: LocalServers) -> Iterator[None]:
    """A broker that neither answers nor goes away; it goes on when the test ends, or when it says so."""
    with standing_still(servers.kafka_process.pid):
        yield


def lines(*values: bytes) -> list[LedgerLine]:
    return [(b"key", value, None) for value in values]


def letter(settings: Settings, value: bytes) -> Message:
    return Message(settings.topic("dead-letters"), -1, b"key", value, [("why", b"not")])


def letters(settings: Settings) -> list[bytes]:
    return sorted(chain.from_iterable(held(settings, "dead-letters")))


def held(settings: Settings, topic: str) -> list[list[bytes]]:
    config = reader_config(settings)
    return [[record.value for record in read(config, settings.topic(topic), p, 0, 10**9)] for p in range(2)]


async def test_a_write_returns_when_all_records_are_there_in_order(settings: Settings, writer: LedgerWriter) -> None:
    for n in range(3):
        await writer.write({0: lines(b"a%d" % n, b"b%d" % n), 1: lines(b"c%d" % n)}, [letter(settings, b"l%d" % n)])
    assert held(settings, "ledger") == [[b"a0", b"b0", b"a1", b"b1", b"a2", b"b2"], [b"c0", b"c1", b"c2"]]
    assert letters(settings) == [b"l0", b"l1", b"l2"]


async def test_more_than_the_clients_usual_queue_holds_is_written_at_once(
    settings: Settings, writer: LedgerWriter
) -> None:
    """A few thousand notices times the partitions of a large ledger."""
    await writer.write({0: lines(*(b"%d" % n for n in range(150_000))), 1: lines(b"x")})
    first, second = held(settings, "ledger")
    assert first == [b"%d" % n for n in range(150_000)]
    assert second == [b"x"]


async def test_a_dead_letter_may_be_as_large_as_its_source_took_it(settings: Settings, writer: LedgerWriter) -> None:
    """A record that a source holds compressed may be far larger than any limit once it is read."""
    bomb = b"x" * 20_000_000
    await writer.write({}, [letter(settings, bomb)])
    assert letters(settings) == [bomb]


async def test_what_the_broker_refuses_is_a_failure_and_the_next_write_starts_anew(
    settings: Settings, writer: LedgerWriter
) -> None:
    giant = os.urandom(5_000_000)
    with pytest.raises(BrokerDown, match=r"(?i)too large"):
        await writer.write({0: lines(b"before", giant, b"after")})
    assert writer._producer is None
    await writer.write({0: lines(b"again")})
    assert held(settings, "ledger")[0][-1] == b"again"
    assert giant not in held(settings, "ledger")[0]


async def test_the_ledger_waits_for_the_dead_letters(settings: Settings, writer: LedgerWriter) -> None:
    with pytest.raises(BrokerDown):
        await writer.write({0: lines(b"movement")}, [letter(settings, os.urandom(5_000_000))])
    assert held(settings, "ledger") == [[], []]


async def test_a_broker_that_stalls_is_waited_for_with_one_line(
    settings: Settings,
    writer: LedgerWriter,
    servers: LocalServers,
    stalled: None,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    monkeypatch.setattr(ledger_writer, "SLOW_SECONDS", 0.1)
    monkeypatch.setattr(ledger_writer, "MOST_WAITS", 10_000)
    writing = asyncio.create_task(writer.write({0: lines(b"late")}))
    async with asyncio.timeout(10):
        while not caplog.records:  # noqa: ASYNC110 - logging wakes nobody
            await asyncio.sleep(0.01)
    await asyncio.sleep(0.5)  # several more rounds
    assert not writing.done()
    os.kill(servers.kafka_process.pid, signal.SIGCONT)
    async with asyncio.timeout(20):
        await writing
    assert [r.levelno for r in caplog.records] == [logging.WARNING]
    assert held(settings, "ledger")[0] == [b"late"]


async def test_a_client_that_sends_nothing_any_more_is_replaced(
    settings: Settings, writer: LedgerWriter, servers: LocalServers, stalled: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ledger_writer, "SLOW_SECONDS", 0.1)
    async with asyncio.timeout(20):
        with pytest.raises(BrokerDown, match=r"(?i)timed out"):
            await writer.write({0: lines(b"stuck")})
    assert writer._producer is None
    os.kill(servers.kafka_process.pid, signal.SIGCONT)
    monkeypatch.setattr(ledger_writer, "SLOW_SECONDS", 10.0)
    await writer.write({0: lines(b"again")})
    assert held(settings, "ledger")[0][-1] == b"again"
