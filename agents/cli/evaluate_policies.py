"""`restock evaluate policies`: what the champion, the baselines and forecast × 1.2 would have ordered and cost."""

import argparse
import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any

from agents.cli.rows import beside, file_name, folder, history_in, written
from agents.cli.terminal import progress
from stream.errors import WrongUse

if TYPE_CHECKING:
    from agents.simulation.totals import RunTotals

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
        default="holding=1,shortage=99,order=0",
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
    parser.add_argument(
        "--plot", type=Path, metavar="DIR", help="draw stock, orders and demand of the three items that sell most"
    )
    parser.add_argument("--json", action="store_true", help="for programs: one JSON object")


def run(args: argparse.Namespace) -> int:
    """Live through the history, write the rows, print the table."""
    from agents.forecasting.base import Rhythm
    from agents.forecasting.registry import FORECASTERS
    from agents.policies.registry import POLICIES
    from agents.simulation.closed_loop import live
    from agents.simulation.supplier import Supplier
    from agents.simulation.totals import SHARES, RunTotals, classes, values_of

    history, dates = history_in(args.history)
    names = args.policies.split(",")
    if unknown := [name for name in names if name not in POLICIES]:
        raise WrongUse(f"--policies: no policy is called {unknown[0]!r}: there are {', '.join(sorted(POLICIES))}")
    terms = _terms(args)
    supplier = Supplier(seed=args.seed, lead_times=_lead_times(args.lead_time))
    totals = {name: RunTotals() for name in names}
    kinds = dict(zip(history.items, classes(values_of(history)), strict=True))
    by_class = {kind: {name: RunTotals() for name in names} for kind in SHARES}
    drawn = Drawn(folder(args.plot), history, names[0], dates) if args.plot is not None else None
    rows = live(
        history,
        FORECASTERS[args.forecaster](Rhythm()),
        {name: POLICIES[name]() for name in names},
        supplier,
        [terms] * len(history.items),
        visible_losses=not args.censored,
    )
    with (
        written(args.out, COLUMNS) as write,
        progress("periods", len(dates) * len(history.items) * len(names)) as progressed,
    ):
        for count, row in enumerate(rows, start=1):
            write([row.item, dates[row.period], *row[2:9], f"{row.cost:.6g}"])
            totals[row.policy].add(row)
            by_class[kinds[row.item]][row.policy].add(row)
            if drawn is not None:
                drawn.add(row)
            progressed(count)
    if drawn is not None:
        drawn.finish()
    report(totals, by_class, as_json=args.json, to=beside(args.out))
    return 0


class Drawn:
    """Pictures of the items that sell most, under the first policy named."""

    def __init__(self, folder: Path, history: Any, policy: str, dates: Sequence[str], count: int = 3) -> None:
        total = history.demand.sum(axis=1)
        chosen = sorted(range(len(history.items)), key=lambda number: -total[number])[:count]
        self.rows: dict[str, list[Any]] = {history.items[number]: [] for number in chosen}
        self.folder, self.policy, self.dates = folder, policy, dates

    def add(self, row: Any) -> None:
        """Keep the row of an item that is drawn."""
        if row.policy == self.policy and row.item in self.rows:
            self.rows[row.item].append(row)

    def finish(self) -> None:
        """Write an SVG each."""
        from agents.cli.stock_plot import draw

        for item, rows in self.rows.items():
            draw(self.folder / f"{file_name(item)}.svg", f"{item} under {self.policy}", self.dates, rows)


def report(
    totals: Mapping[str, "RunTotals"], by_class: Mapping[str, Mapping[str, "RunTotals"]], *, as_json: bool, to: IO[str]
) -> None:
    """Print what policies came to, all in all and by class where that is known."""
    figures: dict[str, dict[str, Any]] = {name: dict(total.figures()) for name, total in totals.items()}
    for name, row in figures.items():
        known = {kind: found[name] for kind, found in by_class.items() if found[name].periods}
        row["fill_rate_by_class"] = {kind: total.figures()["fill_rate"] for kind, total in known.items()}
    if as_json:
        print(json.dumps(figures), file=to)
        return
    reference = figures["one-point-two"]["cost"] if "one-point-two" in figures else 0.0
    titles = ("policy", "cost", "against x 1.2", "fill rate", "mean stock", "orders")
    print("{:20} {:>14} {:>14} {:>10} {:>11} {:>9}  by class".format(*titles), file=to)
    for name, row in sorted(figures.items(), key=lambda entry: entry[1]["cost"]):
        fills = " ".join(f"{kind} {fill:.1%}" for kind, fill in row["fill_rate_by_class"].items())
        against = f"{row['cost'] / reference - 1.0:+.1%}" if reference else "–"
        print(
            f"{name:20} {row['cost']:14,.2f} {against:>14} {row['fill_rate']:10.2%} "
            f"{row['mean_stock']:11,.2f} {row['orders']:9,.0f}  {fills}",
            file=to,
        )


def _lead_times(text: str) -> tuple[int, ...]:
    first, _, last = text.partition("-")
    if not first.isdecimal() or (last and not last.isdecimal()) or int(last or first) < int(first):
        raise WrongUse(f"--lead-time: {text!r} is neither a number of periods nor a range: write 4, or 3-14")
    return tuple(range(int(first), int(last or first) + 1))


def _terms(args: argparse.Namespace) -> Any:
    """Costs and what the supplier insists on."""
    from agents.policies.base import Economics

    for key in ("review", "minimum_order", "order_multiple", "capacity"):
        if (count := getattr(args, key)) is not None and count < 1:
            raise WrongUse(f"--{key.replace('_', '-')}: {count} is too little: write 1 or more")
    costs = {"holding": 1.0, "shortage": 99.0, "order": 0.0}
    for part in args.costs.split(","):
        name, _, value = part.partition("=")
        try:
            amount = float(value)
        except ValueError:
            amount = -1.0
        if name not in costs or not 0.0 <= amount < float("inf"):
            raise WrongUse(f"--costs: {part!r} is not understood: write holding=1,shortage=99,order=0")
        costs[name] = amount
    return Economics(
        costs["holding"],
        costs["shortage"],
        costs["order"],
        costs["shortage"] / max(costs["shortage"] + costs["holding"], 1e-12),
        args.stock_out,
        args.review,
        args.minimum_order,
        args.order_multiple,
        args.capacity,
    )
