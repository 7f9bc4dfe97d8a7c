"""One application of the product, seen from outside: its settings, its topics, its commands, its worker processes."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Any, Self

import redis
from confluent_kafka import Consumer, KafkaException, Producer, TopicPartition

COMMAND = Path(sys.executable).with_name("restock")
PATIENCE_SECONDS = 120.0


class System:
    """Everything of one application but its servers."""

    def __init__(self, kafka: str, store: str, name: str, home: Path, **settings: str) -> None:
        self.kafka, self.store, self.name, self.home = kafka, store, name, home
        given = {
            "kafka": kafka, "redis": store, "app": name, "topic_prefix": f"{name}.", "partitions": "3",
            "metrics": "127.0.0.1:0", "log": "info", "clock": "events", "tick": "250ms", "session_timeout": "6s",
            "checkpoint": "200ms",
        } | settings  # fmt: skip
        outer = {key: value for key, value in os.environ.items() if not key.startswith("RESTOCK_")}
        self.environment = outer | {f"RESTOCK_{key.upper()}": value for key, value in given.items()}
        self.partitions = int(given["partitions"])
        self.workers: list[SystemWorker] = []
        self.usual = ""
        """What is planted in every worker and command, unless another bug is."""
        self._number = 0

    def __enter__(self) -> Self:
        """Make the topics."""
        self.create()
        return self

    def __exit__(self, *_: object) -> None:
        """Leave no process behind."""
        self.kill()

    def topic(self, logical: str) -> str:
        return f"{self.name}.{logical}"

    def run(
        self, *words: str, given: str | None = None, bug: str = "", seconds: float = PATIENCE_SECONDS
    ) -> "subprocess.CompletedProcess[str]":
        """Run a command of the product."""
        return subprocess.run(
            [*program(bug or self.usual), *words], env=self.environment, cwd=self.home, input=given, check=False,
            capture_output=True, text=True, timeout=seconds,
        )  # fmt: skip

    def create(self) -> None:
        done = self.run("topics", "create")
        assert done.returncode == 0, done.stderr

    def publish(self, events: Iterable[tuple[str, bytes, bytes]]) -> None:
        """Publish events given as topic, key, value; return once the broker has them all."""
        producer = Producer({"bootstrap.servers": self.kafka, "linger.ms": 20, "log_level": 0})
        for topic, key, value in events:
            while True:
                try:
                    producer.produce(self.topic(topic), value, key)
                except BufferError:
                    producer.poll(0.05)
                else:
                    break
        assert producer.flush(PATIENCE_SECONDS) == 0
        producer.close()

    # Workers ------------------------------------------------------------------------------------------------------

    def start(self, *words: str, bug: str = "", **environment: str) -> "SystemWorker":
        """Start a worker; with a bug, one that was planted."""
        self._number += 1
        worker = SystemWorker(self, f"w{self._number}", words, bug or self.usual, environment)
        self.workers.append(worker)
        return worker

    def alive(self) -> list["SystemWorker"]:
        return [worker for worker in self.workers if worker.running]

    def stop(self) -> list[int]:
        """Ask all workers to stop, and return the exit codes of those that had begun to work."""
        running = self.alive()
        begun = [worker.joined for worker in running]
        for worker in running:
            worker.stop()
        codes = [worker.wait() for worker in running]
        return [code for code, working in zip(codes, begun, strict=True) if working]

    def kill(self) -> None:
        for worker in self.alive():
            worker.kill()

    def work_off(self, *words: str, seconds: float = PATIENCE_SECONDS, bug: str = "") -> None:
        """Let one worker do all the work there is."""
        worker = self.start("--exit-when-idle", "2", *words, bug=bug)
        code = worker.wait(seconds)
        assert code == 0, f"a worker ended with {code}:\n{worker.tail()}"

    # How far it is ------------------------------------------------------------------------------------------------

    def sources_done(self, topics: Sequence[str] = ("orders", "stock", "catalog")) -> bool:
        """Whether intake has committed everything that these topics hold; False while the broker does not answer."""
        try:
            return not self.lag(topics)
        except KafkaException:
            return False

    def lag(self, topics: Sequence[str] = ("orders", "stock", "catalog")) -> dict[str, tuple[int, int]]:
        """Source partitions that intake has not committed to their end, with the committed offset and the end."""
        consumer = Consumer(self._reader(self.name))
        try:
            places = [TopicPartition(self.topic(topic), p) for topic in topics for p in range(self.partitions)]
            committed = {(place.topic, place.partition): place.offset for place in consumer.committed(places, 10)}
            bounds = {(place.topic, place.partition): consumer.get_watermark_offsets(place, 10) for place in places}
        finally:
            consumer.close()
        return {
            f"{topic}/{partition}": (committed[topic, partition], high)
            for (topic, partition), (low, high) in bounds.items()
            if committed[topic, partition] < high and high > low
        }

    def ends(self, logical: str = "ledger") -> list[int]:
        consumer = Consumer(self._reader(f"{self.name}-ends"))
        try:
            places = [TopicPartition(self.topic(logical), p) for p in range(self.partitions)]
            return [consumer.get_watermark_offsets(place, 10)[1] for place in places]
        finally:
            consumer.close()

    def checkpoints(self) -> list[int]:
        with redis.Redis.from_url(self.store, socket_timeout=5) as client:
            return [int(client.hget(f"{{{self.name}-{p}}}:cursor", "next") or 0) for p in range(self.partitions)]

    def settle(self, seconds: float = PATIENCE_SECONDS) -> float:
        """Wait until all events are in the ledger, and all of the ledger in Redis; return how long it took."""
        start = time.monotonic()
        assert self.alive(), f"nobody works:\n{self.workers[-1].tail() if self.workers else ''}"
        await_true(self.sources_done, seconds, lambda: f"intake did not catch up: {self.lag()}")
        ends = self.ends()
        await_true(
            lambda: all(at >= end for at, end in zip(self.checkpoints(), ends, strict=True)), seconds,
            lambda: f"the controller did not catch up: {self.checkpoints()} of {ends}",
        )  # fmt: skip
        return time.monotonic() - start

    def items(self, names: Sequence[str]) -> dict[str, dict[str, Any]]:
        """What `restock item --json` says of items; those it does not know are missing."""
        done = self.run("item", "--json", "-", given="".join(f"{name}\n" for name in names))
        found = [json.loads(line) for line in done.stdout.splitlines()]
        return {each["item"]: each for each in found if "stock" in each}

    def _reader(self, group: str) -> dict[str, Any]:
        return {"bootstrap.servers": self.kafka, "group.id": group, "enable.auto.commit": False, "log_level": 0}


class SystemWorker:
    """One worker process."""

    def __init__(self, system: System, name: str, words: Sequence[str], bug: str, environment: dict[str, str]) -> None:
        self.name = name
        self.log = system.home / f"{system.name}-{name}.log"
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(
                [*program(bug), "worker", *words], env=system.environment | environment, cwd=system.home,
                stdout=log, stderr=subprocess.STDOUT,
            )  # fmt: skip
        self.stopped = False

    @property
    def running(self) -> bool:
        return self.process.poll() is None

    @property
    def joined(self) -> bool:
        """Whether it has taken a shard."""
        return "Took shard" in self.log.read_text(errors="replace")

    def await_joined(self, seconds: float = PATIENCE_SECONDS) -> None:
        """Wait until it has taken its first shard."""
        await_true(
            lambda: self.joined, seconds,
            lambda: f"{self.name} took no shard:\n{self.tail()}",
        )  # fmt: skip

    def kill(self) -> None:
        """Kill it as kill -9 does."""
        self.process.kill()
        self.process.wait()

    def ask(self, seconds: float = 5.0) -> None:
        """Let it dump its stacks to its log."""
        asked = self.log.read_text(errors="replace").count("Asked by SIGUSR1")
        self.process.send_signal(signal.SIGUSR1)
        await_true(
            lambda: self.log.read_text(errors="replace").count("Asked by SIGUSR1") > asked, seconds,
            lambda: f"{self.name} does not answer",
        )  # fmt: skip

    def pause(self) -> None:
        self.process.send_signal(signal.SIGSTOP)
        self.stopped = True

    def resume(self) -> None:
        if self.running:
            self.process.send_signal(signal.SIGCONT)
        self.stopped = False

    def stop(self) -> None:
        self.resume()
        self.process.terminate()

    def wait(self, seconds: float = PATIENCE_SECONDS) -> int:
        try:
            return self.process.wait(seconds)
        except subprocess.TimeoutExpired:
            tail = self.tail()
            self.kill()
            raise AssertionError(f"{self.name} did not end within {seconds:g} s:\n{tail}") from None

    def tail(self, lines: int = 30) -> str:
        return "\n".join(self.log.read_text(errors="replace").splitlines()[-lines:])


def program(bug: str) -> list[str]:
    """The product's command, or the same with a bug."""
    return [sys.executable, str(Path(__file__).with_name("planted.py")), bug] if bug else [str(COMMAND)]


def await_true(condition: Any, seconds: float, otherwise: Callable[[], str], pause: float = 0.1) -> None:
    """Wait until something holds."""
    deadline = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > deadline:
            raise AssertionError(f"not within {seconds:g} s: {otherwise()}")
        time.sleep(pause)
