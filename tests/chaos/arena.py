"""Where faults happen: servers of the campaign's own behind proxies, and one application that works on them."""

import random
import time
from dataclasses import dataclass
from pathlib import Path

import redis
from confluent_kafka.admin import AdminClient
from redis.backoff import ConstantBackoff
from redis.exceptions import RedisError
from redis.retry import Retry

from stream.local import LocalServers
from stream.local.free_ports import LOOPBACK
from tests.chaos.proxy import Proxy
from tests.chaos.run import Run
from tests.chaos.system import SystemWorker


@dataclass
class Arena:
    """One application, its servers, and the network between."""

    servers: LocalServers
    run: Run
    store_proxy: Proxy
    kafka_proxy: Proxy
    chance: random.Random

    @property
    def store(self) -> "redis.Redis":
        patient = Retry(ConstantBackoff(0.5), 40)
        return redis.Redis.from_url(self.servers.redis, socket_timeout=5, retry=patient, retry_on_error=[RedisError])

    @property
    def admin(self) -> AdminClient:
        return AdminClient({"bootstrap.servers": self.servers.kafka, "log_level": 0})

    def somebody(self) -> SystemWorker:
        """A worker that runs; if none does, one is started."""
        running = [worker for worker in self.run.system.alive() if not worker.stopped]
        return self.chance.choice(running) if running else self.run.system.start()

    def crowd(self, workers: int = 2) -> None:
        """Start or stop workers until so many run, as a supervisor would."""
        while len(self.run.system.alive()) < workers:
            self.run.system.start()

    def work(self, slices: int = 3, events: int = 30) -> None:
        """Let the shop go on for a while."""
        self.run.publish(slices, events)
        time.sleep(0.5)

    def stop_store(self) -> None:
        self.servers.redis_process.kill()

    def files(self) -> Path:
        return self.servers.directory / "redis" / "appendonlydir"

    def clear(self) -> None:
        """Leave the servers to the next application."""
        name, client = self.run.system.name, self.admin
        topics = [topic for topic in client.list_topics(timeout=30).topics if topic.startswith(f"{name}.")]
        for deleted in client.delete_topics(topics).values():
            deleted.result(30)
        for key in list(self.store.scan_iter(f"{{{name}-*")):
            self.store.delete(key)


def behind_proxies(servers: LocalServers) -> tuple[Proxy, Proxy]:
    """Give servers that are not yet started a second door each, for workers: the store's proxy and the broker's."""
    kafka, store = servers.kafka_process, servers.redis_process
    store_proxy, kafka_proxy = Proxy(lambda: store.port), Proxy(lambda: kafka.ports["proxied"])
    kafka.ports = {**kafka.ports, "proxied": 0}
    plain = kafka._settings

    def settings() -> dict[str, str]:
        given = plain()
        return given | {
            "listeners": f"{given['listeners']},PROXIED://{LOOPBACK}:{kafka.ports['proxied']}",
            "advertised.listeners": f"{given['advertised.listeners']},PROXIED://{LOOPBACK}:{kafka_proxy.port}",
            "listener.security.protocol.map": f"{given['listener.security.protocol.map']},PROXIED:PLAINTEXT",
            "inter.broker.listener.name": "PLAINTEXT",
        }

    kafka._settings = settings  # type: ignore[method-assign]
    return store_proxy, kafka_proxy
