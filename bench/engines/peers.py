"""Other engines at a simpler job: count the records of each item, and publish every seventh.

Each is a script with dependencies of its own, run by uv in an environment of its own. What is measured is what comes
out, as an outside consumer sees it.
"""

import os
import random
import shutil
import subprocess
import sys
import tempfile
import time
import uuid
from collections import Counter
from pathlib import Path
from typing import NamedTuple

import psutil
from confluent_kafka import Consumer, Producer, TopicPartition
from confluent_kafka.admin import AdminClient, NewTopic

HERE = Path(__file__).parent
EVERY = 7
PARTITIONS, SINK_PARTITIONS = 12, 4
PATIENCE_SECONDS = 120.0


class Peer(NamedTuple):
    """An engine, and what it promises."""

    name: str
    script: str
    guarantee: str
    lines: int
    """Enough for some seconds of work."""


PEERS = {
    "faust": Peer("Faust 0.15, table", "faust_counter.py", "at least once", 40_000),
    "quix": Peer("Quix Streams 3.28, RocksDB", "quix_counter.py", "exactly once", 250_000),
    "bytewax": Peer("Bytewax 0.21, SQLite", "bytewax_counter.py", "at least once", 400_000),
}


def prepare(peer: Peer) -> None:
    """Let uv make the engine's environment, so that the measurement does not wait for it."""
    subprocess.run([_uv(), "sync", "--quiet", "--script", str(HERE / peer.script)], check=True)


def rate_of(peer: Peer, kafka: str, items: int, share: float = 1.0) -> float:
    """Records a second between the first and the last tenth of the outputs; 0 when they never came."""
    source, sink = (f"{kind}-{uuid.uuid4().hex[:8]}" for kind in ("lines", "counts"))
    admin = AdminClient({"bootstrap.servers": kafka})
    for made in admin.create_topics([NewTopic(source, PARTITIONS, 1), NewTopic(sink, SINK_PARTITIONS, 1)]).values():
        made.result()
    expected = _publish(kafka, source, items, int(peer.lines * share))
    with tempfile.TemporaryDirectory() as state:
        environment = os.environ | {
            "BENCH_KAFKA": kafka, "BENCH_SOURCE": source, "BENCH_SINK": sink, "BENCH_STATE": state,
        }  # fmt: skip
        arguments = ["worker", "--without-web"] if peer.script.startswith("faust") else []
        log = Path(state) / "log"
        with log.open("wb") as output:
            command = [_uv(), "run", "--quiet", "--script", str(HERE / peer.script), *arguments]
            engine = subprocess.Popen(command, env=environment, stdout=output, stderr=subprocess.STDOUT)
            try:
                rate = _watch(kafka, sink, expected, engine)
            finally:
                _end(engine)
        if not rate:
            print(log.read_text(errors="replace")[-2000:], file=sys.stderr)
    ours = [name for name in admin.list_topics(timeout=10).topics if source in name or sink in name]
    for deleted in admin.delete_topics(ours).values():
        deleted.result()
    return rate


def _publish(kafka: str, source: str, items: int, lines: int) -> int:
    """Publish the records; answers with how many outputs they make."""
    producer = Producer({"bootstrap.servers": kafka, "linger.ms": 5, "queue.buffering.max.messages": 1_000_000})
    counts: Counter[str] = Counter()
    chance = random.Random(1)
    for number in range(lines):
        sku = f"SKU-{int(chance.random() * items):05}"
        counts[sku] += 1
        value = b'{"sku":"%s","n":%d,"id":"ord-%d-1","loc":"BER1","qty":1}' % (sku.encode(), number, number)
        producer.produce(source, value, sku)
        if number % 10_000 == 0:
            producer.poll(0)
    producer.flush()
    return sum(count // EVERY for count in counts.values())


def _watch(kafka: str, sink: str, expected: int, engine: subprocess.Popen[bytes]) -> float:
    consumer = Consumer({"bootstrap.servers": kafka, "group.id": sink, "isolation.level": "read_uncommitted"})
    consumer.assign([TopicPartition(sink, partition, 0) for partition in range(SINK_PARTITIONS)])
    begun, came = time.monotonic(), 0
    first: tuple[float, int] | None = None
    while came < expected * 0.9:
        if engine.poll() is not None or time.monotonic() - begun > PATIENCE_SECONDS:
            consumer.close()
            return 0.0
        came += sum(message.error() is None for message in consumer.consume(5000, 0.05))
        if first is None and came > expected * 0.1:
            first = time.monotonic(), came
    consumer.close()
    return (came - first[1]) * EVERY / (time.monotonic() - first[0]) if first else 0.0


def _end(engine: subprocess.Popen[bytes]) -> None:
    """End uv and what it started."""
    family = psutil.Process(engine.pid).children(recursive=True) if engine.poll() is None else []
    for process in family:
        process.kill()
    engine.kill()
    engine.wait()


def _uv() -> str:
    found = shutil.which("uv", path=f"{Path(sys.executable).parent}{os.pathsep}{os.environ.get('PATH', '')}")
    if found is None:
        raise SystemExit("uv is not here: `make env` brings it")
    return found
