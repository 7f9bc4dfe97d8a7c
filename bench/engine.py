"""Throughput and latency, side by side with other engines: `bench/engine.py [--short] [--lines N] [--items N]`.

One Kafka and one Valkey serve all of it, local ones unless RESTOCK_KAFKA and RESTOCK_REDIS name others. A row of ours
is one `restock worker`, from order events in `orders` to lines folded, decided upon, published and checkpointed; the
other engines count the records of each item and publish every seventh. Ends with one JSON line.
"""

import argparse
import json
import os
import platform
from typing import Any

from bench.engines.latency import CONSUMER, PRODUCER, latency
from bench.engines.peers import PEERS, prepare, rate_of
from bench.engines.restock import FROM_EVENTS, LoadPace, Restock, Servers, differing
from bench.engines.restock import servers as servers_of_bench
from bench.engines.shop import LoadShop


def main() -> None:
    """Measure, print the table, and end with the figures."""
    args = _arguments()
    figures: dict[str, Any] = {"cores": os.cpu_count(), "machine": platform.machine(), "items": args.items}
    chosen = [PEERS[name] for name in args.engines.split(",") if name]
    for peer in chosen:
        prepare(peer)
    figures["load_before"] = round(os.getloadavg()[0], 1)
    with servers_of_bench() as servers:
        figures["restock"] = []
        _head()
        for lines_per_order in args.lines_per_order:
            figures["restock"].append(_ours(servers, args, lines_per_order))
        if not args.short:
            figures["apart"] = _apart(servers, args)
        figures["peers"] = {}
        ours = figures["restock"][0]["rate"]
        for peer in chosen:
            rate = round(rate_of(peer, servers.kafka, args.items, args.share))
            figures["peers"][peer.name] = {"rate": rate, "times": round(ours / rate, 1) if rate else None}
            _row(peer.name, rate, f"counts only, {peer.guarantee}; ours is {ours / max(rate, 1):.1f} times that")
        figures["latency"] = _latency(servers, args)
    print(json.dumps(figures))


def _ours(servers: Servers, args: argparse.Namespace, lines_per_order: int) -> dict[str, Any]:
    """One worker, intake and controller in one process."""
    lines = args.lines // lines_per_order * lines_per_order
    shop = LoadShop(args.items, args.seed)
    with Restock(servers, **FROM_EVENTS) as restock:
        restock.publish(shop.terms(lines))
        restock.work_off()
        restock.publish(shop.orders(lines, lines_per_order))
        pace = restock.pace(lines)
        _row(f"restock, {lines_per_order}-line orders", pace.rate, _cpu(pace))
        restock.publish(shop.next_day())
        reviews = restock.pace_of_reviews(args.items)
        _row("  reviews at the day's end", reviews.rate, f"a second; {reviews.cpu_us / 1000:.1f} ms of processor each")
        outputs, equal = restock.published(), restock.audit()
    verdict = "equal" if equal else "DIFFERENT"
    print(
        f"{'':<41}  audit: {verdict}; published: {', '.join(f'{n:,} {topic}' for topic, n in outputs.items() if n)}",
        flush=True,
    )
    row: dict[str, Any] = {"lines_per_order": lines_per_order, "lines": lines, **_of(pace)}
    return row | {"reviews": _of(reviews), "outputs": outputs, "audit": verdict}


def _apart(servers: Servers, args: argparse.Namespace) -> dict[str, Any]:
    """Intake and controller one after the other, each with the machine to itself."""
    lines_per_order = args.lines_per_order[0]
    lines = args.lines // lines_per_order * lines_per_order
    shop = LoadShop(args.items, args.seed)
    with Restock(servers, **FROM_EVENTS) as restock:
        restock.publish(shop.terms(lines))
        restock.work_off()
        restock.publish(shop.orders(lines, lines_per_order))
        paces = {"intake": restock.pace_of_intake(lines), "controller": restock.pace(lines, "--role", "controller")}
    for role, pace in paces.items():
        _row(f"  {role} alone", pace.rate, _cpu(pace))
    return {role: _of(pace) for role, pace in paces.items()}


def _latency(servers: Servers, args: argparse.Namespace) -> dict[str, Any]:
    with Restock(servers) as restock:
        found = latency(restock, args.orders_per_second, 6.0 if args.short else 30.0)
        figures = found._asdict() | {"orders_per_second": args.orders_per_second}
        figures["settings"] = {"producer": PRODUCER, "consumer": CONSUMER, "restock": differing(restock.settings)}
    print(
        f"latency of an alert, {args.orders_per_second:g} orders/s: median {found.median_ms} ms, "
        f"90 % {found.p90_ms} ms, 99 % {found.p99_ms} ms, most {found.most_ms} ms ({found.alerts:,} alerts, "
        f"{found.missing} missing; producer {PRODUCER}, consumer {CONSUMER}, worker's settings: the defaults)"
    )
    return figures


def _of(pace: LoadPace) -> dict[str, float]:
    return {"rate": round(pace.rate), "cpu_us": round(pace.cpu_us, 2), "python_us": round(pace.python_us, 2)}


def _cpu(pace: LoadPace) -> str:
    return f"{pace.cpu_us:.1f} µs of processor a line ({pace.python_us:.1f} in Python)"


def _head() -> None:
    print(f"{'engine':<30} {'lines/s':>10}  what it did")


def _row(name: str, rate: float, note: str) -> None:
    print(f"{name:<30} {rate:>10,.0f}  {note}", flush=True)


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description="Throughput and latency beside other engines.")
    parser.add_argument("--short", action="store_true", help="under 90 seconds: less of everything, no roles apart")
    parser.add_argument("--lines", type=int, help="order lines a row (600,000; short: 300,000)")
    parser.add_argument("--items", type=int, default=2000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--orders-per-second", type=float, default=50.0, help="of the light load")
    parser.add_argument("--engines", default="faust,quix,bytewax", help="others to run beside, or nothing")
    args = parser.parse_args()
    args.lines = args.lines or (300_000 if args.short else 600_000)
    args.lines_per_order = (5,) if args.short else (5, 1)
    args.share = 0.25 if args.short else 1.0
    return args


if __name__ == "__main__":
    main()
