"""Closed loop on UCI Online Retail: `bench/closed_loop.py [online_retail.csv.gz] [--items 120] [--csv FILE]`.

A year of daily demand, random lead times of 3 to 14 days, lost sales; champion, baselines and forecast × 1.2 each with
their own shelf, on the same forecasts. Costs as in a shop's books: a unit costs 60 % of its price, holding it a year a
quarter of that, and a lost sale its margin: as much as 973 days of holding. It is repeated with lost sales that cost
99 and 19 days of holding, where a full shelf is worth less.
"""

import argparse
import csv
import gzip
import json
import os
import re
import sys
from collections import Counter, defaultdict
from datetime import UTC, datetime
from pathlib import Path
from statistics import median
from typing import Any

import numpy as np

from agents.forecasting.base import Rhythm
from agents.forecasting.registry import DEFAULT, FORECASTERS
from agents.policies.base import Economics
from agents.policies.registry import POLICIES
from agents.simulation.closed_loop import DemandHistory, live
from agents.simulation.supplier import Supplier
from agents.simulation.totals import RunTotals, classes
from schemas.quantities import DAY_MS

HERE = Path(__file__).resolve().parent
USUAL = Path(os.environ.get("RESTOCK_BENCH_DATA", HERE / "../../shared/data"), "uci_online_retail/online_retail.csv.gz")
NAMES = ("pil-q", "pil", "base-stock", "one-point-two")


def read(path: Path, items: int) -> tuple[DemandHistory, list[float]]:
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
    regular = sorted(code for code, days in days_sold.items() if days >= 100)
    chosen = regular[:: max(1, len(regular) // items)][:items]
    dates = sorted({day for _, day in sold})
    demand = np.array([[float(sold[code, day]) for day in dates] for code in chosen])
    starts = [round(datetime.fromisoformat(day).replace(tzinfo=UTC).timestamp() * 1000) for day in dates]
    return DemandHistory(chosen, [*starts, starts[-1] + DAY_MS], demand), [median(prices[code]) for code in chosen]


def _who(line: dict[str, str], sign: int) -> tuple[str, str, int]:
    return line["CustomerID"], line["StockCode"].upper(), sign * int(line["Quantity"])


def main() -> int:
    """Live the year, print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("file", nargs="?", type=Path, default=USUAL)
    parser.add_argument("--items", type=int, default=120)
    parser.add_argument("--forecaster", default=DEFAULT, choices=sorted(FORECASTERS))
    parser.add_argument("--shortage", default="973,99,19", help="what a lost sale costs, in days of holding")
    parser.add_argument("--lead-times", default="3-14")
    parser.add_argument("--short", action="store_true", help="12 items, the first cost")
    parser.add_argument("--csv", type=Path, help="write the history for `restock evaluate policies`, and stop")
    args = parser.parse_args()
    if not args.file.exists():
        print(f"bench/closed_loop.py: no such file: {args.file}: name it, or set RESTOCK_BENCH_DATA", file=sys.stderr)
        return 0 if args.short else 2
    history, prices = read(args.file, 12 if args.short else args.items)
    if args.csv is not None:
        write(args.csv, history, prices)
        return 0
    figures = {}
    for shortage in list(map(float, args.shortage.split(",")))[: 1 if args.short else None]:
        print(f"a lost sale costs {shortage:g} days of holding:")
        figures[f"{shortage:g}"] = year(history, prices, args, shortage)
    print(json.dumps({"items": len(history.items), "forecaster": args.forecaster, "by_shortage": figures}))
    return 0


def year(history: DemandHistory, prices: list[float], args: argparse.Namespace, shortage: float) -> dict[str, Any]:
    """Live the year, print the table; fill rates by class of yearly value, too."""
    holding = [0.25 / 365.0 * 0.6 * price for price in prices]
    ratio = shortage / (shortage + 1.0)
    terms = [Economics(each, each * shortage, critical_ratio=ratio) for each in holding]
    first, last = map(int, args.lead_times.split("-"))
    supplier = Supplier(seed=1, lead_times=tuple(range(first, last + 1)))
    policies = {name: POLICIES[name]() for name in NAMES}
    totals = {name: RunTotals() for name in NAMES}
    by_class = {(name, kind): RunTotals() for name in NAMES for kind in "ABC"}
    kinds = dict(zip(history.items, classes(history.demand.sum(axis=1) * np.array(prices)), strict=True))
    for row in live(history, FORECASTERS[args.forecaster](Rhythm(6)), policies, supplier, terms):
        totals[row.policy].add(row)
        by_class[row.policy, kinds[row.item]].add(row)
    reference = totals["one-point-two"].cost
    print(f"{'policy':16} {'cost':>10} {'against x 1.2':>14} {'fill rate':>10} {'A, B, C':>22} {'mean stock':>11}")
    figures = {}
    for name in NAMES:
        told, saved = totals[name].figures(), 1.0 - totals[name].cost / reference
        fills = [by_class[name, kind].figures()["fill_rate"] for kind in "ABC"]
        print(
            f"{name:16} {told['cost']:10,.0f} {-saved:+14.1%} {told['fill_rate']:10.2%} "
            f"{', '.join(f'{fill:.1%}' for fill in fills):>22} {told['mean_stock']:11.1f}"
        )
        figures[name] = {"cost": round(told["cost"]), "saved": round(saved, 4), "fill_rate": told["fill_rate"]}
    return figures


def write(path: Path, history: DemandHistory, prices: list[float]) -> None:
    """A history as `restock evaluate` reads it; days on which the shop sold nothing at all are closed days."""
    with path.open("w", newline="") as file:
        out = csv.writer(file, lineterminator="\n")
        out.writerow(("item", "date", "demand", "price"))
        for number, (item, price) in enumerate(zip(history.items, prices, strict=True)):
            for period, starts in enumerate(history.starts[:-1]):
                day = datetime.fromtimestamp(starts / 1000, UTC).date().isoformat()
                out.writerow((item, day, int(history.demand[number, period]), price))


if __name__ == "__main__":
    sys.exit(main())
