"""What analysis says of each arm before anything was paid: expected cost beyond the best of `pil`, as a share of costs.

The numbers are few and round, after what arms cost on the panels of `bench/closed_loop.py`, where they agree: demand of
real shops is seldom like a normal deviate, and the forecast's own quantile says by how much. Where a shortage is dear,
what counts is rare, and a level that is a quantile is safer; the longer the wait, the less safety pays.
"""

from math import sqrt

from agents.kernel.arithmetic import log
from agents.kernel.compiled import Numbers, Record, Records, compiled
from agents.policies.pil_q.arms import FREE
from agents.policies.projection.route import Odds

CURVATURE = 0.5
"""Share by which costs are expected to rise with the square of an arm's distance from the best of its kind."""
USUAL, DEAR = 1.64, 2.33
"""Up to the first safety factor the forecast's tail says how far the target of `pil` should be moved; from the second
on a shortage is dear: demand counts that is too rare to be known."""
RISE = 0.6
"""For each unit of the safety factor above that, the target of `pil` should be higher by so much, …"""
LONG, CROSSING = 0.1, 0.45
"""… lower by so much for each time that the wait is e times as long, and for each time that lead times spread over e
times more than a period: orders that cross on their way make up for one another."""
SAFETY, SAFER, SHORTER = 0.9, 0.7, 0.25
"""The best safety of base-stock where a shortage is dear, by how much it rises with the safety factor, and falls with
the wait: what was lost is not missing when the order comes."""
FILLING, FAR, RARE = 0.03, 0.02, 0.15
"""Where demand is lost, base-stock costs this more than `pil`, so much more for each time that the wait is e times as
long, and so much less for each unit of the safety factor above `DEAR`."""
WAITING = -0.06
"""Where demand waits, it costs this more: no rule is better, if the quantile is right."""
LOTTED = 0.1
"""Where an order costs something, levels cost so much more: what `pil` orders by is derived from the costs."""
LIMITED, NEAR, CALM = 0.05, 0.015, 0.15
"""With a limit to the single order it costs this more, less for each time that the wait is e times as long, and wants
more safety."""
MULTIPLE = 0.2
"""A multiple of demand costs so much more for each unit of the safety factor."""
ALONE, COMMON = 0.25, 1.5
"""Above this safety factor, an item's own averages are expected to cost so much more for each unit, less where the wait
is long: the forecast knows of rare demand from other items."""


@compiled
def expect(worth: Numbers, menu: Records, terms: Record, odds: Odds, tail: float) -> None:
    """Write it by arm, for an item's terms, the odds of its orders, and its forecast's tail (`beliefs.py:tail_of`)."""
    z, far = terms["z"], log(max(odds.wait, 1.0))
    dear, usual = max(z - DEAR, 0.0), min(max((DEAR - z) / (DEAR - USUAL), 0.0), 1.0)
    shift = tail * usual + RISE * dear - LONG * far - CROSSING * log(max(_spread(odds), 1.0))
    safety, filling = SAFETY + SAFER * (z - DEAR) - SHORTER * far, FILLING + FAR * far - RARE * dear
    limited = max(LIMITED - NEAR * far, 0.0)
    if terms["order_cost"] > 0.0:
        shift, safety, filling, limited = 0.0, 1.0, LOTTED, LOTTED
    elif terms["lost"] == 0.0:
        safety, filling = 1.0, WAITING
    alone = ALONE * max(z - COMMON, 0.0) / sqrt(max(odds.wait, 1.0))
    for number in range(len(worth)):
        arm = menu[number]
        if arm["projects"]:
            apart, part = arm["shift"] - shift, log(arm["stretch"])
            worth[number] = CURVATURE * (apart * apart + part * part)
        elif arm["usual"] != 1.0:
            worth[number] = (filling if arm["limit"] == FREE else limited) + MULTIPLE * (max(z, 1.6) - 1.0)
        else:
            calm, dearer = (0.0, filling) if arm["limit"] == FREE else (CALM, limited)
            apart, part = arm["safety"] - safety - calm, log(arm["lots"] if arm["lots"] > 0.0 else 1.0)
            worth[number] = dearer + CURVATURE * (apart * apart + part * part)
        if arm["source"] > 0:
            worth[number] += alone


@compiled
def _spread(odds: Odds) -> float:
    """Standard deviation of the lead time."""
    square = 0.0
    for lead in range(odds.longest + 1):
        square += odds.own[lead] * lead * lead
    return sqrt(max(square - odds.wait * odds.wait, 0.0))
