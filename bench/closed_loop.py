"""Closed loop on UCI Online Retail: `bench/closed_loop.py [online_retail.csv.gz] [--items 200] [--plot DIR]`.

A year of daily demand, random lead times of 3 to 14 days, lost sales; champion, baselines and forecast × 1.2 each with
their own shelf, on the same forecasts. Costs: holding 1 % of the price a unit and day, shortage 19 times that.
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

import numpy as np

from agents.forecasting.base import Rhythm
from agents.forecasting.registry import DEFAULT, FORECASTERS
from agents.policies.base import Economics
from agents.policies.registry import POLICIES
from agents.simulation.closed_loop import History, live
from agents.simulation.supplier import Supplier

HERE = Path(__file__).resolve().parent
USUAL = Path(os.environ.get("RESTOCK_BENCH_DATA", HERE / "../../shared/data"), "uci_online_retail/online_retail.csv.gz")
NAMES = ("pil-q", "pil", "base-stock", "one-point-two")


def read(path: Path, items: int) -> tuple[History, list[float]]:
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
    return History(chosen, [*starts, starts[-1] + 86_400_000], demand), [median(prices[code]) for code in chosen]


def _who(line: dict[str, str], sign: int) -> tuple[str, str, int]:
    return line["CustomerID"], line["StockCode"].upper(), sign * int(line["Quantity"])


def main() -> int:
    """Live the year, print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("file", nargs="?", type=Path, default=USUAL)
    parser.add_argument("--items", type=int, default=200)
    parser.add_argument("--forecaster", default=DEFAULT, choices=sorted(FORECASTERS))
    parser.add_argument("--shortage", type=float, default=19.0)
    parser.add_argument("--lead-times", default="3-14")
    parser.add_argument("--quick", action="store_true", help="40 items")
    args = parser.parse_args()
    if not args.file.exists():
        print(f"bench/closed_loop.py: no such file: {args.file}: name it, or set RESTOCK_BENCH_DATA", file=sys.stderr)
        return 2
    history, prices = read(args.file, 40 if args.quick else args.items)
    ratio = args.shortage / (args.shortage + 1.0)
    terms = [Economics(price / 100.0, price / 100.0 * args.shortage, critical_ratio=ratio) for price in prices]
    first, last = map(int, args.lead_times.split("-"))
    supplier = Supplier(seed=1, lead_times=tuple(range(first, last + 1)))
    policies = {name: POLICIES[name]() for name in NAMES}
    cost, demand, sold, stock = (dict.fromkeys(NAMES, 0.0) for _ in range(4))
    rows = live(history, FORECASTERS[args.forecaster](Rhythm(6)), policies, supplier, terms)
    for row in rows:
        cost[row.policy] += row.cost
        demand[row.policy] += row.demand
        sold[row.policy] += row.sold
        stock[row.policy] += row.on_hand
    periods = (len(history.starts) - 1) * len(history.items)
    print(f"{'policy':16} {'cost':>12} {'against x 1.2':>14} {'fill rate':>10} {'mean stock':>11}")
    figures = {}
    for name in NAMES:
        saved = 1.0 - cost[name] / cost["one-point-two"]
        filled = sold[name] / demand[name]
        print(f"{name:16} {cost[name]:12,.0f} {-saved:+14.1%} {filled:10.2%} {stock[name] / periods:11.1f}")
        figures[name] = {"cost": round(cost[name]), "saved": round(saved, 4), "fill_rate": round(filled, 4)}
    print(json.dumps({"items": len(history.items), "forecaster": args.forecaster, "policies": figures}))
    return 0


if __name__ == "__main__":
    sys.exit(main())
