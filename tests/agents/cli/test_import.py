"""`restock import` as it is typed: reported on first, published or written or neither, and again without effect."""

import json
import os
from collections.abc import Callable
from datetime import date, timedelta
from pathlib import Path

import pytest
from confluent_kafka import Message

from agents.cli import import_publish
from stream.kafka.event_publisher import EventPublisher
from stream.settings import Settings
from tests.agents.cli.conftest import Run

SALES = "order_id,sku,location,quantity,time\n1,TEA,BER1,3,2026-03-02T10:15:00Z\n2,MUG,BER1,0,2026-03-02T10:16:00Z\n"
Published = Callable[[str], list[Message]]


def a_typo() -> str:
    days = [(date(2026, 1, 1) + timedelta(days=number)).isoformat() for number in range(60)]
    lines = "".join(f"{day},TEA,BER1,{1 + number % 2},{day}\n" for number, day in enumerate(days))
    return f"order_id,sku,location,quantity,time\n{lines}typo,TEA,BER1,100000,2026-02-03\n"


def write(directory: Path, text: str, name: str = "sales.csv") -> Path:
    file = directory / name
    file.write_text(text)
    return file


def test_orders_are_published_and_the_report_says_what_was_not(
    restock: Run, published: Published, tmp_path: Path
) -> None:
    file = write(tmp_path, SALES)
    exit_code, out, err = restock("import", "orders", file, "--run", "march")
    assert exit_code == 1
    assert err == "1 events acknowledged\n"
    lines = out.splitlines()
    assert lines[0] == "2 rows, 2 items; events: 1 order.placed"
    assert "run march: take it back with `restock import undo march`" in lines
    assert f"refused rows are in {tmp_path}/sales.rejected.csv: mend them there, and import that file" in lines
    assert lines[-1].startswith("refused, out_of_range: 1 rows (first: row 3, data.lines[0].quantity ")
    (message,) = published("orders")
    assert message.key() == b"1"


def test_mended_rows_follow_from_their_own_file(restock: Run, published: Published, tmp_path: Path) -> None:
    restock("import", "orders", write(tmp_path, SALES))
    rejected = tmp_path / "sales.rejected.csv"
    header, row = rejected.read_text().splitlines()
    assert header.endswith(",rejected_reason,rejected_line")
    assert row.endswith(",3")
    rejected.write_text(f"{header}\n{row.replace('BER1,0', 'BER1,2')}\n")
    assert restock("import", "orders", rejected)[0] == 0
    assert sorted(message.key() or b"" for message in published("orders")) == [b"1", b"2"]


def test_a_second_import_publishes_nothing_and_more_rows_only_what_is_new(
    restock: Run, published: Published, tmp_path: Path
) -> None:
    file = write(tmp_path, SALES)
    restock("import", "orders", file)
    exit_code, out, err = restock("import", "orders", file)
    assert (exit_code, err) == (1, "0 events acknowledged\n")
    assert "published before, not again: 1" in out
    longer = write(tmp_path, SALES + "3,POT,BER1,1,2026-03-03T08:00:00Z\n", "longer.csv")
    assert restock("import", "orders", longer)[2] == "1 events acknowledged\n"
    assert sorted(message.key() or b"" for message in published("orders")) == [b"1", b"3"]
    exit_code, out, _ = restock("import", "orders", write(tmp_path, SALES.replace(",3,", ",4,"), "other.csv"), "--json")
    assert json.loads(out)["refused"].keys() == {"conflicting_duplicate", "out_of_range"}
    assert len(published("orders")) == 2


def test_a_dry_run_reports_and_connects_to_nothing(
    restock: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for key in ("RESTOCK_KAFKA", "RESTOCK_REDIS"):
        monkeypatch.setenv(key, "redis://127.0.0.1:1/0" if key == "RESTOCK_REDIS" else "127.0.0.1:1")
    file = write(tmp_path, a_typo())
    exit_code, out, err = restock("import", "orders", file, "--dry-run")
    assert exit_code == 1
    assert "to look at, quantity: row 62 has 100,000 of TEA@BER1, otherwise 2 at most" in out
    assert "names were compared with each other; nothing was connected to" in out
    assert "nothing was published, 1 thing to look at: mend the file, or say --yes" in err
    exit_code, out, err = restock("import", "orders", file, "--dry-run", "--yes")
    assert (exit_code, err) == (0, "dry run: nothing was published\n")
    assert not (tmp_path / ".restock").exists()


def test_what_is_to_look_at_stops_an_import_until_somebody_says_yes(
    restock: Run, published: Published, tmp_path: Path
) -> None:
    file = write(tmp_path, a_typo())
    exit_code, out, err = restock("import", "orders", file)
    assert (exit_code, published("orders")) == (1, [])
    assert "to look at, quantity: row 62 has 100,000 of TEA@BER1" in out
    assert err == (
        "restock import: nothing was published, 1 thing to look at: mend the file, or say --yes if all of it is right\n"
    )
    assert restock("import", "orders", file, "--out", tmp_path / "o.jsonl")[0] == 1
    assert not (tmp_path / "o.jsonl").exists()
    exit_code, out, _ = restock("import", "orders", file, "--yes", "--json")
    summary = json.loads(out)
    assert (exit_code, summary["published"], [alarm["kind"] for alarm in summary["alarms"]]) == (0, 61, ["quantity"])
    assert len(published("orders")) == 61


def test_an_import_that_was_stopped_goes_on(
    restock: Run, published: Published, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(import_publish, "CHUNK", 10)
    file = write(tmp_path, a_typo())
    send = EventPublisher.send

    def stops(self: EventPublisher, topic: str, key: str, value: bytes, *more: object) -> None:
        if key == "2026-01-26":
            raise KeyboardInterrupt
        send(self, topic, key, value)

    monkeypatch.setattr(EventPublisher, "send", stops)
    assert restock("import", "orders", file, "--yes", "--run", "r")[0] == 130
    monkeypatch.setattr(EventPublisher, "send", send)
    exit_code, _, err = restock("import", "orders", file, "--yes", "--run", "r")
    assert (exit_code, err) == (0, "run r was stopped: going on with event 21 of it\n41 events acknowledged\n")
    assert {message.key() for message in published("orders")} >= {b"typo", b"2026-01-01", b"2026-02-28"}
    assert len({message.key() for message in published("orders")}) == 61


def test_names_that_look_like_known_ones_stop_an_import(restock: Run, begun: Settings, tmp_path: Path) -> None:
    text = "sku,location,counted\ntea-01,BER1,3\nMUG-07,BER1,3\n"
    known = write(tmp_path, 'TEA-01@BER1\n{"item": "MUG-07@BER1", "class": "A"}\n', "known.txt")
    file = write(tmp_path, text, "counts.csv")
    exit_code, out, _ = restock("import", "stock", file, "--known-items", known)
    assert exit_code == 1
    assert "to look at, spelling: tea-01@BER1: did you mean TEA-01@BER1?" in out
    assert f"names were compared with 2 items of {known}" in out
    exit_code, out, _ = restock("import", "stock", file)
    assert exit_code == 0
    assert "names were compared with 0 items that workers know (RESTOCK_REDIS=redis://" in out


def test_without_a_store_names_are_compared_with_each_other(
    restock: Run, begun: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("RESTOCK_REDIS", "redis://127.0.0.1:1/0")
    exit_code, _, err = restock("import", "items", write(tmp_path, "sku,location,supplier\nTEA,BER1,acme\n"))
    assert exit_code == 0
    assert "names are compared with each other only: RESTOCK_REDIS=redis://127.0.0.1:1/0 does not answer" in err
    assert "so that an undo could not go back to it" in err


def test_events_can_be_written_instead_without_any_broker(restock: Run, tmp_path: Path) -> None:
    file = write(tmp_path, "sku,supplier\nTEA,acme\n", "items.csv")
    os.utime(file, (1_772_323_200, 1_772_323_200))
    exit_code, out, _ = restock("import", "items", file, "--location", "BER1", "--out", tmp_path / "o.jsonl", "--json")
    assert (exit_code, json.loads(out)["events"]) == (0, {"item.configured": 1})
    event = json.loads((tmp_path / "o.jsonl").read_text())
    assert event["time"] == "2026-03-01T00:00:00Z"
    assert restock("validate", tmp_path / "o.jsonl")[0] == 0


def test_items_that_would_never_be_ordered_are_warned_of_and_imported(restock: Run, tmp_path: Path) -> None:
    rows = "TEA,BER1,4 EUR,0.01 EUR,5000\nMUG,BER1,4 EUR,1 EUR,\n"
    file = write(tmp_path, f"sku,location,unit_cost,shortage_cost,minimum_order\n{rows}", "items.csv")
    exit_code, out, _ = restock("import", "items", file, "--dry-run")
    (warning,) = [line for line in out.splitlines() if line.startswith("warning: ")]
    assert exit_code == 0
    assert warning.startswith(
        "warning: row 2, TEA@BER1: never ordering is cheapest even at 10 a day, since a lost sale"
    )
    assert warning.endswith("; state a higher shortage_cost, or a lower minimum_order")
    shown = json.loads(restock("import", "items", file, "--dry-run", "--json")[1])
    assert (shown["events"], len(shown["warnings"]), shown["alarms"]) == ({"item.configured": 2}, 1, [])


def test_a_history_is_written_for_evaluate(restock: Run, tmp_path: Path) -> None:
    file = write(tmp_path, a_typo().replace("100000", "2"))
    exit_code, out, err = restock("import", "history", file)
    assert (exit_code, out.splitlines()[:2]) == (0, ["item,date,demand", "TEA@BER1,2026-01-01,1"])
    assert err.startswith("61 rows, 1 items")
    history = tmp_path / "history.csv"
    assert restock("import", "history", file, "--out", history)[0] == 0
    exit_code, out, _ = restock("evaluate", "forecasts", history, "--horizon", "3")
    assert exit_code == 0
    assert restock("import", "history", write(tmp_path, a_typo()), "--out", tmp_path / "no.csv")[0] == 1
    assert not (tmp_path / "no.csv").exists()


def test_wrong_use_is_one_line(restock: Run, tmp_path: Path) -> None:
    file = write(tmp_path, "sku,counted\nTEA,3\n", "stock.csv")
    for words, line in (
        (["orders", "nowhere.csv"], "nowhere.csv cannot be read (No such file or directory): name a CSV file"),
        (["stock", file, "--preset", "uci"], "--preset uci is for orders, not for stock"),
        (["stock", file, "--as-of", "noon"], "--as-of=noon is no moment: write it as 2026-03-01T06:00:00Z"),
        (["stock", file, "--as-of", "2199-01-01"], "--as-of=2199-01-01 is yet to come: give a moment that has been"),
        (["stock", file, "--timezone", "Mars"], "--timezone=Mars is unknown: use a name such as UTC or Europe/Berlin"),
        (["orders"], "import orders needs a CSV file"),
        (["undo"], "import undo needs a run: see `restock import runs`"),
        (["stock", file, "--run", "a/b"], "--run=a/b is no name: use 1 to 80 letters, digits, dots, dashes"),
    ):
        exit_code, _, err = restock("import", *words, "--out", tmp_path / "out.jsonl")
        assert (exit_code, err) == (2, f"restock import: {line}\n")
