"""`restock evaluate policies`: figures by class, and pictures."""

import json
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest

from agents.cli import main

HEADER = "item,date,demand,price\n"


@pytest.fixture
def history(tmp_path: Path) -> Path:
    days = [f"2024-01-{day:02}" for day in range(1, 29)]
    rows = [f"{item},{day},{(n * 3 + size) % 5 * size},{size}" for n, day in enumerate(days) for item, size in ITEMS]
    path = tmp_path / "h.csv"
    path.write_text(HEADER + "\n".join(rows) + "\n")
    return path


ITEMS = (("BIG", 9), ("MIDDLE", 4), ("SMALL", 1), ("LEAST", 1))


def test_fill_rates_are_shown_by_class(history: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["evaluate", "policies", str(history), "--lead-time", "2", "--policies", "pil", "--json"]) == 0
    figures = json.loads(capsys.readouterr().out)["pil"]
    assert figures["fill_rate_by_class"].keys() <= {"A", "B", "C"}
    assert "A" in figures["fill_rate_by_class"]
    assert all(0.0 <= rate <= 1.0 for rate in figures["fill_rate_by_class"].values())


def test_the_three_that_sell_most_are_drawn(history: Path, tmp_path: Path) -> None:
    plots = tmp_path / "plots"
    arguments = ["evaluate", "policies", str(history), "--lead-time", "1-3", "--policies", "base-stock"]
    assert main([*arguments, "--plot", str(plots)]) == 0
    drawn = sorted(path.stem for path in plots.glob("*.svg"))
    assert len(drawn) == 3
    assert {"BIG", "MIDDLE"} <= set(drawn)
    for path in plots.glob("*.svg"):
        assert ET.parse(path).getroot().tag.endswith("svg")  # noqa: S314 - our own


def test_rows_on_standard_output_have_it_for_themselves(history: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["evaluate", "policies", str(history), "--lead-time", "2", "--policies", "pil", "--out", "-"]) == 0
    rows, figures = capsys.readouterr()
    assert rows.startswith("item,date,policy,")
    assert {line.count(",") for line in rows.splitlines()} == {9}
    assert "fill rate" in figures


def test_an_item_named_like_a_path_is_drawn_beside_the_others(tmp_path: Path) -> None:
    file, plots = tmp_path / "h.csv", tmp_path / "plots"
    file.write_text(HEADER + "".join(f"A/B@X,2024-01-{day:02},3,1\n" for day in range(1, 20)))
    arguments = ["evaluate", "policies", str(file), "--lead-time", "2", "--policies", "pil"]
    assert main([*arguments, "--plot", str(plots)]) == 0
    assert [path.name for path in plots.iterdir()] == ["A_B@X.svg"]


def test_without_the_reference_nothing_is_said_against_it(history: Path, capsys: pytest.CaptureFixture[str]) -> None:
    words = ["evaluate", "policies", str(history), "--lead-time", "2", "--policies"]
    assert main([*words, "pil"]) == 0
    assert "%" not in capsys.readouterr().out.splitlines()[1].partition(" – ")[0]
    assert main([*words, "one-point-two"]) == 0
    assert "+0.0%" in capsys.readouterr().out


@pytest.mark.parametrize("option", ["--review", "--minimum-order", "--order-multiple", "--capacity"])
def test_a_number_below_one_is_refused(history: Path, capsys: pytest.CaptureFixture[str], option: str) -> None:
    assert main(["evaluate", "policies", str(history), "--lead-time", "2", option, "0"]) == 2
    assert f"{option}: 0 is too little" in capsys.readouterr().err
