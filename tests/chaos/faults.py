"""The faults of a campaign. A fault happens, work goes on under it, and then it heals, if it can."""

import os
import shutil
import signal
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import redis
from confluent_kafka import KafkaException, Producer
from confluent_kafka.admin import AlterConfigOpType, ConfigEntry, ConfigResource, ResourceType

from tests.chaos.arena import Arena
from tests.chaos.malformed import malformed
from tests.chaos.proxy import Mood
from tests.chaos.workload import HOT

FAILPOINTS = (
    "intake.decoded", "intake.letters_written", "intake.lines_sent", "intake.written",
    "take.fenced_publisher", "take.acquired", "take.read_journal", "take.reset", "take.before_seal", "take.sealed",
    "work.folded", "work.before_publish", "publish.before_commit", "publish.committed", "work.after_publish",
    "checkpoint.before", "checkpoint.within", "checkpoint.after", "replay.folded",
)  # fmt: skip
PAUSE_SECONDS = 8.0
"""Beyond the session timeout of the campaign's workers, which is 6 s."""


Fault = Callable[[Arena], None]
"""Injects a fault into an arena, and heals it if it can be healed."""


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
        if name == "replay.folded":
            arena.run.system.settle()  # or a young application has published nothing that could be replayed
        arena.run.system.kill()
        if name in {"take.reset", "replay.folded"}:
            arena.store.flushall()
        # A shard is taken once and replayed in few batches; all other failpoints are passed again and again.
        often = 1.0 if name.startswith(("take.", "replay.")) else 0.3
        bug = "small_slices" if name == "checkpoint.within" else ""
        doomed = arena.run.system.start(bug=bug, RESTOCK_FAILPOINTS=f"{name}={often}")
        deadline = time.monotonic() + 60
        while doomed.running and time.monotonic() < deadline:
            arena.work(1)
        assert not doomed.running, f"no worker passed the failpoint {name} within 60 s"
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


def store_emptied_while_read(arena: Arena) -> None:
    """Valkey forgets everything between two answers to a worker that reads its checkpoints."""
    arena.crowd()
    arena.run.system.settle()  # so that there are checkpoints to read
    arena.run.system.kill()
    arena.work(2)
    arena.store_proxy.mood = "slow"
    try:
        listener: Any = redis.Redis.from_url(arena.servers.redis, socket_timeout=60)
        with listener.monitor() as monitor:
            arena.run.system.start()
            next(heard for heard in monitor.listen() if heard["command"].startswith("HSCAN"))
            arena.store.flushall()
    finally:
        arena.store_proxy.mood = "fine"


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


def answers(server: str, mood: Mood, seconds: float, summary: str) -> Fault:
    """The fault of a network between workers and a server, in one of the proxy's moods."""

    def fault(arena: Arena) -> None:
        proxy = arena.store_proxy if server == "store" else arena.kafka_proxy
        proxy.mood = mood
        try:
            arena.work(2)
            time.sleep(seconds)
        finally:
            proxy.mood = "fine"

    fault.__doc__ = summary
    return fault


MOODS: tuple[tuple[str, Mood, float, str], ...] = (
    ("deaf", "deaf", 2.0, "The server does what it is asked, and its answers are lost with the connection."),
    ("slow", "slow", 2.0, "Answers are late."),
    ("half open", "half-open", 3.0, "Connections are open, and nothing comes through them any more."),
    ("half closed", "half-closed", 2.0, "The server hears its clients, and they hear that it has hung up."),
)
NETWORK = {
    f"{server} {name}": answers(server, mood, seconds, summary)
    for server in ("store", "broker")
    for name, mood, seconds, summary in MOODS
}


def letters_refused(arena: Arena) -> None:
    """The topic of dead letters accepts no record."""
    topic = arena.run.system.topic("dead-letters")
    before = _set(arena, topic, "max.message.bytes", "100")
    chance = arena.chance
    arena.run.front.publish([malformed(chance, chance.getrandbits(40), arena.run.workload.now) for _ in range(5)])
    arena.work(3)
    _set(arena, topic, "max.message.bytes", before)


def outputs_refused(arena: Arena) -> None:
    """A topic of outputs accepts no record: shards park, and go on by themselves once it does."""
    topic = arena.run.system.topic("reviews")
    before = _set(arena, topic, "max.message.bytes", "100")
    arena.work(15)
    time.sleep(PAUSE_SECONDS)  # tried three times, taken anew, tried again: then it is parked
    _set(arena, topic, "max.message.bytes", before)


def clocks_wrong(arena: Arena) -> None:
    """The clocks of two workers are a day ahead and a day behind."""
    arena.run.system.kill()
    arena.run.system.start(bug="clock_a_day_ahead")
    arena.run.system.start(bug="clock_a_day_behind").await_joined()


def hot_item(arena: Arena) -> None:
    """Most customers order the same item, at once."""
    workload = arena.run.workload
    workload.hot = 0.95
    try:
        arena.run.publish(1, 600)
    finally:
        workload.hot = HOT


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
    group, client, answer = arena.run.system.name, arena.admin, ""
    deadline = time.monotonic() + 40
    while time.monotonic() < deadline:
        try:
            client.delete_consumer_groups([group], request_timeout=10)[group].result(10)
        except KafkaException as error:  # members of killed workers are there until their session ends
            answer = str(error)
            time.sleep(1)
        else:
            return
    raise AssertionError(f"the group could not be deleted: {answer}")


FAULTS: dict[str, Fault] = {
    fault.__name__.replace("_", " "): fault
    for fault in (
        kill, kill_all, terminate, pause, one_three_one, broker_restart, broker_kill, broker_stalls, store_kill,
        store_stalls, store_pauses, store_full, store_emptied, store_emptied_while_read, store_restored,
        store_loses_its_tail, key_deleted, scripts_flushed, letters_refused, outputs_refused, clocks_wrong, hot_item,
        poison, aborted_producer, offsets_deleted,
    )
} | NETWORK | {f"kill at {name}": at_failpoint(name) for name in FAILPOINTS}  # fmt: skip


def _stand_still(pid: int, seconds: float = 3.0) -> None:
    os.kill(pid, signal.SIGSTOP)
    try:
        time.sleep(seconds)
    finally:
        os.kill(pid, signal.SIGCONT)


def _copy(arena: Arena, name: str) -> Path:
    """Copy Valkey's files as they are now."""
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
    """Change a topic's configuration, and return its former value."""
    client, resource = arena.admin, ConfigResource(ResourceType.TOPIC, topic)
    before = str(client.describe_configs([resource])[resource].result(10)[name].value)
    changed = ConfigResource(ResourceType.TOPIC, topic)
    changed.add_incremental_config(ConfigEntry(name, value, incremental_operation=AlterConfigOpType.SET))
    client.incremental_alter_configs([changed])[changed].result(10)
    return before
