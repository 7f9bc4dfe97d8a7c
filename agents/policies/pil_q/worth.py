"""What arms are worth: Q of an arm is its cost a period, Q ← Q + α (cost − Q).

What an arm is expected to cost is said by analysis (`prior.py`), by what arms cost the shard's other items of the kind
(`pool.py`), and by what they cost this item, in turn.
"""

from math import sqrt

import numpy as np

from agents.kernel.compiled import Numbers, Record, Records, compiled
from agents.policies.pil_q.arms import ANALYTIC, ARMS, BASE_STOCK
from agents.policies.pil_q.averages import excess, variance_of
from agents.policies.pil_q.beliefs import SOURCES
from agents.policies.pil_q.pool import evidence, pool
from agents.policies.pil_q.prior import expect
from agents.policies.projection.route import Odds

FLOOR = 1.0 / 2000.0
"""Smallest step: the past fades over about so many periods."""
TRUST = 60.0
"""Weight of what the pool says beside an item's own costs, in expected stock-outs.

Stock-outs show which arm is better. The dearer they are, the rarer: about one in 1/(1 − critical ratio) periods.
"""
TRUST_ANALYSIS, TRUST_TERMS = 3.0, 20.0
"""Expected stock-outs of others after which the pool of the same terms counts as much as analysis, and that of the kind
as all that."""
YOUNG = 10.0
"""Periods for which an item's usual cost leans to what holding its demand for a period costs."""


@compiled
def judge(item: Record, costs: Numbers, terms: Record, pools: Records, kind: int) -> None:
    """Learn what a period cost each arm, and have the pools of the class and of the kind learn it."""
    item["learned"] += 1
    known, rate = item["costs"], max(1.0 / item["learned"], FLOOR)
    for number in range(ARMS):
        before = np.float64(known[number])
        known[number] = before + rate * (costs[number] - before)
    averages, seen = item["averages"], min(float(item["learned"]), 1.0 / FLOOR)
    held = terms["holding"] * (averages["mean"][0] + sqrt(variance_of(averages, 0)))
    usual = max((seen * _paid(item) + YOUNG * held) / (seen + YOUNG), 1e-12)
    scale, dearer = 1.0 / sqrt(usual), np.empty(ARMS)
    for number in range(ARMS):
        dearer[number] = (costs[number] - costs[ANALYTIC]) * scale
    paid = 0.5 * (costs[ANALYTIC] + costs[BASE_STOCK]) * scale
    pool(pools[0], dearer, paid, item["learned"])
    pool(pools[kind], dearer, paid, item["learned"])


@compiled
def weigh(item: Record, menu: Records, terms: Record, odds: Odds, tail: float, pools: Records, kind: int) -> Numbers:
    """Expected cost of each arm beyond the analytic rule's, as a share of what the item usually costs."""
    worth, shares, learned = np.empty(ARMS), np.empty(SOURCES), item["learned"]
    rarity = 1.0 / max(1.0 - terms["ratio"], 0.002)
    expect(worth, menu, terms, odds, tail)
    excess(item["averages"], odds.longest + 1, shares)
    for number in range(ARMS):
        worth[number] += shares[menu[number]["source"]]
    _lean(worth, pools[0], learned, TRUST_ANALYSIS * rarity)
    _lean(worth, pools[kind], learned, TRUST_TERMS * rarity)
    if learned > 0:
        seen, known, paid = min(float(learned), 1.0 / FLOOR), item["costs"], max(_paid(item), 1e-12)
        for number in range(ARMS):
            own = (np.float64(known[number]) - np.float64(known[ANALYTIC])) / paid
            worth[number] += seen / (seen + TRUST * rarity) * (own - worth[number])
    return worth


@compiled
def _lean(worth: Numbers, pooled: Record, learned: int, trust: float) -> None:
    """Let worth lean to what other items say."""
    others = evidence(pooled, learned)
    if others > 0.0 and pooled["usual"] > 0.0:
        for number in range(ARMS):
            said = pooled["excess"][number] / pooled["usual"]
            worth[number] += others / (others + trust) * (said - worth[number])


@compiled
def _paid(item: Record) -> float:
    """What two simple rules have cost a period."""
    known = item["costs"]
    return 0.5 * (np.float64(known[ANALYTIC]) + np.float64(known[BASE_STOCK]))
