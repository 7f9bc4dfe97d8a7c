"""Reads a demand history, `item,date,demand[,promotion,price]`, one row per item and period; `.gz` is accepted.

The periods are the distinct dates of the file, so days without any row are closed days; an item's missing ones are
zero demand, and it begins with its first row. Rows may come in any order, but only one for an item and a date. Dates
are the shop's own days: they have no time and no zone, so a day on which clocks change is a day like others. Whatever
cannot be read is refused with its line and what to write instead.
"""

import csv
import gzip
from collections.abc import Iterator
from datetime import UTC, date, datetime
from pathlib import Path
from typing import IO, NamedTuple

import numpy as np

from agents.simulation.closed_loop import DemandHistory
from schemas.quantities import DAY_MS

NEEDED = ("item", "date", "demand")
MOST_DEMAND = 1e9
_YEARS = range(1970, 2200)


class HistoryRow(NamedTuple):
    """One row's values."""

    line: int
    item: str
    day: date
    demand: float
    promotion: float
    price: float | None


def read_history(path: Path) -> tuple[DemandHistory, list[str]]:
    """The history and the date of each period; a fault raises ValueError with its line."""
    with _opened(path) as file:
        rows = csv.DictReader(file)
        names = [name.strip() for name in rows.fieldnames or ()]
        if missing := [name for name in NEEDED if name not in names]:
            raise ValueError(
                f"{path}, line 1: the header lacks {', '.join(missing)}: write {','.join(NEEDED)} in the first line, "
                "and commas between the columns"
            )
        rows.fieldnames = names
        found = list(_rows(path, rows))
    if not found:
        raise ValueError(f"{path}: holds no row: a history needs at least one period")
    return _history(path, found)


def _opened(path: Path) -> IO[str]:
    """The file as text, without the mark that spreadsheets put first."""
    if path.suffix == ".gz":
        return gzip.open(path, "rt", newline="", encoding="utf-8-sig")
    return path.open(newline="", encoding="utf-8-sig")


def _rows(path: Path, rows: "csv.DictReader[str]") -> Iterator[HistoryRow]:
    try:
        for row in rows:
            try:
                yield _read(rows.line_num, row)
            except ValueError as error:
                raise ValueError(f"{path}, line {rows.line_num}: {error}") from error
    except csv.Error as error:
        raise ValueError(f"{path}, line {rows.line_num}: {error}") from error


def _read(line: int, row: dict[str, str]) -> HistoryRow:
    if None in row:
        raise ValueError("more cells than the header has: a comma within a value wants quotes around it")
    item, demand, price = (row["item"] or "").strip(), row["demand"], row.get("price")
    if not item:
        raise ValueError("item is empty: write the item's name")
    return HistoryRow(
        line,
        item,
        _day(row["date"] or ""),
        _number("demand", demand or "", MOST_DEMAND),
        _number("promotion", row.get("promotion") or "0", 1.0),
        _number("price", price, MOST_DEMAND) if price and price.strip() else None,
    )


def _day(text: str) -> date:
    text = text.strip()
    try:
        day = date.fromisoformat(text)
    except ValueError:
        day = None
    if day is None or day.isoformat() != text:
        raise ValueError(
            f"date {text[:40]!r} is no ISO date: write the shop's own day as 2024-03-31, without time and zone"
        )
    if day.year not in _YEARS:
        raise ValueError(f"date {text} is not between {_YEARS.start} and {_YEARS.stop - 1}: mend the year")
    return day


def _number(name: str, text: str, most: float) -> float:
    try:
        number = float(text)
    except ValueError:
        cure = "write a point for the decimals" if "," in text else f"write a number from 0 to {most:,.0f}"
        raise ValueError(f"{name} {text.strip()[:40]!r} is no number: {cure}") from None
    if not 0.0 <= number <= most:
        cure = "; what came back is no demand: leave it out, or take it off the day it was sold" if number < 0.0 else ""
        raise ValueError(f"{name} {text.strip()[:40]} is out of range: write a number from 0 to {most:,.0f}{cure}")
    return number


def _history(path: Path, found: list[HistoryRow]) -> tuple[DemandHistory, list[str]]:
    items, dates = sorted({row.item for row in found}), sorted({row.day for row in found})
    places, periods = {item: n for n, item in enumerate(items)}, {day: n for n, day in enumerate(dates)}
    shape = (len(items), len(dates))
    demand, promotion, price = np.zeros(shape), np.zeros(shape), np.full(shape, np.nan)
    first, lines = [len(dates)] * len(items), np.zeros(shape, np.int32)
    for row in found:
        place = places[row.item], periods[row.day]
        if lines[place]:
            raise ValueError(
                f"{path}, line {row.line}: {row.item} has {row.day} a second time, after line {lines[place]}: "
                "one row per item and period, so add them up"
            )
        lines[place] = row.line
        first[place[0]] = min(first[place[0]], place[1])
        demand[place] = row.demand
        promotion[place] = row.promotion
        if row.price is not None:
            price[place] = row.price
    starts = [round(datetime(d.year, d.month, d.day, tzinfo=UTC).timestamp() * 1000) for d in dates]
    starts.append(starts[-1] + (starts[-1] - starts[-2] if len(starts) > 1 else DAY_MS))
    return DemandHistory(items, starts, demand, promotion, price, first), [day.isoformat() for day in dates]
