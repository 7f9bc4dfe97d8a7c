"""What makes an import stop: typos, copies, gaps, odd spellings; and what is refused on the spot, and with whom."""

import random
from datetime import date, timedelta
from pathlib import Path

import pytest

from agents.imports.look_alikes import LookAlike, look_alikes
from agents.imports.rejected import write_rejected
from agents.imports.report import Report
from agents.imports.table import opened, rows
from tests.agents.imports.reading import ready_orders, ready_stock

HEADER = "order_id,sku,quantity,time\n"


def days(count: int, start: str = "2026-01-01") -> list[str]:
    first = date.fromisoformat(start)
    return [(first + timedelta(days=number)).isoformat() for number in range(count)]


def year_of_sales(*more: str, seed: int = 7) -> str:
    """Half a unit of tea a day, and twenty of something else."""
    chance = random.Random(seed)
    lines = [f"o{day},TEA,{chance.choice((1, 1, 2))},{day}" for day in days(120) if chance.random() < 0.4]
    lines += [f"m{day},MUG,{chance.randint(10, 30)},{day}" for day in days(120)]
    return HEADER + "".join(f"{line}\n" for line in [*lines, *more])


def kinds(report: Report) -> list[str]:
    return [alarm.kind for alarm in report.alarms()]


# Quantities -----------------------------------------------------------------------------------------------------------


def test_a_clean_history_raises_no_question() -> None:
    for seed in range(20):
        assert ready_orders(year_of_sales(seed=seed))[1].alarms() == []


@pytest.mark.parametrize("quantity", [100_000, 1_000, 100])
def test_a_typo_is_questioned_where_half_a_unit_a_day_is_usual(quantity: int) -> None:
    _, report = ready_orders(year_of_sales(f"typo,TEA,{quantity},2026-02-03"))
    (alarm,) = report.alarms()
    row = report.rows + 1
    assert (alarm.kind, alarm.text) == ("quantity", f"row {row} has {quantity:,} of TEA@BER1, otherwise 2 at most")


def test_two_typos_of_one_item_do_not_hide_each_other() -> None:
    _, report = ready_orders(year_of_sales("t1,TEA,90000,2026-02-03", "t2,TEA,100000,2026-02-04"))
    assert [alarm.text.partition(" of ")[0].partition("has ")[2] for alarm in report.alarms()] == ["100,000", "90,000"]


def test_a_large_order_of_what_sells_well_is_none() -> None:
    assert ready_orders(year_of_sales("big,MUG,250,2026-02-03"))[1].alarms() == []


def test_an_item_of_one_row_is_measured_by_the_file() -> None:
    assert ready_orders(year_of_sales("new,POT,40,2026-02-03"))[1].alarms() == []
    assert kinds(ready_orders(year_of_sales("new,POT,40000,2026-02-03"))[1]) == ["quantity"]


def test_a_count_that_is_like_no_other_is_questioned() -> None:
    lines = "".join(f"S{number},{number % 60}\n" for number in range(40))
    assert ready_stock("sku,counted\n" + lines)[1].alarms() == []
    assert kinds(ready_stock("sku,counted\n" + lines + "S99,100000\n")[1]) == ["quantity"]


def test_two_counts_of_one_moment_contradict_each_other() -> None:
    _, report = ready_stock("sku,counted\nTEA,3\nTEA,3\nTEA,4\n")
    assert [(alarm.kind, alarm.text) for alarm in report.alarms()] == [
        ("contradiction", "row 4 counts 4 of TEA@BER1, row 2 at the same moment 3")
    ]


# Days and copies ------------------------------------------------------------------------------------------------------


def test_a_gap_is_asked_about_where_rows_come_daily_and_not_where_they_come_monthly() -> None:
    missing = [day for day in days(120) if not "2026-02-10" <= day <= "2026-03-01"]
    _, report = ready_orders(HEADER + "".join(f"{day},TEA,1,{day}\n" for day in missing))
    assert [alarm.text for alarm in report.alarms()] == ["no row between 2026-02-09 and 2026-03-02: is a part missing?"]
    monthly = [f"2025-{month:02}-01" for month in range(1, 13)]
    assert ready_orders(HEADER + "".join(f"{day},TEA,1,{day}\n" for day in monthly))[1].alarms() == []


def test_a_closed_fortnight_over_christmas_is_no_gap() -> None:
    open_days = [day for day in days(60, "2025-12-01") if not "2025-12-24" <= day <= "2026-01-05"]
    assert ready_orders(HEADER + "".join(f"{day},TEA,1,{day}\n" for day in open_days))[1].alarms() == []


def test_a_week_that_was_exported_twice_is_asked_about() -> None:
    rows_of_day = [f"o{day}-{number},TEA,1,{day}\n" for day in days(200) for number in range(12)]
    _, report = ready_orders(HEADER + "".join([*rows_of_day, *rows_of_day[600:684]]))
    (alarm,) = report.alarms()
    assert alarm.kind == "copies"
    assert alarm.text.startswith(
        "84 rows are exact copies of earlier ones (first: row 2402); on 7 days, first 2026-02-20"
    )


def test_a_few_copies_among_many_rows_are_only_noted() -> None:
    _, report = ready_orders(HEADER + "".join(f"o{number % 98},TEA,1,2026-01-02\n" for number in range(100)))
    assert (report.alarms(), report.notes["exact copies of an earlier row, kept"]) == ([], 2)


# Names ----------------------------------------------------------------------------------------------------------------


def test_names_that_look_alike_are_found_in_the_file_and_beside_what_is_known() -> None:
    assert look_alikes({"TEA@BER1": 9, "tea@BER1": 1, "TEA@ber1": 1}, []) == [
        LookAlike("TEA@ber1", "TEA@BER1", known=False),
        LookAlike("tea@BER1", "TEA@BER1", known=False),
    ]
    assert look_alikes({"TEA@BER1": 9, "tea@BER1": 1}, ["tea@BER1"]) == [LookAlike("TEA@BER1", "tea@BER1", known=True)]
    assert look_alikes({"TEE\u0301@BER1": 9}, ["TEÉ@BER1"]) == [LookAlike("TEE\u0301@BER1", "TEÉ@BER1", known=True)]
    assert look_alikes({"TEA@BER1": 9, "tea@BER1": 1}, ["TEA@BER1", "tea@BER1"]) == []
    assert look_alikes({"TEA@BER1": 9, "MUG@BER1": 1}, ["POT@BER1"]) == []


# Refused on the spot --------------------------------------------------------------------------------------------------


def test_what_is_yet_to_come_is_refused() -> None:
    found, report = ready_orders(HEADER + "1,TEA,1,2026-05-31 23:59\n2,TEA,1,2026-06-01 00:01\n3,TEA,1,2062-05-01\n")
    assert [event.draft.id for event in found] == ["1"]
    assert [(reason, each.rows, each.first_row) for reason, each in report.refused.items()] == [("time_too_far", 2, 3)]
    assert "2026-06-01 00:01 is yet to come: mend it, or see --timezone" in report.rejected[3]


def test_an_order_is_imported_whole_or_not_at_all() -> None:
    found, report = ready_orders(
        HEADER + "1,TEA,1,2026-03-01\n1,MUG,0,2026-03-01\n2,TEA,1,2026-03-01\n2,MUG,x,2026-03-01\n3,TEA,4,2026-03-01\n"
    )
    assert [event.draft.id for event in found] == ["3"]
    assert report.events == {"order.placed": 1}
    assert sorted(report.rejected) == [2, 3, 4, 5]
    assert report.rejected[4] == "waits for row 5 of the same order: an order is imported whole"
    assert report.waiting == 1
    assert report.refused["out_of_range"].rows == 2


def test_of_a_long_order_all_parts_wait() -> None:
    lines = "".join(f"7,S{number},1,2026-03-02\n" for number in range(2_500))
    found, report = ready_orders(f"{HEADER}{lines}7,S@,1,2026-03-02\n")
    assert (found, len(report.rejected)) == ([], 2_501)


def test_mended_rows_are_imported_from_the_file_of_the_rejected(tmp_path: Path) -> None:
    source = tmp_path / "sales.csv"
    text = 'order_id;sku;note;quantity;time\n1;TEA;"two\nlines";1;2026-03-01\n'
    text += "2;TEA;x;one;2026-03-01\n2;MUG;;3;2026-03-01\n"
    source.write_text(text, encoding="utf-8")
    report = ready_orders(text)[1]
    rejected = write_rejected(source, report.rejected, None)
    assert rejected.name == "sales.rejected.csv"
    assert rejected.read_text(encoding="utf-8").splitlines() == [
        "order_id;sku;note;quantity;time;rejected_reason;rejected_line",
        "2;TEA;x;one;2026-03-01;wrong_type: quantity one is not a number;4",
        "2;MUG;;3;2026-03-01;waits for row 4 of the same order: an order is imported whole;5",
    ]
    mended = rejected.read_text(encoding="utf-8").replace(";one;", ";1;")
    found, again = ready_orders(mended)
    assert ([event.draft.id for event in found], again.rejected) == (["2"], {})


def test_rows_that_somebody_is_mending_are_not_written_over(tmp_path: Path) -> None:
    source = tmp_path / "sales.csv"
    source.write_text("sku,quantity\nTEA,one\nMUG,two\n", encoding="utf-8")
    first = write_rejected(source, {2: "wrong_type"}, None)
    assert write_rejected(source, {2: "wrong_type"}, None) == first
    assert write_rejected(source, {2: "wrong_type", 3: "wrong_type"}, None).name == "sales.rejected-2.csv"
    again = write_rejected(first, {2: "missing_field"}, tmp_path / "here.csv")
    assert again.read_text(encoding="utf-8") == "sku,quantity,rejected_reason,rejected_line\nTEA,one,missing_field,2\n"


def test_rows_are_counted_by_the_line_they_begin_on(tmp_path: Path) -> None:
    file = tmp_path / "a.csv"
    file.write_text('sku,note\nA,"1\n2\n3"\n\nB,x\n', encoding="utf-8")
    with opened(file) as lines:
        assert [row.number for row in rows(lines, {}, ("sku",))] == [2, 6]


def test_the_report_names_a_few_of_each_kind_and_counts_the_rest() -> None:
    lines = [f"{day}-{number},TEA{number},1,{day}\n" for day in days(20) for number in range(8)]
    typos = [f"t{number},TEA{number},40000,2026-01-03\n" for number in range(8)]
    _, report = ready_orders(HEADER + "".join(lines + typos))
    shown = [line for line in report.lines() if line.startswith("to look at")]
    assert len(shown) == 6
    assert shown[-1] == "to look at, quantity: 3 more; --json has all of them"
    assert len(report.as_json()["alarms"]) == 8
