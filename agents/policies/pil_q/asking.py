"""What arms find missing in a stock, and what they order together.

An arm of the family `pil` raises the stock left when its order arrives to its target, as far as it believes its source.
One of the family of levels fills the position up to a level of the protection interval's demand.
"""

from math import ceil, isnan, sqrt
from typing import NamedTuple

import numpy as np

from agents.kernel.compiled import Bytes, Numbers, Record, Records, compiled
from agents.policies.pil_q.arms import FREE
from agents.policies.pil_q.beliefs import LOT, MEAN, QUANTILE, REVIEW, SPREAD, VARIANCE, Beliefs
from agents.policies.rules.pil import Projected, levels_of
from agents.policies.shadow.shadows import MOST_UNITS

ROUNDING = 1e-9
"""Levels are rounded up, but not for an error of calculation."""


class Together(NamedTuple):
    """What arms decide together."""

    quantity: float
    missing: float
    """By how much they find the stock too low; negative where it is too high."""


@compiled
def by_pil(arm: Record, left: float, left_variance: float, seen: Beliefs, terms: Record) -> float:
    """What an arm of the family `pil` finds missing; negative where the stock left is above the target."""
    mean, variance = seen.covered[arm["source"], MEAN], seen.covered[arm["source"], VARIANCE]
    if terms["order_cost"] > 0.0:
        low, high, uncertain = seen.lots[arm["pair"]]
        moved = arm["shift"] * sqrt(variance + uncertain)
        return float(max(high, low) + moved - left if left <= low + moved else 0.0)
    at = levels_of(Projected(left, left_variance, mean, variance), arm["shift"], terms)
    return min(at.high - left, at.most)


@compiled
def by_level(arm: Record, position: float, seen: Beliefs, terms: Record) -> float:
    """What an arm of the family of levels finds missing; levels that a planner set by hand go before its own."""
    demand = seen.interval[arm["source"]]
    level = ceil(arm["usual"] * demand[MEAN] + arm["safety"] * (demand[QUANTILE] - demand[MEAN]) - ROUNDING)
    low = level if arm["lots"] > 0.0 else np.inf
    if not isnan(terms["reorder_point"]):
        low = terms["reorder_point"]
        level = low if arm["lots"] > 0.0 else max(level, low + 1.0)
    level += ceil(arm["lots"] * demand[LOT])
    if not isnan(terms["order_up_to"]):
        level = terms["order_up_to"]
    missing = level - position if position <= low else 0.0
    if arm["limit"] < FREE and terms["lost"] > 0.0 and isnan(terms["order_up_to"]):
        missing = min(missing, ceil(demand[REVIEW] + arm["limit"] * demand[SPREAD]))
    return missing


@compiled
def together(
    parts: Bytes, menu: Records, left: Numbers, first: int, position: float, seen: Beliefs, terms: Record
) -> Together:
    """What arms decide together of a stock, by their parts; nobody orders less than nothing.

    What is left of it, as sources see it, stands in `left` from the place `first` on.
    """
    quantity = low = whole = 0.0
    for number in range(len(parts)):
        if parts[number] > 0:
            arm, part = menu[number], float(parts[number])
            if arm["projects"]:
                place = first + arm["source"]
                missing = by_pil(arm, left[0, place], left[1, place], seen, terms)
            else:
                missing = by_level(arm, position, seen, terms)
            quantity += part * min(max(missing, 0.0), MOST_UNITS)
            low += part * missing
            whole += part
    return Together(quantity / whole, low / whole)
