"""Forecast × 1.2: the rule that people know, kept as the reference that every other policy is compared with.

>>> from agents.forecasting.base import DemandForecast
>>> from agents.policies.base import Economics
>>> forecast = DemandForecast(5, 41.2, 64.0, (40.0, 48.0, 55.0, 60.0, 66.0), (8.24,) * 5)
>>> situation = Situation("TEA-01@BER1", 0, 12, (), (0, 0, 0, 0, 1.0), forecast, Economics(0.01, 0.19))
>>> OnePointTwo().decide(None, situation)
Advice(quantity=38.0, reorder_point=42, order_up_to=50, safety_stock=9, ...)
"""

from typing import ClassVar

from agents.policies.base import Advice, Situation
from agents.policies.rules.base_stock import missing_to, order_up_to
from agents.policies.rules.stateless import Stateless

FACTOR = 1.2


class OnePointTwo(Stateless):
    """The reference."""

    name: ClassVar[str] = "one-point-two"
    version: ClassVar[int] = 1

    def decide(self, state: None, situation: Situation) -> Advice:
        """Order up to the expected demand and a fifth."""
        del state
        return order_up_to(situation, FACTOR * situation.protection.mean)

    def quantity(self, state: None, situation: Situation) -> float:
        """What `decide` would order."""
        del state
        return missing_to(situation, FACTOR * situation.protection.mean)
