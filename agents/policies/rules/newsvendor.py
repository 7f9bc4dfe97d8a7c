"""Newsvendor: the critical quantile of one review interval's demand, for goods that come at once and do not keep.

Zipkin: Foundations of Inventory Management (2000), section 6.2.
"""

import math
from typing import ClassVar

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
