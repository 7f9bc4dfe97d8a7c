"""Reviews an item when its period is over: learns from the period, looks ahead, and adds up costs and figures.

A review decides nothing. It gathers what a decision is made from (see decide.py), in replay as in the live run.
"""

from functools import partial

import msgspec

from agents.core.contest_costs import contest_costs
from agents.core.corrections import learn_corrections
from agents.core.counters import Counters
from agents.core.learners import Learners
from agents.core.learning_state import LearningState, learning_state_of
from agents.core.shard_state import ShardState
from agents.core.situation import reach, situation_of, wait_of
from agents.forecasting.base import Ahead, ClosedPeriod, DemandForecast
from agents.inventory import replenishments
from agents.inventory.card import Card
from agents.inventory.catalogue import Plan
from agents.inventory.periods import Closed, decides, start_of, until_next
from agents.inventory.position import Item, available, is_known, on_hand
from agents.inventory.remembered_demand import RememberedPeriod
from agents.inventory.terms import Effective
from agents.policies.base import Economics, Outcome, Situation
from schemas.ledger import Milliseconds
from schemas.outbound import AlertKind
from schemas.quantities import DAY_MS

SHORT_BY = 1.0
"""Units that must be expected to be missing before the next receipt; less is no stock-out."""
DEAD_STOCK_DAYS = 90
"""Stock that nobody asked for in so long is dead."""


class Review(msgspec.Struct, frozen=True):
    """What a review found."""

    closed: Closed
    expected: DemandForecast | None
    """What was forecast at the review before."""
    terms: Effective
    situation: Situation
    costs: dict[str, float]
    """What the contestants have cost so far; empty where there is no contest."""
    may_order: bool
    """Whether it is an order day."""
    corrected: bool
    """Whether demand of the past was corrected since the review before."""


class Reviewer:
    """The reviews of one shard."""

    def __init__(self, state: ShardState, learners: Learners, counters: Counters) -> None:
        self._state = state
        self._learners = learners
        self._counters = counters

    def review(self, card: Card) -> Review:
        """Close the open period and learn from it."""
        item, learning_state, settings = card.item, learning_state_of(card), self._state.frame.settings
        terms = card.terms(self._state.frame.suppliers)
        closed, corrected = card.close_period(settings), card.remembered.before != {}
        expected = learning_state.record.forecast
        self._learners.learn_waits(learning_state, item.waits)
        item.waits = []
        lead_time = self._learners.lead_time(learning_state, terms.supplier, wait_of(terms, settings.period_ms))
        forecast = self._forecast(card, learning_state, terms, closed, lead_time)
        may_order = decides(closed.ends, terms.review_period_days, terms.order_days, settings)
        facts = self._learners.facts(learning_state, item.abc)
        situation = situation_of(
            card, terms, lead_time, forecast, closed.ends, settings, may_order=may_order, facts=facts
        )
        costs = self._learn(item, learning_state, terms, situation, closed)
        self._account(item, learning_state, situation.economics, closed)
        card.learning_state_changed = True
        return Review(closed, expected, terms, situation, costs, may_order, corrected)

    def conditions(self, card: Card, now: Milliseconds) -> dict[AlertKind, bool]:
        """Whether the conditions hold that only a review looks at, by the kind of their alert."""
        item, stock = card.item, available(card.item)
        terms = card.terms(self._state.frame.suppliers)
        due = (replenishments.due_at(order) for order in item.orders if order.outstanding > 0)
        next_receipt = min((at for at in due if at >= now), default=now + terms.lead_time_days * DAY_MS)
        short = item.daily * (next_receipt - now) / DAY_MS - stock
        forecaster = self._learners.forecaster(terms.forecaster)
        known_for = item.closed_periods * self._state.frame.settings.period_ms
        unasked = min(now - item.asked_at, known_for) >= DEAD_STOCK_DAYS * DAY_MS
        return {
            "projected_stock_out": stock > 0 and short >= SHORT_BY,
            "demand_shift": bool(forecaster.shifted(learning_state_of(card).peek(forecaster))),
            "dead_stock": stock > 0 and unasked,
        }

    def _forecast(
        self, card: Card, learning_state: LearningState, terms: Effective, closed: Closed, lead_time: tuple[float, ...]
    ) -> DemandForecast:
        """Learn from the closed period, look ahead, and judge the forecasts made before."""
        settings, item = self._state.frame.settings, card.item
        period = self._closed_period(card, closed)
        interval = until_next(closed.ends, terms.review_period_days, terms.order_days, settings)
        ahead = self._ahead(card, closed.ends, reach(lead_time, interval), period.price)
        forecaster = self._learners.forecaster(terms.forecaster)
        learning_state.forget_others(forecaster.name, {policy.name for policy in self._learners.learning(terms)})
        learn_corrections(card, learning_state, forecaster, self._learners, partial(self._plan, card))
        forecast = learning_state.record.forecast = self._learners.forecast(
            forecaster, learning_state, card.name, period, ahead
        )
        self._learners.learn_facts(learning_state, item.abc, period, ahead)
        demand = RememberedPeriod(closed.bucket.demand, closed.censored, period.is_open, period.promotion)
        card.remembered.add(closed.starts, closed.ends, demand)
        card.keep_remembered()
        if card.said.forget(closed.starts):
            card.keep_said()
        judged = learning_state.record.accuracy.happened(closed.bucket.demand)
        if judged is not None:
            self._counters.judge(item.abc, judged)
        learning_state.record.accuracy.expect(forecast.mean, forecast.quantiles, len(forecast.path))
        return forecast

    def _closed_period(self, card: Card, closed: Closed) -> ClosedPeriod:
        """The closed period as forecasters learn it."""
        plan = self._plan(card, closed.starts, closed.ends)
        demand, price = closed.bucket.demand, plan.price if plan.price is not None else card.item.paid
        is_open = plan.is_open or demand > 0
        return ClosedPeriod(closed.starts, closed.ends, float(demand), closed.censored, is_open, plan.promotion, price)

    def _ahead(self, card: Card, starts: Milliseconds, periods: int, price: float | None) -> list[Ahead]:
        """What is known in advance of the periods to come; a price holds until another is known."""
        settings, ahead = self._state.frame.settings, []
        always = self._state.catalogue.always(card.name, card.said)
        ends = start_of(starts, settings) + settings.period_ms
        for _ in range(periods):
            plan = always or self._plan(card, starts, ends)
            at = plan.price if plan.price is not None else price
            ahead.append(Ahead(starts, ends, plan.is_open, plan.promotion, at))
            starts, ends = ends, ends + settings.period_ms
        return ahead

    def _plan(self, card: Card, starts: Milliseconds, ends: Milliseconds) -> Plan:
        """What is known of a period in advance."""
        return self._state.catalogue.plan(card.name, card.said, starts, ends, self._state.frame.settings)

    def _learn(
        self, item: Item, learning_state: LearningState, terms: Effective, situation: Situation, closed: Closed
    ) -> dict[str, float]:
        """Let the item's policies learn from the closed period; answers with what the contestants have cost so far."""
        champion, baseline = self._learners.champion(terms), self._learners.baseline.name
        before = contest_costs(learning_state, champion, baseline)
        bucket = closed.bucket
        sold = float(bucket.demand - bucket.lost)
        outcome = Outcome(float(bucket.demand), sold, bucket.received, closed.censored, learning_state.record.ordered)
        for policy in self._learners.learning(terms):
            self._learners.learn(policy, learning_state, situation, outcome)
        costs = contest_costs(learning_state, champion, baseline)
        self._counters.spend(item.abc, before, costs)
        return costs

    def _account(self, item: Item, learning_state: LearningState, economics: Economics, closed: Closed) -> None:
        """Add the closed period to figures and costs."""
        record, bucket, hand = learning_state.record, closed.bucket, max(0, on_hand(item))
        known = is_known(item, closed.ends)
        owed = max(0, -available(item)) if known else 0
        unserved = bucket.lost + max(0, owed - record.owed)
        fee = economics.order_cost if record.ordered else 0.0
        record.owed, record.ordered = owed, 0
        record.cost += economics.holding * hand + economics.shortage * unserved + fee
        if known:
            record.figures.add(
                demand=bucket.demand,
                unserved=unserved,
                on_hand=hand,
                available=available(item),
                holding=economics.holding,
                period_days=self._state.frame.settings.period_ms / DAY_MS,
            )
        self._counters.review(item.abc, bucket.demand + bucket.late, unserved + bucket.late_lost)
