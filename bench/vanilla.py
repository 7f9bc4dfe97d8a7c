"""How long vanilla Q-learning takes: Watkins's rule on the whole state of a problem with one period of lead time.

Tuned in its favour: the true state, every order from zero to the largest sensible one, steps that shrink with the
visits of a pair, optimistic start, exploration that fades. Seeds run side by side.
"""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from bench.exact import Floats, Problem, average_cost


def gaps(instance: Mapping[str, Any], checkpoints: Sequence[int], seeds: int) -> dict[int, Floats]:
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
        explore = luck[row] < max(0.2, (1.0 + period / 500.0) ** -0.5)
        order = np.where(explore, whims[row], q[each, stock].argmin(axis=1))
        left = stock - demands[row]
        cost = problem.holding * np.maximum(left, 0) + problem.shortage * np.maximum(-left, 0)
        after = np.minimum(np.maximum(left, 0) + order, top)
        visits[each, stock, order] += 1.0
        rate = visits[each, stock, order] ** -0.7
        target = cost + 0.9 * q[each, after].min(axis=1)
        q[each, stock, order] += rate * (target - q[each, stock, order])
        stock = after
        if period + 1 in checkpoints:
            tables = q.argmin(axis=2)
            costs = [average_cost(problem, [tables[seed]], 1e-6) for seed in range(seeds)]
            found[period + 1] = np.asarray(costs) / instance["optimal"] - 1.0
    return found
