"""Min-max: at or below a minimum, order up to a maximum."""

import math
from typing import ClassVar

from agents.policies.base import Advice, Situation
from agents.policies.rules.stateless import Stateless


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
