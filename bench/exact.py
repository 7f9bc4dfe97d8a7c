"""Exact long-run average costs of single-item inventory problems, against which learned policies are measured.

Lost sales by relative value iteration over (on hand, pipeline), fixed costs with backorders by Zheng and Federgruen's
algorithm (1991), cyclic demand by value iteration over the phases of the cycle.

Model: x = on hand after receipt; an order z is placed and arrives L periods later; then demand D, cost
h (x - D)+ + p (D - x)+, and K for an order. With L = 0 the order serves the period's own demand.
"""

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
from scipy import stats

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]
NEGLIGIBLE = 1e-12


def pmf(demand: Mapping[str, Any], mean: float | None = None) -> Floats:
    """Probabilities of a demand of 0, 1, 2…, cut where what is left no longer matters.

    >>> pmf({"dist": "geometric", "mean": 5})[:2].round(4).tolist()
    [0.1667, 0.1389]
    """
    mu = float(demand["mean"] if mean is None else mean)
    law = stats.poisson(mu) if demand["dist"] == "poisson" else stats.geom(1.0 / (1.0 + mu), loc=-1)
    top = int(law.isf(NEGLIGIBLE)) + 1
    weights = law.pmf(np.arange(top + 1))
    return np.asarray(weights / weights.sum())


class Problem(NamedTuple):
    """A lost-sales problem with demand that is the same in every period, or repeats a cycle."""

    demands: tuple[Floats, ...]
    lead_time: int
    holding: float
    shortage: float
    order_cost: float
    top_stock: int
    top_order: int

    @classmethod
    def of(cls, instance: Mapping[str, Any]) -> "Problem":
        """Read an instance of the suite and bound its states."""
        demand, lead_time = instance["demand"], int(instance["L"])
        means = demand.get("cycle_means") or [demand["mean"]]
        laws = tuple(pmf(demand, float(mean)) for mean in means)
        ratio = instance["p"] / (instance["p"] + instance["h"])
        peak, spread = float(max(means)), float(np.sqrt(max(_variance(law) for law in laws)))
        z = float(stats.norm.ppf(ratio))
        fixed = np.sqrt(2.0 * instance["K"] * float(np.mean(means)) / instance["h"])
        cover = lead_time + 1
        order = int(np.ceil(peak + (z + 0.8) * spread + 1.5 * fixed)) + 2
        stock = int(np.ceil(cover * peak + (z + 1.6) * spread * np.sqrt(cover) + 1.5 * fixed)) + 4
        return cls(laws, lead_time, instance["h"], instance["p"], instance["K"], stock, order)

    def period_cost(self, law: Floats) -> Floats:
        """Expected cost of a period by stock on hand."""
        x, d = np.arange(self.top_stock + 1)[:, None], np.arange(len(law))[None, :]
        cost = self.holding * np.maximum(x - d, 0) + self.shortage * np.maximum(d - x, 0)
        return np.asarray(cost @ law)

    def left(self, law: Floats) -> Floats:
        """Probability of `r` units left, by stock on hand: rows x, columns r."""
        size = self.top_stock + 1
        table = np.zeros((size, size))
        for x in range(size):
            sold = law[: x + 1]
            table[x, x - np.arange(len(sold))] = sold
            table[x, 0] += 1.0 - sold.sum()
        return table


def _variance(law: Floats) -> float:
    k = np.arange(len(law))
    return float((law * k * k).sum() - (law * k).sum() ** 2)


def optimal(problem: Problem, tolerance: float = 1e-8, evaluations: int = 12) -> tuple[float, list[Ints]]:
    """Optimal average cost and, by phase, the optimal order of each state (on hand, pipeline…).

    Modified policy iteration: a sweep that seeks the best order, then a few with that order, until the costs of a
    whole cycle differ by the same amount in all states.
    """
    lead_time, phases = problem.lead_time, len(problem.demands)
    shape = (problem.top_stock + 1, *[problem.top_order + 1] * (lead_time - 1))
    lefts = [problem.left(law) for law in problem.demands]
    costs = [problem.period_cost(law).reshape(-1, *[1] * (lead_time - 1)) for law in problem.demands]
    fee = np.where(np.arange(problem.top_order + 1) > 0, problem.order_cost, 0.0)
    value = np.zeros(shape)
    policy: list[Ints] = [np.zeros(shape, dtype=np.int64)] * phases
    while True:
        before = value
        for phase in reversed(range(phases)):
            value, policy[phase] = _improve(value, lefts[phase], costs[phase], fee, lead_time)
        change = (value - before) / phases
        if change.max() - change.min() < tolerance * max(1.0, abs(float(change.mean()))):
            return float(change.max() + change.min()) / 2.0, policy
        plans = [_Plan(policy[phase], lead_time, problem.top_stock) for phase in range(phases)]
        for _ in range(evaluations):
            for phase in reversed(range(phases)):
                value = plans[phase].sweep(value, lefts[phase], costs[phase], fee)
        value = value - value.flat[0]


def _improve(value: Floats, left: Floats, cost: Floats, fee: Floats, lead_time: int) -> tuple[Floats, Ints]:
    """One Bellman sweep: the best order of every state, and what it leads to."""
    top_stock = value.shape[0] - 1
    if lead_time == 1:
        target = np.minimum(np.arange(top_stock + 1)[:, None] + np.arange(len(fee))[None, :], top_stock)
        options = left @ value[target] + fee
        orders = options.argmin(axis=1)
        return cost + options[np.arange(top_stock + 1), orders], orders
    best, orders = np.empty_like(value), np.empty(value.shape, dtype=np.int64)
    flat = value.reshape(top_stock + 1, -1)
    for due in range(value.shape[1]):
        rows = np.minimum(np.arange(top_stock + 1) + due, top_stock)
        options = (left @ flat[rows]).reshape(value.shape) + fee
        orders[:, due] = options.argmin(axis=-1)
        best[:, due] = options.min(axis=-1)
    return cost + best, orders


class _Plan:
    """Value sweeps under one order table, with the successors looked up once."""

    def __init__(self, orders: Ints, lead_time: int, top_stock: int) -> None:
        self.orders, self.lead_time, self.top_stock = orders, lead_time, top_stock

    def sweep(self, value: Floats, left: Floats, cost: Floats, fee: Floats) -> Floats:
        stock = np.arange(self.top_stock + 1)
        if self.lead_time == 1:
            target = np.minimum(stock[None, :] + self.orders[:, None], self.top_stock)
            return np.asarray(cost + (left * value[target]).sum(axis=1) + fee[self.orders])
        after = np.empty_like(value)
        flat = value.reshape(self.top_stock + 1, -1)
        for due in range(value.shape[1]):
            rows = np.minimum(stock + due, self.top_stock)
            options = (left @ flat[rows]).reshape(value.shape)
            after[:, due] = np.take_along_axis(options, self.orders[:, due, ..., None], axis=-1)[..., 0]
        return np.asarray(cost + after + fee[self.orders])


def average_cost(problem: Problem, policy: Sequence[Ints], tolerance: float = 1e-9, sweeps: int = 4000) -> float:
    """Exact long-run average cost of following an order table, one table a phase.

    A table that falls apart into several worlds never agrees on one cost: then it is that of beginning with nothing.
    """
    lead_time, phases = problem.lead_time, len(problem.demands)
    lefts = [problem.left(law) for law in problem.demands]
    costs = [problem.period_cost(law).reshape(-1, *[1] * (lead_time - 1)) for law in problem.demands]
    fee = np.where(np.arange(max(int(table.max()) for table in policy) + 1) > 0, problem.order_cost, 0.0)
    plans = [_Chain(table, lead_time, problem.top_stock) for table in policy]
    value = np.zeros(policy[0].shape)
    change = value
    for _ in range(sweeps):
        before = value
        for phase in reversed(range(phases)):
            value = plans[phase].sweep(value, lefts[phase], costs[phase], fee)
        change = (value - before) / phases
        if change.max() - change.min() < tolerance * max(1.0, abs(float(change.mean()))):
            return float(change.max() + change.min()) / 2.0
        value = value - value.flat[0]
    return float(change.flat[0])


class _Chain(_Plan):
    """The same sweeps by gathering successors: quicker where the order table is evaluated long."""

    def sweep(self, value: Floats, left: Floats, cost: Floats, fee: Floats) -> Floats:
        if self.lead_time == 1:
            return super().sweep(value, left, cost, fee)
        if self.lead_time > 2:
            return super().sweep(value, left, cost, fee)
        stock = np.arange(self.top_stock + 1)
        due = np.arange(value.shape[1])
        rows = np.minimum(stock[:, None] + due[None, :], self.top_stock)
        gathered = value[rows[None, :, :], self.orders[:, None, :]]
        return np.asarray(cost + np.einsum("xr,xrd->xd", left, gathered) + fee[self.orders])


def reorder_levels(law: Floats, holding: float, shortage: float, order_cost: float) -> tuple[int, int, float]:
    """Optimal (s, S) and its cost with backorders and no lead time, by Zheng and Federgruen's algorithm.

    >>> s, S, cost = reorder_levels(pmf({"dist": "poisson", "mean": 10}), 1.0, 9.0, 64.0)
    >>> s, S, round(cost, 2)
    (6, 40, 35.02)
    """
    renewal = Renewal(law, holding, shortage, order_cost)
    best_level = int(np.argmin([renewal.period_cost(y) for y in range(len(law) + 1)]))
    s = best_level - 1
    while renewal.cost(s, best_level) > renewal.period_cost(s):
        s -= 1
    level, best = best_level, renewal.cost(s, best_level)
    candidate = best_level + 1
    while renewal.period_cost(candidate) <= best:
        if renewal.cost(s, candidate) < best:
            level = candidate
            while renewal.cost(s, level) <= renewal.period_cost(s + 1):
                s += 1
            best = renewal.cost(s, level)
        candidate += 1
    return s, level, best


class Renewal:
    """Costs of (s, S) policies with backorders: demand is independent, so each order begins anew."""

    def __init__(self, law: Floats, holding: float, shortage: float, order_cost: float) -> None:
        self.law, self.holding, self.shortage, self.order_cost = law, holding, shortage, order_cost
        self._visits: list[float] = [1.0 / (1.0 - float(law[0]))]
        self._costs: dict[int, float] = {}

    def period_cost(self, level: int) -> float:
        """Expected holding and shortage cost of a period that starts at `level`."""
        if level not in self._costs:
            gap = level - np.arange(len(self.law))
            spent = self.holding * np.maximum(gap, 0) + self.shortage * np.maximum(-gap, 0)
            self._costs[level] = float(spent @ self.law)
        return self._costs[level]

    def visits(self, depth: int) -> float:
        """Expected number of periods spent `depth` units below S within a cycle."""
        while len(self._visits) <= depth:
            n = len(self._visits)
            reach = min(n, len(self.law) - 1)
            past = np.asarray(self._visits[n - reach : n])[::-1]
            self._visits.append(float(self.law[1 : reach + 1] @ past) / (1.0 - float(self.law[0])))
        return self._visits[depth]

    def cost(self, s: int, level: int) -> float:
        """Average cost of ordering up to `level` whenever the position is at or below s."""
        depths = range(level - s)
        length = sum(self.visits(depth) for depth in depths)
        spent = sum(self.visits(depth) * self.period_cost(level - depth) for depth in depths)
        return (self.order_cost + spent) / length
