"""Gong and Simchi-Levi's table: cumulative cost of full-feedback Q-learning over K episodes of H steps.

Backlog, no lead time, demand (10 − h)/2 + U[0, 1] in step h of an episode, holding 2, backlog 10, order-up-to levels
0 to 10 in steps of 1/20; Q_h(y) learns from every demand at the rate (H + 1)/(H + k).
"""

from typing import Any

import numpy as np

from agents.policies.tabular.tables import Floats, step

HOLDING, BACKLOG = 2.0, 10.0
LEVELS = np.arange(201) / 20.0


def episodes(horizon: int, count: int, seed: int) -> tuple[float, float]:
    """Cost of FQL and of the optimal levels, on the same demand."""
    chance = np.random.default_rng([seed, horizon, count])
    means = (10.0 - np.arange(1, horizon + 1)) / 2.0
    demands = means + chance.random((count, horizon))
    q = np.zeros((horizon + 1, len(LEVELS)))
    best = means + BACKLOG / (HOLDING + BACKLOG)
    paid = optimum = 0.0
    for k, demand in enumerate(demands, start=1):
        stock, rate = 0.0, step(k, horizon)
        for h in range(horizon):
            first = int(np.searchsorted(LEVELS, stock - 1e-12))
            level = max(stock, LEVELS[_last_best(q[h], min(first, len(LEVELS) - 1))])
            paid += _cost(level, demand[h])
            stock = level - demand[h]
            optimum += _cost(best[h], demand[h])
        for h in reversed(range(horizon)):
            ahead = np.minimum.accumulate(q[h + 1][::-1])[::-1]
            nearest = np.clip(np.ceil((LEVELS - demand[h]) * 20.0 - 1e-9), 0, len(LEVELS) - 1).astype(int)
            gap = LEVELS - demand[h]
            cost = HOLDING * np.maximum(gap, 0.0) + BACKLOG * np.maximum(-gap, 0.0)
            q[h] += rate * (cost + ahead[nearest] - q[h])
    return paid, optimum


def _last_best(row: Floats, first: int) -> int:
    """The highest of the cheapest levels: before anything is known, the fullest shelf."""
    return len(row) - 1 - int(row[first:][::-1].argmin())


def _cost(level: float, demand: float) -> float:
    return HOLDING * max(level - demand, 0.0) + BACKLOG * max(demand - level, 0.0)


def table(published: list[dict[str, Any]], seeds: int) -> list[dict[str, float]]:
    """Excess over the optimum, in percent, ours and theirs, for the nine cells."""
    rows = []
    for cell in published:
        runs = np.array([episodes(cell["H"], cell["K"], seed) for seed in range(seeds)])
        excess = 100.0 * (runs[:, 0] / runs[:, 1] - 1.0)
        theirs = 100.0 * (cell["fql"][0] / cell["opt"][0] - 1.0)
        printed = 100.0 * (cell["pub_fql"] / cell["pub_opt"] - 1.0)
        ours = 100.0 * (runs[:, 0].mean() / runs[:, 1].mean() - 1.0)
        row = {"H": cell["H"], "K": cell["K"], "excess": ours, "p95": float(np.percentile(excess, 95))}
        rows.append(row | {"worst": float(excess.max()), "study": theirs, "published": printed})
    return rows
