"""The panels of `bench/closed_loop.py`: demand of shops that nobody here chose, and a drawn one for their first weeks.

Costs are of a unit and period; an item's holding cost is 1 except where prices are known for all of a shop's books.
"""

import csv
import gzip
import os
import re
from collections import Counter, defaultdict
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import NamedTuple

import numpy as np

from agents.forecasting.base import Rhythm
from agents.simulation.closed_loop import DemandHistory
from agents.simulation.history_file import read_history
from schemas.quantities import DAY_MS

DATA = Path(os.environ.get("RESTOCK_BENCH_DATA", Path(__file__).resolve().parents[2] / "shared/data"))
UCI, PASTA, CARPARTS, GROCERIES = (
    DATA / name
    for name in (
        "uci_online_retail/online_retail.csv.gz",
        "pasta_daily_promo/pasta.csv.gz",
        "carparts/carparts.csv.gz",
        "groceries/groceries.csv.gz",
    )
)
SOLD_DAYS = 100
"""An article of UCI is in the panel when it was sold on at least so many days."""
DAYS = 400
"""So many days of pasta: a year, and what comes after the first weeks twice."""


class ShopPanel(NamedTuple):
    """A shop."""

    history: DemandHistory
    holding: Sequence[float]
    """What a unit costs for a period."""
    prices: Sequence[float]
    rhythm: Rhythm = Rhythm()
    young: int = 60
    """Its first periods, told apart from those after."""


def read_uci(path: Path, items: int) -> tuple[DemandHistory, list[float]]:
    """Daily demand, and the median price, of a spread of the products sold on at least 100 days.

    A sale that the same customer cancelled in full is no demand: two such orders would be a twentieth of the year's.
    """
    with gzip.open(path, "rt", newline="") as file:
        lines = [line for line in csv.DictReader(file) if re.fullmatch(r"[0-9]{5}[A-Z]*", line["StockCode"].upper())]
    cancelled = Counter(_who(line, -1) for line in lines if line["InvoiceNo"].startswith("C"))
    sold: Counter[tuple[str, str]] = Counter()
    prices: dict[str, list[float]] = defaultdict(list)
    for line in lines:
        code, quantity, price = line["StockCode"].upper(), int(line["Quantity"]), float(line["UnitPrice"])
        if quantity <= 0 or price <= 0:
            continue
        if cancelled[_who(line, 1)] > 0:
            cancelled[_who(line, 1)] -= 1
            continue
        sold[code, line["InvoiceDate"][:10]] += quantity
        prices[code].append(price)
    days_sold = Counter(code for code, _ in sold)
    regular = sorted(code for code, days in days_sold.items() if days >= SOLD_DAYS)
    chosen = regular[:: max(1, len(regular) // items)][:items]
    dates = sorted({day for _, day in sold})
    demand = np.array([[float(sold[code, day]) for day in dates] for code in chosen])
    return DemandHistory(chosen, _starts(dates), demand), [float(np.median(prices[code])) for code in chosen]


def _who(line: dict[str, str], sign: int) -> tuple[str, str, int]:
    return line["CustomerID"], line["StockCode"].upper(), sign * int(line["Quantity"])


def uci(items: int) -> ShopPanel:
    """An online wholesaler's year: a unit costs 60 % of its price, and holding it a year a quarter of that."""
    history, prices = read_uci(UCI, items)
    return ShopPanel(history, [0.25 / 365.0 * 0.6 * price for price in prices], prices, Rhythm(6))


def pasta(items: int) -> ShopPanel:
    """Pasta of one grocery, with its promotions, which are known in advance."""
    with gzip.open(PASTA, "rt", newline="") as file:
        rows = list(csv.DictReader(file))
    dates = sorted({row["date"] for row in rows})[:DAYS]
    day_of = {day: number for number, day in enumerate(dates)}
    names = sorted({(row["brand"], int(row["product"])) for row in rows})
    item_of = {name: number for number, name in enumerate(names)}
    demand, promotion = np.zeros((2, len(names), len(dates)))
    for row in rows:
        if row["date"] in day_of:
            place = item_of[row["brand"], int(row["product"])], day_of[row["date"]]
            demand[place], promotion[place] = float(row["value"]), float(row["promotion"])
    kept = _spread(len(names), items)
    codes = [f"{names[number][0]}-{names[number][1]}" for number in kept]
    return _plain(DemandHistory(codes, _starts(dates), demand[kept], promotion[kept]))


def carparts(items: int) -> ShopPanel:
    """Spare parts by the month, most of them seldom asked for: those that were sold all the time."""
    with gzip.open(CARPARTS, "rt", newline="") as file:
        rows = [row for row in list(csv.reader(file))[1:] if all(row)]
    demand = np.array([[float(value) for value in row[1:]] for row in rows])
    kept = _spread(len(rows), items)
    months = [f"{1998 + month // 12}-{month % 12 + 1:02}-01" for month in range(demand.shape[1])]
    history = DemandHistory([rows[number][0] for number in kept], _starts(months, 30 * DAY_MS), demand[kept])
    return _plain(history, Rhythm(12, 30.0), 12)


def groceries(items: int) -> ShopPanel:
    """Products of grocery stores with promotions and prices."""
    whole, _ = read_history(GROCERIES)
    return _plain(part(whole, _spread(len(whole.items), items), len(whole.starts) - 1))


def juice(items: int) -> ShopPanel:
    """Drawn: two years of weeks of something that sells in deals, each product by its own measure."""
    chance, weeks = np.random.default_rng(3), 104
    base, pull = np.exp(chance.normal(4.5, 1.0, items)), chance.normal(5.0, 1.5, items).clip(0.0)
    promotion = np.zeros((items, weeks))
    for plan in promotion:
        week = int(chance.integers(2, 6))
        while week < weeks:
            plan[week] = chance.uniform(0.15, 0.4)
            week += int(chance.integers(3, 8))
    level = base[:, None] * np.exp(promotion * pull[:, None] + chance.normal(0.0, 0.35, (items, weeks)))
    starts = [week * 7 * DAY_MS for week in range(weeks + 1)]
    history = DemandHistory([f"juice-{n}" for n in range(items)], starts, chance.poisson(level) * 1.0, promotion)
    return _plain(history, Rhythm(52, 7.0), 12)


PANELS: Mapping[str, tuple[Callable[[int], ShopPanel], int, Path | None]] = {
    "uci": (uci, 120, UCI),
    "pasta": (pasta, 118, PASTA),
    "carparts": (carparts, 300, CARPARTS),
    "groceries": (groceries, 199, GROCERIES),
    "juice": (juice, 102, None),
}
"""How each is read, how many items it usually has, and where it lies."""


def part(history: DemandHistory, items: Sequence[int], periods: int) -> DemandHistory:
    """Some items of a history, and its first periods."""
    rows = list(items)
    return DemandHistory(
        [history.items[number] for number in rows],
        history.starts[: periods + 1],
        history.demand[rows, :periods],
        None if history.promotion is None else history.promotion[rows, :periods],
        None if history.price is None else history.price[rows, :periods],
    )


def write(path: Path, panel: ShopPanel) -> None:
    """A history as `restock evaluate` reads it; days on which the shop sold nothing at all are closed days."""
    history = panel.history
    with path.open("w", newline="") as file:
        out = csv.writer(file, lineterminator="\n")
        out.writerow(("item", "date", "demand", "promotion", "price"))
        for number, (item, price) in enumerate(zip(history.items, panel.prices, strict=True)):
            for period, starts in enumerate(history.starts[:-1]):
                day = datetime.fromtimestamp(starts / 1000, UTC).date().isoformat()
                plan = 0.0 if history.promotion is None else history.promotion[number, period]
                known = price if history.price is None else history.price[number, period]
                out.writerow((item, day, int(history.demand[number, period]), f"{plan:g}", f"{known:g}"))


def _plain(history: DemandHistory, rhythm: Rhythm = Rhythm(), young: int = 60) -> ShopPanel:  # noqa: B008 - frozen
    return ShopPanel(history, [1.0] * len(history.items), [1.0] * len(history.items), rhythm, young)


def _starts(dates: Sequence[str], last: int = DAY_MS) -> list[int]:
    starts = [round(datetime.fromisoformat(day).replace(tzinfo=UTC).timestamp() * 1000) for day in dates]
    return [*starts, starts[-1] + last]


def _spread(count: int, wanted: int) -> list[int]:
    return list(range(0, count, max(1, count // wanted)))[:wanted]
