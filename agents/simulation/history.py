"""Reads a demand history, `item,date,demand[,promotion,price]`, one row per item and period; `.gz` is accepted.

The periods are the distinct dates of the file, so days without any row are closed days; an item's missing ones are
zero demand, and it begins with its first row. Rows may come in any order, but only one for an item and a date.
"""

import csv
import gzip
from datetime import UTC, date, datetime
from pathlib import Path

import numpy as np

from agents.simulation.closed_loop import History

DAY_MS = 86_400_000
NEEDED = ("item", "date", "demand")


def read_history(path: Path) -> tuple[History, list[str]]:
    """The history and the date of each period; a fault raises ValueError with its line."""
    with gzip.open(path, "rt", newline="") if path.suffix == ".gz" else path.open(newline="") as file:
        rows = csv.DictReader(file)
        if missing := [name for name in NEEDED if name not in (rows.fieldnames or ())]:
            raise ValueError(
                f"{path}: the header lacks {', '.join(missing)}: write {','.join(NEEDED)} in the first line"
            )
        found = [_parsed(path, number, row) for number, row in enumerate(rows, start=2)]
    if not found:
        raise ValueError(f"{path}: holds no row: a history needs at least one period")
    items = sorted({item for item, *_ in found})
    dates = sorted({day for _, day, *_ in found})
    places, periods = {item: n for n, item in enumerate(items)}, {day: n for n, day in enumerate(dates)}
    shape = (len(items), len(dates))
    demand, promotion, price = np.zeros(shape), np.zeros(shape), np.full(shape, np.nan)
    first = [len(dates)] * len(items)
    seen = np.zeros(shape, bool)
    for number, (item, day, units, plan, paid) in enumerate(found, start=2):
        place = places[item], periods[day]
        if seen[place]:
            raise ValueError(f"{path}, line {number}: {item} has {day} a second time: one row per item and period")
        seen[place] = True
        first[place[0]] = min(first[place[0]], place[1])
        demand[place] = units
        promotion[place] = plan
        if paid is not None:
            price[place] = paid
    starts = [round(datetime(d.year, d.month, d.day, tzinfo=UTC).timestamp() * 1000) for d in dates]
    starts.append(starts[-1] + (starts[-1] - starts[-2] if len(starts) > 1 else DAY_MS))
    return History(items, starts, demand, promotion, price, first), [day.isoformat() for day in dates]


def _parsed(path: Path, number: int, row: dict[str, str]) -> tuple[str, date, float, float, float | None]:
    """One row's values."""
    try:
        units = float(row["demand"])
        plan = float(row.get("promotion") or 0.0)
        price = float(row["price"]) if row.get("price") else None
        day = date.fromisoformat(row["date"])
    except (TypeError, ValueError) as error:
        raise ValueError(f"{path}, line {number}: {error}: dates are ISO, the other columns numbers") from error
    if not row["item"]:
        raise ValueError(f"{path}, line {number}: item is empty")
    if price is not None and not 0.0 <= price < float("inf"):
        raise ValueError(f"{path}, line {number}: price {price} is negative or no number")
    if not 0.0 <= units <= 1e9 or not 0.0 <= plan <= 1.0:
        raise ValueError(f"{path}, line {number}: demand is 0 to 1,000,000,000 and promotion 0 to 1")
    return row["item"], day, units, plan, price
