"""A demand history is read as it is meant, or refused with its line and a cure."""

import gzip
from pathlib import Path

import pytest

from agents.simulation.history_file import read_history

GOOD = "item,date,demand,promotion,price\nTEA-01,2024-03-30,3,,2.5\nTEA-01,2024-03-31,4,0.2,2\n"


def written(folder: Path, text: str, name: str = "HISTORY.csv") -> Path:
    path = folder / name
    path.write_text(text, encoding="utf-8")
    return path


def test_rows_in_any_order_are_the_same_history(tmp_path: Path) -> None:
    lines = GOOD.splitlines()
    first, _ = read_history(written(tmp_path, GOOD))
    second, dates = read_history(written(tmp_path, "\n".join([lines[0], lines[2], lines[1]])))
    assert dates == ["2024-03-30", "2024-03-31"]
    assert first.demand.tolist() == second.demand.tolist() == [[3.0, 4.0]]
    assert list(first.starts) == list(second.starts)


def test_a_day_on_which_clocks_change_is_as_long_as_others(tmp_path: Path) -> None:
    days = ["2024-03-30", "2024-03-31", "2024-04-01", "2024-10-26", "2024-10-27", "2024-10-28"]
    history, _ = read_history(written(tmp_path, "item,date,demand\n" + "".join(f"TEA-01,{day},1\n" for day in days)))
    assert {start % 86_400_000 for start in history.starts} == {0}


def test_days_without_rows_are_closed_and_an_item_begins_with_its_first(tmp_path: Path) -> None:
    text = "item,date,demand\nTEA-01,2024-01-02,3\nTEA-01,2024-01-08,1\nTEA-02,2024-01-05,9\n"
    history, dates = read_history(written(tmp_path, text))
    assert dates == ["2024-01-02", "2024-01-05", "2024-01-08"]
    assert history.demand.tolist() == [[3.0, 0.0, 1.0], [0.0, 9.0, 0.0]]
    assert history.first == [0, 1]


@pytest.mark.parametrize("mark", ["\ufeff", ""])
def test_a_mark_of_spreadsheets_and_gzip_are_read(tmp_path: Path, mark: str) -> None:
    path = tmp_path / "HISTORY.csv.gz"
    with gzip.open(path, "wt", encoding="utf-8") as file:
        file.write(mark + GOOD)
    assert read_history(path)[0].demand.tolist() == [[3.0, 4.0]]


@pytest.mark.parametrize(
    "line, fault",
    [
        ("TEA-01,2024-04-01,-3", "line 4: demand -3 is out of range.*what came back is no demand"),
        ("TEA-01,2024-04-01,nan", "line 4: demand nan is out of range"),
        ("TEA-01,2024-04-01,inf", "line 4: demand inf is out of range"),
        ("TEA-01,2024-04-01,1e999", "line 4: demand 1e999 is out of range"),
        ("TEA-01,2024-04-01,", "line 4: demand '' is no number"),
        ("TEA-01,2024-04-01", "line 4: demand '' is no number"),
        ('TEA-01,2024-04-01,"1,5"', "line 4: demand '1,5' is no number: write a point"),
        ("TEA-01,2024-04-01,three", "line 4: demand 'three' is no number: write a number from 0"),
        ("TEA-01,2024-04-01,3,20", "line 4: promotion 20 is out of range: write a number from 0 to 1"),
        ("TEA-01,2024-04-01,3,0,-2", "line 4: price -2 is out of range"),
        ("TEA-01,2024-04-01,3,0,2,5", "line 4: more cells than the header has"),
        ("TEA-01,01.04.2024,3", "line 4: date '01.04.2024' is no ISO date: write the shop's own day"),
        ("TEA-01,20240401,3", "line 4: date '20240401' is no ISO date"),
        ("TEA-01,2024-W14-1,3", "line 4: date '2024-W14-1' is no ISO date"),
        ("TEA-01,2024-02-30,3", "line 4: date '2024-02-30' is no ISO date"),
        ("TEA-01,2024-04-01T00:00:00+02:00,3", "line 4: date .* without time and zone"),
        ("TEA-01,0204-04-01,3", "line 4: date 0204-04-01 is not between 1970 and 2199"),
        (",2024-04-01,3", "line 4: item is empty"),
        ("TEA-01,2024-03-30,3", "line 4: TEA-01 has 2024-03-30 a second time, after line 2"),
    ],
)
def test_what_cannot_be_read_is_refused_with_its_line_and_a_cure(tmp_path: Path, line: str, fault: str) -> None:
    with pytest.raises(ValueError, match=fault):
        read_history(written(tmp_path, GOOD + line + "\n"))


def test_blank_lines_count_as_lines(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="line 6: demand 'x' is no number"):
        read_history(written(tmp_path, GOOD + "\n\nTEA-01,2024-04-01,x\n"))


@pytest.mark.parametrize(
    "text, fault",
    [
        ("", "line 1: the header lacks item, date, demand"),
        ("item;date;demand\nTEA-01;2024-01-01;3\n", "line 1: the header lacks item, date, demand.*commas"),
        ("item,day,demand\n", "line 1: the header lacks date"),
        ("item,date,demand\n", "holds no row"),
    ],
)
def test_a_file_that_is_no_history_is_refused(tmp_path: Path, text: str, fault: str) -> None:
    with pytest.raises(ValueError, match=fault):
        read_history(written(tmp_path, text))
