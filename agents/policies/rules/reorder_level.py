"""Rules that wait for a reorder point s: (s, S) orders up to a level, (R, s, Q) orders whole lots.

Silver, Pyke, Thomas: Inventory and Production Management in Supply Chains (2017), chapters 5 to 7.
"""

import math
from typing import ClassVar

import msgspec

from agents.policies.base import Advice, Economics, Situation
from agents.policies.rules.stateless import Stateless


class ReorderUpTo(Stateless):
    """(s, S): at or below s order up to S, an economic lot above."""

    name: ClassVar[str] = "s-S"
    version: ClassVar[int] = 1

    def decide(self, state: None, situation: Situation) -> Advice:
        """Order up to S when it is time."""
        del state
        low, level = _reorder_point(situation), situation.economics.order_up_to
        return triggered(situation, low, low + math.ceil(_lot(situation)) if level is None else level)


class ReorderLot(Stateless):
    """(R, s, Q): at each review, at or below s order as many lots of Q as lift the position above s."""

    name: ClassVar[str] = "R-s-Q"
    version: ClassVar[int] = 1

    def decide(self, state: None, situation: Situation) -> Advice:
        """Order whole lots when it is time."""
        del state
        lot, low = max(1, math.ceil(_lot(situation))), _reorder_point(situation)
        lots = max(0, (low - situation.position) // lot + 1)
        return msgspec.structs.replace(triggered(situation, low, low + lot), quantity=float(lots * lot))


def triggered(situation: Situation, low: int, level: int) -> Advice:
    """Order up to a level when the position is at or below the reorder point."""
    quantity = max(0, level - situation.position) if situation.position <= low else 0
    return Advice(float(quantity), low, level, max(0, math.ceil(low - situation.protection.mean - 1e-9)))


def _reorder_point(situation: Situation) -> int:
    """Demand of the protection interval at the critical ratio; a planner's own goes before."""
    terms = situation.economics
    if terms.reorder_point is not None:
        return terms.reorder_point
    return math.ceil(situation.protection.quantile(terms.critical_ratio) - 1e-9)


def _lot(situation: Situation) -> float:
    return economic_lot(situation.protection.mean / max(situation.protection.horizon, 1.0), situation.economics)


def economic_lot(rate: float, terms: Economics) -> float:
    """Economic order quantity (Harris 1913) at a demand of so much a period, at least one review interval's demand."""
    lot = math.sqrt(2.0 * max(terms.order_cost, 0.0) * rate / terms.holding) if terms.holding > 0.0 else 0.0
    return max(lot, rate * max(1, terms.review_periods))
