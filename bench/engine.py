"""Throughput and latency, side by side with other engines: `bench/engine.py [--short] [--lines N] [--items N]`.

One Kafka and one Valkey serve all of it, local ones unless RESTOCK_KAFKA and RESTOCK_REDIS name others. A row of ours
is one `restock worker`, from order events in `orders` to lines folded, decided upon, published and checkpointed: orders
of one day alone, and orders of days that end, so that every item is reviewed again and again. The other engines count
the records of each item and publish every seventh. A profile says what each stage takes. Ends with one JSON line.
"""

import argparse
import json
import os
import platform
from typing import Any, NamedTuple

from bench.engines.latency import CONSUMER, PRODUCER, latency
from bench.engines.peers import PEERS, prepare, rate_of
from bench.engines.restock import FROM_EVENTS, LoadPace, Restock, Servers, differing
from bench.engines.restock import servers as servers_of_bench
from bench.engines.shop import LoadShop
from bench.engines.stages import stages

LINES_OF_DAYS = 3
"""Lines of an order where days end."""


class Days(NamedTuple):
    """A load of orders whose days end."""

    days: int
    items: int
    lines: int


TWO_DAYS, A_MONTH = Days(2, 2_000, 300_000), Days(30, 1_200, 360_000)
"""Few reviews a line, and many: in a month a shard of a hundred items has one to ten lines."""


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
        figures["days"] = [_days(servers, load, args.seed) for load in args.days]
        if not args.short:
            figures["apart"] = _apart(servers, args)
        ours = [row["rate"] for row in figures["restock"] + figures["days"]]
        figures["peers"] = {}
        for peer in chosen:
            rate = round(rate_of(peer, servers.kafka, args.items, args.share))
            times = [round(each / max(rate, 1), 2) for each in ours]
            figures["peers"][peer.name] = {"rate": rate, "times": times if rate else None}
            _row(peer.name, rate, f"counts only, {peer.guarantee}; ours are {', '.join(map(str, times))} times that")
        figures["latency"] = _latency(servers, args)
    figures["stages"] = _stages(args)
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


def _days(servers: Servers, load: Days, seed: int) -> dict[str, Any]:
    """One worker, from the first order to the last review."""
    lines, shop = load.lines // LINES_OF_DAYS * LINES_OF_DAYS, LoadShop(load.items, seed, load.days)
    with Restock(servers, **FROM_EVENTS) as restock:
        restock.publish(shop.terms(lines))
        restock.work_off()
        restock.publish(shop.orders(lines, LINES_OF_DAYS))
        restock.publish(shop.next_day())
        reviews = load.items * load.days
        pace = restock.pace_to_the_end(lines, reviews)
        _row(f"  {load.days} days, {load.items:,} items", pace.rate, f"{reviews:,} reviews among them; {_cpu(pace)}")
        verdict = "equal" if restock.audit() else "DIFFERENT"
    print(f"{'':<41}  audit: {verdict}", flush=True)
    return {**load._asdict(), "lines": lines, "reviews": reviews, **_of(pace), "audit": verdict}


def _stages(args: argparse.Namespace) -> dict[str, Any]:
    """Processor time by stage, of each load."""
    alone = stages(args.items, args.lines // 3, args.lines_per_order[0], 1, args.seed)
    found: dict[str, Any] = {"orders alone": alone}
    for load in args.days:
        found[f"{load.days} days"] = stages(load.items, load.lines // 5, LINES_OF_DAYS, load.days, args.seed)
    for name, figures in found.items():
        for unit, by_stage in figures.items():
            shown = ", ".join(f"{stage} {spent}" for stage, spent in by_stage.items())
            print(f"processor by stage, {name}, µs {unit}: {shown}", flush=True)
    return found


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
    args.days = (TWO_DAYS._replace(lines=150_000),) if args.short else (TWO_DAYS, A_MONTH)
    return args


if __name__ == "__main__":
    main()
