"""A rebuild from nothing: `bench/rebuild.py [--short | --full] [--movements N] [--items N] [--days N]`.

A shop's ledger is worked off by a worker, then Valkey is emptied. One worker that finds nothing folds ledger and
journal anew, and `restock rebuild` does the same as a command; each is timed, audited, and must publish nothing. The
history is of one day, whose movements alone are folded, and of some days that end, so that every item is reviewed at
the end of each. The full size is 5 million movements of 100,000 items. Ends with one JSON line.
"""

import argparse
import json
import os
import platform
import time
from typing import Any

from bench.engines.restock import FROM_EVENTS, LoadPace, Restock, Servers
from bench.engines.restock import servers as servers_of_bench
from bench.engines.shop import LoadShop

SIZES = {"short": (200_000, 4_000, 3), "usual": (1_000_000, 20_000, 3), "full": (5_000_000, 100_000, 3)}
LINES_PER_ORDER = 5
PATIENCE_SECONDS = 3600.0


def main() -> None:
    """Fill ledgers, forget everything, and measure how long it takes to know it again."""
    args = _arguments()
    figures: dict[str, Any] = {"cores": os.cpu_count(), "machine": platform.machine(), "items": args.items}
    with servers_of_bench() as servers:
        found = [_rebuilt(servers, args, days) for days in (1, args.days)]
    print(json.dumps(figures | {"histories": found}))
    rebuilt = [each[way] for each in found for way in ("worker", "command")]
    if any(each["audit"] != "equal" or each["published_again"] for each in rebuilt):
        raise SystemExit("what was rebuilt is not what was there")


def _rebuilt(servers: Servers, args: argparse.Namespace, days: int) -> dict[str, Any]:
    """A history of so many days, worked off and rebuilt."""
    movements, shop = args.movements, LoadShop(args.items, args.seed, days)
    figures: dict[str, Any] = {"days": days}
    print(f"{days} day{'s that end' if days > 1 else ''}, {args.items:,} items", flush=True)
    with Restock(servers, **FROM_EVENTS) as restock:
        restock.patience_seconds = PATIENCE_SECONDS
        restock.publish(shop.terms(movements))
        restock.work_off()
        restock.publish(shop.orders(movements, LINES_PER_ORDER))
        if days > 1:
            restock.publish(shop.next_day())
            restock.work_off()
        else:
            _row("  worked off at first", _of(restock.pace(movements)))
        records, published = restock.recorded(), restock.published()
        reviews = published["reviews"]

        restock.forget()
        pace = restock.pace_to_offset(records, "--role", "controller")
        figures["worker"] = _of(pace) | {"reviews": round(reviews / records * pace.rate)} | _judged(restock, published)
        _row("  a worker that finds nothing", figures["worker"])

        restock.forget()
        start = time.monotonic()
        restock.rebuild()
        seconds = time.monotonic() - start
        figures["command"] = {"rate": round(records / seconds), "reviews": round(reviews / seconds)}
        figures["command"] |= {"seconds": round(seconds)} | _judged(restock, published)
        _row("  restock rebuild", figures["command"])
    return figures | {"records": records, "outputs": published}


def _judged(restock: Restock, published: dict[str, int]) -> dict[str, Any]:
    now = restock.published()
    again = sum(now.values()) - sum(published.values())
    return {"audit": "equal" if restock.audit() else "DIFFERENT", "published_again": again}


def _of(pace: LoadPace) -> dict[str, Any]:
    return {"rate": round(pace.rate), "cpu_us": round(pace.cpu_us, 2), "python_us": round(pace.python_us, 2)}


def _row(name: str, figures: dict[str, Any]) -> None:
    rest = ", ".join(f"{what} {figure}" for what, figure in figures.items() if what != "rate")
    print(f"{name:<30} {figures['rate']:>10,} records/s  {rest}", flush=True)


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description="Rebuild from an empty store.")
    parser.add_argument("--short", dest="size", action="store_const", const="short", default="usual")
    parser.add_argument("--full", dest="size", action="store_const", const="full", help="5 million movements")
    parser.add_argument("--movements", type=int, help="order lines in the ledger")
    parser.add_argument("--items", type=int)
    parser.add_argument("--days", type=int, help="days that end, in the second history")
    parser.add_argument("--seed", type=int, default=1)
    args = parser.parse_args()
    movements, items, days = SIZES[args.size]
    args.movements, args.items, args.days = args.movements or movements, args.items or items, args.days or days
    return args


if __name__ == "__main__":
    main()
