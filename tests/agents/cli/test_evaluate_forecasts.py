"""`restock evaluate forecasts` as its user meets it: figures, files and plots, or one line that says what is wrong."""

import csv
import json
import math
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from agents.cli import main
from agents.forecasting.base import LEVELS

WEEK = [5, 6, 4, 5, 9, 14, 2]
PASTS = {
    "a single point": {"TEA-01": [3]},
    "all zeros": {"TEA-01": [0] * 40, "TEA-02": [0] * 40},
    "a huge outlier": {"TEA-01": [2] * 20 + [999_999_999] + [2] * 20},
    "two days": {"TEA-01": [3, 4], "TEA-02": [0, 1]},
    "weeks": {"TEA-01": WEEK * 8, "TEA-02": [0, 0, 3, 0] * 14, "TEA-03": [1] * 56},
}


def written(folder: Path, past: dict[str, list[int]], gap: int = 10**6) -> Path:
    """Days from 2024 on; after `gap` days the shop is closed for three weeks."""
    path = folder / "HISTORY.csv"
    first = np.datetime64("2024-01-01")
    with path.open("w", newline="") as file:
        rows = csv.writer(file)
        rows.writerow(("item", "date", "demand"))
        for item, demands in past.items():
            rows.writerows((item, first + day + 21 * (day >= gap), demand) for day, demand in enumerate(demands))
    return path


def figures(path: Path, capsys: pytest.CaptureFixture[str], *arguments: str) -> dict[str, Any]:
    assert main(["evaluate", "forecasts", str(path), "--horizon", "3", "--json", *arguments]) == 0
    found: dict[str, Any] = json.loads(capsys.readouterr().out)
    return found


def numbers_in(found: Any) -> list[float]:
    return [n for value in found.values() for n in numbers_in(value)] if isinstance(found, dict) else [float(found)]


@pytest.mark.parametrize("past", PASTS)
def test_whatever_was_sold_figures_and_forecasts_are_numbers(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], past: str
) -> None:
    out = tmp_path / "F.csv"
    found = figures(written(tmp_path, PASTS[past]), capsys, "--out", str(out), "--plot", str(tmp_path / "plots"))
    assert list(found) == ["blend", "last-value", "moving-average", "seasonal-naive", "tsb"]
    assert all(map(math.isfinite, numbers_in(found)))
    with out.open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert len(rows) == sum(map(len, PASTS[past].values()))
    for row in rows:
        quantiles = [float(row[f"q{level}"]) for level in LEVELS]
        assert quantiles == sorted(quantiles)
        assert 0.0 <= quantiles[0] <= quantiles[-1] < 1e12
    assert len(list((tmp_path / "plots").iterdir())) == len(PASTS[past])


def test_by_default_the_blend_stands_beside_the_simple_ones_by_class(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = written(tmp_path, {"A-1": [40, 60] * 30, "B-1": [0, 16] * 30, "B-2": [5] * 60, "C-1": [0, 0, 0, 1] * 15})
    assert main(["evaluate", "forecasts", str(path), "--horizon", "3"]) == 0
    table = [line.split("\t") for line in capsys.readouterr().out.splitlines()]
    assert table[0][:7] == ["items", "forecaster", "MAE", "RMSE", "MSE", "WAPE", "bias"]
    assert [row[:2] for row in table[1:6]] == [
        ["all", name] for name in ("blend", "last-value", "moving-average", "seasonal-naive", "tsb")
    ]
    assert {row[0] for row in table[1:]} == {"all", "A", "B", "C"}


def test_what_weeks_repeat_is_learned(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    found = figures(written(tmp_path, {"TEA-01": WEEK * 20, "TEA-02": WEEK * 20}), capsys)
    assert found["blend"]["wape"] < 0.7 * found["moving-average"]["wape"]


def test_a_gap_is_a_holiday(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    found = figures(written(tmp_path, PASTS["weeks"], gap=30), capsys)
    assert found["blend"]["wape"] < 1.0


@pytest.mark.parametrize(
    "text, arguments, message",
    [
        ("item,date,demand\nA,2024-01-01,-3\n", ["--horizon", "3"], "line 2: demand -3 is out of range"),
        ("item,date,demand\nA,2024-01-01,nan\n", ["--horizon", "3"], "line 2: demand nan"),
        ("item,date,demand\nA,2024-01-01T00:00Z,1\n", ["--horizon", "3"], "without time and zone"),
        ("item,date,demand\nA,2024-01-01,1\nA,2024-01-01,2\n", ["--horizon", "3"], "line 3: A has 2024-01-01 a second"),
        ("item,date\n", ["--horizon", "3"], "the header lacks demand"),
        ("item,date,demand\nA,2024-01-01,1\n", ["--horizon", "0"], "--horizon: 0 is not a number of periods"),
        ("item,date,demand\nA,2024-01-01,1\n", ["--horizon", "3", "--season", "0"], "--season: 0"),
        ("item,date,demand\nA,2024-01-01,1\n", ["--horizon", "3", "--warm-up", "-1"], "--warm-up: -1"),
        ("item,date,demand\nA,2024-01-01,1\n", ["--horizon", "3", "--beside", "oracle"], "no forecaster is called"),
        ("item,date,demand\nA,2024-01-01,1\n", ["--horizon", "3", "--out", "/nowhere/F.csv"], "--out=/nowhere/F.csv"),
        ("item,date,demand\nA,2024-01-01,1\n", ["--horizon", "3", "--plot", "/dev/null/p"], "--plot=/dev/null/p"),
    ],
)
def test_wrong_use_is_reported_in_one_line(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], text: str, arguments: list[str], message: str
) -> None:
    path = tmp_path / "HISTORY.csv"
    path.write_text(text)
    assert main(["evaluate", "forecasts", str(path), *arguments]) == 2
    error = capsys.readouterr().err
    assert message in error
    assert len(error.strip().splitlines()) == 1


def test_where_nothing_can_be_judged_no_figure_looks_perfect(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = written(tmp_path, {"TEA-01": WEEK})
    assert main(["evaluate", "forecasts", str(path), "--horizon", "5", "--beside", ""]) == 0
    table, warning = capsys.readouterr()
    assert "nothing can be judged: of 7 periods the first 3 are warm-up" in warning
    assert {line.split("\t")[2] for line in table.splitlines()[1:]} == {"–"}


def test_named_items_are_drawn(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path, plots = written(tmp_path, PASTS["weeks"]), tmp_path / "plots"
    figures(path, capsys, "--plot", str(plots), "--plot-items", "TEA-03,TEA-02")
    assert sorted(file.name for file in plots.iterdir()) == ["0001-TEA-02.svg", "0002-TEA-03.svg"]
    assert main(["evaluate", "forecasts", str(path), "--horizon", "3", "--plot-items", "TEA-9"]) == 2
    assert "--plot-items: 'TEA-9' is no item" in capsys.readouterr().err


def test_a_file_that_is_not_there_or_no_text_is_reported(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    binary = tmp_path / "HISTORY.csv.gz"
    binary.write_bytes(b"\x00\xff junk")
    latin = tmp_path / "latin.csv"
    latin.write_bytes("item,date,demand\nÄ,2024-01-01,1\n".encode("latin-1"))
    for path, message in ((tmp_path / "nowhere.csv", "No such file"), (binary, "zip"), (latin, "save it as UTF-8")):
        for words in (["forecasts", str(path), "--horizon", "3"], ["policies", str(path), "--lead-time", "2"]):
            assert main(["evaluate", *words]) == 2
            error = capsys.readouterr().err
            assert str(path) in error
            assert message in error
            assert "Errno" not in error
