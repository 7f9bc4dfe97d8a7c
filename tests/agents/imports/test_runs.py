"""Runs are written down before anything is published: they grow, survive a crash, and are not repeated."""

from datetime import UTC, datetime
from pathlib import Path

import msgspec
import pytest

from agents.imports.earlier import new_events
from agents.imports.events import Ready
from agents.imports.report import Report
from agents.imports.runs import ImportRun, RunEntry, RunStore, checked_name, run_name
from stream.errors import AnswerIsNo, WrongUse
from tests.agents.imports.reading import ready_items, ready_orders, ready_stock

NOW = datetime(2026, 6, 1, tzinfo=UTC)
ORDERS = "order_id,sku,quantity,time\n1,TEA,3,2026-03-02\n2,TEA,4,2026-03-02\n"


@pytest.fixture
def store(tmp_path: Path) -> RunStore:
    return RunStore(tmp_path / "runs", "ledger-id")


def entries(events: list[Ready], at: int = 1) -> list[RunEntry]:
    return [RunEntry(at, msgspec.Raw(event.value)) for event in events]


def imported(store: RunStore, name: str, events: list[Ready], at: int = 1) -> ImportRun:
    run = store.find(name) or store.begin(name, "orders", "import")
    store.append(run, entries(events, at))
    run.published = run.events
    store.save(run)
    return run


def undone(store: RunStore, run: ImportRun) -> None:
    store.plan_undo(run, [])
    run.undone, run.undoing = run.events, None
    store.save(run)


def fresh(store: RunStore, events: list[Ready]) -> tuple[list[str], Report]:
    report = Report()
    return [event.draft.id for event in new_events(events, store, "import", report, NOW)], report


# The store ------------------------------------------------------------------------------------------------------------


def test_a_run_is_found_again_with_its_events(store: RunStore) -> None:
    events, _ = ready_orders(ORDERS)
    run = imported(store, "march", events[:1])
    store.append(run, entries(events[1:]))
    again = store.get("march")
    assert again == run
    assert [bytes(entry.event) for entry in store.entries(again)] == [event.value for event in events]
    assert [bytes(entry.event) for entry in store.entries(again, again.published)] == [events[1].value]
    assert (again.state, store.every()) == ("half published", [again])


def test_what_a_crash_left_behind_the_events_is_cut_off(store: RunStore, tmp_path: Path) -> None:
    events, _ = ready_orders(ORDERS)
    run = imported(store, "march", events[:1])
    with (tmp_path / "runs" / "march.jsonl.gz").open("ab") as file:
        file.write(b"\x1f\x8b\x08 half a member")
    assert [bytes(entry.event) for entry in store.entries(store.get("march"))] == [events[0].value]
    store.append(run, entries(events[1:]))
    assert len(list(store.entries(store.get("march")))) == 2


def test_a_run_of_another_ledger_is_another_run(store: RunStore, tmp_path: Path) -> None:
    run = imported(store, "march", ready_orders(ORDERS)[0])
    other = RunStore(tmp_path / "runs", "made anew")
    with pytest.raises(AnswerIsNo, match="march was imported into another ledger"):
        other.get("march")
    assert (other.every(), other.find("march")) == ([], None)
    imported(other, "march", ready_orders(ORDERS)[0])
    assert [each.ledger for each in other.every()] == ["made anew"]
    (aside,) = store.every()
    assert aside.run.startswith("march.")
    assert len(list(store.entries(aside))) == run.events


def test_a_name_comes_from_file_and_options_or_is_given(tmp_path: Path) -> None:
    file = tmp_path / "sales.csv"
    file.write_text(ORDERS)
    name = run_name("orders", file, ("BER1", "UTC"))
    assert name == run_name("orders", file, ("BER1", "UTC"))
    assert name.startswith("orders-")
    assert name != run_name("orders", file, ("MUC1", "UTC"))
    file.write_text(ORDERS + "3,TEA,1,2026-03-02\n")
    assert name != run_name("orders", file, ("BER1", "UTC"))
    assert checked_name("march-2026") == "march-2026"
    with pytest.raises(WrongUse, match=r"--run=\.\./x is no name"):
        checked_name("../x")


def test_where_nothing_can_be_written_the_cure_is_named(tmp_path: Path) -> None:
    (tmp_path / "runs").write_text("a file")
    with pytest.raises(WrongUse, match=r"--runs=.* cannot be written .*: name another directory"):
        RunStore(tmp_path / "runs" / "x", "id").save(ImportRun("a", "id", "orders", "import", ""))


# What earlier runs hold -----------------------------------------------------------------------------------------------


def test_what_was_published_is_not_published_again_by_whatever_run(store: RunStore) -> None:
    events, _ = ready_orders(ORDERS)
    imported(store, "march", events[:1])
    found, report = fresh(store, events)
    assert found == ["2"]
    assert report.notes["events that run march published before, not again"] == 1
    other = new_events(events, store, "another source", Report(), NOW)
    assert [event.draft.id for event in other] == ["1", "2"]


def test_other_data_under_an_id_is_refused_before_the_system_would(store: RunStore) -> None:
    imported(store, "march", ready_orders(ORDERS)[0])
    found, report = fresh(store, ready_orders(ORDERS.replace("TEA,4", "TEA,5"))[0])
    assert found == []
    assert list(report.refused) == ["conflicting_duplicate"]
    assert report.rejected[3].startswith("conflicting_duplicate: 2 of TEA@BER1 came with other data in run march")


def test_what_was_taken_back_comes_again_under_a_new_id(store: RunStore) -> None:
    events, _ = ready_orders(ORDERS)
    for time in range(3):
        found = new_events(events, store, "import", Report(), NOW)
        suffix = f" (import {time + 1})" if time else ""
        assert [event.draft.id for event in found] == [f"1{suffix}", f"2{suffix}"]
        assert [msgspec.json.decode(event.value)["id"] for event in found] == [f"1{suffix}", f"2{suffix}"]
        assert [msgspec.json.decode(event.value)["data"]["order_id"] for event in found] == ["1", "2"]
        undone(store, imported(store, "march", found))


def test_a_count_comes_again_as_said_later(store: RunStore) -> None:
    events, _ = ready_stock("sku,counted\nTEA,3\n")
    undone(store, imported(store, "counts", events))
    (again,) = new_events(events, store, "import", Report(), NOW)
    assert (again.draft.time, events[0].draft.time < NOW) == (NOW, True)


def test_terms_that_others_superseded_are_stated_again(store: RunStore) -> None:
    first, second = (ready_items(f"sku,minimum_order\nTEA,{least}\n")[0] for least in (20, 21))
    imported(store, "one", first, at=1)
    assert fresh(store, first)[0] == []
    imported(store, "two", second, at=2)
    (id_,) = fresh(store, first)[0]
    assert id_ == f"{first[0].draft.id} (import 2)"
    assert fresh(store, second)[0] == []
