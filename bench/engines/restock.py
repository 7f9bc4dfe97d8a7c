"""restock under measurement: an application of its own on the bench's servers, its workers real processes."""

import contextlib
import json
import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any, NamedTuple, Self

import psutil
import redis
from confluent_kafka import Consumer, Producer, TopicPartition

from agents.worker.resources import OUTPUTS
from schemas.topics import TOPICS
from stream.checkpoint.store import shard_keys
from stream.kafka import ledger_state, topics
from stream.kafka.clients import admin
from stream.kafka.topic_reader import TopicReader
from stream.local import LocalServers
from stream.setting_sources import load
from stream.settings import Settings, as_environment

SAMPLE_SECONDS = 0.02
FROM_EVENTS = {"clock": "events", "tick": "1s"}
"""What a back-fill is run with: time is the orders', and days end when they end."""
COMMAND = Path(sys.executable).with_name("restock")


class Servers(NamedTuple):
    """Where broker and store listen."""

    kafka: str
    redis: str


@contextlib.contextmanager
def servers() -> Iterator[Servers]:
    """Those of the environment, or local ones for as long as this takes."""
    kafka, store = os.environ.get("RESTOCK_KAFKA"), os.environ.get("RESTOCK_REDIS")
    if kafka and store:
        yield Servers(kafka, store)
        return
    with tempfile.TemporaryDirectory() as directory, LocalServers(Path(directory), usual_ports=False) as local:
        yield Servers(local.kafka, local.redis)


class LoadPace(NamedTuple):
    """How a process worked off its lines, between the first and the last tenth of them."""

    rate: float
    """Lines a second."""
    cpu_us: float
    """Processor time of the whole process for a line, in microseconds."""
    python_us: float
    """The part of it that the Python thread took; the rest are the Kafka clients' threads."""


class Restock:
    """One application: its topics, its ledger, its commands."""

    def __init__(self, servers: Servers, **settings: str) -> None:
        name = f"bench-{os.getpid()}-{time.monotonic_ns() % 10**9}"
        given = {"kafka": servers.kafka, "redis": servers.redis, "app": name, "topic_prefix": f"{name}."}
        given |= {"metrics": "127.0.0.1:0", "log": "warning"} | settings
        self.settings: Settings = load(environment={f"RESTOCK_{key.upper()}": value for key, value in given.items()})
        self.patience_seconds = 300.0
        outer = {key: value for key, value in os.environ.items() if not key.startswith("RESTOCK_")}
        self._environment = outer | as_environment(self.settings)

    def __enter__(self) -> Self:
        topics.create(self.settings)
        ledger_state.begin(self.settings)
        return self

    def __exit__(self, *_: object) -> None:
        client = admin(self.settings)
        for deleted in client.delete_topics([self.settings.topic(name) for name in TOPICS]).values():
            deleted.result()
        with redis.Redis.from_url(self.settings.redis) as store:
            self._forget(store)

    # What a user does -----------------------------------------------------------------------------------------------

    def publish(self, events: Iterable[tuple[str, bytes, bytes]]) -> None:
        """Publish events given as topic, key, value."""
        producer = Producer(
            {
                "bootstrap.servers": self.settings.kafka,
                "linger.ms": 20,
                "compression.type": "lz4",
                "queue.buffering.max.messages": 1_000_000,
            }
        )
        for topic, key, value in events:
            while True:
                try:
                    producer.produce(self.settings.topic(topic), value, key)
                except BufferError:
                    producer.poll(0.05)
                else:
                    break
        producer.flush()

    @contextlib.contextmanager
    def worker(self, *arguments: str) -> Iterator[subprocess.Popen[bytes]]:
        """A worker process; it is asked to stop at the end, and must do so well."""
        process = subprocess.Popen([COMMAND, "worker", *arguments], env=self._environment)
        try:
            yield process
        finally:
            if process.poll() is None:
                process.send_signal(signal.SIGTERM)
            code = process.wait(90)
        if code:
            raise SystemExit(f"restock worker ended with exit code {code}")

    def work_off(self, *arguments: str) -> None:
        """Let a worker do all there is to do."""
        with self.worker("--exit-when-idle", "1", *arguments) as process:
            process.wait(self.patience_seconds)

    def forget(self) -> None:
        """Empty the store of everything this application has there."""
        with redis.Redis.from_url(self.settings.redis) as store:
            self._forget(store)

    def rebuild(self) -> None:
        """Make the checkpoints anew."""
        subprocess.run([COMMAND, "rebuild"], env=self._environment, check=True)

    def audit(self) -> bool:
        """Whether Redis holds what ledger and journal say."""
        done = subprocess.run([COMMAND, "audit", "--json"], env=self._environment, stdout=subprocess.PIPE, check=False)
        equal: bool = json.loads(done.stdout)["equal"]
        return equal

    def published(self) -> dict[str, int]:
        """Outputs that a read_committed consumer sees, by topic."""
        with TopicReader(self.settings) as reader:
            names = {topic: self.settings.topic(topic) for topic in OUTPUTS}
            return {topic: sum(1 for _ in reader.read(name, reader.bounds(name))) for topic, name in names.items()}

    def recorded(self) -> int:
        """Records in the ledger."""
        with TopicReader(self.settings) as reader:
            return sum(end for _, end in reader.bounds(self.settings.topic("ledger")).values())

    # What is measured -----------------------------------------------------------------------------------------------

    def pace(self, lines: int, *arguments: str) -> LoadPace:
        """Let a worker work off this many lines that were published before; progress is what was checkpointed."""
        with redis.Redis.from_url(self.settings.redis) as store:
            return self._pace(lambda: self._folded(store), lines, *arguments)

    def pace_to_offset(self, records: int, *arguments: str) -> LoadPace:
        """How a worker folds a whole ledger, from its first tenth to its end, into an empty store."""
        with (
            redis.Redis.from_url(self.settings.redis) as store,
            self.worker("--exit-when-idle", "1", *arguments) as process,
        ):
            first = _reached(lambda: self._folded(store), records // 10, process, self.patience_seconds)
            last = _reached(lambda: self._folded(store), records, process, self.patience_seconds)
            process.wait(self.patience_seconds)
        return _pace_between(first, last)

    def pace_of_intake(self, lines: int) -> LoadPace:
        """The same for intake alone: progress is what the broker has of the ledger."""
        with TopicReader(self.settings) as reader:
            ledger = self.settings.topic("ledger")
            return self._pace(lambda: sum(end for _, end in reader.bounds(ledger).values()), lines, "--role", "intake")

    def pace_of_reviews(self, items: int) -> LoadPace:
        """The same for the reviews of all items that are due; a review is a line here."""
        with TopicReader(self.settings) as reader:
            reviews = self.settings.topic("reviews")
            return self._pace(lambda: sum(end for _, end in reader.bounds(reviews).values()), items)

    def pace_to_the_end(self, lines: int, reviews: int, *arguments: str) -> LoadPace:
        """How a worker works off lines whose days end, from a tenth of the lines until the last review is published."""
        with redis.Redis.from_url(self.settings.redis) as store, self._counted("reviews") as published:
            start = self._folded(store)
            with self.worker("--exit-when-idle", "1", *arguments) as process:
                first = _reached(lambda: self._folded(store), start + lines // 10, process, self.patience_seconds)
                last = _reached(published, reviews, process, self.patience_seconds)
                process.wait(self.patience_seconds)
        return _pace_between(first, last._replace(done=start + lines))

    @contextlib.contextmanager
    def _counted(self, topic: str) -> Iterator[Callable[[], int]]:
        """How many outputs a read_committed consumer has seen on a topic since now."""
        name = self.settings.topic(topic)
        with TopicReader(self.settings) as reader:
            ends = {partition: end for partition, (_, end) in reader.bounds(name).items()}
        consumer = Consumer({"bootstrap.servers": self.settings.kafka, "group.id": name, "enable.auto.commit": False})
        consumer.assign([TopicPartition(name, partition, end) for partition, end in ends.items()])
        came = 0

        def count() -> int:
            nonlocal came
            came += sum(message.error() is None for message in consumer.consume(10_000, 0.01))
            return came

        try:
            yield count
        finally:
            consumer.close()

    def _pace(self, progress: Any, lines: int, *arguments: str) -> LoadPace:
        start = progress()
        with self.worker("--exit-when-idle", "1", *arguments) as process:
            first = _reached(progress, start + lines // 10, process, self.patience_seconds)
            last = _reached(progress, start + lines - lines // 10, process, self.patience_seconds)
            process.wait(self.patience_seconds)
        return _pace_between(first, last)

    def _forget(self, store: "redis.Redis") -> None:
        for shard in range(self.settings.partitions):
            store.delete(*shard_keys(self.settings.app, shard))

    def _folded(self, store: "redis.Redis") -> int:
        pipe = store.pipeline(transaction=False)
        for shard in range(self.settings.partitions):
            pipe.hget(shard_keys(self.settings.app, shard)[0], "next")
        return sum(int(position or 0) for position in pipe.execute())


class _Sample(NamedTuple):
    at: float
    done: int
    cpu: float
    python: float


def _pace_between(first: _Sample, last: _Sample) -> LoadPace:
    done, seconds = last.done - first.done, last.at - first.at
    return LoadPace(done / seconds, (last.cpu - first.cpu) / done * 1e6, (last.python - first.python) / done * 1e6)


def _reached(progress: Any, goal: int, process: subprocess.Popen[bytes], patience_seconds: float) -> _Sample:
    """Wait until so much is done, and note what it took."""
    worker, deadline = psutil.Process(process.pid), time.monotonic() + patience_seconds
    while (done := progress()) < goal:
        if process.poll() is not None or time.monotonic() > deadline:
            raise SystemExit(f"the worker stopped at {done:,} of {goal:,} ledger records")
        time.sleep(SAMPLE_SECONDS)
    at, times = time.monotonic(), worker.cpu_times()
    main = next(thread for thread in worker.threads() if thread.id == process.pid)
    return _Sample(at, done, times.user + times.system, main.user_time + main.system_time)


def differing(settings: Settings) -> Mapping[str, str]:
    """The settings that are not the defaults, without addresses and names."""
    hidden = {"RESTOCK_KAFKA", "RESTOCK_REDIS", "RESTOCK_APP", "RESTOCK_TOPIC_PREFIX", "RESTOCK_METRICS", "RESTOCK_LOG"}
    return {key: value for key, value in as_environment(settings).items() if key not in hidden}
