"""Everything that goes wrong in a campaign. A fault happens, work goes on, and what can be healed is healed."""

import os
import random
import shutil
import signal
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import redis
from confluent_kafka import KafkaException, Producer
from confluent_kafka.admin import AdminClient, AlterConfigOpType, ConfigEntry, ConfigResource, ResourceType

from stream.local import LocalServers
from tests.chaos.malformed import malformed
from tests.chaos.proxy import Proxy
from tests.chaos.run import Run
from tests.chaos.system import Worker

FAILPOINTS = (
    "intake.decoded", "intake.letters_written", "intake.lines_sent", "intake.written",
    "take.fenced_publisher", "take.acquired", "take.read_journal", "take.reset", "take.before_seal", "take.sealed",
    "work.folded", "work.before_publish", "publish.before_commit", "publish.committed", "work.after_publish",
    "checkpoint.before", "checkpoint.after",
)  # fmt: skip
PAUSE_SECONDS = 8.0
"""Beyond the session timeout of the campaign's workers, which is 6 s."""


@dataclass
class Arena:
    """Where faults happen."""

    servers: LocalServers
    run: Run
    proxy: Proxy
    chance: random.Random
    heal: list[Callable[[], Any]] = field(default_factory=list)

    @property
    def store(self) -> "redis.Redis":
        return redis.Redis.from_url(self.servers.redis, socket_timeout=5)

    @property
    def admin(self) -> AdminClient:
        return AdminClient({"bootstrap.servers": self.servers.kafka, "log_level": 0})

    def somebody(self) -> Worker:
        """A worker that runs; one is started when none does."""
        running = [worker for worker in self.run.system.alive() if not worker.stopped]
        return self.chance.choice(running) if running else self.run.system.start()

    def crowd(self, workers: int = 2) -> None:
        """Have so many workers, as a supervisor would."""
        while len(self.run.system.alive()) < workers:
            self.run.system.start()

    def work(self, slices: int = 3, events: int = 30) -> None:
        """Let the shop go on."""
        self.run.publish(slices, events)
        time.sleep(0.5)

    def stop_store(self) -> None:
        self.servers.redis_process.kill()

    def files(self) -> Path:
        return self.servers.directory / "redis" / "appendonlydir"


Fault = Callable[[Arena], None]


def kill(arena: Arena) -> None:
    """Kill -9 of a worker under load."""
    arena.somebody().kill()


def kill_all(arena: Arena) -> None:
    """Kill -9 of all workers at once."""
    arena.run.system.kill()


def terminate(arena: Arena) -> None:
    """SIGTERM: the worker drains and leaves."""
    worker = arena.somebody()
    worker.await_joined()
    worker.stop()
    assert worker.wait() == 0, f"a worker that was asked to stop did not end well:\n{worker.tail()}"


def at_failpoint(name: str) -> Fault:
    """Kill -9 at a named step."""

    def fault(arena: Arena) -> None:
        arena.run.system.kill()
        if name == "take.reset":
            arena.store.flushall()
        often = 1.0 if name.startswith("take.") else 0.3  # a shard is taken once, a batch comes again and again
        doomed = arena.run.system.start(RESTOCK_FAILPOINTS=f"{name}={often}")
        deadline = time.monotonic() + 20
        while doomed.running and time.monotonic() < deadline:
            arena.work(1)
        assert not doomed.running, f"no worker passed the failpoint {name} within 20 s"
        assert doomed.wait() == -signal.SIGKILL, f"a worker ended otherwise than at {name}:\n{doomed.tail()}"

    return fault


def pause(arena: Arena) -> None:
    """A worker stands still for longer than its session, and goes on as a zombie."""
    worker = arena.somebody()
    arena.crowd(2)
    worker.pause()
    arena.work(2)
    time.sleep(PAUSE_SECONDS)
    arena.work(2)
    worker.resume()


def one_three_one(arena: Arena) -> None:
    """Two workers join and leave again under load."""
    arena.crowd(3)
    arena.work(4)
    for worker in arena.run.system.alive()[1:]:
        worker.kill()


def broker_restart(arena: Arena) -> None:
    """The broker is stopped cleanly and comes back."""
    arena.servers.kafka_process.stop()
    time.sleep(2)
    arena.servers.kafka_process.start()


def broker_kill(arena: Arena) -> None:
    """The broker is killed and comes back."""
    arena.servers.kafka_process.kill()
    arena.servers.kafka_process.start()


def broker_stalls(arena: Arena) -> None:
    """The broker stands still."""
    _stand_still(arena.servers.kafka_process.pid)


def store_kill(arena: Arena) -> None:
    """Valkey is killed and comes back with what its file holds."""
    arena.stop_store()
    arena.servers.redis_process.start()


def store_stalls(arena: Arena) -> None:
    """Valkey stands still."""
    _stand_still(arena.servers.redis_process.pid)


def store_pauses(arena: Arena) -> None:
    """Valkey makes its clients wait."""
    arena.store.client_pause(3000)


def store_full(arena: Arena) -> None:
    """Valkey takes nothing more, and then does again."""
    arena.store.config_set("maxmemory", "1000000")
    arena.work(3)
    arena.store.config_set("maxmemory", "0")


def store_emptied(arena: Arena) -> None:
    """Valkey forgets everything."""
    arena.store.flushall()


def store_restored(arena: Arena) -> None:
    """An older file is restored, and later the newer one."""
    older = _copy(arena, "older")
    arena.work(3)
    newer = _copy(arena, "newer")
    _restore(arena, older)
    arena.work(3)
    _restore(arena, newer)


def store_loses_its_tail(arena: Arena) -> None:
    """Workers and Valkey are killed together, and the last writes never reached the disk."""
    kept = _copy(arena, "tail")
    arena.work(2)
    arena.run.system.kill()
    _restore(arena, kept)


def key_deleted(arena: Arena) -> None:
    """One key of a shard is gone."""
    store, app = arena.store, arena.run.system.name
    store.delete(f"{{{app}-{arena.chance.randrange(3)}}}:{arena.chance.choice(('items', 'minds', 'pages', 'shared'))}")
    arena.somebody().kill()


def scripts_flushed(arena: Arena) -> None:
    """Valkey forgets its scripts."""
    arena.store.script_flush()


def replies_lost(arena: Arena) -> None:
    """Valkey does as it is told, and its answers are lost with the connection."""
    _in_mood(arena, "deaf", 2.0)


def slow_network(arena: Arena) -> None:
    """Valkey's answers are late."""
    _in_mood(arena, "slow", 2.0)


def half_open(arena: Arena) -> None:
    """Connections to Valkey are open, and nothing comes through."""
    _in_mood(arena, "half-open", 3.0)


def letters_refused(arena: Arena) -> None:
    """The topic of dead letters takes nothing."""
    topic = arena.run.system.topic("dead-letters")
    before = _set(arena, topic, "max.message.bytes", "100")
    chance = arena.chance
    arena.run.front.publish([malformed(chance, chance.getrandbits(40), arena.run.workload.now) for _ in range(5)])
    arena.work(3)
    _set(arena, topic, "max.message.bytes", before)


def hot_item(arena: Arena) -> None:
    """Everybody wants the same, at once."""
    arena.run.publish(1, 600)


def poison(arena: Arena) -> None:
    """Dozens of records that no contract allows, in every source."""
    chance, now = arena.chance, arena.run.workload.now
    arena.run.front.publish([malformed(chance, chance.getrandbits(40), now) for _ in range(60)])


def aborted_producer(arena: Arena) -> None:
    """A shop takes its orders back before it has committed them."""
    front, system = arena.run.front, arena.run.system
    producer = Producer({"bootstrap.servers": system.kafka, "transactional.id": f"{system.name}-shop", "log_level": 0})
    producer.init_transactions(30)
    producer.begin_transaction()
    for number, event in enumerate(front.events[-40:]):
        if event.value is not None and event.verdict == "ok":
            value = event.value.replace(b'"id":"e', b'"id":"aborted-%d-' % number)
            producer.produce(system.topic(event.topic), value, partition=event.place % system.partitions)
    producer.flush(30)
    producer.abort_transaction(30)


def offsets_deleted(arena: Arena) -> None:
    """The group's offsets have expired."""
    arena.run.system.kill()
    group, client, told = arena.run.system.name, arena.admin, ""
    deadline = time.monotonic() + 40
    while time.monotonic() < deadline:
        try:
            client.delete_consumer_groups([group], request_timeout=10)[group].result(10)
        except KafkaException as error:  # members of killed workers are there until their session ends
            told = str(error)
            time.sleep(1)
        else:
            return
    raise AssertionError(f"the group could not be deleted: {told}")


FAULTS: dict[str, Fault] = {
    fault.__name__.replace("_", " "): fault
    for fault in (
        kill, kill_all, terminate, pause, one_three_one, broker_restart, broker_kill, broker_stalls, store_kill,
        store_stalls, store_pauses, store_full, store_emptied, store_restored, store_loses_its_tail, key_deleted,
        scripts_flushed, replies_lost, slow_network, half_open, letters_refused, hot_item, poison, aborted_producer,
        offsets_deleted,
    )
} | {f"kill at {name}": at_failpoint(name) for name in FAILPOINTS}  # fmt: skip


def _stand_still(pid: int, seconds: float = 3.0) -> None:
    os.kill(pid, signal.SIGSTOP)
    try:
        time.sleep(seconds)
    finally:
        os.kill(pid, signal.SIGCONT)


def _in_mood(arena: Arena, mood: Any, seconds: float) -> None:
    arena.proxy.mood = mood
    try:
        arena.work(2)
        time.sleep(seconds)
    finally:
        arena.proxy.mood = "fine"


def _copy(arena: Arena, name: str) -> Path:
    """A copy of Valkey's files as of now."""
    kept = arena.servers.directory / f"kept-{name}"
    shutil.rmtree(kept, ignore_errors=True)
    time.sleep(1.1)  # appendfsync everysec: the file is what a power cut would leave
    shutil.copytree(arena.files(), kept)
    return kept


def _restore(arena: Arena, kept: Path) -> None:
    arena.stop_store()
    shutil.rmtree(arena.files())
    shutil.copytree(kept, arena.files())
    arena.servers.redis_process.start()


def _set(arena: Arena, topic: str, name: str, value: str) -> str:
    """Change a topic's configuration; what it was."""
    client, resource = arena.admin, ConfigResource(ResourceType.TOPIC, topic)
    before = str(client.describe_configs([resource])[resource].result(10)[name].value)
    changed = ConfigResource(ResourceType.TOPIC, topic)
    changed.add_incremental_config(ConfigEntry(name, value, incremental_operation=AlterConfigOpType.SET))
    client.incremental_alter_configs([changed])[changed].result(10)
    return before
