"""Capped base-stock: order up to a level, but never more than a limit at once.

Xin (2021), "Understanding the Performance of Capped Base-Stock Policies in Lost-Sales Inventory Models", Operations
Research.
"""

import math
from typing import ClassVar

import msgspec

from agents.policies.base import Advice, Situation
from agents.policies.rules.base_stock import order_up_to
from agents.policies.rules.stateless import Stateless

LIMIT = 1.0
"""An order is at most one review interval's demand and so many deviations of it."""


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
        return capped(advice, share, forecast.mean, forecast.variance)


def capped(advice: Advice, share: float, mean: float, variance: float, limit: float = LIMIT) -> Advice:
    """The advice with a limit to its order, from the demand of the protection interval; a review is a share of it."""
    most = math.ceil(share * mean + limit * math.sqrt(share * max(variance, 0.0)))
    return msgspec.structs.replace(advice, quantity=min(advice.quantity, float(most)))
