"""How long tabular Q-learning takes: Watkins's rule on the whole state of a problem with one period of lead time.

In its favour: the true state, every order from zero to the largest sensible one, steps that shrink with the visits of
a pair, optimistic start, exploration that fades; discount, steps and exploration are the best of a grid
(`bench/q_learning_baseline.py [policy_suite.json] [--short]` walks through it). Seeds run side by side.
"""

import argparse
import itertools
import json
import os
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from bench.exact import Floats, Problem, average_cost

HERE = Path(__file__).resolve().parent
USUAL = Path(os.environ.get("RESTOCK_BENCH_SUITE", HERE / "../../shared/bench/policy_suite.json"))


class Tuning(NamedTuple):
    """What a user would turn."""

    discount: float
    power: float
    """Steps are visits to the minus this power."""
    exploration: float
    """Exploration never falls below."""


GRID = [Tuning(*values) for values in itertools.product((0.9, 0.96, 0.99), (0.6, 0.8), (0.02, 0.1, 0.3))]
BEST = Tuning(0.9, 0.8, 0.3)
"""Of the grid, by its mean gap after 40,000 periods."""


def gaps(
    instance: Mapping[str, Any], checkpoints: Sequence[int], seeds: int, tuning: Tuning = BEST
) -> dict[int, Floats]:
    """Frozen gap to the optimum of each seed, at each checkpoint."""
    problem = Problem.of(instance)
    law, top = problem.demands[0], problem.top_stock
    actions = problem.top_order + 1
    chance = np.random.default_rng(list(instance["id"].encode()))
    q = np.zeros((seeds, top + 1, actions))
    visits = np.zeros_like(q)
    each, stock = np.arange(seeds), np.zeros(seeds, dtype=int)
    found = {}
    block = 4096
    demands = whims = np.zeros((0, seeds), dtype=np.int64)
    luck = np.zeros((0, seeds))
    for period in range(max(checkpoints)):
        if period % block == 0:
            demands = chance.choice(len(law), p=law, size=(block, seeds))
            luck, whims = chance.random((block, seeds)), chance.integers(actions, size=(block, seeds))
        row = period % block
        explore = luck[row] < max(tuning.exploration, (1.0 + period / 500.0) ** -0.5)
        order = np.where(explore, whims[row], q[each, stock].argmin(axis=1))
        left = stock - demands[row]
        cost = problem.holding * np.maximum(left, 0) + problem.shortage * np.maximum(-left, 0)
        after = np.minimum(np.maximum(left, 0) + order, top)
        visits[each, stock, order] += 1.0
        rate = visits[each, stock, order] ** -tuning.power
        target = cost + tuning.discount * q[each, after].min(axis=1)
        q[each, stock, order] += rate * (target - q[each, stock, order])
        stock = after
        if period + 1 in checkpoints:
            tables = q.argmin(axis=2)
            costs = [average_cost(problem, [tables[seed]], 1e-6) for seed in range(seeds)]
            found[period + 1] = np.asarray(costs) / instance["optimal"] - 1.0
    return found


def main() -> int:
    """Walk through the grid on the first two problems with a lead time of one."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("file", nargs="?", type=Path, default=USUAL, help="policy_suite.json")
    parser.add_argument("--short", action="store_true", help="two tunings, one problem, 2,000 periods")
    args = parser.parse_args()
    if not args.file.exists():
        print(
            f"bench/q_learning_baseline.py: no such file: {args.file}: name it, or set RESTOCK_BENCH_SUITE",
            file=sys.stderr,
        )
        return 0 if args.short else 2
    periods = 2_000 if args.short else 40_000
    instances = json.loads(args.file.read_text())["instances"]
    chosen = [i for i in instances if i["family"] == "lost_sales" and i["L"] == 1 and i["core"]]
    for tuning in GRID[: 2 if args.short else None]:
        found = [gaps(i, (periods,), 5, tuning)[periods].mean() for i in chosen[: 1 if args.short else 2]]
        print(f"{tuning}: {', '.join(f'{100 * gap:.2f} %' for gap in found)} after {periods:,} periods", flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
