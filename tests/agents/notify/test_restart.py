"""`restock notify` on a real Kafka: refused, killed, started anew, and everything is told once."""

import json
import os
import signal
import subprocess
import sys
import threading
import time
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TypeAlias

import pytest
from confluent_kafka import Producer
from prometheus_client.parser import text_string_to_metric_families

from agents.notify.apprise_channel import KEY_HEADER
from schemas.codec import encode
from schemas.envelope import STRUCTURED_HEADERS
from schemas.outbound import OutputEvent
from schemas.topics import place
from stream.kafka import topics
from stream.kafka.clients import producer_config
from stream.local import LocalServers
from stream.local.free_ports import LOOPBACK, free_ports
from stream.settings import Settings, as_environment
from tests.chaos.system import await_true
from tests.fakes.outputs import alert, proposal
from tests.fakes.webhook import Webhook

TABLE = """
[notify]
quiet = ""
pause = "0s"
retry = "10ms"
metrics = "127.0.0.1:{metrics}"

[[notify.to]]
name = "buyers"
url_env = "BUYERS_URL"
"""
Publish: TypeAlias = Callable[..., None]
Notify: TypeAlias = Callable[..., "subprocess.Popen[str]"]


@pytest.fixture
def settings(kafka: str, redis_url: str, app: str, topic_prefix: str) -> Settings:
    made = Settings(kafka=kafka, redis=redis_url, app=app, topic_prefix=topic_prefix, partitions=3)
    topics.create(made)
    return made


@pytest.fixture
def publish(settings: Settings) -> Publish:
    def send(*events: OutputEvent) -> None:
        producer = Producer(producer_config(settings))
        for event in events:
            key, partition = event.item.encode(), place(event.item, settings.partitions)
            producer.produce(
                settings.topic(event.topic), encode(event), key, partition, headers=list(STRUCTURED_HEADERS)
            )
        assert producer.flush(30) == 0

    return send


@pytest.fixture
def metrics_port() -> int:
    return free_ports({"metrics": 0})["metrics"]


@pytest.fixture
def notify(settings: Settings, webhook: Webhook, tmp_path: Path, metrics_port: int) -> Iterator[Notify]:
    (tmp_path / "restock.toml").write_text(TABLE.format(metrics=metrics_port), encoding="utf-8")
    url = {"BUYERS_URL": f"json://canary:canary@{webhook.address}/canary"}
    environment = os.environ | as_environment(settings) | url | {"RESTOCK_LOG": "debug"}
    running: list[subprocess.Popen[str]] = []

    def start(*words: str, command: str = "notify") -> "subprocess.Popen[str]":
        call = [str(Path(sys.executable).parent / "restock"), command, *words]
        started = subprocess.Popen(
            call, cwd=tmp_path, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
        )
        running.append(started)
        return started

    yield start
    for process in running:
        process.kill()
        process.communicate()


def once(notify: Notify) -> tuple[int, str]:
    process = notify("--once")
    _, log = process.communicate(timeout=60)
    assert "canary" not in log, "an address is a password"
    return process.returncode, log


def findings(notify: Notify) -> list[str]:
    """What `restock doctor` says of those who are told."""
    told, _ = notify("--json", command="doctor").communicate(timeout=60)
    return [each["found"] for each in json.loads(told)["findings"] if each["what"] == "notify"]


def test_what_is_refused_twice_and_interrupted_is_told_once(publish: Publish, notify: Notify, webhook: Webhook) -> None:
    publish(alert("A@BER1"), alert("GONE@BER1"), alert("GONE@BER1", "cleared"), proposal("B@MUC1", "rep-b"))
    webhook.answers = [503, 503]
    exit_code, log = once(notify)
    assert exit_code == 0, log
    assert log.count("refused with 503") == 2
    assert [request.key for request in webhook.requests] == 3 * [webhook.requests[0].key]
    told = webhook.requests[-1].body
    assert told["title"] == "restock: 2 new"
    assert "A: low stock" in told["message"]
    assert "B: proposal" in told["message"]
    assert "acme, class C, MUC1: 1" in told["message"]
    assert "GONE" not in told["message"]

    assert once(notify)[0] == 0
    assert len(webhook.requests) == 3, "nothing is told again"

    # The webhook has taken it and the process is killed before it can count it as told.
    publish(alert("C@BER1", severity="critical", kind="stock_out"))
    process = notify("--once")
    webhook.on_request = lambda: os.kill(process.pid, signal.SIGKILL)
    process.communicate(timeout=60)
    assert process.returncode == -signal.SIGKILL
    webhook.on_request = lambda: None
    publish(alert("D@BER1", severity="critical", kind="stock_out"))
    assert once(notify)[0] == 0
    assert once(notify)[0] == 0
    _, _, _, taken, again, next_one = webhook.requests
    assert again == taken, "the same key, word for word"
    assert again.key is not None
    assert "C@BER1" in again.body["title"]
    assert "D@BER1" in next_one.body["title"]
    assert next_one.key != again.key
    assert KEY_HEADER == "Idempotency-Key"


def test_who_refuses_to_the_end_is_told_by_the_next_run(publish: Publish, notify: Notify, webhook: Webhook) -> None:
    assert findings(notify) == ["nobody of 2 was ever told"]
    publish(alert("A@BER1"))
    webhook.answers = 5 * [500]
    exit_code, log = once(notify)
    assert exit_code == 1
    (refused,) = findings(notify)
    assert refused.startswith("buyers-digest has not taken what was due at ")
    assert "buyers-digest could not be told (5 tries)" in log
    assert once(notify)[0] == 0
    (taken,) = findings(notify)
    assert taken == refused.replace("buyers-digest has not taken what was due", "what was due last,") + ", was taken"
    assert len({request.key for request in webhook.requests}) == 1
    assert len(webhook.requests) == 6


def test_a_running_one_tells_what_comes_and_gives_way_to_the_next(
    publish: Publish, notify: Notify, webhook: Webhook
) -> None:
    arrived = threading.Semaphore(0)
    webhook.on_request = arrived.release
    publish(alert("A@BER1", severity="critical"))
    first = notify()
    assert arrived.acquire(timeout=60)
    second = notify()
    publish(alert("B@BER1", severity="critical"))
    assert arrived.acquire(timeout=60)
    publish(alert("C@BER1", severity="critical"))
    assert arrived.acquire(timeout=60)
    _, log = first.communicate(timeout=60)
    assert first.returncode == 1
    assert "another `restock notify`" in log
    second.send_signal(signal.SIGTERM)
    _, log = second.communicate(timeout=60)
    assert second.returncode == 0, log
    titles = [request.body["title"] for request in webhook.requests]
    assert titles == [f"restock: low stock: {sku}@BER1" for sku in "ABC"]


def test_a_broker_that_restarts_between_sending_and_counting_has_nobody_told_twice(
    publish: Publish, notify: Notify, webhook: Webhook, servers: LocalServers
) -> None:
    arrived = threading.Semaphore(0)

    def stop_the_broker() -> None:
        webhook.on_request = arrived.release
        servers.kafka_process.stop()
        arrived.release()

    publish(alert("A@BER1", severity="critical"))
    webhook.on_request = stop_the_broker
    running = notify()
    try:
        assert arrived.acquire(timeout=60)
    finally:
        servers.kafka_process.start()
    publish(alert("B@BER1", severity="critical"))
    assert arrived.acquire(timeout=90)
    running.send_signal(signal.SIGTERM)
    _, log = running.communicate(timeout=60)
    assert running.returncode == 0, log
    assert "; trying again" in log, "it had sent, and could not count"
    titles = [request.body["title"] for request in webhook.requests]
    assert titles == ["restock: low stock: A@BER1", "restock: low stock: B@BER1"]
    assert once(notify)[0] == 0
    assert len(webhook.requests) == 2, "both are counted"


def test_metrics_say_who_waits_and_since_when_somebody_was_told(
    publish: Publish, notify: Notify, webhook: Webhook, metrics_port: int
) -> None:
    publish(alert("A@BER1", severity="critical"))
    webhook.answers = 3 * [503]
    running = notify()
    at_once, digest = {"recipient": "buyers", "urgency": "at-once"}, {"recipient": "buyers", "urgency": "digest"}
    await_true(
        lambda: exported(metrics_port, "restock_notify_delivered_total", at_once) == 1, 60,
        lambda: f"{len(webhook.requests)} requests came",
    )  # fmt: skip
    found = {
        (name, urgency["urgency"]): exported(metrics_port, f"restock_notify_{name}", urgency)
        for name in ("failed_total", "waiting", "told_timestamp_seconds")
        for urgency in (at_once, digest)
    }
    matters = exported(metrics_port, "restock_notify_matters_open", {})
    running.send_signal(signal.SIGTERM)
    running.communicate(timeout=60)
    assert (found["failed_total", "at-once"], found["failed_total", "digest"]) == (3, 0)
    assert (found["waiting", "at-once"], found["waiting", "digest"], matters) == (0, 0, 1)
    assert 0 <= time.time() - (found["told_timestamp_seconds", "at-once"] or 0) < 60
    assert found["told_timestamp_seconds", "digest"] == 0


def exported(port: int, name: str, labels: dict[str, str]) -> float | None:
    """A metric's value; None while nobody listens."""
    try:
        with urllib.request.urlopen(f"http://{LOOPBACK}:{port}/metrics", timeout=5) as response:
            families = list(text_string_to_metric_families(response.read().decode()))
    except OSError:
        return None
    samples = (sample for family in families for sample in family.samples)
    return next((sample.value for sample in samples if (sample.name, sample.labels) == (name, labels)), None)


def test_the_doctor_need_not_know_addresses(notify: Notify, tmp_path: Path) -> None:
    (tmp_path / "restock.toml").write_text(TABLE.format(metrics=0).replace("BUYERS_URL", "UNKNOWN"), encoding="utf-8")
    (found,) = findings(notify)
    assert found.endswith("notify.to buyers has no address where it says")


def test_nobody_named_is_wrong_use(notify: Notify, tmp_path: Path) -> None:
    (tmp_path / "restock.toml").write_text("[notify]\n", encoding="utf-8")
    process = notify("--once")
    _, log = process.communicate(timeout=60)
    assert process.returncode == 2
    assert "notify.to names nobody" in log
    assert json.dumps(log).count("\\n") == 1
