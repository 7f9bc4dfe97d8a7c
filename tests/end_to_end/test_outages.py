"""What metrics and health say while a server is away, a worker stands still, or a shard is parked."""

import time
from collections.abc import Iterator
from pathlib import Path

import pytest
import redis
from confluent_kafka import Producer
from confluent_kafka.admin import AdminClient, AlterConfigOpType, ConfigEntry, ConfigResource

from stream.local import LocalServers
from tests.chaos.system import System, await_true
from tests.fakes.watched_worker import Watched

PARTITIONS = ["0", "1", "2"]


@pytest.fixture
def system(servers: LocalServers, app: str, topic_prefix: str, tmp_path: Path) -> Iterator[System]:
    with System(servers.kafka, servers.redis, app, tmp_path, clock="wall") as system:
        yield system


@pytest.fixture
def both_back(servers: LocalServers) -> Iterator[None]:
    """Start again whatever the test has stopped."""
    yield
    servers.redis_process.start()
    servers.kafka_process.start()


def ready(system: System, *words: str, bug: str = "", **settings: str) -> Watched:
    watched = Watched(system.start(*words, bug=bug, **settings))
    watched.await_answer("/readyz", 200, "ready\n")
    return watched


def test_a_broker_that_is_gone_is_told_and_does_not_kill(
    system: System, servers: LocalServers, both_back: None
) -> None:
    worker = ready(system, RESTOCK_STUCK="3s")
    worker.await_value("restock_broker_up", 1)
    servers.kafka_process.stop()
    worker.await_value("restock_broker_up", 0)
    stopped_at = time.time()
    worker.await_answer("/readyz", 503, "Kafka does not answer: ")
    assert worker.value("restock_store_up") == 1
    assert (worker.value("restock_broker_errors_total") or 0) > 0
    assert all(worker.value("restock_ledger_lag_records", partition=number) is not None for number in PARTITIONS)
    answered = worker.value("restock_broker_answered_timestamp_seconds") or 0
    await_true(lambda: time.time() - stopped_at > 4, 10, lambda: "the clock stands still")
    assert worker.get("/healthz") == (200, "alive\n")
    assert worker.value("restock_broker_answered_timestamp_seconds") == answered < stopped_at
    servers.kafka_process.start()
    worker.await_answer("/readyz", 200, "ready\n")
    worker.await_answer("/healthz", 200, "alive\n")  # with a limit of 3 s, reconnecting may take longer


def test_a_store_that_is_gone_is_told_and_does_not_kill(system: System, servers: LocalServers, both_back: None) -> None:
    worker = ready(system, RESTOCK_STUCK="3s")
    servers.redis_process.stop()
    worker.await_value("restock_store_up", 0)
    worker.await_answer("/readyz", 503, "Redis does not answer: ")
    assert worker.value("restock_broker_up") == 1
    assert (worker.value("restock_store_errors_total", kind="unreachable") or 0) > 0
    saved = worker.value("restock_checkpoint_timestamp_seconds", partition="1")
    position = worker.value("restock_ledger_position", partition="1") or 0
    await_true(
        lambda: (worker.value("restock_ledger_position", partition="1") or 0) > position, 30,
        lambda: "ticks are not folded while the store is away",
    )  # fmt: skip
    assert worker.get("/healthz") == (200, "alive\n")
    assert worker.value("restock_checkpoint_timestamp_seconds", partition="1") == saved
    servers.redis_process.start()
    worker.await_answer("/readyz", 200, "ready\n")


def test_a_store_that_is_full_answers_and_its_errors_say_so(
    system: System, servers: LocalServers, both_back: None
) -> None:
    worker = ready(system, RESTOCK_STUCK="2s")
    with redis.Redis.from_url(servers.redis) as store:
        store.config_set("maxmemory", "1000000")
        try:
            await_true(
                lambda: (worker.value("restock_store_errors_total", kind="full") or 0) > 2, 60,
                lambda: f"no error says that Redis is full:\n{worker.worker.tail()}",
            )  # fmt: skip
            assert worker.value("restock_store_up") == 1
            worker.await_answer("/readyz", 503, "Redis is waited for: command not allowed when used memory")
            assert worker.get("/healthz") == (200, "alive\n")
            assert "redis     it uses " in system.run("doctor").stdout
        finally:
            store.config_set("maxmemory", "0")
    worker.await_answer("/readyz", 200, "ready\n")


def test_dead_letters_that_are_refused_are_told_and_do_not_kill(system: System) -> None:
    worker = ready(system, RESTOCK_STUCK="2s")
    limit_letters(system, "100")
    system.publish([("orders", b"key", b"no event " * 50)])
    worker.await_value("restock_dead_letters_blocked", 1)
    worker.await_answer("/readyz", 503, "the topic of dead letters refuses them")
    worker.await_value("restock_feed_lag_records", 1, topic=system.topic("orders"))
    assert (worker.value("restock_broker_errors_total", kind="other") or 0) > 0
    assert worker.get("/healthz") == (200, "alive\n")
    limit_letters(system, "1000000")
    worker.await_value("restock_dead_letters_blocked", 0)
    worker.await_answer("/readyz", 200, "ready\n")
    assert "letters   1 record came to the dead letters" in system.run("doctor").stdout


def limit_letters(system: System, most_bytes: str) -> None:
    """Let the topic of dead letters take no larger record."""
    change = ConfigEntry("max.message.bytes", most_bytes, incremental_operation=AlterConfigOpType.SET)
    letters = ConfigResource(ConfigResource.Type.TOPIC, system.topic("dead-letters"), incremental_configs=[change])
    client = AdminClient({"bootstrap.servers": system.kafka})  # kept: without it nobody waits for the answer
    client.incremental_alter_configs([letters])[letters].result(20)


def test_a_worker_may_start_before_its_servers(system: System, servers: LocalServers, both_back: None) -> None:
    servers.redis_process.stop()
    servers.kafka_process.stop()
    worker = Watched(system.start())
    worker.await_answer("/readyz", 503, "Kafka does not answer: RESTOCK_KAFKA=")
    assert worker.get("/healthz") == (200, "alive\n")
    assert (worker.value("restock_broker_up"), worker.value("restock_store_up")) == (0, 0)
    assert "waiting for it" in worker.worker.tail()
    servers.kafka_process.start()
    worker.await_answer("/readyz", 503, "Redis does not answer: RESTOCK_REDIS=")
    assert worker.value("restock_broker_up") == 1
    servers.redis_process.start()
    worker.await_answer("/readyz", 200, "ready\n")


def test_a_worker_that_waits_for_its_servers_can_be_stopped(
    system: System, servers: LocalServers, both_back: None
) -> None:
    servers.redis_process.stop()
    worker = Watched(system.start())
    worker.await_answer("/readyz", 503, "Redis does not answer: ")
    worker.worker.stop()
    assert worker.worker.wait(20) == 0


def test_a_script_does_not_wait_for_servers(system: System, servers: LocalServers, both_back: None) -> None:
    servers.redis_process.stop()
    worker = system.start("--exit-when-idle", "1")
    assert worker.wait(30) == 3
    assert "does not answer" in worker.tail()


def test_a_shard_that_stands_still_kills_its_worker_only(system: System) -> None:
    worker = Watched(system.start(bug="shard_0_stands_still", RESTOCK_STUCK="2s"))
    worker.await_answer("/healthz", 503, "shard 0 has stood still for ")
    assert "records behind: start this worker again" in worker.get("/healthz").text
    assert (worker.value("restock_ledger_lag_records", partition="0") or 0) > 0
    assert worker.value("restock_ledger_position", partition="0") == 0


def test_an_intake_that_is_far_behind_is_not_ready_and_alive(system: System) -> None:
    worker = ready(system, bug="intake_stands_still", RESTOCK_READY_LAG="20")
    system.publish(("orders", b"one", b"an order") for _ in range(20))
    worker.await_value("restock_feed_lag_records", 20)
    assert worker.get("/readyz") == (200, "ready\n")
    system.publish([("orders", b"one", b"an order")])
    worker.await_answer("/readyz", 503, "21 records of ")
    assert worker.get("/readyz").text.endswith(" behind: RESTOCK_READY_LAG is 20\n")
    assert worker.get("/healthz") == (200, "alive\n")


def test_shards_of_a_worker_that_stands_still_are_nobodys_until_another_takes_them(system: System) -> None:
    first = ready(system)
    second = ready(system)
    await_true(
        lambda: all(held(number, first, second) == 1 for number in PARTITIONS), 60,
        lambda: f"held by {[held(number, first, second) for number in PARTITIONS]}",
    )  # fmt: skip
    lost = [number for number in PARTITIONS if held(number, first)]
    assert lost
    first.worker.pause()
    try:
        assert first.get("/healthz").status == 0
        assert {held(number, second) for number in lost} == {0}
        await_true(
            lambda: all(held(number, second) == 1 for number in PARTITIONS), 60,
            lambda: f"held by the second: {[held(number, second) for number in PARTITIONS]}",
        )  # fmt: skip
    finally:
        first.worker.resume()


def held(partition: str, *workers: Watched) -> float:
    """The sum that a rule looks at."""
    return sum(worker.value("restock_shard_held", partition=partition) or 0 for worker in workers)


def test_a_parked_shard_is_told_and_does_not_kill(system: System) -> None:
    producer = Producer({"bootstrap.servers": system.kafka, "log_level": 0})
    producer.produce(system.topic("ledger"), b"\xc1 no record of ours", partition=0)
    assert producer.flush(30) == 0
    producer.close()
    worker = Watched(system.start(RESTOCK_STUCK="2s"))
    worker.await_value("restock_shards_parked", 1)
    worker.await_answer("/readyz", 503, "shard 0 is not read: shard 0: ledger record ")
    worker.await_value("restock_shard_held", 2)
    assert worker.value("restock_shard_held", partition="0") == 0
    await_true(lambda: (worker.value("restock_ledger_lag_records", partition="0") or 0) > 0, 60, worker.worker.tail)
    assert worker.get("/healthz") == (200, "alive\n")
