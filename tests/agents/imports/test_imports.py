"""What rows become: every event is one the contract takes, ids come from the data, nothing is left out silently."""

import io
from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Any

import msgspec
import pytest

from agents.imports import items, orders, stock, uci
from agents.imports.events import EventDraft, ready
from agents.imports.orders import Form
from agents.imports.report import Report
from agents.imports.table import Times, opened, parse_mapping, rows, zone
from schemas.codec import Limits
from stream.errors import WrongUse

FORM = Form(Times(UTC), "BER1", "EUR")
AS_OF = datetime(2026, 3, 1, 6, tzinfo=UTC)


def events(drafts: Iterable[EventDraft], report: Report) -> list[dict[str, Any]]:
    return [msgspec.json.decode(event.value) for event in ready(drafts, "import", Limits(), report)]


def of_orders(text: str, form: Form = FORM) -> tuple[list[dict[str, Any]], Report]:
    report = Report()
    return events(orders.drafts(rows(io.StringIO(text), {}, orders.FIELDS), form, report), report), report


def of_uci(text: str) -> tuple[list[dict[str, Any]], Report]:
    report = Report()
    header = "InvoiceNo,StockCode,Description,Quantity,InvoiceDate,UnitPrice,CustomerID,Country\n"
    table = rows(io.StringIO(header + text), uci.MAPPING, orders.FIELDS)
    return events(uci.drafts(table, FORM._replace(location="UK"), report), report), report


# Orders ---------------------------------------------------------------------------------------------------------------


def test_rows_of_one_order_are_one_event() -> None:
    found, report = of_orders(
        "order_id,sku,quantity,time,unit_price,customer\n"
        "1,TEA,3,2026-03-02 10:15:00,4.90,c\n"
        "1,MUG,1,2026-03-02 10:15:00,9,c\n"
        '2,TEA,2,2026-03-01 08:00:00+01:00,"4,90",\n'
    )
    assert [event["id"] for event in found] == ["2", "1"]
    assert found[0]["time"] == "2026-03-01T08:00:00+01:00"
    assert found[1]["data"] == {
        "order_id": "1",
        "customer": "c",
        "lines": [
            {"line_id": "1", "sku": "TEA", "location": "BER1", "quantity": 3, "unit_price": "4.90 EUR"},
            {"line_id": "2", "sku": "MUG", "location": "BER1", "quantity": 1, "unit_price": "9 EUR"},
        ],
    }
    assert report.notes["rows earlier than the row before"] == 1
    assert (report.rows, len(report.items), report.refused) == (3, 2, {})


def test_the_same_file_gives_the_same_bytes() -> None:
    text = "sku,quantity,time\nTEA,3,2026-03-02\nTEA,3,2026-03-02\nMUG,1,2026-03-02\n"
    first, _ = of_orders(text)
    assert of_orders(text)[0] == first
    assert len({event["id"] for event in first}) == 3


def test_a_long_order_becomes_several() -> None:
    text = "order_id,sku,quantity,time\n" + "".join(f"7,S{number},1,2026-03-02\n" for number in range(2_500))
    found, _ = of_orders(text)
    assert [event["id"] for event in found] == ["7", "7/2", "7/3"]
    lines = [line for event in found for line in event["data"]["lines"]]
    assert [line["line_id"] for line in lines] == [str(number) for number in range(1, 2_501)]


def test_what_came_back_is_a_return() -> None:
    found, _ = of_orders("order_id,sku,quantity,time\n1,TEA,3,2026-03-02\n1,TEA,-2,2026-03-04\n")
    assert [event["type"] for event in found] == ["order.placed", "return.received"]
    assert found[1]["data"]["lines"][0]["quantity"] == 2
    assert found[1]["data"]["restock"] is True


@pytest.mark.parametrize(
    "row, reason",
    [
        ("1,,3,2026-03-02,1", "missing_field"),
        ("1,TEA,,2026-03-02,1", "missing_field"),
        ("1,TEA,three,2026-03-02,1", "wrong_type"),
        ("1,TEA,1.5,2026-03-02,1", "wrong_type"),
        ("1,TEA,1e99,2026-03-02,1", "wrong_type"),
        ("1,TEA,0,2026-03-02,1", "out_of_range"),
        ("1,TEA,1,yesterday,1", "bad_time"),
        ("1,TEA,1,1999-03-02,1", "bad_time"),
        ("1,TEA,1,2026-03-02,cheap", "wrong_type"),
        ('1,TEA,1,2026-03-02,"1,234"', "wrong_type"),
        ("1,TEA@X,1,2026-03-02,1", "bad_identity"),
        ("1," + "X" * 65 + ",1,2026-03-02,1", "bad_identity"),
    ],
)
def test_a_row_that_cannot_be_an_event_is_refused_with_the_contracts_reason(row: str, reason: str) -> None:
    found, report = of_orders(f"order_id,sku,quantity,time,unit_price\n0,A,1,2026-03-02,1\n{row}\n")
    assert [event["id"] for event in found] == ["0"]
    assert [(each, some.rows, some.first_row) for each, some in report.refused.items()] == [(reason, 1, 3)]


def test_columns_are_mapped_and_moments_are_read_as_configured() -> None:
    mapping = parse_mapping(["Artikel=sku", "Menge=quantity", "Datum=time", "Lager=location"])
    text = "\ufeffArtikel;Menge;Datum;Lager;Note\r\nTEA;3;02.03.2026 10:15;MUC1;x\r\n"
    report = Report()
    form = Form(Times(zone("Europe/Berlin"), "%d.%m.%Y %H:%M"), None, "EUR")
    (event,) = events(
        orders.drafts(rows(io.StringIO(text.lstrip("\ufeff")), mapping, orders.FIELDS), form, report), report
    )
    assert event["time"] == "2026-03-02T10:15:00+01:00"
    assert event["data"]["lines"][0]["location"] == "MUC1"


@pytest.mark.parametrize(
    "pairs, message",
    [
        (["sku"], "--map sku is no pair"),
        (["Artikel=sku"], "--map Artikel=sku: no such column; the file has sku, quantity"),
        (["sku=skew"], "--map …=skew: no such field; there are order_id, sku"),
    ],
)
def test_a_wrong_mapping_is_reported(pairs: list[str], message: str) -> None:
    with pytest.raises(WrongUse) as error:
        list(rows(io.StringIO("sku,quantity\n"), parse_mapping(pairs), orders.FIELDS))
    assert message in str(error.value)


def test_rows_without_a_location_need_the_option() -> None:
    with pytest.raises(WrongUse, match=r"row 2 has no location: .* give --location"):
        of_orders("sku,quantity,time\nTEA,3,2026-03-02\n", FORM._replace(location=None))


def test_a_file_that_is_no_text_is_reported(tmp_path: Any) -> None:
    (tmp_path / "a.csv.gz").write_bytes(b"sku,quantity\n")
    (tmp_path / "b.csv").write_bytes(b"sku\n\xff\xfe\n")
    for name in ("a.csv.gz", "b.csv"):
        with pytest.raises(WrongUse, match="is no UTF-8 CSV file"), opened(tmp_path / name) as file:
            list(rows(file, {}, ("sku",)))


# UCI Online Retail ----------------------------------------------------------------------------------------------------


def test_uci_products_only_and_their_case_does_not_count() -> None:
    found, report = of_uci(
        "1,85123a,LAMP,6,2010-12-01 08:26:00,2.55,17850.0,United Kingdom\n"
        "1,POST,POSTAGE,1,2010-12-01 08:26:00,18,17850.0,United Kingdom\n"
        "A1,B,Adjust bad debt,1,2010-12-01 08:27:00,-11062.06,,United Kingdom\n"
    )
    (event,) = found
    assert event["data"]["lines"] == [
        {"line_id": "1", "sku": "85123A", "location": "UK", "quantity": 6, "unit_price": "2.55 EUR"}
    ]
    assert report.left_out["no product code"].rows == 2
    assert report.refused == {}


def test_uci_a_giant_order_taken_back_at_once_is_a_cancellation() -> None:
    found, _ = of_uci(
        "581483,23843,CRAFT,80995,2011-12-09 09:15:00,2.08,16446.0,United Kingdom\n"
        "C581484,23843,CRAFT,-80995,2011-12-09 09:27:00,2.08,16446.0,United Kingdom\n"
    )
    assert [(event["type"], event["data"]["order_id"]) for event in found] == [
        ("order.placed", "581483"),
        ("order.cancelled", "581483"),
    ]
    assert found[1]["data"]["lines"][0]["quantity"] == 80_995


def test_uci_units_are_taken_back_once() -> None:
    found, _ = of_uci(
        "1,10001,X,5,2011-01-01 09:00:00,1,7.0,UK\n"
        "C2,10001,X,-4,2011-01-01 10:00:00,1,7.0,UK\n"
        "C3,10001,X,-4,2011-01-01 11:00:00,1,7.0,UK\n"
        "C4,10001,X,-1,2011-01-03 09:00:00,1,7.0,UK\n"
        "C5,10001,X,-1,2011-01-01 12:00:00,1,,UK\n"
    )
    assert [(event["type"], event["id"]) for event in found] == [
        ("order.placed", "1"),
        ("order.cancelled", "C2-1"),
        ("return.received", "C3"),
        ("return.received", "C5"),
        ("return.received", "C4"),
    ]


def test_uci_lines_at_zero_price_adjust_stock() -> None:
    found, report = of_uci("9,10001,damages,-30,2011-01-01 09:00:00,0,,UK\n9,10002,,12,2011-01-01 09:00:00,0,,UK\n")
    assert [(event["id"], event["data"]["sku"], event["data"]["delta"]) for event in found] == [
        ("9-adjusted-1", "10001", -30),
        ("9-adjusted-2", "10002", 12),
    ]
    assert report.events == {"stock.adjusted": 2}


# Items and stock ------------------------------------------------------------------------------------------------------


def of_items(text: str) -> tuple[list[dict[str, Any]], Report]:
    report = Report()
    return events(items.drafts(rows(io.StringIO(text), {}, items.FIELDS), FORM, AS_OF, report), report), report


def test_an_empty_cell_changes_nothing_and_null_is_the_default() -> None:
    found, report = of_items(
        "sku,unit_cost,lead_time_days,minimum_order,supplier,class,capacity\nTEA,2.10,4,20,acme,A,null\nMUG,,,,,,\n"
    )
    assert report.refused == {}
    assert found[0]["data"] == {
        "sku": "TEA",
        "location": "BER1",
        "unit_cost": "2.10 EUR",
        "lead_time_days": 4.0,
        "minimum_order": 20,
        "supplier": "acme",
        "class": "A",
        "capacity": None,
    }
    assert found[1]["data"] == {"sku": "MUG", "location": "BER1"}


@pytest.mark.parametrize(
    "cell", ["class,D", "minimum_order,many", "service_level,95", "unit_cost,free", "lead_time_days,-1"]
)
def test_terms_that_are_none_are_refused(cell: str) -> None:
    column, value = cell.split(",")
    found, report = of_items(f"sku,{column}\nTEA,{value}\n")
    assert found == []
    assert sum(some.rows for some in report.refused.values()) == 1


def test_changed_terms_have_another_id() -> None:
    text = "sku,minimum_order\nTEA,20\n"
    assert of_items(text)[0][0]["id"] == of_items(text)[0][0]["id"]
    assert of_items(text)[0][0]["id"] != of_items("sku,minimum_order\nTEA,21\n")[0][0]["id"]


def test_counts_are_true_at_their_own_moment_or_the_files() -> None:
    report = Report()
    text = "sku,counted,as_of\nTEA,120,2026-03-01T07:00:00+01:00\nMUG,0,\nMUG,3,\nPOT,-1,\nJAR,,\n"
    found = events(stock.drafts(rows(io.StringIO(text), {}, stock.FIELDS), FORM, AS_OF, report), report)
    assert [(event["data"]["sku"], event["data"]["counted"], event["data"]["as_of"]) for event in found] == [
        ("TEA", 120, "2026-03-01T07:00:00+01:00"),
        ("MUG", 0, "2026-03-01T06:00:00Z"),
        ("MUG", 3, "2026-03-01T06:00:00Z"),
    ]
    assert len({event["id"] for event in found}) == 3
    assert sorted(report.refused) == ["missing_field", "out_of_range"]
    assert report.notes["items counted more than once"] == 1


def test_the_report_shows_closed_days_and_giants() -> None:
    days = [f"2026-03-{day:02}" for day in range(1, 29) if datetime(2026, 3, day, tzinfo=UTC).weekday() != 6]
    _, report = of_orders("sku,quantity,time\n" + "".join(f"TEA,{i + 1},{day}\n" for i, day in enumerate(days)))
    lines = report.lines()
    assert lines[0] == "24 rows, 1 items; events: 24 order.placed"
    assert lines[1] == "2026-03-02 to 2026-03-28, 3 days without a row (never Sunday)"
    assert lines[2].startswith("largest quantities, kept: 24 (row 25), 23 (row 24)")
    assert report.as_json()["days_without_rows"] == 3
