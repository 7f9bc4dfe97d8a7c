"""Injects faults into a real system, and shows which alert comes, when, what it silences, when it ends: `make drill`.

Some workers of one application run on a Kafka and a Valkey of their own, and a shop goes on selling. Every fault waits
until its alert was notified, lets what follows from it fire too, is mended, and waits until the alert's end was
notified. A calm run has no faults but what belongs to every week: restarts and a rolling deploy, of which nobody may
be notified.
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
from confluent_kafka import KafkaException, TopicPartition
from confluent_kafka.admin import AdminClient, AlterConfigOpType, ConfigEntry, ConfigResource, ResourceType

from stream.local import LocalServers
from stream.local.free_ports import LOOPBACK, free_ports
from tests.chaos.arena import behind_proxies
from tests.chaos.proxy import Proxy
from tests.chaos.system import System, SystemWorker
from tests.drill.monitoring import Monitoring
from tests.drill.onlooker import Onlooker
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

    def sell(self, orders: int) -> None:
        """Publish many orders at once."""
        names = [f"bulk-{next(self._names)}" for _ in range(orders)]
        line = {"line_id": "1", "sku": "TEA-00", "location": "BER1", "quantity": 1}
        self._system.publish(
            self._event("orders", "order.placed", {"order_id": name, "lines": [line]}) for name in names
        )

    def _event(self, topic: str, kind: str, data: dict[str, object]) -> tuple[str, bytes, bytes]:
        now = datetime.now(UTC).isoformat(timespec="milliseconds")
        name = f"e-{next(self._names)}"
        event = {"specversion": "1.0", "id": name, "source": "drill", "type": kind, "time": now, "data": data}
        return topic, name.encode(), json.dumps(event).encode()


class Stage:
    """Everything that faults are injected into."""

    def __init__(self, servers: LocalServers, system: System, workers: int = 2, proxy: Proxy | None = None) -> None:
        self.servers, self.system = servers, system
        self.proxy = proxy
        """Of the broker; workers that begin behind it have no other way."""
        self.ports = list(free_ports({f"worker {number}": 0 for number in range(workers)}).values())
        self.workers: list[SystemWorker] = []
        self.shop = SellingShop(system)
        self.struck = 0.0
        """When the last fault began: what prepares it takes time."""

    @property
    def store(self) -> "redis.Redis":
        return redis.Redis.from_url(self.servers.redis, socket_timeout=5)

    def begin(self, bug: str = "", behind_proxy: int = 0) -> None:
        """Start all workers; with a bug, all have it; the first ones behind the proxy, if it is told how many."""
        self.workers = []
        for number, port in enumerate(self.ports):
            given = {"RESTOCK_METRICS": f"{LOOPBACK}:{port}"}
            if self.proxy is not None and number < behind_proxy:
                given["RESTOCK_KAFKA"] = f"{LOOPBACK}:{self.proxy.port}"
            self.workers.append(self.system.start(bug=bug, **given))

    def end(self) -> None:
        self.system.stop()

    def await_ready(self) -> None:
        for worker in self.workers:
            Watched(worker).await_answer("/readyz", 200, "ready\n")

    def restart(self, number: int) -> None:
        """Let a worker drain and end, and start it anew."""
        self.workers[number].stop()
        code = self.workers[number].wait()
        assert code == 0, f"a worker ended with {code}:\n{self.workers[number].tail()}"
        self.workers[number] = self.system.start(RESTOCK_METRICS=f"{LOOPBACK}:{self.ports[number]}")
        Watched(self.workers[number]).await_answer("/readyz", 200, "ready\n")

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

    def cut_off(self, workers: int) -> AbstractContextManager[None]:
        """Let nothing through between the broker and some workers any more."""

        @contextmanager
        def fault() -> Iterator[None]:
            assert self.proxy is not None
            self.end()
            self.begin(behind_proxy=workers)
            self.await_ready()
            self.struck = time.time()
            self.proxy.mood = "half-open"
            yield
            self.proxy.mood = "fine"

        return fault()

    @contextmanager
    def letters_refused(self) -> Iterator[None]:
        before = self._configure("dead-letters", "max.message.bytes", "100")
        self.system.publish([("orders", b"x", b"no JSON")])
        yield
        self._configure("dead-letters", "max.message.bytes", before)

    @contextmanager
    def orders_deleted(self) -> Iterator[None]:
        """Let the broker delete orders that no worker has read."""
        self.end()
        self.shop.sell(200)
        places = [TopicPartition(self.system.topic("orders"), number, -1) for number in range(self.system.partitions)]
        admin = self._admin()  # kept, because its answers end with it
        for done in admin.delete_records(places).values():
            done.result(30)
        self.struck = time.time()
        self.begin()
        yield

    @contextmanager
    def store_emptied(self) -> Iterator[None]:
        self.store.flushall()
        yield

    @contextmanager
    def intake_standing_still(self) -> Iterator[None]:
        self.end()
        self.begin(bug="intake_stands_still")
        self.shop.sell(12_000)
        self.struck = time.time()
        yield
        self.system.kill()
        self.begin()

    @contextmanager
    def feeds_parked(self) -> Iterator[None]:
        self.end()
        self.struck = time.time()
        self.begin(bug="intake_fails")
        yield
        self.system.kill()
        self.begin()

    def _admin(self) -> AdminClient:
        return AdminClient({"bootstrap.servers": self.servers.kafka, "log_level": 0})

    def _configure(self, topic: str, name: str, value: str) -> str:
        """Change a topic's configuration, and return its former value."""
        asked = ConfigResource(ResourceType.TOPIC, self.system.topic(topic))
        admin = self._admin()
        before = str(admin.describe_configs([asked])[asked].result(10)[name].value)
        changed = ConfigResource(ResourceType.TOPIC, self.system.topic(topic))
        changed.add_incremental_config(ConfigEntry(name, value, incremental_operation=AlterConfigOpType.SET))
        admin.incremental_alter_configs([changed])[changed].result(10)
        return before


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
    DrilledFault("one worker cut off from the broker", "RestockWorkerCutOff", lambda stage: stage.cut_off(1)),
    DrilledFault("broker cut off by a proxy", "RestockBrokerUnreachable", lambda stage: stage.cut_off(99), 6),
    DrilledFault("dead letters refused", "RestockDeadLettersBlocked", Stage.letters_refused, 6),
    DrilledFault("orders deleted before they are read", "RestockFeedRecordsLost", Stage.orders_deleted),
    DrilledFault("store emptied", "RestockRewound", Stage.store_emptied),
    DrilledFault("intake standing still", "RestockIntakeStuck", Stage.intake_standing_still, 15),
    DrilledFault("feeds parked", "RestockFeedParked", Stage.feeds_parked),
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
    health: list[str]
    """What else told of it: health, readiness, `restock doctor`."""


def drilled(fault: DrilledFault, stage: Stage, monitoring: Monitoring, factor: float) -> Result:
    """Inject a fault, and measure."""
    began = stage.struck = time.time()
    silenced: set[str] = set()
    with fault.inject(stage), Onlooker(stage.ports, stage.struck) as onlooker:
        _seconds_until(lambda: monitoring.firing(fault.alert, began), f"{fault.alert} did not come")
        fired = time.time() - stage.struck
        health = [*onlooker.told, *_doctor(stage.system, stage.struck)]
        until = time.time() + fault.holds_minutes * 60 / factor
        while time.time() < until:
            silenced |= monitoring.silenced()
            time.sleep(0.5)
        silenced |= monitoring.silenced()
    cleared = _seconds_until(lambda: not monitoring.firing(fault.alert), f"{fault.alert} did not end")
    stage.await_ready()
    _seconds_until(lambda: not monitoring.open(), "other alerts did not end")
    beside = [name for name in monitoring.people_notified(began) if name != fault.alert]
    return Result(fault, fired, cleared, sorted(silenced), beside, health)


def _doctor(system: System, since: float) -> list[str]:
    """What `restock doctor` finds amiss, and after how many seconds it was asked."""
    asked = time.time() - since
    findings = json.loads(system.run("doctor", "--json").stdout)["findings"]
    amiss = [f"{each['what']} {each['verdict']}: {each['found']}" for each in findings if each["verdict"] != "ok"]
    return [f"{asked:.0f} s: restock doctor: {'; '.join(amiss) or 'all is well'}"]


def calm(stage: Stage, monitoring: Monitoring, seconds: float) -> bool:
    """Restart workers one by one with pauses, then all in a row, and print what fired; whether nothing did."""
    began, numbers = time.time(), range(len(stage.workers))
    pause = seconds / (len(numbers) + 2)
    for number in numbers:
        time.sleep(max(0.0, began + (number + 1) * pause - time.time()))
        stage.restart(number)
    time.sleep(max(0.0, began + (len(numbers) + 1) * pause - time.time()))
    for number in numbers:
        stage.restart(number)
    time.sleep(max(0.0, began + seconds - time.time()))
    took = time.time() - began
    told, fired = monitoring.people_notified(began), monitoring.alerts("firing", took) - {"RestockWatchdog"}
    pending = monitoring.alerts("pending", took) - fired
    print(f"{took:.0f} s of healthy load, {len(numbers)} restarts, a rolling deploy of {len(numbers)} workers")
    for what, names in {"notified": told, "fired": sorted(fired), "pending": sorted(pending)}.items():
        print(f"{what}: {', '.join(names) or 'nothing'}", flush=True)
    return not told and not fired


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
    parser.add_argument("--calm", type=float, help="seconds of healthy load with restarts and a deploy, and no fault")
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--only", help="faults whose name contains one of these, separated by commas")
    args = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="restock-drill-") as folder:
        home = Path(folder)
        local = LocalServers(home / "servers", usual_ports=False)
        _, proxy = behind_proxies(local)
        with local as servers, _system(servers, home) as system:
            stage = Stage(servers, system, args.workers, proxy)
            stage.begin()
            stage.await_ready()
            stage.shop.open()
            targets = [f"{LOOPBACK}:{port}" for port in stage.ports]
            with Monitoring(home, targets, args.factor) as monitoring:
                print(
                    f"durations of rules and routes divided by {args.factor:g}; {args.workers} workers, {ITEMS} items"
                )
                sys.stdout.flush()
                if args.calm is not None:
                    failed = not calm(stage, monitoring, args.calm)
                else:
                    failed = not _faults_shown(stage, monitoring, args)
            stage.shop.closed.set()
    return int(failed)


def _faults_shown(stage: Stage, monitoring: Monitoring, args: argparse.Namespace) -> bool:
    """Print what came of a while of health and of every chosen fault; whether all was as it should be."""
    began = time.time()
    time.sleep(args.healthy)
    notified = monitoring.people_notified(began)
    print(f"{args.healthy:g} s of healthy load: {', '.join(notified) or 'nobody is notified'}", flush=True)
    print("fault | alert | s to fire | s to clear | silenced | notified beside")
    chosen = [
        fault for fault in FAULTS if args.only is None or any(word in fault.name for word in args.only.split(","))
    ]
    shown = [_shown(fault, stage, monitoring, args.factor) for fault in chosen]
    return all(shown) and not notified


def _shown(fault: DrilledFault, stage: Stage, monitoring: Monitoring, factor: float) -> bool:
    """Drill one fault and print what came of it; whether that was as it should be."""
    try:
        done = drilled(fault, stage, monitoring, factor)
    except (AssertionError, KafkaException, TimeoutError) as error:
        print(f"{fault.name} | {fault.alert} | FAILED: {error}", flush=True)
        traceback.print_exc()
        return False
    lists = f"{', '.join(done.silenced) or '-'} | {', '.join(done.notified) or '-'}"
    print(f"{fault.name} | {fault.alert} | {done.fired_seconds:.0f} | {done.cleared_seconds:.0f} | {lists}", flush=True)
    for line in done.health:
        print(f"  {line}", flush=True)
    return True


def _system(servers: LocalServers, home: Path) -> System:
    return System(servers.kafka, servers.redis, "drill", home, clock="wall", tick="1s")


if __name__ == "__main__":
    sys.exit(main())
