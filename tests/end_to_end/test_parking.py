"""Faults that no worker can mend: the shard parks and names the command, others go on, and nothing is published."""

from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

import pytest
import redis
from confluent_kafka import Producer, TopicPartition
from confluent_kafka.admin import AdminClient

from stream.local import LocalServers
from tests.chaos.run import Run
from tests.chaos.shop_front import said
from tests.chaos.system import SystemWorker, await_true

SEED = 20260305
HOLE = "there is no usable checkpoint, and the ledger begins at"
ANEW = "restore the topic, or begin anew under another RESTOCK_APP and RESTOCK_TOPIC_PREFIX"


class StoppedSystem:
    """An application whose worker has worked for a while and stopped; more events have come since."""

    def __init__(self, run: Run, servers: LocalServers) -> None:
        self.run, self.system = run, run.system
        self.admin = AdminClient({"bootstrap.servers": servers.kafka, "log_level": 0})
        self.store = redis.Redis.from_url(servers.redis)
        controller = self.system.start("--role", "controller")
        intake = self.system.start("--role", "intake")
        run.open()
        run.publish(8, 20)
        self.system.settle()
        controller.stop()
        assert controller.wait() == 0
        run.publish(4, 20)
        await_true(self.system.sources_done, 60, lambda: f"intake did not catch up: {self.system.lag()}")
        ends = self.system.ends()
        await_true(
            lambda: all(now > then for now, then in zip(self.system.ends(), ends, strict=True)), 60,
            lambda: f"no tick came after the last movement: {self.system.ends()} after {ends}",
        )  # fmt: skip
        intake.stop()
        assert intake.wait() == 0
        self.published = self.outputs()

    def outputs(self) -> int:
        return sum(len(self.run.topics.read(name)) for name in ("replenishments", "alerts", "reviews"))

    def remake(self, logical: str) -> None:
        name = self.system.topic(logical)
        self.admin.delete_topics([name])[name].result(30)
        await_true(lambda: name not in self.admin.list_topics(timeout=5).topics, 20, lambda: f"{name} is still there")
        assert self.system.run("topics", "create").returncode == 0

    def cut(self, logical: str, *partitions: int) -> None:
        """Delete all records but the last, a tick, as retention does."""
        ends = self.system.ends(logical)
        self.cut_to(logical, {p: ends[p] - 1 for p in partitions})

    def cut_to(self, logical: str, starts: Mapping[int, int]) -> None:
        """Delete the records before these offsets."""
        places = [TopicPartition(self.system.topic(logical), p, start) for p, start in starts.items()]
        for deleted in self.admin.delete_records(places).values():
            deleted.result(30)

    def append(self, logical: str, value: bytes, partition: int = 0) -> None:
        producer = Producer({"bootstrap.servers": self.system.kafka, "log_level": 0})
        producer.produce(self.system.topic(logical), value, partition=partition)
        assert producer.flush(30) == 0
        producer.close()

    def parked(self, worker: SystemWorker, *shards: int) -> str:
        """What the worker logs about these shards, once it has parked them all."""

        def lines() -> list[str]:
            lines = worker.log.read_text(errors="replace").splitlines()
            return [line for line in lines if '"Parked: ' in line]

        await_true(
            lambda: all(any(f"shard {shard}:" in line for line in lines()) for shard in shards), 60,
            lambda: f"not all of {shards} are parked:\n{worker.tail()}",
        )  # fmt: skip
        return "\n".join(lines())

    def goes_on(self, *shards: int) -> None:
        """These shards fold all there is."""
        ends = self.system.ends()
        await_true(
            lambda: all(self.system.checkpoints()[shard] >= ends[shard] for shard in shards), 60,
            lambda: f"they stand at {self.system.checkpoints()} of {ends}",
        )  # fmt: skip


@pytest.fixture
def world(servers: LocalServers, app: str, topic_prefix: str, tmp_path: Path) -> Iterator[StoppedSystem]:
    with Run(servers.kafka, servers.redis, app, tmp_path, SEED) as run:
        yield StoppedSystem(run, servers)


def ledger_made_anew(world: StoppedSystem) -> None:
    world.remake("ledger")


def journal_made_anew(world: StoppedSystem) -> None:
    world.remake("journal")


def ledger_cut(world: StoppedSystem) -> None:
    world.cut("ledger", 0, 1, 2)


def store_emptied_and_ledger_cut(world: StoppedSystem) -> None:
    world.store.flushall()
    world.cut("ledger", 0, 1, 2)


def store_emptied_and_journal_cut(world: StoppedSystem) -> None:
    world.store.flushall()
    world.cut("journal", 0, 1, 2)


@pytest.mark.parametrize(
    "happens, reason, cure",
    [
        (ledger_made_anew, "belongs to ledger", ANEW),
        (journal_made_anew, "Redis knows of a journal that is gone", ANEW),
        (ledger_cut, "the checkpoint stands at", f"restore a later Redis snapshot or the ledger, or {ANEW}"),
        (store_emptied_and_ledger_cut, "there is no usable checkpoint", f"restore a Redis snapshot of it, or {ANEW}"),
        (store_emptied_and_journal_cut, "there is no usable checkpoint", f"restore a Redis snapshot of it, or {ANEW}"),
    ],
)
def test_a_history_with_a_hole_is_never_folded_on(
    happens: Callable[[StoppedSystem], None], reason: str, cure: str, world: StoppedSystem
) -> None:
    happens(world)
    worker = world.system.start()
    said = world.parked(worker, 0, 1, 2)
    assert reason in said, said
    assert cure in said, said
    if happens is ledger_cut:
        assert "wrong       shards    the checkpoint of shard 0 stands at" in world.system.run("doctor").stdout
    worker.stop()
    assert worker.wait() == 0
    assert world.outputs() == world.published


@pytest.mark.parametrize("left", [0, 2])
def test_what_lies_before_the_checkpoint_may_be_deleted(left: int, world: StoppedSystem) -> None:
    """Of the journal the last record and its marker are left, or nothing at all."""
    world.cut_to("ledger", dict(enumerate(world.system.checkpoints())))
    world.cut_to("journal", {shard: end - left for shard, end in enumerate(world.system.ends("journal"))})
    for _ in range(2):
        published = world.outputs()
        worker = world.system.start()
        world.run.publish(12, 20)  # a day, so that items are reviewed
        world.system.settle()
        assert world.outputs() > published
        worker.stop()
        assert worker.wait() == 0
        assert "Parked" not in worker.log.read_text(errors="replace")
    outputs = [said(raw)["id"] for name in ("replenishments", "alerts") for raw in world.run.topics.read(name)]
    assert len(outputs) == len(set(outputs)), "something was published twice"


@pytest.mark.parametrize("topic, reason", [("ledger", "install a version that can"), ("journal", "shard 0")])
def test_a_poisoned_log_parks_its_shard_and_no_other(topic: str, reason: str, world: StoppedSystem) -> None:
    world.append(topic, b"\xc1 no record of ours")
    worker = world.system.start()
    said = world.parked(worker, 0)
    assert reason in said, said
    world.run.publish(4, 20)
    world.goes_on(1, 2)
    worker.stop()
    assert worker.wait() == 0


def test_a_ledger_made_anew_under_a_running_worker_parks(world: StoppedSystem) -> None:
    worker = world.system.start()
    world.goes_on(0, 1, 2)
    published = world.outputs()
    world.remake("ledger")
    said = world.parked(worker, 0, 1, 2)
    assert ANEW in said, said
    assert world.outputs() == published


def test_a_rebuild_names_the_shards_it_cannot_rebuild_and_rebuilds_the_others(world: StoppedSystem) -> None:
    world.store.flushall()
    world.cut("ledger", 0)
    done = world.system.run("rebuild")
    assert done.returncode == 1
    assert f"restock rebuild: shard 0: {HOLE}" in done.stderr
    assert "fault of restock" not in done.stderr
    assert [f"shard {shard}: rebuilt" in done.stderr for shard in (0, 1, 2)] == [False, True, True]
    assert "warning     shards    shard 0 has a ledger, but no checkpoint (1 such)" in world.system.run("doctor").stdout
