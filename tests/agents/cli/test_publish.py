"""`restock publish`: what is right goes to its topic, what is wrong is reported, and a stopped run is resumed."""

import io
import json
import signal
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from confluent_kafka import Message

from agents.cli import publish
from stream.kafka.clients import reach
from stream.kafka.event_publisher import EventPublisher
from stream.settings import Settings
from tests.agents.cli.conftest import Run

Published = Callable[[str], list[Message]]


def order(number: int, quantity: int = 1) -> dict[str, Any]:
    line = {"line_id": "1", "sku": f"S{number % 7}", "location": "BER1", "quantity": quantity}
    return {
        "specversion": "1.0",
        "id": f"o-{number}",
        "source": "shop",
        "type": "order.placed",
        "time": "2026-03-02T10:15:00+00:00",
        "data": {"order_id": f"o-{number}", "lines": [line]},
    }


def count(number: int) -> dict[str, Any]:
    data = {"count_id": str(number), "sku": "S1", "location": "BER1", "counted": 5, "as_of": "2026-03-02T10:00:00Z"}
    return order(number) | {"id": f"c-{number}", "type": "stock.counted", "data": data}


def write(path: Path, events: list[Any]) -> Path:
    lines = [event if isinstance(event, str) else json.dumps(event) for event in events]
    path.write_text("".join(line + "\n" for line in lines), encoding="utf-8")
    return path


def ids(messages: list[Message]) -> list[str]:
    return [json.loads(message.value() or b"{}").get("id", "") for message in messages]


def test_each_event_goes_to_the_topic_of_its_type_with_its_key(
    restock: Run, published: Published, tmp_path: Path
) -> None:
    file = write(tmp_path / "day.jsonl", [order(1), count(1), "", order(2)])
    assert restock("publish", file) == (0, "3 events acknowledged (2 to orders, 1 to stock)\n", "")
    assert sorted((message.key(), *ids([message])) for message in published("orders")) == [
        (b"o-1", "o-1"),
        (b"o-2", "o-2"),
    ]
    (counted,) = published("stock")
    assert counted.key() == b"S1@BER1"
    assert counted.headers() == [("content-type", b"application/cloudevents+json")]
    assert not (tmp_path / "day.jsonl.progress").exists()


def test_a_bad_line_is_reported_with_its_number_and_the_rest_is_published(
    restock: Run, published: Published, tmp_path: Path
) -> None:
    file = write(
        tmp_path / "day.jsonl", [order(1), order(2, quantity=0), "{", order(3), order(4) | {"type": "order.plaecd"}]
    )
    exit_code, out, err = restock("publish", file)
    assert exit_code == 1
    assert out == "2 events acknowledged (2 to orders)\n"
    lines = err.splitlines()
    assert lines[0].startswith(f"{file}:2: out_of_range: data.lines[0].quantity ")
    assert lines[1].startswith(f"{file}:3: not_json: ")
    assert lines[2].startswith(f"{file}:5: unknown_type: ")
    assert len(lines) == 3
    assert sorted(ids(published("orders"))) == ["o-1", "o-3"]


def test_many_bad_lines_are_counted(restock: Run, begun: Settings, tmp_path: Path) -> None:
    file = write(tmp_path / "day.jsonl", ["{"] * 100)
    exit_code, _, err = restock("publish", file)
    assert exit_code == 1
    assert len(err.splitlines()) == publish.SHOWN + 1
    assert err.splitlines()[-1] == f"{file}: 80 more lines refused; see them all: restock validate {file}"


def test_without_validation_all_is_published_that_has_a_topic(
    restock: Run, published: Published, tmp_path: Path
) -> None:
    file = write(tmp_path / "day.jsonl", [order(1, quantity=0), "{"])
    exit_code, out, _ = restock("publish", "--no-validate", file)
    assert (exit_code, out) == (1, "1 events acknowledged (1 to orders)\n")
    exit_code, out, _ = restock("publish", "--no-validate", "--topic", "stock", file)
    assert (exit_code, out) == (0, "2 events acknowledged (2 to stock)\n")
    assert len(published("stock")) == 2


def test_standard_input_is_a_file_like_any_other(
    restock: Run, published: Published, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(json.dumps(order(1)).encode())))
    exit_code, out, _ = restock("publish", "-", "--json")
    assert exit_code == 0
    assert json.loads(out) == {"acknowledged": {"catalog": 0, "orders": 1, "stock": 0}, "refused": 0}
    assert len(published("orders")) == 1


def test_after_a_stop_in_the_middle_the_rest_is_published(
    restock: Run, published: Published, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(publish, "CHUNK", 100)
    file = write(tmp_path / "day.jsonl", [order(number) for number in range(1_000)])
    send, sent = EventPublisher.send, []

    def send_until_killed(publisher: EventPublisher, *arguments: Any) -> None:
        sent.append(arguments)
        if len(sent) == 350:
            raise KeyboardInterrupt
        send(publisher, *arguments)

    monkeypatch.setattr(EventPublisher, "send", send_until_killed)
    assert restock("publish", file)[0] == 130
    monkeypatch.setattr(EventPublisher, "send", send)
    assert 300 <= len(published("orders")) < 350
    exit_code, out, err = restock("publish", file)
    assert (exit_code, out) == (0, "700 events acknowledged (700 to orders)\n")
    assert err == f"{file}: going on at line 301, where an earlier run stopped; --restart begins anew\n"
    assert set(ids(published("orders"))) == {f"o-{number}" for number in range(1_000)}


def test_notes_about_another_file_are_no_place_to_go_on(restock: Run, published: Published, tmp_path: Path) -> None:
    file = write(tmp_path / "day.jsonl", [order(1), order(2)])
    (tmp_path / "day.jsonl.progress").write_text('{"size":7,"line":1,"end":5}')
    assert restock("publish", file)[0] == 0
    assert len(published("orders")) == 2


def test_the_order_of_one_key_is_the_files(restock: Run, published: Published, tmp_path: Path) -> None:
    file = write(tmp_path / "day.jsonl", [count(number) for number in range(500)])
    assert restock("publish", file)[0] == 0
    assert ids(published("stock")) == [f"c-{number}" for number in range(500)]


def test_wrong_use_is_one_line(restock: Run, begun: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    assert restock("publish", "nowhere.jsonl") == (
        2,
        "",
        "restock publish: nowhere.jsonl cannot be read (No such file or directory): name a file of JSON Lines\n",
    )
    monkeypatch.setenv("RESTOCK_TOPIC_PREFIX", "other.")
    exit_code, _, err = restock("publish", "-")
    assert (exit_code, err) == (
        2,
        "restock publish: other.catalog: there is no such topic: run `restock topics create`\n",
    )
    monkeypatch.setenv("RESTOCK_KAFKA", "127.0.0.1:1")
    monkeypatch.setattr(reach, "__defaults__", (1.0,))
    exit_code, _, err = restock("publish", "-")
    assert exit_code == 3
    assert err.startswith("restock publish: RESTOCK_KAFKA=127.0.0.1:1 does not answer (")
    assert err.count("\n") == 1


def test_a_ctrl_c_while_deliveries_are_reported_is_not_lost(
    restock: Run, begun: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def interrupted(*_: object) -> None:
        signal.raise_signal(signal.SIGINT)
        raise AssertionError("the signal came to nothing")

    monkeypatch.setattr(EventPublisher, "_delivered", interrupted)
    file = write(tmp_path / "day.jsonl", [order(1)])
    assert restock("publish", file)[::2] == (130, "")
