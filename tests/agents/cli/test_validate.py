"""`restock validate`: a verdict a line, without any broker."""

import io
import json
import sys
from pathlib import Path

import pytest

from schemas.contract.examples import example, examples
from schemas.inbound import INBOUND
from tests.agents.cli.conftest import Run

GOOD = json.dumps(example("order.placed"))
BAD = json.dumps({**example("stock.adjusted"), "data": {**example("stock.adjusted")["data"], "delta": 0}})


def _file(directory: Path, *lines: str) -> Path:
    path = directory / "events.jsonl"
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return path


def test_every_inbound_example_is_ok(restock: Run, tmp_path: Path) -> None:
    lines = [json.dumps(event) for event in examples() if event["type"] in INBOUND]
    code, out, err = restock("validate", _file(tmp_path, *lines))
    assert code == 0
    assert out.splitlines() == [f"{number}: ok" for number in range(1, len(lines) + 1)]
    assert err == f"{len(lines)} ok, 0 refused\n"


def test_verdicts_are_json_for_programs(restock: Run, tmp_path: Path) -> None:
    code, out, err = restock("validate", "--json", _file(tmp_path, GOOD, "", "   ", BAD, "{"))
    assert code == 1
    assert err == ""
    first, second, third = map(json.loads, out.splitlines())
    assert first == {"line": 1, "verdict": "ok", "reason": None, "field": None, "cure": None}
    assert second["line"] == 4
    assert (second["verdict"], second["reason"], second["field"]) == ("refused", "out_of_range", "data.delta")
    assert second["cure"]
    assert (third["line"], third["reason"], third["field"]) == (5, "not_json", "")
    assert set(first) == set(second) == set(third)


def test_a_verdict_names_reason_field_and_cure(restock: Run, tmp_path: Path) -> None:
    code, out, _ = restock("validate", _file(tmp_path, BAD))
    assert code == 1
    assert out == "1: out_of_range: data.delta is 0 and adjusts nothing: send a difference, or nothing\n"


def test_verdicts_of_several_files_name_their_file(restock: Run, tmp_path: Path) -> None:
    (tmp_path / "other.jsonl").write_text(GOOD, encoding="utf-8")
    events, other = _file(tmp_path, GOOD), tmp_path / "other.jsonl"
    assert restock("validate", events, other)[1].splitlines() == [f"{events}:1: ok", f"{other}:1: ok"]
    assert json.loads(restock("validate", "--json", events, other)[1].splitlines()[1])["file"] == str(other)


def test_standard_input_is_validated(restock: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(GOOD.encode() + b"\r\n\xff\n")))
    code, out, _ = restock("validate", "-")
    assert code == 1
    assert out.splitlines()[0] == "1: ok"
    assert out.splitlines()[1].startswith("2: bad_encoding: ")


def test_an_empty_file_is_valid(restock: Run, tmp_path: Path) -> None:
    assert restock("validate", _file(tmp_path))[0] == 0


def test_an_event_on_another_topic_is_refused(restock: Run, tmp_path: Path) -> None:
    code, out, _ = restock("validate", "--topic", "stock", _file(tmp_path, GOOD))
    assert code == 1
    assert "wrong_topic" in out


def configured(**terms: object) -> str:
    event = {"specversion": "1.0", "id": "c", "source": "s", "type": "item.configured", "time": "2026-03-01T00:00:00Z"}
    return json.dumps({**event, "data": {"sku": "TEA", "location": "BER1", **terms}})


def test_terms_under_which_no_order_pays_are_a_warning(restock: Run, tmp_path: Path) -> None:
    """They are put together over the lines of the file: the cost of a lost sale is stated before that of an order."""
    file = _file(tmp_path, configured(shortage_cost="0.05 EUR"), configured(unit_cost="4 EUR", order_cost="400 EUR"))
    code, out, err = restock("validate", file)
    first, second = out.splitlines()
    assert (code, first, err) == (0, "1: ok", "2 ok, 0 refused, 1 with a warning\n")
    assert second.startswith(
        "2: ok, but never ordering is cheapest even at 10 a day, since a lost sale costs 0.05, but "
    )
    assert second.endswith("; state a higher shortage_cost, or a lower order_cost")
    first, second = map(json.loads, restock("validate", "--json", file)[1].splitlines())
    assert "warning" not in first
    assert second["verdict"] == "ok"
    assert second["warning"].startswith("never ordering is cheapest")


def test_currency_and_size_follow_the_settings(restock: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RESTOCK_CURRENCY", "SEK")
    assert "SEK" in restock("validate", _file(tmp_path, GOOD))[1]
    monkeypatch.setenv("RESTOCK_MAX_EVENT_BYTES", "10kB")
    assert "too_large" in restock("validate", _file(tmp_path, GOOD + " " * 10_000 + "x"))[1]


def test_a_file_that_is_not_there_is_wrong_use(restock: Run, tmp_path: Path) -> None:
    code, out, err = restock("validate", tmp_path / "none.jsonl")
    assert (code, out) == (2, "")
    assert "none.jsonl" in err
    assert err.count("\n") == 1


def _sold(sku: str, type_: str = "order.placed") -> str:
    event = example(type_)
    if type_ == "order.placed":
        event["data"]["lines"] = [{**event["data"]["lines"][0], "sku": sku}]
    else:
        event["data"]["sku"] = sku
    return json.dumps(event)


def test_another_spelling_of_a_known_item_is_told_and_refused_where_somebody_asks(
    restock: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    known = tmp_path / "known.txt"
    known.write_text("TEA-01@BER1\n")
    file = _file(tmp_path, _sold("tea-01"), _sold("TEA-01"), _sold("MUG-07"), _sold("mug-07"))
    code, out, _ = restock("validate", file, "--known-items", known)
    assert code == 0
    assert out.splitlines() == [
        "1: ok, but tea-01@BER1 is spelt almost like TEA-01@BER1, which is known or came before",
        "2: ok",
        "3: ok",
        "4: ok, but mug-07@BER1 is spelt almost like MUG-07@BER1, which is known or came before",
    ]
    monkeypatch.setenv("RESTOCK_UNKNOWN_ITEMS", "ask")
    file = _file(tmp_path, _sold("tea-01"), _sold("tea-01", "item.configured"), _sold("tea-01"))
    code, out, _ = restock("validate", file, "--known-items", known)
    first, *others = out.splitlines()
    assert (code, others[1]) == (1, "3: ok")
    assert first.startswith(
        "1: unknown_item: data is about an item that is spelt almost like TEA-01@BER1, which is known: "
    )
    assert others[0] == "2: ok, but tea-01@BER1 is spelt almost like TEA-01@BER1, which is known or came before"
