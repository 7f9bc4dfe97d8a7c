"""The textbook policies that users ask for by name: newsvendor, capped base-stock, (s, S), (R, s, Q), min-max.

Zipkin: Foundations of Inventory Management (2000); Silver, Pyke, Thomas: Inventory and Production Management in Supply
Chains (2017), chapters 5 to 7; capped base-stock: Xin (2021), "Understanding the Performance of Capped Base-Stock
Policies in Lost-Sales Inventory Models", Operations Research.
"""

import math
from typing import ClassVar

import msgspec

from agents.policies.base import Advice, Situation
from agents.policies.rules.base_stock import order_up_to
from agents.policies.rules.stateless import Stateless


class Newsvendor(Stateless):
    """Look only at the demand of the coming review interval: right where goods come at once and do not keep."""

    name: ClassVar[str] = "newsvendor"
    version: ClassVar[int] = 1

    def decide(self, state: None, situation: Situation) -> Advice:
        """Order up to the critical quantile of one interval's demand."""
        del state
        share = max(1, situation.economics.review_periods) / max(situation.forecast.horizon, 1.0)
        forecast, ratio = situation.forecast, situation.economics.critical_ratio
        above = forecast.quantile(ratio) - forecast.mean
        return order_up_to(situation, forecast.mean * min(share, 1.0) + above * math.sqrt(min(share, 1.0)))


class CappedBaseStock(Stateless):
    """Base-stock with a limit to the single order, which lost sales want: what was lost need not be ordered again."""

    name: ClassVar[str] = "capped-base-stock"
    version: ClassVar[int] = 1

    def decide(self, state: None, situation: Situation) -> Advice:
        """Order up to the critical quantile, at most a deviation more than one interval's demand."""
        del state
        terms, forecast = situation.economics, situation.protection
        advice = order_up_to(situation, forecast.quantile(terms.critical_ratio))
        if terms.stock_out == "backorder" or terms.order_up_to is not None:
            return advice
        share = max(1, terms.review_periods) / max(forecast.horizon, 1.0)
        cap = share * forecast.mean + math.sqrt(share * max(forecast.variance, 0.0))
        return msgspec.structs.replace(advice, quantity=min(advice.quantity, float(math.ceil(cap))))


def _lot(situation: Situation) -> float:
    """Economic order quantity (Harris 1913), at least one review interval's demand."""
    terms, forecast = situation.economics, situation.protection
    rate = forecast.mean / max(forecast.horizon, 1.0)
    lot = math.sqrt(2.0 * max(terms.order_cost, 0.0) * rate / terms.holding) if terms.holding > 0.0 else 0.0
    return max(lot, rate * max(1, terms.review_periods))


def _reorder_point(situation: Situation) -> int:
    """Demand of the protection interval at the critical ratio; a planner's own goes before."""
    terms = situation.economics
    if terms.reorder_point is not None:
        return terms.reorder_point
    return math.ceil(situation.protection.quantile(terms.critical_ratio) - 1e-9)


def _triggered(situation: Situation, quantity: float, level: int) -> Advice:
    """Order when the position is at or below the reorder point."""
    reorder_point = _reorder_point(situation)
    safety_stock = max(0, math.ceil(reorder_point - situation.protection.mean - 1e-9))
    return Advice(quantity if situation.position <= reorder_point else 0.0, reorder_point, level, safety_stock)


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


class MinMax(Stateless):
    """Min-max: the planner's minimum and maximum, or once and twice the expected demand of the protection interval."""

    name: ClassVar[str] = "min-max"
    version: ClassVar[int] = 1

    def decide(self, state: None, situation: Situation) -> Advice:
        """Order up to the maximum when at or below the minimum."""
        del state
        terms, forecast = situation.economics, situation.protection
        least = terms.reorder_point if terms.reorder_point is not None else math.ceil(forecast.mean)
        most = terms.order_up_to if terms.order_up_to is not None else max(least + 1, math.ceil(2.0 * forecast.mean))
        quantity = float(max(0, most - situation.position)) if situation.position <= least else 0.0
        return Advice(quantity, least, most, max(0, math.ceil(least - forecast.mean)))
