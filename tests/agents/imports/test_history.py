"""Sales become a demand history that `restock evaluate` reads, and that agrees with the events of the same file."""

import csv
import io
from pathlib import Path
from zoneinfo import ZoneInfo

from agents.imports import orders
from agents.imports.history import DemandTable, demand_table
from agents.imports.report import Report
from agents.imports.table import Times, rows
from agents.simulation.history_file import read_history
from tests.agents.imports.reading import FORM, uci_drafts

BERLIN = ZoneInfo("Europe/Berlin")


def table_of(text: str, location: str = "BER1") -> tuple[DemandTable, Report]:
    report = Report()
    form = FORM._replace(times=Times(BERLIN), location=location)
    drafts = orders.drafts(rows(io.StringIO(text), {}, orders.FIELDS), form, report)
    return demand_table(drafts, BERLIN, report), report


def test_sales_are_added_up_by_item_and_the_shops_own_day() -> None:
    found, report = table_of(
        "order_id,sku,quantity,time,unit_price,promotion\n"
        "1,TEA,3,2026-03-02 00:30,4.00,\n"
        "2,TEA,1,2026-03-02 23:59,2.00,spring\n"
        "3,TEA,2,2026-03-02T23:30:00Z,4.00,no\n"
        "4,TEA,-2,2026-03-03,4.00,\n"
        "5,MUG,0,2026-03-04,,\n"
    )
    assert found.columns == ("item", "date", "demand", "promotion", "price")
    assert found.rows == [
        ("MUG@BER1", "2026-03-04", 0, 0, ""),
        ("TEA@BER1", "2026-03-02", 4, 1, "3.5"),
        ("TEA@BER1", "2026-03-03", 2, 0, "4"),
    ]
    assert report.notes["rows that came back, no demand"] == 1


def test_columns_that_the_file_lacks_are_left_out_and_so_is_a_location() -> None:
    found, _ = table_of("sku,quantity,time\nTEA,3,2026-03-02\n", location="")
    assert found == DemandTable(("item", "date", "demand"), [("TEA", "2026-03-02", 3)])


def test_what_is_cancelled_within_the_file_was_no_demand_on_its_day() -> None:
    report = Report()
    drafts = uci_drafts(
        "581483,23843,CRAFT,80995,2011-12-09 09:15:00,2.08,16446.0,United Kingdom\n"
        "C581484,23843,CRAFT,-80995,2011-12-09 09:27:00,2.08,16446.0,United Kingdom\n"
        "581485,23843,CRAFT,2,2011-12-09 10:00:00,2.08,16447.0,United Kingdom\n",
        report,
    )
    assert demand_table(drafts, BERLIN, report).rows == [("23843@UK", "2011-12-09", 2, "2.08")]


def test_evaluate_reads_what_is_written(tmp_path: Path) -> None:
    found, _ = table_of("sku,quantity,time,unit_price\nTEA,3,2026-03-02,4\nMUG,1,2026-03-03,\n")
    path = tmp_path / "history.csv"
    with path.open("w", newline="") as file:
        csv.writer(file).writerows([found.columns, *found.rows])
    history, dates = read_history(path)
    assert (history.items, dates) == (["MUG@BER1", "TEA@BER1"], ["2026-03-02", "2026-03-03"])
    assert history.demand.tolist() == [[0.0, 1.0], [3.0, 0.0]]
