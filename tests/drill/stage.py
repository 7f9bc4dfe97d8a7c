"""Everything that faults are injected into: servers, one application, its workers, its shop."""

import time
from pathlib import Path

import redis
from confluent_kafka.admin import AdminClient

from stream.local import LocalServers
from stream.local.free_ports import LOOPBACK, free_ports
from tests.chaos.proxy import Proxy
from tests.chaos.system import System, SystemWorker
from tests.drill.people import People
from tests.drill.shop import SellingShop
from tests.fakes.watched_worker import Watched

DAY_SECONDS = 20
"""A period of the drilled shop: items are reviewed at its end."""


class Stage:
    """Some workers of one application on a Kafka and a Valkey of their own, and a shop that goes on selling."""

    def __init__(
        self, servers: LocalServers, system: System, people: People, workers: int = 2, proxy: Proxy | None = None
    ) -> None:
        self.servers, self.system, self.people = servers, system, people
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

    @property
    def admin(self) -> AdminClient:
        """A client of the broker; keep it until it has answered, because its answers end with it."""
        return AdminClient({"bootstrap.servers": self.servers.kafka, "log_level": 0})

    def begin(self, *words: str, bug: str = "", behind_proxy: int = 0) -> None:
        """Start all workers; with a bug, all have it; the first ones behind the proxy, if it is told how many."""
        self.workers = []
        for number, port in enumerate(self.ports):
            given = {"RESTOCK_METRICS": f"{LOOPBACK}:{port}"}
            if self.proxy is not None and number < behind_proxy:
                given["RESTOCK_KAFKA"] = f"{LOOPBACK}:{self.proxy.port}"
            self.workers.append(self.system.start(*words, bug=bug, **given))

    def begin_one(self, number: int) -> None:
        """Start a worker in the place of one that has ended."""
        self.workers[number] = self.system.start(RESTOCK_METRICS=f"{LOOPBACK}:{self.ports[number]}")

    def begin_anew(self) -> None:
        """Kill all workers, and start others that are in order."""
        self.system.kill()
        self.begin()

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
        self.begin_one(number)
        Watched(self.workers[number]).await_answer("/readyz", 200, "ready\n")

    def strike(self) -> None:
        """Note that the fault begins now, and not with what prepared it."""
        self.struck = time.time()


def drilled_system(servers: LocalServers, home: Path, factor: float) -> System:
    """An application whose days are short, and whose own waits are divided as those of the rules are."""
    return System(
        servers.kafka,
        servers.redis,
        "drill",
        home,
        clock="wall",
        tick="1s",
        period=f"{DAY_SECONDS}s",
        lateness=f"{300_000 / factor:.0f}ms",
        feed_idle=f"{900_000 / factor:.0f}ms",
    )
