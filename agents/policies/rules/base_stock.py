"""Order up to a level: the demand of the protection interval at the critical ratio, less what is there and underway.

Optimal for backorders and stationary demand (Arrow, Harris, Marschak 1951; Zipkin: Foundations of Inventory
Management, 2000, section 6.6), sound everywhere else, and understood by everybody.

>>> from agents.forecasting.base import DemandForecast
>>> from agents.policies.base import Economics
>>> forecast = DemandForecast(5, 41.2, 64.0, (40.0, 48.0, 55.0, 60.0, 66.0), (8.24,) * 5)
>>> situation = Situation("TEA-01@BER1", 0, 12, (), (0, 0, 0, 0, 1.0), forecast, Economics(0.01, 0.19))
>>> BaseStock().decide(None, situation)
Advice(quantity=48.0, reorder_point=52, order_up_to=60, safety_stock=19, ...)
"""

from math import ceil
from typing import ClassVar

from agents.policies.base import Advice, Situation
from agents.policies.rules.stateless import Stateless


class BaseStock(Stateless):
    """The baseline that every item has."""

    name: ClassVar[str] = "base-stock"
    version: ClassVar[int] = 1

    def decide(self, state: None, situation: Situation) -> Advice:
        """Order up to the quantile of demand that the costs ask for."""
        del state
        return order_up_to(situation, situation.protection.quantile(situation.economics.critical_ratio))

    def quantity(self, state: None, situation: Situation) -> float:
        """What `decide` would order."""
        del state
        return missing_to(situation, situation.protection.quantile(situation.economics.critical_ratio))


def missing_to(situation: Situation, level: float) -> float:
    """What `order_up_to` would order."""
    economics = situation.economics
    if economics.order_up_to is not None or economics.reorder_point is not None:
        return order_up_to(situation, level).quantity
    return float(max(0, ceil(level - 1e-9) - situation.position))


def order_up_to(situation: Situation, level: float) -> Advice:
    """Advise to fill up to a level; levels that a planner set by hand go before it."""
    economics, forecast = situation.economics, situation.protection
    target = ceil(level - 1e-9) if economics.order_up_to is None else economics.order_up_to
    safety_stock = max(0, ceil(target - forecast.mean - 1e-9))
    wait = sum(periods * chance for periods, chance in enumerate(situation.lead_time))
    during_wait = forecast.mean * min(1.0, wait / forecast.horizon) if forecast.horizon else 0.0
    reorder_point = min(target - 1, ceil(during_wait + safety_stock - 1e-9))
    if economics.reorder_point is not None:
        reorder_point = economics.reorder_point
        target = target if economics.order_up_to is not None else max(target, reorder_point + 1)
    below = economics.reorder_point is None or situation.position <= reorder_point
    quantity = max(0, target - situation.position) if below else 0
    return Advice(float(quantity), reorder_point, target, safety_stock)
