"""Rules that wait for a reorder point s: (s, S) orders up to a level, (R, s, Q) orders whole lots.

Silver, Pyke, Thomas: Inventory and Production Management in Supply Chains (2017), chapters 5 to 7.
"""

import math
from typing import ClassVar

from agents.policies.base import Advice, Situation
from agents.policies.rules.stateless import Stateless


class ReorderUpTo(Stateless):
    """(s, S): at or below s order up to S, an economic lot above."""

    name: ClassVar[str] = "s-S"
    version: ClassVar[int] = 1

    def decide(self, state: None, situation: Situation) -> Advice:
        """Order up to S when it is time."""
        del state
        level = situation.economics.order_up_to
        if level is None:
            level = _reorder_point(situation) + math.ceil(_lot(situation))
        return _triggered(situation, float(max(0, level - situation.position)), level)


class ReorderLot(Stateless):
    """(R, s, Q): at each review, at or below s order as many lots of Q as lift the position above s."""

    name: ClassVar[str] = "R-s-Q"
    version: ClassVar[int] = 1

    def decide(self, state: None, situation: Situation) -> Advice:
        """Order whole lots when it is time."""
        del state
        lot, reorder_point = max(1, math.ceil(_lot(situation))), _reorder_point(situation)
        lots = max(0, (reorder_point - situation.position) // lot + 1)
        return _triggered(situation, float(lots * lot), reorder_point + lot)


def _triggered(situation: Situation, quantity: float, level: int) -> Advice:
    """Order when the position is at or below the reorder point."""
    reorder_point = _reorder_point(situation)
    safety_stock = max(0, math.ceil(reorder_point - situation.protection.mean - 1e-9))
    return Advice(quantity if situation.position <= reorder_point else 0.0, reorder_point, level, safety_stock)


def _reorder_point(situation: Situation) -> int:
    """Demand of the protection interval at the critical ratio; a planner's own goes before."""
    terms = situation.economics
    if terms.reorder_point is not None:
        return terms.reorder_point
    return math.ceil(situation.protection.quantile(terms.critical_ratio) - 1e-9)


def _lot(situation: Situation) -> float:
    """Economic order quantity (Harris 1913), at least one review interval's demand."""
    terms, forecast = situation.economics, situation.protection
    rate = forecast.mean / max(forecast.horizon, 1.0)
    lot = math.sqrt(2.0 * max(terms.order_cost, 0.0) * rate / terms.holding) if terms.holding > 0.0 else 0.0
    return max(lot, rate * max(1, terms.review_periods))
