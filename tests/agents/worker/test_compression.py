"""How records are compressed, read from the broker's own files, since a client decompresses them unseen."""

from collections.abc import AsyncIterator, Iterator
from concurrent.futures import ThreadPoolExecutor

import msgspec
import pytest

from agents.worker.resources import Resources
from schemas.codec import decode_output
from schemas.contract.examples import example
from schemas.journal import Point, Published
from stream.kafka import ledger_state, topics
from stream.kafka.clients import producer_config
from stream.kafka.event_publisher import EventPublisher
from stream.kafka.ledger_writer import LedgerWriter
from stream.kafka.publisher import Message
from stream.local import LocalServers
from stream.ports import Output
from stream.settings import Settings

CODECS = ("none", "gzip", "snappy", "lz4", "zstd")
"""As the lowest three bits of a record batch's attributes number them."""
CONTROL = 0x20


def codecs(servers: LocalServers, topic: str) -> set[str]:
    """How the record batches of a topic are compressed; the markers of transactions do not count."""
    return {CODECS[attributes & 7] for attributes in _attributes(servers, topic) if not attributes & CONTROL}


def _attributes(servers: LocalServers, topic: str) -> Iterator[int]:
    """The attributes of every batch: after offset, length, epoch, version and checksum."""
    for log in servers.directory.glob(f"kafka/**/{topic}-*/*.log"):
        data = log.read_bytes()
        while data:
            yield int.from_bytes(data[21:23], "big")
            data = data[12 + int.from_bytes(data[8:12], "big") :]


@pytest.fixture
async def worker(kafka: str, redis_url: str, app: str, topic_prefix: str) -> AsyncIterator[Resources]:
    settings = Settings(kafka=kafka, redis=redis_url, app=app, topic_prefix=topic_prefix, partitions=1)
    topics.create(settings)
    ledger_state.begin(settings)
    resources = Resources(settings)
    yield resources
    await resources.close()


async def test_what_a_worker_decides_is_read_without_a_plug_in(worker: Resources, servers: LocalServers) -> None:
    publisher = worker.ports().publisher(0)
    await publisher.open()
    names = {"replenishments": "replenishment.requested", "alerts": "stock.alert", "reviews": "item.reviewed"}
    events = [decode_output(msgspec.json.encode(example(name))) for name in names.values()]
    outputs = [Output(event.topic, event.item, event, Point(0)) for event in events]
    record = Published(Point(0), Point(1), None, "k3f9", "1", "token", ())
    await publisher.publish(outputs, record)
    await publisher.close()
    assert [codecs(servers, worker.settings.topic(topic)) for topic in names] == [{"gzip"}] * 3


async def test_dead_letters_are_read_without_a_plug_in_and_the_ledger_is_fast(
    worker: Resources, servers: LocalServers
) -> None:
    settings = worker.settings
    with ThreadPoolExecutor(1) as threads:
        writer = LedgerWriter(producer_config(settings), settings.topic("ledger"), threads)
        letter = Message(settings.topic("dead-letters"), 0, b"key", b"what was refused " * 50)
        await writer.write({0: [(b"key", b"a movement " * 50, None)]}, [letter])
        writer.close()
    assert codecs(servers, settings.topic("dead-letters")) == {"gzip"}
    assert codecs(servers, settings.topic("ledger")) == {"none", "lz4"}  # its first record is too short to compress


@pytest.mark.parametrize("codec", CODECS)
def test_the_setting_is_followed(worker: Resources, servers: LocalServers, codec: str) -> None:
    settings = msgspec.structs.replace(worker.settings, compression=codec)
    with EventPublisher(settings) as publisher:
        publisher.send("orders", "key", b'{"an": "event"} ' * 50)
    assert codecs(servers, settings.topic("orders")) == {codec}
