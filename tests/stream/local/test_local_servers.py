"""The local servers, on the real thing: data and ports last, faults stay single, and nothing outlives its parent."""

import os
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest
import redis
from confluent_kafka import Consumer, Producer
from confluent_kafka.admin import AdminClient, NewTopic

from stream.errors import AnswerIsNo, WrongUse
from stream.local import LocalServers
from stream.local.free_ports import free_ports
from stream.local.valkey_server import Valkey

PARENT = """
import signal, sys
from pathlib import Path
from stream.local import LocalServers
with LocalServers(Path(sys.argv[1]), usual_ports=False) as servers:
    print(servers.kafka_process.pid, servers.redis_process.pid, flush=True)
    signal.pause()
"""


@pytest.fixture
def own_servers(tmp_path: Path) -> Iterator[LocalServers]:
    servers = LocalServers(tmp_path / "local", usual_ports=False)
    yield servers
    servers.stop()


def make_topic(address: str, topic: str) -> None:
    admin = AdminClient({"bootstrap.servers": address})
    admin.create_topics([NewTopic(topic, 1, 1)])[topic].result(10)


def produce(address: str, topic: str, value: bytes) -> None:
    producer = Producer({"bootstrap.servers": address})
    producer.produce(topic, value)
    assert producer.flush(20) == 0


def consume(address: str, topic: str, count: int) -> list[bytes | None]:
    consumer = Consumer({"bootstrap.servers": address, "group.id": f"reads-{topic}", "auto.offset.reset": "earliest"})
    consumer.subscribe([topic])
    try:
        return [message.value() for message in consumer.consume(count, timeout=20)]
    finally:
        consumer.close()


def test_a_restart_keeps_ports_and_data(own_servers: LocalServers) -> None:
    with own_servers:
        make_topic(own_servers.kafka, "kept")
        produce(own_servers.kafka, "kept", b"first")
        with redis.Redis.from_url(own_servers.redis) as client:
            client.set("kept", "yes")
        before = own_servers.settings
    assert len(own_servers.ended()) == 2
    with LocalServers(own_servers.directory) as again:
        assert again.settings == before
        produce(again.kafka, "kept", b"second")
        assert consume(again.kafka, "kept", 2) == [b"first", b"second"]
        with redis.Redis.from_url(again.redis) as client:
            assert client.get("kept") == b"yes"


def test_each_server_can_be_killed_and_comes_back_alone(
    servers: LocalServers, topic_prefix: str, redis_url: str
) -> None:
    topic = f"{topic_prefix}survives"
    make_topic(servers.kafka, topic)
    produce(servers.kafka, topic, b"before")
    with redis.Redis.from_url(redis_url) as client:
        client.set("survives", "yes")
        valkey = servers.redis_process.pid
        servers.kafka_process.kill()
        assert servers.ended() == [servers.kafka_process]
        servers.kafka_process.start()
        servers.redis_process.kill()
        with pytest.raises(redis.ConnectionError):
            client.ping()
        servers.redis_process.start()
        assert servers.redis_process.pid != valkey
        assert client.get("survives") == b"yes"
    produce(servers.kafka, topic, b"after")
    assert consume(servers.kafka, topic, 2) == [b"before", b"after"]


def test_nothing_outlives_a_killed_parent(tmp_path: Path) -> None:
    with subprocess.Popen([sys.executable, "-c", PARENT, tmp_path / "local"], stdout=subprocess.PIPE) as parent:
        assert parent.stdout is not None
        pids = [int(word) for word in parent.stdout.readline().split()]
        children = psutil.Process(parent.pid).children(recursive=True)
        assert {child.pid for child in children} >= set(pids)
        parent.send_signal(signal.SIGKILL)
        assert parent.wait(10) == -signal.SIGKILL
    _, alive = psutil.wait_procs(children, timeout=10)
    assert alive == []


def test_a_port_that_is_taken_is_left_alone(own_servers: LocalServers) -> None:
    with socket.socket() as somebody:
        somebody.bind(("127.0.0.1", 0))
        somebody.listen()
        taken = somebody.getsockname()[1]
        own_servers.redis_process.ports = {"redis": taken}
        own_servers.kafka_process.ports = {"kafka": taken, "control": taken}
        with own_servers:
            ports = [*own_servers.redis_process.ports.values(), *own_servers.kafka_process.ports.values()]
            assert len({*ports, taken}) == 4


def test_a_server_of_somebody_else_is_not_mistaken_for_ours(servers: LocalServers, own_servers: LocalServers) -> None:
    own_servers.kafka_process.ports = dict(servers.kafka_process.ports)
    own_servers.redis_process.ports = dict(servers.redis_process.ports)
    with own_servers:
        assert own_servers.kafka != servers.kafka
        assert own_servers.redis != servers.redis


def test_a_directory_serves_one_at_a_time(servers: LocalServers) -> None:
    with pytest.raises(AnswerIsNo, match="in use by other local servers"):
        LocalServers(servers.directory).start()
    assert servers.ended() == []
    assert servers.holder() == os.getpid()
    assert servers.ready()


def test_a_directory_that_cannot_be_made_is_wrong_use(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(WrongUse, match="name another"):
        LocalServers(tmp_path / "file").start()


def test_a_stopped_process_still_stops(tmp_path: Path) -> None:
    valkey = Valkey(tmp_path)
    valkey.ports = free_ports({"redis": 0})
    valkey.start()
    os.kill(valkey.pid, signal.SIGSTOP)
    valkey.stop()
    assert not valkey.running


def test_store_is_durable_and_never_evicts(redis_url: str) -> None:
    with redis.Redis.from_url(redis_url) as client:
        config = client.config_get("maxmemory-policy", "appendonly", "appendfsync")
    assert config == {"maxmemory-policy": "noeviction", "appendonly": "yes", "appendfsync": "everysec"}
