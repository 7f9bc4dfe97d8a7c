"""The policy suite: `bench/policy_suite.py [policy_suite.json] [--short] [--seeds 20] [--only PART]`.

Measures every goal of learned replenishment on problems whose optimal cost is known: exactness of our own solver, the
analytic rule with true parameters, frozen gaps of learned policies beside their online regret, tabular Q-learning,
Gong and Simchi-Levi's table, cyclic demand, fixed ordering cost, and the time and bytes of a review.
"""

import argparse
import json
import os
import sys
import time
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from agents.forecasting.base import DemandForecast
from agents.policies.base import Outcome, PipelineOrder, Policy, Situation
from agents.policies.pil_q.pil_q import PilQ
from agents.policies.registry import POLICIES
from agents.policies.tabular.fql import Fql
from bench.exact import Problem, optimal, pmf, reorder_levels
from bench.full_feedback_table import table
from bench.learning import demand_of, frozen_cost, frozen_lots, live, rule_of, simulated_cost, terms_of
from bench.q_learning_baseline import gaps

HERE = Path(__file__).resolve().parent
USUAL = Path(os.environ.get("RESTOCK_BENCH_SUITE", HERE / "../../shared/bench/policy_suite.json"))
EXACT = 2
"""Longest lead time for which frozen policies are evaluated in every state; longer ones are simulated against a policy
whose exact cost is known."""
CHECKPOINTS = (100, 400, 800, 1600)
Figures = dict[str, Any]


class Suite:
    """The instances, and how thoroughly to look at them."""

    def __init__(self, content: Mapping[str, Any], seeds: int, *, quick: bool) -> None:
        self.instances: Sequence[Mapping[str, Any]] = content["instances"]
        self.published = content["fql_table"]
        self.seeds, self.quick = seeds, quick
        self.last = 400 if quick else CHECKPOINTS[-1]
        self._optima: dict[str, Any] = {}

    def family(self, *names: str, longest: int = 9, zero_cost: bool = False) -> list[Mapping[str, Any]]:
        """Instances of families; the core ones only where it has to be quick."""
        found = [i for i in self.instances if i["family"] in names and i["L"] <= longest]
        if zero_cost:
            found = [i for i in found if not i["K"]]
        return [i for i in found if i["core"]] if self.quick else found

    def optimum(self, instance: Mapping[str, Any]) -> Any:
        """Optimal order tables; None where working them out takes long."""
        if instance["L"] > 3 or instance["family"].startswith("backlog"):
            return None
        if instance["id"] not in self._optima:
            self._optima[instance["id"]] = optimal(Problem.of(instance), 1e-6)[1]
        return self._optima[instance["id"]]


def spread(values: Iterable[float]) -> str:
    """Mean, 95th percentile and worst, in percent."""
    found = 100.0 * np.asarray(list(values))
    found = found[np.isfinite(found)]
    if not len(found):
        return "not measured"
    return f"mean {found.mean():6.2f} %   p95 {np.percentile(found, 95):6.2f} %   worst {found.max():6.2f} %"


def mean(values: Iterable[float]) -> float | None:
    """Mean in percent, as the last line has it."""
    found = np.asarray([value for value in values if np.isfinite(value)])
    return round(100.0 * float(found.mean()), 3) if len(found) else None


def exactness(suite: Suite) -> Figures:
    """Our solver against the printed optima."""
    worst, count = 0.0, 0
    for instance in suite.family(
        "lost_sales", "lost_sales_fixed_cost", "lost_sales_slow_mover", "lost_sales_cyclic_poisson"
    ):
        if suite.quick and instance["L"] > 3:
            continue
        worst = max(worst, abs(optimal(Problem.of(instance))[0] / instance["optimal"] - 1.0))
        count += 1
    for instance in suite.family("backlog_fixed_cost"):
        law = pmf(instance["demand"])
        s, level, cost = reorder_levels(law, instance["h"], instance["p"], instance["K"])
        agreed = (s, level) == (instance["optimal_policy"]["s"], instance["optimal_policy"]["S"])
        worst = max(worst, abs(cost / instance["optimal"] - 1.0), 0.0 if agreed else 1.0)
        count += 1
    print(f"  {count} optima, largest relative difference {worst:.1e}")
    return {"optima": count, "largest_difference": worst}


def learned(
    suite: Suite, make: Callable[[], Policy], instances: Sequence[Mapping[str, Any]], name: str, last: int = 1600
) -> Figures:
    """Frozen gaps and online regret of a policy that learns on each instance, by checkpoint and lead time."""
    checkpoints = [checkpoint for checkpoint in CHECKPOINTS if checkpoint <= last]
    gap: dict[tuple[int, int], list[float]] = defaultdict(list)
    regret, raw = defaultdict(list), defaultdict(list)
    for instance in instances:
        rules: dict[int, list[Any]] = defaultdict(list)
        for seed in range(suite.seeds):
            policy, lead = make(), int(instance["L"])
            life = live(policy, instance, seed, checkpoints, suite.optimum(instance))
            for checkpoint, (state, forecaster) in life.frozen.items():
                regret[lead, checkpoint].append(
                    (life.paid[checkpoint] - life.unavoidable[checkpoint]) / checkpoint / instance["optimal"]
                )
                raw[lead, checkpoint].append(life.paid[checkpoint] / checkpoint / instance["optimal"] - 1.0)
                if instance["family"] == "backlog_fixed_cost":
                    gap[lead, checkpoint].append(
                        frozen_lots(policy, state, forecaster, instance) / instance["optimal"] - 1.0
                    )
                elif lead <= EXACT:
                    cost = frozen_cost(policy, state, forecaster, instance)
                    gap[lead, checkpoint].append(cost / instance["optimal"] - 1.0)
                else:
                    forecast = forecaster.forecast(0, lead + 1)
                    place = Situation(instance["id"], 0, 0, (), (0.0,) * lead + (1.0,), forecast, terms_of(instance))
                    rules[checkpoint].append(rule_of(state, place))
        for checkpoint, found in rules.items():
            gap[int(instance["L"]), checkpoint] += list(simulated_cost(found, instance) / instance["optimal"] - 1.0)
    leads = sorted({lead for lead, _ in gap})
    figures: Figures = {}
    for checkpoint in checkpoints:
        wheres: list[tuple[str, list[int]]] = [*((f"L = {lead}", [lead]) for lead in leads), ("all L", leads)]
        for where, among in wheres:
            chosen = [key for key in gap if key[1] == checkpoint and key[0] in among]
            gaps_here = [value for key in chosen for value in gap[key]]
            regrets = [value for key in chosen for value in regret[key]]
            print(f"  {name} after {checkpoint:4} periods, {where}: frozen gap {spread(gaps_here)}")
            print(f"  {'':{len(name)}}       online regret, paired with the optimum: {spread(regrets)}")
            figures[f"{checkpoint} {where}"] = {
                "gap": mean(gaps_here),
                "regret": mean(regrets),
                "regret_from_empty": mean([value for key in chosen for value in raw[key]]),
            }
    return figures


def lost_sales(suite: Suite) -> Figures:
    """pil-q, the default champion."""
    return learned(suite, PilQ, suite.family("lost_sales", longest=1 if suite.quick else 4), "pil-q", suite.last)


def full_state(suite: Suite) -> Figures:
    """fql, over the whole state."""
    return learned(suite, Fql, suite.family("lost_sales", longest=1 if suite.quick else 2), "fql", suite.last)


def slow_movers(suite: Suite) -> Figures:
    """pil-q on slow movers."""
    return learned(suite, PilQ, suite.family("lost_sales_slow_mover", longest=2), "pil-q slow")


def cyclic(suite: Suite) -> Figures:
    """pil-q on cyclic demand, with means by phase learned on the way."""
    return learned(suite, PilQ, suite.family("lost_sales_cyclic_poisson"), "pil-q cyclic", last=400)


def fixed_cost(suite: Suite) -> Figures:
    """pil-q where an order costs something: (s, S) with backorders, and lost sales with lead times."""
    backlog = learned(suite, PilQ, suite.family("backlog_fixed_cost"), "pil-q (s,S)")
    return {"backlog": backlog, "lost": learned(suite, PilQ, suite.family("lost_sales_fixed_cost"), "pil-q fixed cost")}


def q_learning_baseline(suite: Suite) -> Figures:
    """How much longer tabular Q-learning takes to come within 1 %."""
    checkpoints = [1000, 4000, 16_000, 40_000] + ([] if suite.quick else [80_000, 160_000])
    figures: Figures = {}
    for instance in suite.family("lost_sales", longest=1)[: 1 if suite.quick else 3]:
        found = {k: float(v.mean()) for k, v in gaps(instance, checkpoints, suite.seeds).items()}
        reached = next((k for k, value in found.items() if value <= 0.01), None)
        print(f"  {instance['id']}: " + ", ".join(f"{k:,}: {100 * v:.1f} %" for k, v in found.items()))
        figures[instance["id"]] = {"periods_to_1_percent": reached, "last_gap": round(100 * found[checkpoints[-1]], 2)}
    return figures


def full_feedback_table(suite: Suite) -> Figures:
    """Gong and Simchi-Levi's table."""
    rows = table(suite.published, suite.seeds)
    for row in rows:
        print(
            f"  H = {row['H']}, K = {row['K']:4}: excess {row['excess']:5.2f} % (p95 {row['p95']:5.2f}, worst "
            f"{row['worst']:5.2f}); published {row['published']:5.2f} %, study {row['study']:5.2f} %"
        )
    return {"largest_difference": round(max(abs(row["excess"] - row["published"]) for row in rows), 3)}


def cost(suite: Suite) -> Figures:
    """Processor time and state of a review."""
    figures: Figures = {}
    for name in ("pil-q alone", "pil-q", "pil", "base-stock"):
        policy = PilQ() if name == "pil-q alone" else POLICIES[name]()
        for lead in (1, 4, 14):
            instance = {"id": "cost", "demand": {"dist": "poisson", "mean": 5}}
            demand, state = demand_of(instance, 1100, 1), policy.fresh()
            forecast = DemandForecast(
                lead + 1, 5.0 * (lead + 1), 5.0 * (lead + 1), (5.0 * (lead + 1),) * 5, (5.0,) * (lead + 1)
            )
            terms = terms_of({"family": "lost_sales", "h": 1.0, "p": 9.0, "K": 0.0})
            pipeline = tuple(PipelineOrder(5, float(due), lead - due) for due in range(lead))
            lead_time = (0.0,) * lead + (1.0,)
            lives = [
                (Situation("A@X", period, 8, pipeline, lead_time, forecast, terms), Outcome(units, units, 5, ordered=5))
                for period, units in enumerate(demand.tolist())
            ]
            began = 0.0
            for now, outcome in lives:
                if now.period == 100:
                    began = time.process_time()
                policy.learn(state, now, outcome)
                policy.decide(state, now)
            micros, size = 1e6 * (time.process_time() - began) / (len(lives) - 100), len(policy.dump(state))
            print(f"  {name:12} L = {lead:2}: {micros:6.0f} µs a review, {size:5} bytes an item")
            figures[f"{name} L{lead}"] = {"us": round(micros), "bytes": size}
    del suite
    return figures


PARTS: Mapping[str, Callable[[Suite], Figures]] = {
    "exactness": exactness,
    "pil-q": lost_sales,
    "fql": full_state,
    "slow": slow_movers,
    "cyclic": cyclic,
    "fixed-cost": fixed_cost,
    "q-learning-baseline": q_learning_baseline,
    "full-feedback-table": full_feedback_table,
    "cost": cost,
}


SHORT = ("pil-q", "fql", "cost")
"""The parts of the short form."""


def drawn_up() -> dict[str, Any]:
    """A few problems of our own, solved by our own solver, where there is no suite."""
    instances = []
    for distribution, shortage, lead in (("poisson", 9, 1), ("geometric", 4, 2)):
        about = {"id": f"own_{distribution}_p{shortage}_L{lead}", "family": "lost_sales", "core": True}
        costs = {"L": lead, "h": 1, "p": shortage, "K": 0, "demand": {"dist": distribution, "mean": 5}}
        instances.append(about | costs | {"optimal": optimal(Problem.of(costs))[0]})
    return {"instances": instances, "fql_table": []}


def main() -> int:
    """Print each part's table and the line of figures."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("file", nargs="?", type=Path, default=USUAL)
    parser.add_argument("--seeds", type=int, default=20)
    parser.add_argument(
        "--short",
        action="store_true",
        help="core instances with short waits, two seeds, three parts; problems of its own without a suite",
    )
    parser.add_argument("--only", action="append", choices=sorted(PARTS), help="a part; may be given several times")
    args = parser.parse_args()
    if not args.file.exists() and not args.short:
        print(f"bench/policy_suite.py: no such file: {args.file}: name it, or set RESTOCK_BENCH_SUITE", file=sys.stderr)
        return 2
    content = json.loads(args.file.read_text()) if args.file.exists() else drawn_up()
    suite = Suite(content, min(args.seeds, 2) if args.short else args.seeds, quick=args.short)
    figures: Figures = {"seeds": suite.seeds, "short": args.short}
    for name in args.only or (SHORT if args.short else PARTS):
        print(f"{name}: {PARTS[name].__doc__}", flush=True)
        figures[name] = PARTS[name](suite)
    print(json.dumps(figures))
    return 0


if __name__ == "__main__":
    sys.exit(main())
