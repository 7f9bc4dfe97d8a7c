"""`restock evaluate policies`: what the champion, the baselines and forecast × 1.2 would have ordered and cost."""

import argparse
import csv
import json
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any

import msgspec

from agents.cli.terminal import progress
from stream.errors import WrongUse

EXAMPLES = """examples:
  restock evaluate policies history.csv --lead-time 4 --out P.csv
  restock evaluate policies history.csv.gz --lead-time 3-14 --costs holding=0.02,shortage=0.9,order=5 --json"""
COLUMNS = ("item", "date", "policy", "on_hand", "on_order", "ordered", "demand", "sold", "lost", "cost")
USUAL = "pil-q,pil,base-stock,one-point-two"


def register(subparsers: Any) -> None:
    """Declare the arguments of `evaluate policies`."""
    from agents.forecasting.registry import DEFAULT, FORECASTERS

    parser: argparse.ArgumentParser = subparsers.add_parser(
        "policies",
        help="what the champion and others would have ordered and cost",
        description="Walks through a demand history as the worker would have lived it, each policy with its own shelf, "
        "all on the same forecasts, demand and lead times. Periods are the distinct dates of the file.",
        epilog=EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("history", type=Path, metavar="HISTORY.csv", help="item,date,demand[,promotion,price]; .gz too")
    parser.add_argument("--lead-time", required=True, help="in periods: 4, or 3-14 for random ones")
    parser.add_argument(
        "--stock-out", choices=("lost", "backorder"), default="lost", help="what happens to unmet demand"
    )
    parser.add_argument(
        "--costs",
        default="holding=1,shortage=19,order=0",
        help="per unit and period, and per order (default: %(default)s)",
    )
    parser.add_argument("--review", type=int, default=1, help="periods between decisions (default: 1)")
    parser.add_argument("--minimum-order", type=int, default=1)
    parser.add_argument("--order-multiple", type=int, default=1)
    parser.add_argument("--capacity", type=int)
    parser.add_argument("--policies", default=USUAL, help="names, with commas (default: %(default)s)")
    parser.add_argument("--forecaster", default=DEFAULT, choices=sorted(FORECASTERS))
    parser.add_argument("--censored", action="store_true", help="policies see sales only, not the demand that was lost")
    parser.add_argument("--seed", type=int, default=1, help="of random lead times")
    parser.add_argument("--out", type=Path, metavar="P.csv", help="a row per item, period and policy")
    parser.add_argument("--json", action="store_true", help="for programs: one JSON object")


def run(args: argparse.Namespace) -> int:
    """Live through the history, write the rows, print the table."""
    from agents.forecasting.base import Rhythm
    from agents.forecasting.registry import FORECASTERS
    from agents.policies.registry import POLICIES
    from agents.simulation.closed_loop import live
    from agents.simulation.history import read_history
    from agents.simulation.supplier import Supplier

    try:
        history, dates = read_history(args.history)
    except (OSError, ValueError) as error:
        raise WrongUse(str(error)) from error
    names = args.policies.split(",")
    if unknown := [name for name in names if name not in POLICIES]:
        raise WrongUse(f"--policies: no policy is called {unknown[0]!r}: there are {', '.join(sorted(POLICIES))}")
    terms = _terms(args)
    supplier = Supplier(seed=args.seed, lead_times=_lead_times(args.lead_time))
    totals = {name: Totals() for name in names}
    rows = live(
        history,
        FORECASTERS[args.forecaster](Rhythm()),
        {name: POLICIES[name]() for name in names},
        supplier,
        [terms] * len(history.items),
        visible_losses=not args.censored,
    )
    with _written(args.out) as write, progress("periods", len(dates) * len(history.items) * len(names)) as tell:
        for count, row in enumerate(rows, start=1):
            write([row.item, dates[row.period], *row[2:9], f"{row.cost:.6g}"])
            totals[row.policy].add(row)
            tell(count)
    _print(totals, as_json=args.json)
    return 0


class Totals(msgspec.Struct):
    """What a policy came to."""

    cost: float = 0.0
    demand: int = 0
    sold: int = 0
    on_hand: int = 0
    ordered: int = 0
    orders: int = 0
    periods: int = 0

    def add(self, row: Any) -> None:
        """Count one period."""
        self.cost += row.cost
        self.demand += row.demand
        self.sold += min(row.sold, max(row.on_hand, 0))
        self.on_hand += max(row.on_hand, 0)
        self.ordered += row.ordered
        self.orders += row.ordered > 0
        self.periods += 1

    def figures(self) -> dict[str, float]:
        """Cost, share of demand served from stock, mean stock, number of orders."""
        return {
            "cost": round(self.cost, 4),
            "fill_rate": round(self.sold / self.demand, 5) if self.demand else 1.0,
            "mean_stock": round(self.on_hand / max(1, self.periods), 4),
            "ordered": self.ordered,
            "orders": self.orders,
        }


def _print(totals: Mapping[str, Totals], *, as_json: bool) -> None:
    figures = {name: total.figures() for name, total in totals.items()}
    if as_json:
        print(json.dumps(figures))
        return
    reference = figures.get("one-point-two", next(iter(figures.values())))["cost"] or 1.0
    print(f"{'policy':20} {'cost':>14} {'against x 1.2':>14} {'fill rate':>10} {'mean stock':>11} {'orders':>9}")
    for name, row in sorted(figures.items(), key=lambda entry: entry[1]["cost"]):
        print(
            f"{name:20} {row['cost']:14,.2f} {row['cost'] / reference - 1.0:+14.1%} {row['fill_rate']:10.2%} "
            f"{row['mean_stock']:11,.2f} {row['orders']:9,.0f}"
        )


@contextmanager
def _written(path: Path | None) -> Iterator[Any]:
    """A function that writes a row of P.csv, or nothing."""
    if path is None:
        yield lambda _: None
        return
    file: IO[str]
    with path.open("w", newline="") if str(path) != "-" else sys.stdout as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(COLUMNS)
        yield writer.writerow


def _lead_times(text: str) -> tuple[int, ...]:
    first, _, last = text.partition("-")
    if not first.isdecimal() or (last and not last.isdecimal()) or int(last or first) < int(first):
        raise WrongUse(f"--lead-time: {text!r} is neither a number of periods nor a range: write 4, or 3-14")
    return tuple(range(int(first), int(last or first) + 1))


def _terms(args: argparse.Namespace) -> Any:
    """Costs and what the supplier insists on."""
    from agents.policies.base import Economics

    costs = {"holding": 1.0, "shortage": 19.0, "order": 0.0}
    for part in args.costs.split(","):
        name, _, value = part.partition("=")
        try:
            amount = float(value)
        except ValueError:
            amount = -1.0
        if name not in costs or not 0.0 <= amount < float("inf"):
            raise WrongUse(f"--costs: {part!r} is not understood: write holding=1,shortage=19,order=0")
        costs[name] = amount
    return Economics(
        costs["holding"],
        costs["shortage"],
        costs["order"],
        costs["shortage"] / max(costs["shortage"] + costs["holding"], 1e-12),
        args.stock_out,
        max(1, args.review),
        max(1, args.minimum_order),
        max(1, args.order_multiple),
        args.capacity,
    )
