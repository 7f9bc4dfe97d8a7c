"""InventoryBench: `bench/inventorybench.py [FILE…] [--policy pil-q] [--forecaster NAME] [--short]`.

Each instance is played as its README says: order knowing stock, arrivals, past demand and open orders; the score is
reward over the profit of all demand, at least 0. Policy and forecaster are the product's, with no constant chosen here.
Each instance is alone in its shard, so the forecaster is the one that needs no others. Lead times are learned from what
arrives, and an order is given up when nothing came within the longest lead time seen.
"""

import argparse
import gzip
import json
import os
import sys
from collections import defaultdict
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np

from agents.forecasting.base import Ahead, ClosedPeriod, Forecaster, Rhythm
from agents.forecasting.registry import FORECASTERS
from agents.policies.base import Economics, Outcome, PipelineOrder, Policy, Situation
from agents.policies.registry import DEFAULT as DEFAULT_POLICY
from agents.policies.registry import POLICIES
from agents.simulation.lead_times import DrawnLeadTimes
from schemas.quantities import DAY_MS

HERE = Path(__file__).resolve().parent
USUAL = Path(os.environ.get("RESTOCK_BENCH_DATA", HERE / "../../shared/data"), "inventorybench")
ALONE = "ewma"
"""The blend learns from all items of a shard, and here there is one."""
WEEK = 7 * DAY_MS


def play(instance: Mapping[str, Any], policy: Policy, forecaster: Forecaster) -> float:
    """Score of one instance."""
    profit, holding = float(instance["profit"]), float(instance["holding_cost"])
    terms = Economics(holding, profit, critical_ratio=profit / (profit + holding))
    item, past = str(instance["id"]), list(instance["train"])
    lead_times = DrawnLeadTimes(int(instance["promised_lead_time"]))
    state, belief = policy.fresh(), forecaster.fresh()
    stock, reward, ordered = 0, 0.0, 0
    open_orders: dict[int, int] = {}
    arriving: dict[int, list[int]] = defaultdict(list)
    sold = demand = 0.0
    for period in range(-len(past), len(instance["demand"])):
        came = arriving.pop(period, [])
        for placed in came:
            stock += open_orders.pop(placed)
            lead_times.came(period - placed)
        for placed in [p for p in open_orders if period - p > lead_times.longest]:
            del open_orders[placed]
            lead_times.lost += 1.0
        ahead = [_ahead(period + step) for step in range(lead_times.longest + 1)]
        forecast = forecaster.forecast(belief, item, ahead)
        underway = tuple(
            PipelineOrder(q, max(0.0, instance["promised_lead_time"] - (period - p)), period - p, soonest=1)
            for p, q in open_orders.items()
        )
        count = period + len(past)
        situation = Situation(item, count, stock, underway, lead_times.chances(), forecast, terms)
        if count:
            policy.learn(state, situation, Outcome(demand, sold, 0, ordered=ordered))
        ordered = 0
        if period >= 0:
            ordered = max(0, int(policy.decide(state, situation).quantity + 0.5))
            if ordered:
                open_orders[period] = ordered
                lead = instance["lead_times"][period]
                if lead == 0:
                    stock += open_orders.pop(period)
                elif lead is not None:
                    arriving[period + lead].append(period)
        demand = float(instance["demand"][period]) if period >= 0 else float(past[period])
        sold = demand
        if period >= 0:
            sold = min(demand, stock)
            stock -= int(sold)
            reward += profit * sold - holding * stock
        forecaster.learn(belief, item, ClosedPeriod(*_ends(period), demand), ahead[1:])
    return max(0.0, reward / (profit * float(sum(instance["demand"]))))


def _ends(period: int) -> tuple[int, int]:
    return (period + 100) * WEEK, (period + 101) * WEEK


def _ahead(period: int) -> Ahead:
    return Ahead(*_ends(period))


def read(files: list[Path]) -> Iterator[dict[str, Any]]:
    """Instances of all files."""
    for file in files:
        with gzip.open(file, "rt") if file.suffix == ".gz" else file.open() as lines:
            yield from map(json.loads, lines)


def main() -> int:
    """Play all, print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("files", nargs="*", type=Path, default=sorted(USUAL.glob("*.jsonl.gz")))
    parser.add_argument("--policy", default=DEFAULT_POLICY, choices=sorted(POLICIES))
    parser.add_argument("--forecaster", default=ALONE, choices=sorted(FORECASTERS))
    parser.add_argument("--every", type=int, default=1, help="play every n-th instance only")
    parser.add_argument("--short", action="store_true", help="every fortieth instance; nothing where there is no file")
    args = parser.parse_args()
    if not args.files:
        print(f"bench/inventorybench.py: no file in {USUAL}: name some, or set RESTOCK_BENCH_DATA", file=sys.stderr)
        return 0 if args.short else 2
    args.every = max(args.every, 40) if args.short else args.every
    if missing := [str(file) for file in args.files if not file.exists()]:
        print(f"bench/inventorybench.py: no such file: {', '.join(missing)}", file=sys.stderr)
        return 2
    scores: dict[str, list[float]] = defaultdict(list)
    for instance in list(read(args.files))[:: args.every]:
        # One shard's worth of shared state an instance: nothing is carried from one to the next.
        score = play(instance, POLICIES[args.policy](), FORECASTERS[args.forecaster](Rhythm(1, 7.0)))
        for name in (f"{instance['family']}, {instance['lead_time']}", "all"):
            scores[name].append(score)
    for name in sorted(scores):
        print(f"{name:45} {np.mean(scores[name]):.4f}  ({len(scores[name])} instances)")
    families = {name: round(float(np.mean(found)), 4) for name, found in scores.items() if name != "all"}
    figures = {"mean_score": round(float(np.mean(scores["all"])), 4), "families": families, "policy": args.policy}
    print(json.dumps(figures | {"forecaster": args.forecaster, "instances": len(scores["all"])}))
    return 0


if __name__ == "__main__":
    sys.exit(main())
