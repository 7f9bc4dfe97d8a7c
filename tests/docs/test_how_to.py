"""The how-tos for producers and consumers do what they say: their blocks are run against real servers."""

import json
import os
import re
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TypeAlias

import pytest

from agents.cli.notify import ItemFinder
from agents.notify.matters import KnownItem
from stream.kafka import ledger_state, topics
from stream.setting_sources import load
from stream.settings import Settings, as_environment

HOW_TO = Path(__file__).parents[2] / "docs" / "how-to"
Shell: TypeAlias = Callable[[str], str]


def blocks(page: str, language: str) -> list[str]:
    text = (HOW_TO / page).read_text(encoding="utf-8")
    return re.findall(rf"^```{language}\n(.*?)^```$", text, flags=re.MULTILINE | re.DOTALL)


@pytest.fixture
def environment(kafka: str, redis_url: str, app: str, topic_prefix: str) -> dict[str, str]:
    settings = Settings(kafka=kafka, redis=redis_url, app=app, topic_prefix=topic_prefix, partitions=2, tick_ms=500)
    topics.create(settings)
    ledger_state.begin(settings)
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    return os.environ | as_environment(settings) | {"RESTOCK_METRICS": ":0", "PATH": path}


@pytest.fixture
def shell(environment: dict[str, str], tmp_path: Path) -> Shell:
    def run(script: str) -> str:
        words = ["bash", "-euo", "pipefail", "-c", script]
        ended = subprocess.run(words, env=environment, cwd=tmp_path, capture_output=True, text=True, timeout=90)  # noqa: PLW1510
        assert ended.returncode == 0, ended.stderr
        return ended.stdout

    return run


def test_a_first_event_is_published_and_seen(shell: Shell, environment: dict[str, str], tmp_path: Path) -> None:
    write, validate, publish, look = blocks("publish-your-first-event.md", "sh")
    (program,) = blocks("publish-your-first-event.md", "python")
    shell(write)
    assert "1: ok\n2: ok" in shell(validate)
    assert shell(publish) == "2 events acknowledged (1 to orders, 1 to stock)\n"
    shell("restock worker --exit-when-idle 1")
    seen = shell(look)
    assert "117 on hand" in seen
    assert len(seen.partition("place\t")[2].splitlines()) == 1
    subprocess.run([sys.executable, "-c", program], env=environment, cwd=tmp_path, check=True, timeout=60)
    shell("restock worker --exit-when-idle 1")
    assert "115 on hand" in shell("restock item MUG-07@BER1")


def test_a_mistake_is_taken_back(shell: Shell) -> None:
    for block in blocks("take-a-mistake-back.md", "sh"):
        assert "1: ok" in shell(block)
    sale = '{"order_id":"ord-77","lines":[{"line_id":"1","sku":"TEA-01","location":"BER1","quantity":100000}]}'
    event = {"specversion": "1.0", "id": "ord-77", "source": "shop.example", "type": "order.placed"}
    placed = json.dumps(event | {"time": "2026-02-17T16:04:00Z", "data": json.loads(sale)})
    shell(f"restock publish - <<< '{placed}'; restock worker --exit-when-idle 1")
    shell("restock publish mistake.jsonl demand.jsonl")
    shell("restock worker --exit-when-idle 1")
    assert "-3 on hand" in shell("restock item TEA-01@BER1")
    refused = shell("restock dead-letters list")
    assert "out_of_range" in refused, "of the three units that are left"


@pytest.fixture
def port(environment: dict[str, str]) -> str:
    with socket.create_server(("127.0.0.1", 0)) as free:
        environment["PORT"] = str(free.getsockname()[1])
    return environment["PORT"]


@pytest.fixture
def people(port: str, environment: dict[str, str], tmp_path: Path) -> Iterator[subprocess.Popen[str]]:
    (program,) = blocks("notify-people.md", "python")
    words = [sys.executable, "-c", program]
    quiet = subprocess.DEVNULL
    with subprocess.Popen(
        words, env=environment, cwd=tmp_path, stdout=subprocess.PIPE, stderr=quiet, text=True
    ) as running:
        yield running
        running.kill()


def test_people_are_told_of_what_is_low_and_of_what_waits(
    shell: Shell, environment: dict[str, str], people: subprocess.Popen[str], tmp_path: Path
) -> None:
    item = {"sku": "TEA-01", "location": "BER1"}
    terms = {"supplier": "acme", "class": "A", "mode": "approve", "low_stock": 10, **item}
    count = {"count_id": "1", "counted": 5, "as_of": "2026-03-01T00:00:00Z", **item}
    events: list[tuple[str, str, str, object]] = [
        ("cfg", "item.configured", "2026-03-01T00:00:00Z", terms),
        ("cnt", "stock.counted", "2026-03-01T00:00:00Z", count),
    ]
    for day in range(1, 10):
        order = {"order_id": f"o-{day}", "lines": [{"line_id": "1", "quantity": 9, **item}]}
        events.append((f"o-{day}", "order.placed", f"2026-03-0{day}T10:00:00Z", order))
    with (tmp_path / "days.jsonl").open("w", encoding="utf-8") as file:
        for name, kind, time, data in events:
            attributes = {"specversion": "1.0", "id": name, "source": "test", "type": kind, "time": time}
            file.write(json.dumps({**attributes, "data": data}) + "\n")
    shell("restock publish days.jsonl; RESTOCK_CLOCK=events restock worker --exit-when-idle 1")
    table, once = blocks("notify-people.md", "sh")
    shell(table)
    shell(once)
    assert people.stdout is not None
    told = ""
    while told.count("Key ") < 2:
        told += people.stdout.readline()
    print(told)
    at_once, digest = told.split("Key ")[:2]
    assert "acme, class A, BER1: 2\n  TEA-01: negative stock, stock out since 2026-03-0" in at_once
    assert re.search(r"  TEA-01: proposal since .* wanted by .*, `restock explain rep-", digest)
    proposals = {
        json.loads(row)["replenishment_id"] for row in shell("restock replenishments --open --json").splitlines()
    }
    found = ItemFinder(load(environment=environment))({"TEA-01@BER1", "NO-SUCH@BER1"})
    assert found == {"TEA-01@BER1": KnownItem("acme", "A", frozenset(proposals))}
    shell(once)
    people.kill()
    assert "Key " not in people.stdout.read(), "everything is told once"


@pytest.fixture
def consumer(environment: dict[str, str], tmp_path: Path) -> Iterator[subprocess.Popen[str]]:
    (program,) = blocks("consume-replenishments.md", "python")
    words = [sys.executable, "-c", program]
    with subprocess.Popen(words, env=environment, cwd=tmp_path, stdout=subprocess.PIPE, text=True) as running:
        yield running
        running.kill()


def test_a_consumer_reads_a_replenishment(shell: Shell, consumer: subprocess.Popen[str], tmp_path: Path) -> None:
    item = {"sku": "TEA-01", "location": "BER1"}
    count = {"count_id": "1", "counted": 5, "as_of": "2026-03-01T00:00:00Z", **item}
    events: list[tuple[str, str, str, object]] = [("cnt", "stock.counted", "2026-03-01T00:00:00Z", count)]
    for day in range(1, 10):
        order = {"order_id": f"o-{day}", "lines": [{"line_id": "1", "quantity": 9, **item}]}
        events.append((f"o-{day}", "order.placed", f"2026-03-0{day}T10:00:00Z", order))
    with (tmp_path / "days.jsonl").open("w", encoding="utf-8") as file:
        for name, kind, time, data in events:
            attributes = {"specversion": "1.0", "id": name, "source": "test", "type": kind, "time": time}
            file.write(json.dumps({**attributes, "data": data}) + "\n")
    shell("restock publish days.jsonl; RESTOCK_CLOCK=events restock worker --exit-when-idle 1")
    assert consumer.stdout is not None
    assert re.match(r"\d+ of TEA-01 for BER1 by 2026-03-", consumer.stdout.readline())
