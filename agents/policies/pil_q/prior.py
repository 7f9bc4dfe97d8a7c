"""What analysis says of each arm before anything was paid: expected cost beyond the best of `pil`, as a share of costs.

The numbers are few and round, after what arms cost on the panels of `bench/closed_loop.py`, where they agree: demand of
real shops is seldom like a normal deviate, and the forecast's own quantile says by how much. Where a shortage is dear,
what counts is rare, and a level that is a quantile is safer; the longer the wait, the less safety pays.
"""

import math
from functools import lru_cache
from typing import NamedTuple

import numpy as np

from agents.policies.arrays import Floats
from agents.policies.pil_q.arms import FREE, LOTS, PLAIN, Arm, PilArm

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


@lru_cache(maxsize=1024)
def prior(factor: float, lead_time: tuple[float, ...], tail: float, *, lots: bool, lost: bool) -> Floats:
    """By arm, for a safety factor, the chances of each lead time, and the forecast's tail (`beliefs.py:tail_of`)."""
    menu, wait, spread = LOTS if lots else PLAIN, *_moments(lead_time)
    far, dear = math.log(max(wait, 1.0)), max(factor - DEAR, 0.0)
    usual = min(max((DEAR - factor) / (DEAR - USUAL), 0.0), 1.0)
    best = tail * usual + RISE * dear - LONG * far - CROSSING * math.log(max(spread, 1.0))
    safety, filling = SAFETY + SAFER * (factor - DEAR) - SHORTER * far, FILLING + FAR * far - RARE * dear
    limited = max(LIMITED - NEAR * far, 0.0)
    if lots:
        best, safety, filling, limited = 0.0, 1.0, LOTTED, LOTTED
    elif not lost:
        safety, filling = 1.0, WAITING
    alone = ALONE * max(factor - COMMON, 0.0) / math.sqrt(max(wait, 1.0))
    kinds = _Expected(best, safety, filling, limited, factor)
    return np.array([kinds.of(arm) + (alone if arm.source else 0.0) for arm in menu.arms])


def _moments(lead_time: tuple[float, ...]) -> tuple[float, float]:
    """Mean and standard deviation."""
    chances = np.array(lead_time) / max(sum(lead_time), 1e-9)
    periods = np.arange(len(chances))
    mean = float(chances @ periods)
    return mean, math.sqrt(max(float(chances @ periods**2) - mean**2, 0.0))


class _Expected(NamedTuple):
    """What is expected of the families."""

    shift: float
    safety: float
    filling: float
    limited: float
    factor: float

    def of(self, arm: Arm) -> float:
        """Cost of an arm beyond that of the best of `pil`."""
        if isinstance(arm, PilArm):
            return CURVATURE * ((arm.shift - self.shift) ** 2 + math.log(arm.stretch) ** 2)
        dearer = self.filling if arm.limit == FREE else self.limited
        if arm.usual != 1.0:
            return dearer + MULTIPLE * (max(self.factor, 1.6) - 1.0)
        best = self.safety if arm.limit == FREE else self.safety + CALM
        return dearer + CURVATURE * ((arm.safety - best) ** 2 + math.log(arm.lots or 1.0) ** 2)
