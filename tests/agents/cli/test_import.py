"""`restock import` as it is typed: published or written, with its report, and again without effect."""

import json
import os
from collections.abc import Callable
from pathlib import Path

from confluent_kafka import Message

from tests.agents.cli.conftest import Run

SALES = "order_id,sku,location,quantity,time\n1,TEA,BER1,3,2026-03-02T10:15:00Z\n2,MUG,BER1,0,2026-03-02T10:16:00Z\n"


def test_orders_are_published_and_the_report_says_what_was_not(
    restock: Run, published: Callable[[str], list[Message]], tmp_path: Path
) -> None:
    file = tmp_path / "sales.csv"
    file.write_text(SALES)
    exit_code, out, err = restock("import", "orders", file)
    assert exit_code == 1
    assert err == "1 events acknowledged\n"
    assert out.splitlines()[0] == "2 rows, 2 items; events: 1 order.placed"
    assert out.splitlines()[-1].startswith("refused, out_of_range: 1 rows (first: row 3, data.lines[0].quantity ")
    restock("import", "orders", file)
    first, second = published("orders")
    assert (first.key(), first.value()) == (b"1", second.value())


def test_events_can_be_written_instead_without_any_broker(restock: Run, tmp_path: Path) -> None:
    file = tmp_path / "items.csv"
    file.write_text("sku,supplier\nTEA,acme\n")
    os.utime(file, (1_772_323_200, 1_772_323_200))
    exit_code, out, _ = restock("import", "items", file, "--location", "BER1", "--out", tmp_path / "o.jsonl", "--json")
    assert (exit_code, json.loads(out)["events"]) == (0, {"item.configured": 1})
    event = json.loads((tmp_path / "o.jsonl").read_text())
    assert event["time"] == "2026-03-01T00:00:00Z"
    assert restock("validate", tmp_path / "o.jsonl")[0] == 0


def test_wrong_use_is_one_line(restock: Run, tmp_path: Path) -> None:
    file = tmp_path / "stock.csv"
    file.write_text("sku,counted\nTEA,3\n")
    for words, line in (
        (["orders", "nowhere.csv"], "nowhere.csv cannot be read (No such file or directory): name a CSV file"),
        (["stock", file, "--preset", "uci"], "--preset uci is for orders, not for stock"),
        (["stock", file, "--as-of", "noon"], "--as-of=noon is no moment: write it as 2026-03-01T06:00:00Z"),
        (["stock", file, "--timezone", "Mars"], "--timezone=Mars is unknown: use a name such as UTC or Europe/Berlin"),
    ):
        exit_code, _, err = restock("import", *words, "--out", tmp_path / "out.jsonl")
        assert (exit_code, err) == (2, f"restock import: {line}\n")
