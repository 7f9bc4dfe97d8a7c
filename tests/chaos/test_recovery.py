"""How long shards stand still: one of three workers is killed, or asked to stop, at 5,000 events a second."""

import json
import re
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

import pytest
from confluent_kafka import Producer

from bench.engines.shop import LoadShop
from stream.local import LocalServers
from tests.chaos.system import System, SystemWorker

EVENTS_A_SECOND = 5000
ITEMS = 2000
SESSION_SECONDS = 6
WORKERS, PARTITIONS = 3, 12
STEADY_SECONDS = 8.0
KILLED_SECONDS, DRAINED_SECONDS = 15.0, 5.0
"""How long a takeover may last, as docs/guarantees.md promises."""
MOVE = re.compile(r"(Took|Left) shard (\d+): checkpoint (\d+)")


class OrderLoad:
    """Publishes orders of one line each, so many a second, and measures how far behind the workers are."""

    def __init__(self, system: System) -> None:
        self.system, self.published = system, 0
        self._shop = LoadShop(ITEMS, 1)
        self._producer = Producer({"bootstrap.servers": system.kafka, "linger.ms": 5, "log_level": 0})
        self._over = threading.Event()

    def open(self) -> None:
        self.system.publish(self._shop.terms(1_000_000))

    @contextmanager
    def running(self) -> Iterator[None]:
        thread = threading.Thread(target=self._publish)
        thread.start()
        try:
            yield
        finally:
            self._over.set()
            thread.join()
            self._producer.flush(60)

    def lag(self) -> int:
        """Events not yet in the ledger, and ledger records not yet in a checkpoint; commits come every second."""
        waiting = sum(end - at for at, end in self.system.lag().values())
        return waiting + sum(self.system.ends()) - sum(self.system.checkpoints())

    def most(self, seconds: float) -> int:
        """The greatest lag in a span of time."""
        end, seen = time.monotonic() + seconds, [self.lag()]
        while time.monotonic() < end:
            time.sleep(0.1)
            seen.append(self.lag())
        return max(seen)

    def _publish(self) -> None:
        start = time.monotonic()
        for number, (topic, key, value) in enumerate(self._shop.orders(10_000_000, 1)):
            if self._over.is_set():
                return
            self._producer.produce(self.system.topic(topic), value, key)
            self._producer.poll(0)
            if number % 50 == 0:
                time.sleep(max(0.0, start + number / EVENTS_A_SECOND - time.monotonic()))
            self.published = number + 1


@pytest.fixture
def load(servers: LocalServers, app: str, topic_prefix: str, tmp_path: Path) -> Iterator[OrderLoad]:
    """Three workers that keep up with the load."""
    settings = {"partitions": str(PARTITIONS), "session_timeout": f"{SESSION_SECONDS}s"}
    with System(servers.kafka, servers.redis, app, tmp_path, **settings) as system:
        made = OrderLoad(system)
        made.open()
        for _ in range(WORKERS):
            system.start()
        system.settle()
        for worker in system.workers:
            worker.await_joined()
        with made.running():
            made.most(STEADY_SECONDS)
            yield made
        system.settle()
        assert set(system.stop()) == {0}
        audit = system.run("audit")
        assert audit.returncode == 0, audit.stdout


def test_after_a_kill_the_others_have_caught_up_within_seconds(
    load: OrderLoad, capsys: pytest.CaptureFixture[str]
) -> None:
    normal = load.most(4.0)
    doomed = load.system.workers[1]
    orphans = {shard for shard, worker in holders(load.system).items() if worker is doomed}
    assert orphans
    published, start, killed = load.published, time.monotonic(), datetime.now(UTC)
    doomed.kill()
    worst = 0
    while (lag := load.lag()) > normal or any(holders(load.system)[shard] is doomed for shard in orphans):
        worst = max(worst, lag)
        assert time.monotonic() - start < 4 * KILLED_SECONDS, f"the lag is {lag}, and was {normal}"
        time.sleep(0.05)
    seconds = time.monotonic() - start
    rate = (load.published - published) / seconds
    taken = [moment for worker in load.system.alive() for moment, _, shard, _ in moves(worker) if shard in orphans]
    with capsys.disabled():
        print(
            f"\nkill -9 of one of {WORKERS} workers at {rate:,.0f} events/s, session timeout {SESSION_SECONDS} s: "
            f"its {len(orphans)} shards taken {(max(taken) - killed).total_seconds():.1f} s later, "
            f"lag of {normal:,} back after {seconds:.1f} s, {worst:,} at worst"
        )
    assert seconds < KILLED_SECONDS


def test_a_worker_that_is_asked_to_stop_hands_over_and_nothing_is_folded_twice(
    load: OrderLoad, capsys: pytest.CaptureFixture[str]
) -> None:
    leaver = load.system.workers[1]
    asked = datetime.now(UTC)
    published, start = load.published, time.monotonic()
    leaver.stop()
    assert leaver.wait() == 0
    left = {shard: at for moment, what, shard, at in moves(leaver) if what == "Left" and moment > asked}
    assert left, leaver.tail()

    def taken() -> dict[int, tuple[datetime, int]]:
        return {
            shard: (moment, at)
            for worker in load.system.alive()
            for moment, what, shard, at in moves(worker)
            if what == "Took" and moment > asked and shard in left
        }

    while len(taken()) < len(left):
        assert time.monotonic() - start < 4 * DRAINED_SECONDS, f"of {left} only {taken()} were taken"
        time.sleep(0.05)
    rate = (load.published - published) / (time.monotonic() - start)
    seconds = max((moment - asked).total_seconds() for moment, _ in taken().values())
    with capsys.disabled():
        print(
            f"\nSIGTERM of one of {WORKERS} workers at {rate:,.0f} events/s: its {len(left)} shards taken "
            f"{seconds:.1f} s later, where it had left them"
        )
    assert {shard: at for shard, (_, at) in taken().items()} == left
    assert seconds < DRAINED_SECONDS


def holders(system: System) -> dict[int, SystemWorker]:
    """The worker that has taken each shard last."""
    taken = sorted((moment, shard, worker.name) for worker in system.workers for moment, _, shard, _ in moves(worker))
    by_name = {worker.name: worker for worker in system.workers}
    return {shard: by_name[name] for _, shard, name in taken}


def moves(worker: SystemWorker) -> Iterator[tuple[datetime, str, int, int]]:
    """When a worker took or left which shard, and at which offset."""
    for line in worker.log.read_text(errors="replace").splitlines():
        if found := MOVE.search(line):
            what, shard, at = found.groups()
            yield datetime.fromisoformat(json.loads(line)["time"]), what, int(shard), int(at)
