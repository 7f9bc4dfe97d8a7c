"""A rebuild from nothing: `bench/rebuild.py [--short | --full] [--movements N] [--items N]`.

A shop's ledger is worked off by a worker, then Valkey is emptied. One worker that finds nothing folds ledger and
journal anew, and `restock rebuild` does the same as a command; each is timed, audited, and must publish nothing. The
full size is 5 million movements of 100,000 items and takes a quarter of an hour. Ends with one JSON line.
"""

import argparse
import json
import os
import platform
import time
from typing import Any

from bench.engines.restock import FROM_EVENTS, LoadPace, Restock
from bench.engines.restock import servers as servers_of_bench
from bench.engines.shop import LoadShop

SIZES = {"short": (200_000, 4_000), "usual": (1_000_000, 20_000), "full": (5_000_000, 100_000)}
LINES_PER_ORDER = 5
PATIENCE_SECONDS = 3600.0


def main() -> None:
    """Fill a ledger, forget everything, and measure how long it takes to know it again."""
    args = _arguments()
    movements, items = args.movements, args.items
    figures: dict[str, Any] = {"cores": os.cpu_count(), "machine": platform.machine(), "items": items}
    shop = LoadShop(items, args.seed)
    with servers_of_bench() as servers, Restock(servers, **FROM_EVENTS) as restock:
        restock.patience_seconds = PATIENCE_SECONDS
        restock.publish(shop.terms(movements))
        restock.work_off()
        restock.publish(shop.orders(movements, LINES_PER_ORDER))
        _row("worked off at first", _of(restock.pace(movements)))
        records, published = restock.recorded(), restock.published()

        restock.forget()
        figures["worker"] = _of(restock.pace(records, "--role", "controller")) | _judged(restock, published)
        _row("a worker that finds nothing", figures["worker"])

        restock.forget()
        start = time.monotonic()
        restock.rebuild()
        seconds = time.monotonic() - start
        figures["command"] = {"rate": round(records / seconds), "seconds": round(seconds)} | _judged(restock, published)
        _row("restock rebuild", figures["command"])
    print(json.dumps(figures | {"records": records, "outputs": published}))
    if any(each["audit"] != "equal" or each["published_again"] for each in (figures["worker"], figures["command"])):
        raise SystemExit("what was rebuilt is not what was there")


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
    parser.add_argument("--seed", type=int, default=1)
    args = parser.parse_args()
    movements, items = SIZES[args.size]
    args.movements, args.items = args.movements or movements, args.items or items
    return args


if __name__ == "__main__":
    main()
