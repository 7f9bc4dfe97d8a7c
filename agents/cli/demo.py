"""`restock demo`: a simulated shop and warehouse around a real worker, on a real Kafka and Valkey of its own.

Nothing is faked between shop and decision: orders go through the topics as any shop's would, and the warehouse acts on
the replenishments it reads there. The simulation knows the truth of every shelf, so it can check the worker's stock.
"""

import argparse
import os
import shutil
import signal
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

from agents.cli.terminal import bold
from stream.errors import WrongUse

if TYPE_CHECKING:
    from agents.demo.figures import DemoFigures
    from agents.demo.system import DemoSystem

DIRECTORY = Path(".restock/demo")
MOST_DAYS, MOST_ITEMS = 500, 5_000
PLAIN_LINES = 12
"""Lines of progress where there is no terminal."""
EXAMPLES = """examples:
  restock demo
  restock demo --days 60 --items 50 --plain
  make demo DEMO="--days 365 --items 300"    a year of a larger shop; takes minutes"""


def register(subparsers: Any) -> None:
    """Declare the command's arguments."""
    parser: argparse.ArgumentParser = subparsers.add_parser(
        "demo",
        help="a simulated shop and warehouse in a closed loop",
        description="Starts a Kafka, a Valkey and a worker, and runs a simulated shop and warehouse through them, with "
        "a live picture. Ends with a result table and leaves its data in DIR; nothing runs on.",
        epilog=EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--days", type=int, default=75, help="days to simulate (default: %(default)s)")
    parser.add_argument("--items", type=int, default=100, help="articles of the shop (default: %(default)s)")
    parser.add_argument("--seed", type=int, default=3, help="of all that is random (default: %(default)s)")
    parser.add_argument("--plain", action="store_true", help="lines of text, no live picture")
    parser.add_argument("--dir", type=Path, default=DIRECTORY, help="where its data is kept (default: %(default)s)")


def run(args: argparse.Namespace) -> int:
    """Exit code 1 when a check fails."""
    from agents.cli.local import fetching
    from agents.demo.system import DemoSystem

    _check(args)
    for ending in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(ending, signal.default_int_handler)
    _say("starting a Kafka and a Valkey")
    with DemoSystem(args.dir, fetching()) as system:
        _say(f"starting a worker; its log: {system.worker.log}")
        system.worker.start()
        return _demonstrate(system, args)


def _demonstrate(system: "DemoSystem", args: argparse.Namespace) -> int:
    from agents.demo.checks import audit, checks
    from agents.demo.figures import DemoFigures
    from agents.demo.goods import Assortment
    from agents.demo.hindsight import best_constant_levels
    from agents.demo.inbox import Inbox
    from agents.demo.loop import Loop
    from agents.demo.result import next_steps, table, verdicts
    from agents.simulation.shop import Shop
    from stream.kafka.event_publisher import EventPublisher

    assortment = Assortment(Shop(args.seed, args.items, args.days))
    figures = DemoFigures(args.days, args.items, assortment.most_telling.name, system.worker.metrics)
    _say(f"simulating {args.days} days of {args.items} items, seed {args.seed}; metrics: {figures.metrics}")
    with EventPublisher(system.settings) as publisher, Inbox(system.settings) as inbox:
        days = Loop(assortment, publisher, inbox, figures).run()
        _show_lines(days) if args.plain or not sys.stdout.isatty() else _show_picture(days, figures)
    figures.hindsight = best_constant_levels(assortment, args.days)
    found = checks(system, figures)
    _say("folding the ledger anew, to compare")
    system.worker.stop()
    found.append(audit(system))
    for title, lines in (
        ("Result", table(figures)),
        ("Checked", verdicts(found)),
        ("Go on", next_steps(system, figures, _command())),
    ):
        print(f"\n{bold(title)}")
        print("\n".join(f"  {line}" for line in lines), flush=True)
    return 0 if all(check.kept for check in found) else 1


def _check(args: argparse.Namespace) -> None:
    for name, most in (("days", MOST_DAYS), ("items", MOST_ITEMS)):
        if not 1 <= getattr(args, name) <= most:
            raise WrongUse(f"--{name} {getattr(args, name)} is not between 1 and {most:,}: give such a number")


def _show_lines(days: Iterator["DemoFigures"]) -> None:
    """The first day, and then a dozen lines or so over the whole time."""
    for now in days:
        if now.day in {1, now.days} or now.day % max(1, now.days // PLAIN_LINES) == 0:
            _say(
                f"day {now.day:>3}: {now.events:,} events ({now.rate:,.0f}/s), {now.orders:,} orders, "
                f"{now.replenishments:,} replenishments, {sum(now.alerts_open.values()):,} alerts open, "
                f"fill rate {now.fill_rate:.2%}, cost {now.cost:,.0f} EUR (forecast × 1.2: {now.reference:,.0f} EUR)"
            )


def _show_picture(days: Iterator["DemoFigures"], figures: "DemoFigures") -> None:
    """The live picture, drawn a few times a second."""
    from rich.live import Live

    from agents.demo.picture import picture

    with Live(refresh_per_second=4, get_renderable=lambda: picture(figures, shutil.get_terminal_size().lines)):
        for _ in days:
            pass


def _say(line: str) -> None:
    print(line, flush=True)


def _command() -> str:
    """How the user called us."""
    called = Path(sys.argv[0])
    return os.path.relpath(called) if called.name == "restock" else "restock"
