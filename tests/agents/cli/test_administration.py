"""`restock topics`, `restock settings` and redriving many, as they are typed."""

import json
from collections.abc import Callable
from typing import Any

import pytest
from confluent_kafka import Consumer, Message, Producer

from schemas.dead_letter import Origin, letter_headers
from schemas.refusal import Reason, Refusal
from stream.settings import Settings
from tests.agents.cli.conftest import Run

Published = Callable[[str], list[Message]]


def headers(settings: Settings, offset: int, stage: str) -> Any:
    origin = Origin(settings.topic("orders"), 0, offset, 1_772_446_500_000)
    return letter_headers(Refusal(Reason.NOT_JSON, "", "is wrong", "mend it"), stage=stage, origin=origin)


def test_topics_are_missing_then_made_then_there(restock: Run, settings: Settings) -> None:
    exit_code, out, _ = restock("topics", "check")
    assert exit_code == 1
    assert out.splitlines()[0] == f"{settings.topic('orders')}: there is no such topic: run `restock topics create`"
    exit_code, out, err = restock("topics", "create")
    assert (exit_code, out) == (0, "")
    assert "one broker: replication is 1" in err
    assert f"of {settings.app} in 3 partitions" in err
    exit_code, out, err = restock("topics", "create", "--json")
    assert (exit_code, json.loads(out)) == (0, {"made": [], "differences": []})
    assert restock("topics", "check")[0] == 0


def test_the_doctor_asked_first_of_all_names_the_first_step(restock: Run, settings: Settings) -> None:
    exit_code, out, err = restock("doctor")
    assert (exit_code, err) == (1, "")
    assert f"{settings.topic('orders')}: there is no such topic: run `restock topics create`" in out


def test_another_number_of_partitions_is_reported(
    restock: Run, begun: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("RESTOCK_PARTITIONS", "6")
    exit_code, out, _ = restock("topics", "check")
    assert exit_code == 1
    assert out.splitlines() == [
        f"{begun.topic(log)}: partitions is 3, not 6: "
        "set RESTOCK_PARTITIONS=3, or another RESTOCK_TOPIC_PREFIX for new topics"
        for log in ("ledger", "journal")
    ]
    differences = json.loads(restock("topics", "check", "--json")[1])["differences"]
    assert [(each["what"], each["found"], each["wanted"]) for each in differences] == [("partitions", "3", "6")] * 2


def test_settings_are_applied_to_the_ledger(restock: Run, begun: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RESTOCK_PERIOD", "6h")
    exit_code, _, err = restock("settings", "show")
    assert exit_code == 1
    assert err == "RESTOCK_PERIOD differs from the ledger: change it here, or run `restock settings apply`\n"
    exit_code, _, err = restock("settings", "apply")
    assert (exit_code, err) == (0, "3 ledger partitions follow these settings from here on\n")
    assert restock("settings", "apply", "--json")[1] == '{"partitions_changed": 0}\n'
    assert restock("settings", "show")[0] == 0


def test_settings_are_not_applied_under_running_workers(
    restock: Run, begun: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("RESTOCK_PERIOD", "6h")
    worker = Consumer({"bootstrap.servers": begun.kafka, "group.id": begun.app, "log_level": 0})
    worker.subscribe([begun.topic("ledger")])
    while not worker.assignment():
        worker.poll(0.05)
    exit_code, _, err = restock("settings", "apply")
    assert (exit_code, err) == (
        1,
        f"restock settings: 1 workers of {begun.app} are running: stop them, apply, and start them anew\n",
    )
    worker.close()
    assert restock("settings", "apply")[0] == 0


def test_settings_of_a_ledger_that_is_not_there_are_wrong_use(restock: Run, settings: Settings) -> None:
    exit_code, out, err = restock("settings", "show")
    assert exit_code == 2
    assert "RESTOCK_LATENESS\t5m" in out
    assert err == f"restock settings: {settings.topic('ledger')} does not exist: run `restock topics create`\n"


def test_redriving_many_asks_first(restock: Run, begun: Settings, published: Published) -> None:
    producer = Producer({"bootstrap.servers": begun.kafka, "log_level": 0})
    for offset in range(11):
        producer.produce(begun.topic("dead-letters"), b"{", b"k", headers=headers(begun, offset, "intake"))
    assert producer.flush(30) == 0
    exit_code, _, err = restock("dead-letters", "redrive", "--reason", "not_json")
    assert (exit_code, err.count("\n"), published("orders")) == (2, 1, [])
    assert "11 events would be published again: say --yes" in err
    exit_code, out, _ = restock("dead-letters", "redrive", "--all", "--yes")
    assert (exit_code, out) == (0, "11 events published again under their ids\n")
    assert [(message.key(), message.value()) for message in published("orders")] == [(b"k", b"{")] * 11


def test_what_was_redriven_or_discarded_is_marked_and_left_alone(
    restock: Run, begun: Settings, published: Published
) -> None:
    producer = Producer({"bootstrap.servers": begun.kafka, "log_level": 0})
    for offset in range(3):
        value = b'{"id": "e%d", "source": "shop", "type": "order.placed"}' % offset
        letter = headers(begun, offset, "intake")
        producer.produce(begun.topic("dead-letters"), value, b"k", headers=letter, partition=offset % 2)
    assert producer.flush(30) == 0

    def states(*words: str) -> dict[str, str]:
        rows = map(json.loads, restock("dead-letters", "list", "--json", *words)[1].splitlines())
        return {row["id"]: row["state"] for row in rows}

    assert restock("dead-letters", "redrive", "0/0")[0] == 0
    exit_code, out, _ = restock("dead-letters", "discard", "1/0", "--json")
    assert (exit_code, json.loads(out)) == (0, {"discarded": 1})
    assert states() == {"e0": "redriven", "e1": "discarded", "e2": "open"}
    assert states("--state", "open") == {"e2": "open"}
    assert states("--since", "1h", "--state", "discarded") == {"e1": "discarded"}
    shown = json.loads(restock("dead-letters", "show", "1/0", "--json")[1])
    assert {key: shown[key] for key in ("state", "id", "source", "type", "key")} == {
        "state": "discarded",
        "id": "e1",
        "source": "shop",
        "type": "order.placed",
        "key": "k",
    }
    assert restock("dead-letters", "redrive", "--all")[1] == "1 events published again under their ids\n"
    assert restock("dead-letters", "redrive", "--all")[1] == "0 events published again under their ids\n"
    assert restock("dead-letters", "redrive", "1/0")[1] == "1 events published again under their ids\n"
    assert set(states().values()) == {"redriven"}
    assert len(published("orders")) == 3


def test_what_the_source_no_longer_holds_is_reported(restock: Run, begun: Settings) -> None:
    producer = Producer({"bootstrap.servers": begun.kafka, "log_level": 0})
    letter = headers(begun, 5, "controller")
    producer.produce(begun.topic("dead-letters"), b"", b"A@B", headers=letter, partition=0)
    assert producer.flush(30) == 0
    exit_code, out, err = restock("dead-letters", "redrive", "--all", "--json")
    assert (exit_code, json.loads(out)) == (1, {"redriven": 0, "gone": 1})
    assert err == f"0/0: {begun.topic('orders')}/0/5 no longer holds the original: publish the event anew\n"
    exit_code, out, err = restock("dead-letters", "show", "0/0", "--json")
    assert (exit_code, err) == (0, "")
    assert json.loads(out)["value"] is None
