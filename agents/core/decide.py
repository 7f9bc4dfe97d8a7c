"""Decides: asks the champion, keeps its advice within the guardrails, and gives the reasons. It changes no item.

A decision is a journal entry; entries.py applies it to the state, and cause.py publishes it.
"""

from math import isfinite

import msgspec

from agents.core.cause import Cause, broken_down
from agents.core.counters import Counters
from agents.core.learners import Learners
from agents.core.learning_state import LearningState, learning_state_of
from agents.core.review import Review
from agents.core.review_event import interval_forecast
from agents.core.shard_state import ShardState
from agents.core.situation import situation_of, wait_of
from agents.inventory import daily_bound, replenishments, unusual
from agents.inventory.alerts import NEWCOMER_DAYS
from agents.inventory.ask_limits import ask_limits, asks
from agents.inventory.card import Card
from agents.inventory.periods import decides
from agents.inventory.position import Item, is_known
from agents.inventory.terms import Effective
from agents.policies.base import Advice, Role, Situation
from agents.policies.guardrails import BEYOND_FACTS, Guarded, guard, respects
from schemas.journal import Decided
from schemas.ledger import Milliseconds
from schemas.outbound import Trigger, Why
from schemas.quantities import DAY_MS, money

UNUSUAL_SHARE = 0.5
"""Somebody is asked when this share of what facts explain is wanted beyond it."""


class Choice(msgspec.Struct, frozen=True):
    """What a policy would order, and what is left of it within the guardrails."""

    advice: Advice
    guarded: Guarded
    policy: str
    version: int
    role: Role
    baseline_quantity: int


class Decider:
    """The decisions of one shard."""

    def __init__(self, state: ShardState, learners: Learners, counters: Counters) -> None:
        self._state = state
        self._learners = learners
        self._counters = counters

    def may_act(self, item: Item, moment: Milliseconds) -> bool:
        """Whether orders and alerts are allowed: the stock of that moment is known, and deciding has begun."""
        begins = self._state.frame.settings.decide_from
        return is_known(item, moment) and (begins is None or moment >= begins)

    def choose(self, learning_state: LearningState, terms: Effective, situation: Situation) -> Choice:
        """Ask the champion, and the baseline when it fails; put what it says within the guardrails."""
        baseline, policy = self._learners.baseline, self._learners.champion(terms)
        advice = self._learners.ask(policy, learning_state, situation)
        role: Role = "champion"
        if advice is None:
            policy, role = baseline, "baseline"
            advice = self._learners.ask(policy, learning_state, situation) or Advice(0.0, -1, 0, 0)
        beside = advice.quantity if policy is baseline else advice.baseline_quantity
        if beside is None:
            other = self._learners.ask(baseline, learning_state, situation)
            beside = other.quantity if other is not None else 0.0
        phase_out = terms.lifecycle == "phase_out"
        guarded = guard(advice.quantity, situation, phase_out=phase_out)
        beside_guarded = guarded if beside == advice.quantity else guard(beside, situation, phase_out=phase_out)
        if not respects(guarded.quantity, guarded.cap, situation, situation.economics):
            self._counters.violations["I12"] += 1
        return Choice(
            advice=advice,
            guarded=guarded,
            policy=advice.policy or policy.name,
            version=advice.version or policy.version,
            role=advice.role if advice.policy else role,
            baseline_quantity=beside_guarded.quantity,
        )

    def at_review(self, card: Card, review: Review, choice: Choice, cause: Cause) -> Decided | None:
        """Decide at a review; None when nothing is to be ordered, or not today."""
        if not review.may_order:
            return None
        return self._order(card, review.terms, review.situation, choice, cause, "review")

    def between_reviews(self, card: Card, cause: Cause) -> Decided | None:
        """Decide because the position fell to the reorder point; None when nothing is to be ordered, or not today."""
        learning_state, frame = learning_state_of(card), self._state.frame
        terms = card.terms(frame.suppliers)
        if terms.order_days and not decides(cause.moment, None, terms.order_days, frame.settings):
            return None
        situation = self.situation(card, cause.moment)
        if situation is None:
            return None
        choice = self.choose(learning_state, terms, situation)
        return self._order(card, terms, situation, choice, cause, "reorder_point")

    def situation(self, card: Card, moment: Milliseconds) -> Situation | None:
        """The item's situation at a moment between two reviews; None before the first."""
        learning_state, frame = learning_state_of(card), self._state.frame
        terms, settings, forecast = card.terms(frame.suppliers), frame.settings, learning_state.record.forecast
        if forecast is None:
            return None
        lead_time = self._learners.lead_time(learning_state, terms.supplier, wait_of(terms, settings.period_ms))
        facts = self._learners.facts(learning_state, card.item.abc)
        return situation_of(card, terms, lead_time, forecast, moment, settings, may_order=True, facts=facts)

    def approved(self, card: Card, replenishment: str, cause: Cause) -> Decided | None:
        """Turn a proposal into a request, under the same id and for the same reasons; None when it is not open."""
        order = replenishments.find(card.item, replenishment)
        decisions = learning_state_of(card).record.decisions
        proposal = next((decided for decided in decisions if decided.replenishment == replenishment), None)
        if order is None or order.status != "proposed" or proposal is None:
            return None
        return msgspec.structs.replace(
            proposal, at=cause.at, proposed=False, quantity=order.outstanding or order.quantity
        )

    def beyond_facts(self, card: Card, review: Review, choice: Choice, cause: Cause) -> Decided | None:
        """Ask for what was wanted beyond all that facts explain, at most as much again as they do; None for nothing.

        Nobody is asked while the facts are young, since they grow with every day and the next review orders what they
        explain by then; nor for less than as much again, or than half the position that they explain.
        """
        quantity = choice.guarded.quantity
        explained = review.situation.position + quantity
        unusual_much = choice.guarded.unexplained >= max(quantity, UNUSUAL_SHARE * explained)
        fits = quantity > 0 and unusual_much and quantity >= review.situation.economics.minimum_order
        if self._facts_are_young(review.situation):
            return None
        item = card.item
        if not fits or unusual.find(item) is not None or cause.moment < item.unasked_until:
            return None
        if not daily_bound.may_decide(item, cause.moment, "review"):
            return None
        why = self._why(item, review.terms, review.situation, choice, "review", (BEYOND_FACTS,))
        why = msgspec.structs.replace(why, explained_quantity=choice.guarded.quantity)
        return self._decided(card, review.terms, quantity, cause, why, proposed=True)

    def _order(
        self, card: Card, terms: Effective, situation: Situation, choice: Choice, cause: Cause, trigger: Trigger
    ) -> Decided | None:
        """Order what was chosen, if that is anything; that young facts explain little is no clamp worth counting."""
        young = self._facts_are_young(situation)
        self._counters.clamps.update(each for each in choice.guarded.clamped_by if not (young and each == BEYOND_FACTS))
        quantity = choice.guarded.quantity
        if quantity == 0:
            return None
        frame = self._state.frame
        supplier = frame.suppliers.get(terms.supplier) if terms.supplier is not None else None
        limits = ask_limits(card.said.terms, supplier, frame.classes.get(terms.abc))
        reasons = asks(quantity, terms.unit_cost, limits)
        why = self._why(card.item, terms, situation, choice, trigger, reasons)
        return self._decided(card, terms, quantity, cause, why, proposed=terms.mode == "approve" or reasons != ())

    def _facts_are_young(self, situation: Situation) -> bool:
        """Whether facts grow with every day still, so that the next review explains more."""
        facts = situation.facts
        return facts is None or facts.periods * self._state.frame.settings.period_ms < NEWCOMER_DAYS * DAY_MS

    def _decided(
        self, card: Card, terms: Effective, quantity: int, cause: Cause, why: Why, *, proposed: bool
    ) -> Decided:
        return Decided(
            at=cause.at,
            item=card.name,
            replenishment=cause.name("rep"),
            quantity=quantity,
            proposed=proposed,
            decided_at=cause.moment,
            need_by=cause.moment + int(terms.lead_time_days * DAY_MS),
            supplier=terms.supplier,
            why=why,
        )

    def _why(
        self,
        item: Item,
        terms: Effective,
        situation: Situation,
        choice: Choice,
        trigger: Trigger,
        reasons: tuple[str, ...],
    ) -> Why:
        """The reasons of a decision, as event and journal keep them."""
        advice, settings, cost = choice.advice, self._state.frame.settings, choice.advice.expected_cost
        return Why(
            policy=choice.policy,
            version=choice.version,
            role=choice.role,
            position=broken_down(item),
            forecast=interval_forecast(situation.protection, settings.period_ms / DAY_MS),
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
            asks=reasons,
        )
