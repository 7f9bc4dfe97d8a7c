"""How many alerts people get: `bench/alerts.py [--panel demo] [--days 75] [--seed 3] [--short]`.

Shops live in the core of a shard, without a server: the simulated shop of the demo, UCI Online Retail and groceries.
Printed are the alerts raised per 100 items and day, by kind and severity, in three situations: a shop in order, days
with the item's promotion (and three after), and the fortnight in which a third of the items get nothing from their
supplier. `critical` and `warning` are for people to read; `info` is not. The last line is one JSON object.
"""

import argparse
import json
import os
import sys
from collections import Counter
from collections.abc import Callable
from math import ceil
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from agents.simulation.closed_loop import DemandHistory
from agents.simulation.history_file import read_history
from agents.simulation.shop import Shop
from agents.worker.process_memory import collect_garbage_seldom
from bench.panels import read_uci
from bench.shop_in_core import Goods, ShopInCore
from schemas.outbound import StockAlert
from schemas.quantities import DAY_MS

DATA = Path(os.environ.get("RESTOCK_BENCH_DATA", Path(__file__).resolve().parents[2] / "shared/data"))
MONDAY_MS = 1_704_067_200_000
AFTER_PROMOTION = 3
FAILURE_DAYS = 14
SITUATIONS = ("in order", "promotion", "supplier failure")
FOR_PEOPLE = ("critical", "warning")


class Panel(NamedTuple):
    """A shop to live in."""

    goods: list[Goods]
    history: DemandHistory


def main() -> int:
    """Live, count, print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--panel", action="append", choices=sorted(PANELS))
    parser.add_argument("--days", type=int, default=75)
    parser.add_argument("--seed", type=int, default=3)
    parser.add_argument("--short", action="store_true", help="the demo's shop, 20 items, 30 days")
    args = parser.parse_args()
    collect_garbage_seldom()
    figures = {}
    for name in args.panel or (["demo"] if args.short else sorted(PANELS)):
        panel = PANELS[name](args)
        if panel is None:
            print(f"bench/alerts.py: no data for {name} in {DATA}: set RESTOCK_BENCH_DATA", file=sys.stderr)
            return 2
        figures[name] = report(name, panel, args)
    print(json.dumps({"days": args.days, "panels": figures}))
    return 0


def report(name: str, panel: Panel, args: argparse.Namespace) -> dict[str, Any]:
    """Live one shop through, and print its table."""
    days = min(30 if args.short else args.days, len(panel.history.starts) - 1)
    shop = ShopInCore(panel.goods, panel.history, seed=args.seed)
    raised: Counter[tuple[str, str, str]] = Counter()
    item_days: Counter[str] = Counter()
    fails_from = days - FAILURE_DAYS
    shop.open()
    for day in range(days):
        shop.failed = set(range(0, len(panel.goods), 3)) if day >= fails_from else set()
        for number in range(len(panel.goods)):
            item_days[situation(panel.history, shop, number, day)] += 1
        for body in shop.day(day):
            if isinstance(body, StockAlert) and body.state == "raised":
                where = situation(panel.history, shop, shop.number[body.sku], day)
                raised[where, body.severity, body.kind] += 1
    print(f"\n{name}: {len(panel.goods)} items, {days} days, fill rate {1 - shop.lost / max(1, shop.demand):.2%}")
    rates: dict[str, Any] = {"fill_rate": round(1 - shop.lost / max(1, shop.demand), 4)}
    for where in SITUATIONS:
        rate = 100.0 / item_days[where] if item_days[where] else 0.0
        for_people = rate * sum(n for (at, severity, _), n in raised.items() if at == where and severity in FOR_PEOPLE)
        rates[where] = {"for people": round(for_people, 2)}
        print(f"  {where:18} {for_people:6.2f} for people per 100 items and day, of {item_days[where]:,} item-days")
        for (at, severity, kind), n in sorted(raised.items(), key=lambda entry: -entry[1]):
            if at == where:
                rates[where][f"{kind} ({severity})"] = round(rate * n, 2)
                print(f"    {kind:24} {severity:9} {rate * n:6.2f}")
    return rates


def situation(history: DemandHistory, shop: ShopInCore, number: int, day: int) -> str:
    """What kind of day it is for an item."""
    if number in shop.failed:
        return "supplier failure"
    if history.promotion is not None and history.promotion[number, max(0, day - AFTER_PROMOTION) : day + 1].max() > 0:
        return "promotion"
    return "in order"


def demo(args: argparse.Namespace) -> Panel:
    """The shop of `restock demo`."""
    items, days = (20, 30) if args.short else (100, args.days)
    shop = Shop(args.seed, items, days)
    starts = [MONDAY_MS + day * DAY_MS for day in range(days + 1)]
    history = DemandHistory([a.sku for a in shop.articles], starts, shop.demand.astype(float), shop.promotion)
    waits = ((1, 1, 1, 2), (2, 3, 3, 3, 4), (5, 6, 6, 7, 8))
    goods = [
        Goods(a.sku, a.unit_cost, a.price, ceil(a.model.mean * 13), waits[number % 3])
        for number, a in enumerate(shop.articles)
    ]
    return Panel(goods, history)


def groceries(args: argparse.Namespace) -> Panel | None:
    """199 products with their promotions."""
    del args
    path = DATA / "groceries" / "groceries.csv.gz"
    if not path.exists():
        return None
    history, _ = read_history(path)
    last = np.nanmedian(history.price, axis=1) if history.price is not None else np.ones(len(history.items))
    return Panel(goods_of(history, np.nan_to_num(last, nan=2.0)), history)


def uci(args: argparse.Namespace) -> Panel | None:
    """120 articles of an online wholesaler."""
    del args
    path = DATA / "uci_online_retail" / "online_retail.csv.gz"
    if not path.exists():
        return None
    history, prices = read_uci(path, 120)
    return Panel(goods_of(history, np.array(prices)), history)


def goods_of(history: DemandHistory, prices: Any) -> list[Goods]:
    """A unit costs 60 % of its price; a fortnight's demand lies there when the shop opens."""
    opening = history.demand[:, :28].mean(axis=1) * 14
    return [
        Goods(item, round(0.6 * float(price), 2) or 0.01, round(float(price), 2) or 0.02, ceil(stock), (2, 3, 3, 4, 5))
        for item, price, stock in zip(history.items, prices, opening, strict=True)
    ]


PANELS: dict[str, Callable[[argparse.Namespace], Panel | None]] = {"demo": demo, "groceries": groceries, "uci": uci}

if __name__ == "__main__":
    sys.exit(main())
