"""The closed loop: `bench/closed_loop.py [--panel uci] [--lead-times 3-14] [--shortage 973,99,19] [--each]`.

Shops with lost sales open with empty shelves, and every policy keeps one of its own, on the same forecasts, demand and
lead times, timed as `restock evaluate policies` does it. A cell is a panel, a range of lead times and what a lost sale
costs, in periods of holding a unit. Told of each, for the first weeks and for the time after:

- the cost of the default champion, over that of the cheapest of the simple rules in this cell;
- the same item by item, each against its own cheapest rule: the 90th percentile, and the worst;
- the champion's cost over that of the best constant order-up-to level of each item, which only hindsight knows;
- its absurd orders: above ten times the greatest demand that the item ever has in the longest protection interval.
"""

import argparse
import json
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from agents.forecasting.base import Ahead, ClosedPeriod, DemandForecast, Forecaster
from agents.forecasting.registry import DEFAULT, FORECASTERS
from agents.policies.base import Economics
from agents.policies.registry import DEFAULT as CHAMPION
from agents.policies.registry import POLICIES
from agents.simulation.closed_loop import live
from agents.simulation.supplier import Supplier
from bench.panels import PANELS, ShopPanel, part, write

RULES = ("pil", "base-stock", "capped-base-stock", "one-point-two")
LEAD_TIMES = ("1", "3", "2-5", "3-14")
SENSELESS = {("carparts", "3-14"), ("juice", "3-14")}
"""A year of waiting for parts, a season for juice: nobody orders so."""
SHORTAGES = (19.0, 99.0, 300.0)
SHORT_ITEMS, SHORT_PERIODS = 12, 90
LEVELS = 96
"""Constant levels that hindsight chooses among, an item."""
ABSURD = 10.0
Floats = npt.NDArray[np.float64]


class Once:
    """A forecaster that does its work once for each horizon: what is played after that gets the same forecasts."""

    def __init__(self, forecaster: str, panel: ShopPanel) -> None:
        self.name, self.version = forecaster, 1
        self._panel = panel
        self._makers: dict[int, Forecaster] = {}
        self._made: dict[tuple[int, str, int], DemandForecast] = {}
        self._states: dict[tuple[int, str], Any] = {}

    def fresh(self) -> dict[str, int]:
        """Only where it stands: what is known is kept with the maker."""
        return {}

    def learn(self, state: dict[str, int], item: str, period: ClosedPeriod, ahead: Sequence[Ahead] = ()) -> None:
        """Learn what is new."""
        state["now"] = period.starts
        horizon = len(ahead)
        if (horizon, item, period.starts) in self._made:
            return
        if horizon not in self._makers:
            self._makers[horizon] = FORECASTERS[self.name](self._panel.rhythm)
        maker = self._makers[horizon]
        belief = self._states.setdefault((horizon, item), None) or maker.fresh()
        self._states[horizon, item] = belief
        maker.learn(belief, item, period, ahead)
        self._made[horizon, item, period.starts] = maker.forecast(belief, item, ahead)

    def forecast(self, state: dict[str, int], item: str, ahead: Sequence[Ahead]) -> DemandForecast:
        """What was forecast from where the state stands."""
        return self._made[len(ahead), item, state["now"]]


class Played(NamedTuple):
    """One cell, policy by policy: [item, period]."""

    cost: Mapping[str, Floats]
    sold: Mapping[str, Floats]
    ordered: Mapping[str, Floats]


def play(
    panel: ShopPanel,
    forecaster: Once,
    lead_times: tuple[int, ...],
    shortage: float,
    names: Sequence[str],
    seed: int = 1,
) -> Played:
    """Live one cell."""
    history = panel.history
    terms = [Economics(each, each * shortage, critical_ratio=shortage / (shortage + 1.0)) for each in panel.holding]
    numbers = {item: number for number, item in enumerate(history.items)}
    found = Played(*({name: np.zeros(history.demand.shape) for name in names} for _ in range(3)))
    supplier = Supplier(seed=seed, lead_times=lead_times)
    policies = {name: POLICIES[name]() for name in names}
    for row in live(history, forecaster, policies, supplier, terms):  # type: ignore[arg-type] # all that is asked of one
        place = numbers[row.item], row.period
        found.cost[row.policy][place] = row.cost
        found.sold[row.policy][place] = row.sold
        found.ordered[row.policy][place] = row.ordered
    return found


def hindsight(panel: ShopPanel, lead_times: tuple[int, ...], shortage: float, seed: int = 1) -> Floats:
    """Cost of the best constant order-up-to level of each item, over all periods and over those after the first."""
    supplier, periods = Supplier(seed=seed, lead_times=lead_times), panel.history.demand.shape[1]
    best = np.zeros((len(panel.history.items), 2))
    for number, item in enumerate(panel.history.items):
        demand = np.floor(panel.history.demand[number] + 0.5)
        most = float(greatest(demand, max(lead_times) + 1))
        levels = np.unique(np.round(most * np.linspace(0.0, 1.25, LEVELS)))
        due, stock, costs = np.zeros((periods + max(lead_times) + 2, len(levels))), np.zeros(len(levels)), []
        position = np.zeros(len(levels))
        for period in range(periods):
            left = stock + due[period] - demand[period]
            stock = np.maximum(left, 0.0)
            position += stock - left - demand[period]
            costs.append(stock + shortage * (stock - left))
            lead_time = supplier.deliver(f"{item} {period}", 1)[0].lead_time
            ordered = np.maximum(levels - position, 0.0)
            due[period + 1 + lead_time] += ordered
            position += ordered
        spent = panel.holding[number] * np.array(costs)
        best[number] = spent.sum(axis=0).min(), spent[panel.young :].sum(axis=0).min()
    return best


def greatest(demand: Floats, periods: int) -> float:
    """Greatest demand of so many periods."""
    sums = np.cumsum(np.concatenate((np.zeros(1), demand)))
    return float((sums[periods:] - sums[:-periods]).max()) if len(demand) >= periods else float(sums[-1])


def against_rules(cost: Mapping[str, Floats], champion: str, span: slice) -> dict[str, Any]:
    """The champion against the simple rules, over a span of periods."""
    spent = {name: values[:, span].sum(axis=1) for name, values in cost.items()}
    rules = [name for name in RULES if name in spent]
    totals = {name: float(spent[name].sum()) for name in (champion, *rules)}
    best = min(rules, key=lambda name: totals[name])
    cheapest = np.min([spent[name] for name in rules], axis=0)
    ratios = (spent[champion] / np.maximum(cheapest, 1e-9))[cheapest > 0.0]
    by_item = ratios if len(ratios) else np.ones(1)
    return {
        "ratio": round(totals[champion] / max(totals[best], 1e-9), 4),
        "best": best,
        "p90": round(float(np.percentile(by_item, 90)), 3),
        "worst": round(float(by_item.max()), 2),
    }


def cell(panel: ShopPanel, forecaster: Once, waits: str, shortage: float, args: argparse.Namespace) -> dict[str, Any]:
    """Live one cell, print its line."""
    first, _, last = waits.partition("-")
    lead_times, names = tuple(range(int(first), int(last or first) + 1)), (args.champion, *RULES)
    found = play(panel, forecaster, lead_times, shortage, names)
    young, old = slice(0, panel.young), slice(panel.young, None)
    figures: dict[str, Any] = {
        "first": against_rules(found.cost, args.champion, young),
        "after": against_rules(found.cost, args.champion, old),
    }
    level, cost = hindsight(panel, lead_times, shortage), found.cost[args.champion]
    for number, (key, span) in enumerate((("hindsight", slice(None)), ("hindsight_after", old))):
        figures[key] = round(float(cost[:, span].sum()) / max(float(level[:, number].sum()), 1e-9), 4)
    most = np.array([greatest(demand, max(lead_times) + 1) for demand in panel.history.demand])
    figures["absurd"] = int((found.ordered[args.champion] > ABSURD * np.maximum(most, 0.1)[:, None]).sum())
    asked = panel.history.demand.sum()
    figures["policies"] = {
        name: {"cost": round(float(found.cost[name].sum()), 2), "fill": round(float(found.sold[name].sum() / asked), 4)}
        for name in names
    }
    told = "  ".join(
        f"{each['ratio']:6.3f} {each['best']:>17} {each['p90']:6.2f} {each['worst']:6.2f}"
        for each in (figures["first"], figures["after"])
    )
    hind = f"{figures['hindsight']:6.3f} {figures['hindsight_after']:6.3f}"
    print(f"{waits:>5} {shortage:5g}  {told}  {hind} {figures['absurd']:6}", flush=True)
    if args.each:
        for name, each in sorted(figures["policies"].items(), key=lambda entry: entry[1]["cost"]):
            print(f"             {name:18} {each['cost']:14,.0f}  fill rate {each['fill']:.1%}")
    return figures


def main() -> int:
    """Play the cells, print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--panel", action="append", choices=sorted(PANELS), help="may be given several times")
    parser.add_argument("--lead-times", default=",".join(LEAD_TIMES))
    parser.add_argument("--shortage", default=",".join(f"{each:g}" for each in SHORTAGES))
    parser.add_argument("--items", type=int, help="only so many, a spread of them")
    parser.add_argument("--periods", type=int, help="only the first ones")
    parser.add_argument("--forecaster", default=DEFAULT, choices=sorted(FORECASTERS))
    parser.add_argument("--champion", default=CHAMPION, choices=sorted(POLICIES))
    parser.add_argument("--each", action="store_true", help="cost and fill rate of every policy, too")
    parser.add_argument("--short", action="store_true", help="a few items of two panels, one cell each")
    parser.add_argument("--csv", type=Path, help="write the panel for `restock evaluate policies`, and stop")
    args = parser.parse_args()
    if args.short:
        args.panel, args.lead_times, args.shortage = args.panel or ["uci", "juice"], "3", "99"
        args.items, args.periods = SHORT_ITEMS, SHORT_PERIODS
    figures: dict[str, Any] = {}
    for name in args.panel or PANELS:
        make, items, path = PANELS[name]
        if path is not None and not path.exists():
            print(f"bench/closed_loop.py: no such file: {path}: set RESTOCK_BENCH_DATA", file=sys.stderr)
            if not args.short:
                return 2
            continue
        panel = make(args.items or items)
        if args.csv is not None:
            write(args.csv, panel)
            return 0
        figures[name] = report(name, _cut(panel, args.periods), args)
    print(json.dumps({"forecaster": args.forecaster, "champion": args.champion, "panels": figures} | whole(figures)))
    return 0


def report(name: str, panel: ShopPanel, args: argparse.Namespace) -> dict[str, Any]:
    """All cells of a panel."""
    items, periods = panel.history.demand.shape
    print(f"\n{name}: {items} items, {periods} periods, the first {panel.young} and those after; {args.champion} over…")
    heads = f"{'best':>6} {'which is':>17} {'p90':>6} {'worst':>6}"
    print(f"{'wait':>5} {'lost':>5}  {heads}  {heads}  {'hindsight':>13} absurd")
    forecaster, figures = Once(args.forecaster, panel), {}
    for waits in args.lead_times.split(","):
        for shortage in map(float, args.shortage.split(",")):
            if (name, waits) not in SENSELESS:
                figures[f"{waits} {shortage:g}"] = cell(panel, forecaster, waits, shortage, args)
    return figures


def whole(figures: Mapping[str, Mapping[str, Any]]) -> dict[str, Any]:
    """What all cells come to."""
    told = [each[when] for cells in figures.values() for each in cells.values() for when in ("first", "after")]
    if not told:
        return {}
    ratios = [each["ratio"] for each in told]
    summary = {
        "cells": len(told),
        "mean": round(float(np.mean(ratios)), 4),
        "greatest": max(ratios),
        "above_1.02": sum(ratio > 1.02 for ratio in ratios),
        "greatest_p90": max(each["p90"] for each in told),
        "mean_p90": round(float(np.mean([each["p90"] for each in told])), 3),
        "worst": max(each["worst"] for each in told),
        "absurd": sum(each["absurd"] for cells in figures.values() for each in cells.values()),
    }
    print("\nall: " + ", ".join(f"{key.replace('_', ' ')} {value}" for key, value in summary.items()))
    return summary


def _cut(panel: ShopPanel, periods: int | None) -> ShopPanel:
    """The first periods of a panel."""
    history = panel.history
    items, whole = history.demand.shape
    return panel._replace(history=part(history, range(items), min(periods or whole, whole)))


if __name__ == "__main__":
    sys.exit(main())
