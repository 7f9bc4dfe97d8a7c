"""Injects faults into a real system, and shows which alert comes, when, what it silences, when it ends: `make drill`.

Two workers of one application run on a Kafka and a Valkey of their own, and a shop goes on selling. Every fault waits
until its alert was notified, lets what follows from it fire too, is mended, and waits until the alert's end was
notified.
"""

import argparse
import itertools
import json
import sys
import tempfile
import threading
import time
import traceback
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import redis

from stream.local import LocalServers
from stream.local.free_ports import LOOPBACK, free_ports
from tests.chaos.system import System, SystemWorker
from tests.drill.monitoring import Monitoring
from tests.fakes.watched_worker import Watched

ITEMS = 20
PATIENCE_SECONDS = 240.0


class SellingShop(threading.Thread):
    """Sells some units a second; publishes garbage beside them while it is asked to."""

    def __init__(self, system: System) -> None:
        super().__init__(daemon=True)
        self.garbage = False
        self.closed = threading.Event()
        self._system = system
        self._names = itertools.count(1)

    def open(self) -> None:
        """Publish stock for years, and begin to sell."""
        for number in range(ITEMS):
            line = {"sku": f"TEA-{number:02}", "location": "BER1"}
            receipt = {"receipt_id": f"rec-{number}", "accepted": 1_000_000, "rejected": 0, "final": True, **line}
            self._system.publish([self._event("stock", "stock.received", receipt)])
        self.start()

    def run(self) -> None:
        while not self.closed.wait(0.5):
            number = next(self._names)
            line = {"line_id": "1", "sku": f"TEA-{number % ITEMS:02}", "location": "BER1", "quantity": 1}
            events = [self._event("orders", "order.placed", {"order_id": f"o-{number}", "lines": [line]})]
            events += [("orders", b"x", b"no JSON")] * (10 if self.garbage else 0)
            try:
                self._system.publish(events)
            except AssertionError:  # the broker is away: a shop keeps its orders, and this one loses them
                continue

    def _event(self, topic: str, kind: str, data: dict[str, object]) -> tuple[str, bytes, bytes]:
        now = datetime.now(UTC).isoformat(timespec="milliseconds")
        name = f"e-{next(self._names)}"
        event = {"specversion": "1.0", "id": name, "source": "drill", "type": kind, "time": now, "data": data}
        return topic, name.encode(), json.dumps(event).encode()


class Stage:
    """Everything that faults are injected into."""

    def __init__(self, servers: LocalServers, system: System) -> None:
        self.servers, self.system = servers, system
        self.ports = list(free_ports({"first": 0, "second": 0}).values())
        self.workers: list[SystemWorker] = []
        self.shop = SellingShop(system)

    @property
    def store(self) -> "redis.Redis":
        return redis.Redis.from_url(self.servers.redis, socket_timeout=5)

    def begin(self, bug: str = "") -> None:
        """Start both workers; with a bug, both have it."""
        self.workers = [self.system.start(bug=bug, RESTOCK_METRICS=f"{LOOPBACK}:{port}") for port in self.ports]

    def end(self) -> None:
        self.system.stop()

    def await_ready(self) -> None:
        for worker in self.workers:
            Watched(worker).await_answer("/readyz", 200, "ready\n")

    # Faults -------------------------------------------------------------------------------------------------------

    @contextmanager
    def broker_stopped(self) -> Iterator[None]:
        self.servers.kafka_process.stop()
        yield
        self.servers.kafka_process.start()

    @contextmanager
    def store_stopped(self) -> Iterator[None]:
        self.servers.redis_process.stop()
        yield
        self.servers.redis_process.start()

    @contextmanager
    def store_full(self) -> Iterator[None]:
        self.store.config_set("maxmemory", "1")
        yield
        self.store.config_set("maxmemory", "0")

    @contextmanager
    def worker_killed(self) -> Iterator[None]:
        self.workers[0].kill()
        yield
        self.workers[0] = self.system.start(RESTOCK_METRICS=f"{LOOPBACK}:{self.ports[0]}")

    @contextmanager
    def all_workers_killed(self) -> Iterator[None]:
        self.system.kill()
        yield
        self.begin()

    @contextmanager
    def worker_standing_still(self) -> Iterator[None]:
        self.workers[0].pause()
        yield
        self.workers[0].resume()

    @contextmanager
    def poison_flood(self) -> Iterator[None]:
        self.shop.garbage = True
        yield
        self.shop.garbage = False

    @contextmanager
    def shard_parked(self) -> Iterator[None]:
        """Restore a checkpoint of the future, as a Redis file of another installation would have it."""
        key = f"{{{self.system.name}-0}}:cursor"
        self.end()
        with self.store as store:
            before = store.hget(key, "next")
            store.hset(key, "next", 10**9)
            self.begin()
            yield
            store.hset(key, "next", before or 0)

    @contextmanager
    def shard_standing_still(self) -> Iterator[None]:
        self.end()
        self.begin(bug="shard_0_stands_still")
        yield
        self.system.kill()
        self.begin()


@dataclass(frozen=True)
class DrilledFault:
    """A fault, and the alert that has to come of it."""

    name: str
    alert: str
    inject: Callable[[Stage], AbstractContextManager[None]]
    holds_minutes: float = 0.0
    """How long it goes on after its alert, unshortened, so that what follows from it fires too."""


FAULTS = [
    DrilledFault("broker stopped", "RestockBrokerUnreachable", Stage.broker_stopped, 6),
    DrilledFault("store stopped", "RestockStoreUnreachable", Stage.store_stopped, 6),
    DrilledFault("store full", "RestockStoreErrors", Stage.store_full),
    DrilledFault("worker killed", "RestockTargetDown", Stage.worker_killed),
    DrilledFault("worker standing still", "RestockTargetDown", Stage.worker_standing_still),
    DrilledFault("all workers killed", "RestockNoWorker", Stage.all_workers_killed, 4),
    DrilledFault("poison flood", "RestockDeadLetterRate", Stage.poison_flood, 2),
    DrilledFault("a shard parked", "RestockShardParked", Stage.shard_parked, 6),
    DrilledFault("a shard standing still", "RestockPartitionStuck", Stage.shard_standing_still),
]


@dataclass(frozen=True)
class Result:
    """What came of a fault."""

    fault: DrilledFault
    fired_seconds: float
    cleared_seconds: float
    silenced: list[str]
    notified: list[str]
    """Of whatever people were notified beside the alert that had to come."""


def drilled(fault: DrilledFault, stage: Stage, monitoring: Monitoring, factor: float) -> Result:
    """Inject a fault, and measure."""
    began = time.time()
    silenced: set[str] = set()
    with fault.inject(stage):
        fired = _seconds_until(lambda: monitoring.firing(fault.alert, began), f"{fault.alert} did not come")
        until = time.time() + fault.holds_minutes * 60 / factor
        while time.time() < until:
            silenced |= monitoring.silenced()
            time.sleep(0.5)
        silenced |= monitoring.silenced()
    cleared = _seconds_until(lambda: not monitoring.firing(fault.alert), f"{fault.alert} did not end")
    stage.await_ready()
    _seconds_until(lambda: not monitoring.open(), "other alerts did not end")
    beside = [name for name in monitoring.people_notified(began) if name != fault.alert]
    return Result(fault, fired, cleared, sorted(silenced), beside)


def _seconds_until(condition: Callable[[], bool], otherwise: str) -> float:
    began = time.monotonic()
    while not condition():
        if time.monotonic() - began > PATIENCE_SECONDS:
            raise TimeoutError(otherwise)
        time.sleep(0.1)
    return time.monotonic() - began


def main() -> int:
    """Print a line a fault; 1 when an alert did not come, did not end, or a healthy system had one."""
    parser = argparse.ArgumentParser(description="Injects faults and shows which alert comes, and when.")
    parser.add_argument("--factor", type=float, default=10.0, help="durations of rules and routes are divided by it")
    parser.add_argument("--healthy", type=float, default=60.0, help="seconds of healthy load before the first fault")
    parser.add_argument("--only", help="faults whose name contains this")
    args = parser.parse_args()
    failed = False
    with tempfile.TemporaryDirectory(prefix="restock-drill-") as folder:
        home = Path(folder)
        with LocalServers(home / "servers", usual_ports=False) as servers, _system(servers, home) as system:
            stage = Stage(servers, system)
            stage.begin()
            stage.await_ready()
            stage.shop.open()
            targets = [f"{LOOPBACK}:{port}" for port in stage.ports]
            with Monitoring(home, targets, args.factor) as monitoring:
                print(
                    f"durations of rules and routes divided by {args.factor:g}; two workers, {ITEMS} items", flush=True
                )
                began = time.time()
                time.sleep(args.healthy)
                notified = monitoring.people_notified(began)
                failed |= bool(notified)
                print(f"{args.healthy:g} s of healthy load: {', '.join(notified) or 'nobody is notified'}", flush=True)
                print("fault | alert | s to fire | s to clear | silenced | notified beside")
                for fault in FAULTS:
                    if args.only is None or args.only in fault.name:
                        failed |= not _shown(fault, stage, monitoring, args.factor)
            stage.shop.closed.set()
    return int(failed)


def _shown(fault: DrilledFault, stage: Stage, monitoring: Monitoring, factor: float) -> bool:
    """Drill one fault and print what came of it; whether that was as it should be."""
    try:
        done = drilled(fault, stage, monitoring, factor)
    except (AssertionError, TimeoutError) as error:
        print(f"{fault.name} | {fault.alert} | FAILED: {error}", flush=True)
        traceback.print_exc()
        return False
    lists = f"{', '.join(done.silenced) or '-'} | {', '.join(done.notified) or '-'}"
    print(f"{fault.name} | {fault.alert} | {done.fired_seconds:.0f} | {done.cleared_seconds:.0f} | {lists}", flush=True)
    return True


def _system(servers: LocalServers, home: Path) -> System:
    return System(servers.kafka, servers.redis, "drill", home, clock="wall", tick="1s")


if __name__ == "__main__":
    sys.exit(main())
