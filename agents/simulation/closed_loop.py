"""Lets several policies go through a demand history side by side, each with its own stock, on the same forecasts.

A period begins with receipts, then comes demand, and at its close an order that can be sold L + 1 periods later; L is
drawn from the supplier's lead times, the same for all policies. As in a worker, all items go through a period before
the next one begins.
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from agents.forecasting.base import Ahead, ClosedPeriod, Forecaster
from agents.policies.base import Economics, Outcome, PipelineOrder, Policy, Situation
from agents.policies.facts import DemandFacts, PastDemand
from agents.policies.guardrails import guard
from agents.policies.newcomers import Newcomers
from agents.simulation.lead_times import DrawnLeadTimes
from agents.simulation.supplier import Delivery, Supplier
from agents.simulation.warehouse import SimulatedShelf


class DemandHistory(NamedTuple):
    """Demand by item and period, and what was known of the periods in advance."""

    items: Sequence[str]
    starts: Sequence[int]
    """Milliseconds at which each period begins; one more for the end of the last."""
    demand: npt.NDArray[np.float64]
    promotion: npt.NDArray[np.float64] | None = None
    price: npt.NDArray[np.float64] | None = None
    """NaN where unknown."""
    first: Sequence[int] | None = None
    """The period with which each item begins; None: all begin with the first."""

    def ahead(self, item: int, period: int) -> Ahead:
        """What is planned for a period; beyond the end of the history, every period is as long as its last one."""
        last = len(self.starts) - 2
        length = self.starts[-1] - self.starts[-2]
        if period > last:
            starts = self.starts[-1] + (period - last - 1) * length
            return Ahead(starts, starts + length)
        plan = 0.0 if self.promotion is None else float(self.promotion[item, period])
        price = None if self.price is None or np.isnan(self.price[item, period]) else float(self.price[item, period])
        return Ahead(self.starts[period], self.starts[period + 1], promotion=plan, price=price)


class LoopRow(NamedTuple):
    """One period of one item under one policy."""

    item: str
    period: int
    policy: str
    on_hand: int
    on_order: int
    ordered: int
    demand: int
    sold: int
    lost: int
    cost: float


class ShopFacts:
    """The facts that orders are checked against, as a worker keeps them; all items are of one class."""

    def __init__(self, items: int) -> None:
        self._past = [PastDemand() for _ in range(items)]
        self._newcomers = Newcomers()

    def learn(self, item: int, period: ClosedPeriod, ahead: Sequence[Ahead]) -> DemandFacts:
        """Take in a closed period; answers with what is known of the demand of the periods `ahead` together."""
        past, strong = self._past[item], self._newcomers.strong("")
        past.learn(period.demand, censored=period.censored, promotion=period.promotion, strong=strong)
        self._newcomers.learn("", past)
        usual, strong = self._newcomers.usual(""), self._newcomers.strong("")
        planned = max((each.promotion for each in ahead), default=0.0)
        return past.facts(max(1, len(ahead)), usual=usual, strong=strong, planned=planned)


class PolicyRun:
    """One policy with one item: its stock, its open orders, its state."""

    def __init__(self, policy: Policy, promised: int, terms: Economics, opening: int) -> None:
        self.policy = policy
        self.state = policy.fresh()
        self.stock = SimulatedShelf(on_hand=opening, stock_out=terms.stock_out)
        self.lead_times = DrawnLeadTimes(promised)
        self.open: list[tuple[int, int, int]] = []
        """Orders as (placed at the close of, arrives at the start of, quantity)."""
        self.ordered = 0

    def receive(self, period: int) -> None:
        """Learn the lead times of what arrives now."""
        for placed, due, _ in self.open:
            if due == period:
                self.lead_times.came(due - placed - 1)
        self.open = [order for order in self.open if order[1] > period]

    def underway(self, period: int, *, certain: bool) -> tuple[PipelineOrder, ...]:
        """Open orders as they look at the close of a period."""
        mean = self.lead_times.mean
        orders = [
            PipelineOrder(
                units, float(due - period - 1) if certain else max(0.0, mean - (period - placed)), period - placed
            )
            for placed, due, units in self.open
            if certain or period - placed <= self.lead_times.longest
        ]
        return tuple(sorted(orders, key=lambda order: order.due))

    def place(self, item: str, period: int, quantity: int, supplier: Supplier) -> None:
        """Order at the close of a period."""
        self.ordered = quantity
        deliveries: tuple[Delivery, ...] = supplier.deliver(f"{item} {period}", quantity)
        self.stock.order(deliveries)
        self.open += [(period, period + 1 + delivery.lead_time, delivery.quantity) for delivery in deliveries]


def live(
    history: DemandHistory,
    forecaster: Forecaster,
    policies: Mapping[str, Policy],
    supplier: Supplier,
    terms: Sequence[Economics],
    *,
    opening: Sequence[int] | None = None,
    visible_losses: bool = True,
) -> Iterator[LoopRow]:
    """Yield what happened, period by period; without `visible_losses` policies see sales, not demand."""
    promised = round(sum(supplier.lead_times) / len(supplier.lead_times))
    certain = len(set(supplier.lead_times)) == 1 and supplier.loss_chance == 0.0
    runs = [
        {
            name: PolicyRun(policy, promised, terms[number], opening[number] if opening else 0)
            for name, policy in policies.items()
        }
        for number in range(len(history.items))
    ]
    states, shop_facts = [forecaster.fresh() for _ in history.items], ShopFacts(len(history.items))
    horizon = max(supplier.lead_times) + 1
    for period in range(len(history.starts) - 1):
        for number, item in enumerate(history.items):
            now = history.ahead(number, period)
            demand = int(history.demand[number, period] + 0.5)
            coming = [history.ahead(number, period + 1 + step) for step in range(horizon)]
            closed = ClosedPeriod(now.starts, now.ends, float(demand), promotion=now.promotion, price=now.price)
            reach = coming[: promised + max(1, terms[number].review_periods)]
            forecaster.learn(states[number], item, closed, reach)
            forecast = forecaster.forecast(states[number], item, reach)
            facts = shop_facts.learn(number, closed, reach)
            for name, run in runs[number].items():
                yield _period(
                    run, name, item, period, demand, forecast, facts, terms[number], supplier, certain, visible_losses
                )


def _period(  # noqa: PLR0913, PLR0917 - one step of the loop above, with all it holds
    run: PolicyRun,
    name: str,
    item: str,
    period: int,
    demand: int,
    forecast: Any,
    facts: DemandFacts,
    terms: Economics,
    supplier: Supplier,
    certain: bool,  # noqa: FBT001
    visible_losses: bool,  # noqa: FBT001
) -> LoopRow:
    """One period of one run."""
    run.receive(period)
    day = run.stock.live(demand)
    fee = terms.order_cost if run.ordered else 0.0
    short = day.lost if terms.stock_out == "lost" else max(-day.left, 0)
    cost = terms.holding * max(day.left, 0) + terms.shortage * short + fee
    situation = Situation(
        item,
        period,
        day.left,
        run.underway(period, certain=certain),
        run.lead_times.chances(),
        forecast,
        terms,
        may_order=(period + 1) % max(1, terms.review_periods) == 0,
        facts=facts,
    )
    asked = float(demand if visible_losses else day.sold)
    censored = not visible_losses and day.lost > 0
    run.policy.learn(run.state, situation, Outcome(asked, float(day.sold), day.received, censored, run.ordered))
    run.place(item, period, guard(run.policy.decide(run.state, situation).quantity, situation).quantity, supplier)
    return LoopRow(item, period, name, day.on_hand, day.on_order, run.ordered, demand, day.sold, day.lost, cost)
