"""What the same days would have cost with forecast × 1.2, the rule that people know.

The same demand, suppliers, costs and forecaster; only the rule that decides is another. It needs no server, so it is
worked out here, while the worker works.
"""

from typing import Any

from agents.demo.goods import FIRST_DAY_MS, Assortment, Good
from agents.forecasting import registry
from agents.forecasting.base import Ahead, ClosedPeriod, Forecaster, Rhythm
from agents.policies.base import PipelineOrder, Situation
from agents.policies.guardrails import guard
from agents.policies.rules.one_point_two import OnePointTwo
from agents.simulation.warehouse import Day, SimulatedShelf
from schemas.quantities import DAY_MS

REVIEW_DAYS = 1


class Tried:
    """One good under the rule."""

    def __init__(self, good: Good, forecaster: Forecaster) -> None:
        self.good = good
        self.shelf = SimulatedShelf(on_hand=good.opening)
        self.economics = good.economics
        self.state: Any = forecaster.fresh()
        self.promotions = [(promotion.first, promotion.last) for promotion in good.article.model.promotions]
        self.lead_time = (0.0,) * good.source.lead_time_days + (1.0,)

    def promoted(self, day: int) -> float:
        """Whether a day is on promotion."""
        return float(any(first <= day <= last for first, last in self.promotions))


class Reference:
    """The whole shop under the rule."""

    def __init__(self, assortment: Assortment) -> None:
        self.cost = 0.0
        self.demand = 0
        self.lost = 0
        self._assortment = assortment
        self._forecaster = registry.FORECASTERS[registry.DEFAULT](Rhythm())
        self._rule = OnePointTwo()
        self._tried = [Tried(good, self._forecaster) for good in assortment.goods]

    def live(self, day: int) -> None:
        """Let a day pass, and order at its end."""
        for tried, demand in zip(self._tried, self._assortment.shop.demand[:, day].tolist(), strict=True):
            lived = tried.shelf.live(demand)
            self.cost += cost_of(tried.good, lived)
            self.demand += lived.demand
            self.lost += lived.lost
            quantity = self._decide(tried, day, demand)
            if quantity:
                supplier = self._assortment.suppliers[tried.good.source.name]
                tried.shelf.order(supplier.deliver(f"{tried.good.name} {day} 1", quantity))

    def _decide(self, tried: Tried, day: int, demand: int) -> int:
        good, shelf = tried.good, tried.shelf
        price = good.article.price
        starts = FIRST_DAY_MS + day * DAY_MS
        ahead = [
            Ahead(FIRST_DAY_MS + d * DAY_MS, FIRST_DAY_MS + (d + 1) * DAY_MS, True, tried.promoted(d), price)
            for d in range(day + 1, day + 1 + good.source.lead_time_days + REVIEW_DAYS)
        ]
        period = ClosedPeriod(starts, starts + DAY_MS, float(demand), False, True, tried.promoted(day), price)
        self._forecaster.learn(tried.state, good.name, period, ahead)
        situation = Situation(
            item=good.name,
            period=day + 1,
            available=shelf.on_hand,
            pipeline=tuple(PipelineOrder(quantity, float(due), 1) for due, quantity in shelf.pipeline()),
            lead_time=tried.lead_time,
            forecast=self._forecaster.forecast(tried.state, good.name, ahead),
            economics=tried.economics,
        )
        return guard(self._rule.decide(None, situation).quantity, situation).quantity


def cost_of(good: Good, lived: Day) -> float:
    """What a day on the shelf cost: holding what was left, and the margin of what could not be sold."""
    economics = good.economics
    return economics.holding * max(0, lived.left) + economics.shortage * lived.lost
