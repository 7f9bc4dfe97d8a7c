"""A review: learn from the period that closed, forecast, weigh, decide, explain.

The planner leads an item's forecaster, policies and guardrails through it. Of what it decides nothing stays in the
state but by `place`, which takes what the journal can tell again: so replay ends where the live run did.
"""

from collections.abc import Sequence
from math import isfinite

import msgspec

from agents.core.cause import Cause, broken_down
from agents.core.counters import Counters
from agents.core.learners import Learners
from agents.core.learning_state import REMEMBERED, LearningState, decode_learning_state
from agents.core.review_event import contest_costs, cost_ledger, review_of, told_forecast
from agents.core.situation import reach, situation_of, wait_of
from agents.forecasting.base import Ahead, ClosedPeriod, DemandForecast
from agents.inventory import replenishments
from agents.inventory.card import Card
from agents.inventory.catalogue import Catalogue
from agents.inventory.fold import Frame, terms_of
from agents.inventory.periods import Closed, close, decides, start_of, until_next
from agents.inventory.position import Item, Order, Status, available, on_hand, position
from agents.inventory.terms import Effective
from agents.policies.base import Advice, Economics, Outcome, Role, Situation
from agents.policies.guardrails import Guarded, guard, respects
from schemas.journal import Decided, JournalEntry
from schemas.ledger import Milliseconds
from schemas.outbound import AlertKind, Decision, ItemReviewed, Trigger, Why
from schemas.quantities import DAY_MS, money

DEAD_STOCK_DAYS = 90
"""Stock that nobody asked for in so long is dead."""


class Choice(msgspec.Struct, frozen=True):
    """What somebody would order, and what is left of it within the guardrails."""

    advice: Advice
    guarded: Guarded
    policy: str
    version: int
    role: Role
    baseline_quantity: int


class Reviewer:
    """The reviews and decisions of one shard."""

    def __init__(self, frame: Frame, catalogue: Catalogue, counters: Counters) -> None:
        self.learners = Learners(frame, counters)
        self._frame = frame
        self._catalogue = catalogue
        self._counters = counters

    # Deciding -----------------------------------------------------------------------------------------------------

    def review(self, card: Card, cause: Cause, told: Sequence[JournalEntry] | None) -> ItemReviewed | None:
        """Close the open period and decide; with what was told, decide nothing and report nothing."""
        item, mind, settings = card.item, self.mind(card), self._frame.settings
        terms = terms_of(card, self._frame)
        closed = close(item, settings)
        card.bucket_starts = card.bucket_ends = 0
        expected = mind.record.forecast
        self.learners.learn_waits(mind, item.waits)
        item.waits = []
        lead_time = self._lead_time(mind, terms)
        forecast = self._forecast(card, mind, terms, closed, lead_time)
        may_order = decides(closed.ends, terms.review_period_days, terms.order_days, settings)
        situation = situation_of(card, terms, lead_time, forecast, closed.ends, settings, may_order=may_order)
        champion, baseline = self.learners.champion(terms), self.learners.baseline.name
        before = contest_costs(mind, champion, baseline)
        self._learn(mind, terms, situation, closed)
        costs = contest_costs(mind, champion, baseline)
        self._counters.spend(item.abc, before, costs)
        self._account(item, mind, situation.economics, closed)
        choice = self._choose(mind, terms, situation)
        decided = None
        if told is not None:
            self.retell(card, told)
        elif may_order and self.may_act(item, cause.moment):
            decided = self._order(card, terms, situation, choice, cause, "review")
        self._set_levels(card, mind, terms, choice)
        item.below = position(item) <= choice.advice.reorder_point and (may_order or item.below)
        if told is not None:
            return None
        decision: Decision = "replenish" if decided else "enough"
        if not self.may_act(item, cause.moment):
            decision = "not_yet" if item.known else "stock_unknown"
        cost = cost_ledger(costs, mind.record.cost, settings.currency)
        return review_of(card, mind, closed, expected, decision, decided, cost, settings)

    def cross(self, card: Card, cause: Cause) -> None:
        """Decide between two reviews, because the position fell to the reorder point."""
        mind, terms = self.mind(card), terms_of(card, self._frame)
        if mind.record.forecast is None:
            return
        if terms.order_days and not decides(cause.moment, None, terms.order_days, self._frame.settings):
            return
        lead_time = self._lead_time(mind, terms)
        situation = situation_of(
            card, terms, lead_time, mind.record.forecast, cause.moment, self._frame.settings, may_order=True
        )
        self._order(card, terms, situation, self._choose(mind, terms, situation), cause, "reorder_point")

    def approve(self, card: Card, replenishment: str, cause: Cause) -> None:
        """Turn a proposal into a request, under the same id and for the same reasons."""
        order = replenishments.find(card.item, replenishment)
        proposal = next((d for d in self.mind(card).record.decisions if d.replenishment == replenishment), None)
        if order is None or order.status != "proposed" or proposal is None:
            return
        self._tell(
            card, msgspec.structs.replace(proposal, at=cause.at, proposed=False, quantity=order.outstanding), cause
        )

    def retell(self, card: Card, told: Sequence[JournalEntry]) -> None:
        """Let what was decided then stand."""
        for entry in told:
            if isinstance(entry, Decided):
                self.place(card, entry)

    def place(self, card: Card, decided: Decided) -> None:
        """Let a decision stand in the state."""
        item, record = card.item, self.mind(card).record
        card.mind_changed = True
        order = replenishments.find(item, decided.replenishment)
        if order is not None:
            order.status = "requested"
        else:
            patience = replenishments.patience(decided.need_by - decided.decided_at, self._frame.settings)
            status: Status = "proposed" if decided.proposed else "requested"
            order = Order(
                decided.replenishment, status, decided.quantity, decided.quantity, 0,
                decided.decided_at, decided.need_by, patience, supplier=decided.supplier,
            )  # fmt: skip
            replenishments.place(item, order)
            record.ordered += decided.quantity
        proposed = {order.id for order in item.orders if order.status == "proposed"}
        kept = [*(d for d in record.decisions if d.replenishment != decided.replenishment), decided]
        record.decisions = [d for d in kept[:-REMEMBERED] if d.replenishment in proposed] + kept[-REMEMBERED:]

    def may_act(self, item: Item, moment: Milliseconds) -> bool:
        """Whether orders and alerts are allowed: the stock is known, and deciding has begun."""
        begins = self._frame.settings.decide_from
        return item.known and (begins is None or moment >= begins)

    def standing(self, card: Card, now: Milliseconds) -> dict[AlertKind, bool]:
        """The conditions that only a review looks at."""
        item, terms, stock = card.item, terms_of(card, self._frame), available(card.item)
        due = (replenishments.due_at(order) for order in item.orders if order.outstanding > 0)
        next_receipt = min((at for at in due if at >= now), default=now + terms.lead_time_days * DAY_MS)
        runs_out = item.daily > 0.0 and now + stock / item.daily * DAY_MS < next_receipt
        forecaster = self.learners.forecaster(terms.forecaster)
        known_for = item.closed_periods * self._frame.settings.period_ms
        unasked = min(now - item.asked_at, known_for) >= DEAD_STOCK_DAYS * DAY_MS
        return {
            "projected_stock_out": stock > 0 and runs_out,
            "demand_shift": bool(forecaster.shifted(self.mind(card).peek(forecaster))),
            "dead_stock": stock > 0 and unasked,
        }

    def mind(self, card: Card) -> LearningState:
        """The item's mind, decoded when first asked for."""
        if card.mind is None:
            card.mind = decode_learning_state(card.mind_data)
        mind: LearningState = card.mind
        return mind

    # Parts of a review --------------------------------------------------------------------------------------------

    def _lead_time(self, mind: LearningState, terms: Effective) -> tuple[float, ...]:
        """Chances of each lead time, as promised and as lived through."""
        return self.learners.lead_time(mind, terms.supplier, wait_of(terms, self._frame.settings.period_ms))

    def _forecast(
        self, card: Card, mind: LearningState, terms: Effective, closed: Closed, lead_time: tuple[float, ...]
    ) -> DemandForecast:
        """Learn from the closed period, look ahead, and see how the last forecasts did."""
        settings, item = self._frame.settings, card.item
        plan = self._catalogue.plan(card.name, card.said, closed.starts, closed.ends, settings)
        demand, price = closed.bucket.demand, plan.price if plan.price is not None else item.paid
        is_open = plan.is_open or demand > 0
        period = ClosedPeriod(
            closed.starts, closed.ends, float(demand), closed.censored, is_open, plan.promotion, price
        )
        ahead, starts = [], closed.ends
        interval = until_next(closed.ends, terms.review_period_days, terms.order_days, settings)
        for _ in range(reach(lead_time, interval)):
            ends = start_of(starts, settings) + settings.period_ms
            plan = self._catalogue.plan(card.name, card.said, starts, ends, settings)
            at = plan.price if plan.price is not None else price
            ahead.append(Ahead(starts, ends, plan.is_open, plan.promotion, at))
            starts = ends
        forecaster = self.learners.forecaster(terms.forecaster)
        mind.forget(forecaster.name, {policy.name for policy in self.learners.learning(terms)})
        forecast = mind.record.forecast = self.learners.forecast(forecaster, mind, card.name, period, ahead)
        if card.said.forget(closed.starts):
            card.say()
        judged = mind.record.accuracy.happened(demand)
        if judged is not None:
            self._counters.judge(item.abc, judged)
        mind.record.accuracy.expect(forecast.mean, forecast.quantiles, len(forecast.path))
        return forecast

    def _learn(self, mind: LearningState, terms: Effective, situation: Situation, closed: Closed) -> None:
        bucket, record = closed.bucket, mind.record
        sold = float(bucket.demand - bucket.lost)
        outcome = Outcome(float(bucket.demand), sold, bucket.received, closed.censored, record.ordered)
        for policy in self.learners.learning(terms):
            self.learners.learn(policy, mind, situation, outcome)

    def _account(self, item: Item, mind: LearningState, economics: Economics, closed: Closed) -> None:
        """Add the closed period to figures and costs."""
        record, bucket, hand = mind.record, closed.bucket, max(0, on_hand(item))
        owed = max(0, -available(item))
        unserved = bucket.lost + max(0, owed - record.owed)
        fee = economics.order_cost if record.ordered else 0.0
        record.owed, record.ordered = owed, 0
        record.cost += economics.holding * hand + economics.shortage * unserved + fee
        if item.known:
            record.figures.add(
                demand=bucket.demand,
                unserved=unserved,
                on_hand=hand,
                available=available(item),
                holding=economics.holding,
                period_days=self._frame.settings.period_ms / DAY_MS,
            )
        self._counters.review(item.abc, bucket.demand, unserved)

    def _choose(self, mind: LearningState, terms: Effective, situation: Situation) -> Choice:
        """Ask the champion, and the baseline when it fails; put what it says within the guardrails."""
        baseline, policy = self.learners.baseline, self.learners.champion(terms)
        advice = self.learners.ask(policy, mind, situation)
        role: Role = "champion"
        if advice is None:
            policy, role = baseline, "baseline"
            advice = self.learners.ask(policy, mind, situation) or Advice(0.0, -1, 0, 0)
        beside = advice.quantity if policy is baseline else advice.baseline_quantity
        if beside is None:
            other = self.learners.ask(baseline, mind, situation)
            beside = other.quantity if other is not None else 0.0
        phase_out = terms.lifecycle == "phase_out"
        guarded = guard(advice.quantity, situation, phase_out=phase_out)
        if not respects(guarded.quantity, guarded.cap, situation, situation.economics):
            self._counters.violations["I12"] += 1
        return Choice(
            advice=advice,
            guarded=guarded,
            policy=advice.policy or policy.name,
            version=advice.version or policy.version,
            role=advice.role if advice.policy else role,
            baseline_quantity=guard(beside, situation, phase_out=phase_out).quantity,
        )

    def _order(
        self, card: Card, terms: Effective, situation: Situation, choice: Choice, cause: Cause, trigger: Trigger
    ) -> Decided | None:
        """Order what was chosen, if that is anything."""
        self._counters.clamps.update(choice.guarded.clamped_by)
        if choice.guarded.quantity == 0:
            return None
        decided = Decided(
            at=cause.at,
            item=card.name,
            replenishment=cause.name("rep"),
            quantity=choice.guarded.quantity,
            proposed=terms.mode == "approve",
            decided_at=cause.moment,
            need_by=cause.moment + int(terms.lead_time_days * DAY_MS),
            supplier=terms.supplier,
            why=self._why(card.item, terms, situation, choice, trigger),
        )
        self._tell(card, decided, cause)
        return decided

    def _tell(self, card: Card, decided: Decided, cause: Cause) -> None:
        """Let a new decision stand, and tell it."""
        self.place(card, decided)
        cause.decided(decided)
        self._counters.decide(decided.why.policy, "proposed" if decided.proposed else "requested", decided.quantity)

    def _why(self, item: Item, terms: Effective, situation: Situation, choice: Choice, trigger: Trigger) -> Why:
        advice, settings, cost = choice.advice, self._frame.settings, choice.advice.expected_cost
        return Why(
            policy=choice.policy,
            version=choice.version,
            role=choice.role,
            position=broken_down(item),
            forecast=told_forecast(situation.protection, settings.period_ms / DAY_MS),
            reorder_point=advice.reorder_point,
            order_up_to=advice.order_up_to,
            safety_stock=advice.safety_stock,
            baseline_quantity=choice.baseline_quantity,
            clamped_by=choice.guarded.clamped_by,
            expected_cost=money(max(0.0, cost), settings.currency) if cost is not None and isfinite(cost) else None,
            trigger=trigger,
            service_level=situation.economics.critical_ratio,
            lead_time_days=terms.lead_time_days,
            arm=advice.arm,
            advantage=advice.advantage,
        )

    def _set_levels(self, card: Card, mind: LearningState, terms: Effective, choice: Choice) -> None:
        """Let the levels of this review hold until the next."""
        item, advice, forecast = card.item, choice.advice, mind.record.forecast
        item.reorder_point = advice.reorder_point
        item.order_up_to = advice.order_up_to
        item.safety_stock = advice.safety_stock
        item.low_stock = terms.low_stock if terms.low_stock is not None else advice.safety_stock
        days = len(forecast.path) * self._frame.settings.period_ms / DAY_MS if forecast else 0.0
        item.daily = forecast.mean / days if forecast and days else 0.0
        mind.record.policy = choice.policy
        fallen_in = item.abc if choice.role == "baseline" else None
        if fallen_in != mind.record.fallen_in:
            self._counters.fall(mind.record.fallen_in, fallen_in)
            mind.record.fallen_in = fallen_in
        card.mind_changed = True
