"""Follows up a change or a wake-up of an item: decides, begins and ends alerts, sets levels and the next wake-up.

The way is always the same: gather, decide, apply, publish. In replay the journal's entries take the place of deciding,
and nothing is published.
"""

from collections.abc import Mapping, Sequence

from agents.core.cause import Cause
from agents.core.contest_costs import cost_ledger
from agents.core.counters import Counters
from agents.core.decide import Choice, Decider
from agents.core.entries import let_alert_stand, let_decision_stand
from agents.core.learning_state import learning_state_of
from agents.core.review import Review, Reviewer
from agents.core.review_event import review_event
from agents.core.shard_state import ShardState
from agents.inventory import alerts, daily_bound, holds, replenishments, unusual
from agents.inventory.card import Card
from agents.inventory.conservation import conserved
from agents.inventory.fold import COUNTABLE
from agents.inventory.periods import Schedule, due
from agents.inventory.position import Item, available, is_known, position, waiting_since
from schemas.journal import Alerted, Decided, JournalEntry
from schemas.ledger import Approved, Milliseconds, Movement
from schemas.outbound import AlertKind, Decision
from schemas.quantities import DAY_MS


class Followup:
    """Follows up the changes of one shard's items."""

    def __init__(
        self, state: ShardState, reviewer: Reviewer, decider: Decider, schedule: Schedule, counters: Counters
    ) -> None:
        self._state = state
        self._reviewer = reviewer
        self._decider = decider
        self._schedule = schedule
        self._counters = counters

    def after_change(self, card: Card, cause: Cause, now: Milliseconds) -> None:
        """Do what a movement, or the deadline of an order, calls for."""
        item = card.item
        may_act = self._decider.may_act(item, cause.moment)
        if cause.entries is not None:
            self.replay(card, cause.entries, cause.moment)
        else:
            self._stand_and_publish(card, self._decide_after_change(card, cause, may_act=may_act), cause)
        item.below = _at_reorder_point(item)
        if may_act and cause.entries is None:
            self._alert(card, cause, alerts.edges(item, overdue=self._is_overdue(item, now)))
        self.await_next(card, now)

    def at_moment(self, card: Card, cause: Cause) -> None:
        """Give up orders that were silent for too long; review the item if its period is over."""
        now = cause.moment
        replenishments.give_up(card, now)
        if now < due(card.item, card.name, self._state.frame.settings):
            self.after_change(card, cause, now)
            return
        self._review(card, cause)
        card.history.forget(now - COUNTABLE)
        if not conserved(card.item):
            self._counters.violations["I1"] += 1
        self.await_next(card, now)

    def replay(self, card: Card, entries: Sequence[JournalEntry], moment: Milliseconds) -> None:
        """Apply the journal's entries of a moment again: decisions, and alerts that began or ended."""
        for entry in entries:
            if isinstance(entry, Decided):
                let_decision_stand(card, entry, self._state.frame.settings, moment)
            elif isinstance(entry, Alerted):
                let_alert_stand(card, entry, self._counters)

    def await_next(self, card: Card, now: Milliseconds) -> None:
        """Note what the next movements are checked against, and when the item wants attention even if nothing moves."""
        item, settings = card.item, self._state.frame.settings
        if item.known and available(item) <= 0:
            item.open.ran_out = True
        if (waiting := waiting_since(item)) != card.waiting:
            self._counters.wait(card.waiting, waiting)
            card.waiting = waiting
        card.settle()
        wake = min(due(item, card.name, settings), replenishments.next_deadline(item, now, settings))
        if wake != card.wake:
            card.wake = wake
            self._schedule.add(wake, card.name)

    # Decisions ----------------------------------------------------------------------------------------------------

    def _decide_after_change(self, card: Card, cause: Cause, *, may_act: bool) -> Decided | None:
        """Decide because a buyer approved, or because the position has just fallen to the reorder point."""
        item, record = card.item, cause.record
        if isinstance(record, Movement) and isinstance(record.change, Approved):
            return self._decider.approved(card, record.change.replenishment, cause)
        crossed = not item.below and _at_reorder_point(item)
        if may_act and crossed and not item.held and daily_bound.may_decide(item, cause.moment, "reorder_point"):
            return self._decider.between_reviews(card, cause)
        return None

    def _stand_and_publish(self, card: Card, decided: Decided | None, cause: Cause) -> None:
        """Apply a new decision, and publish it."""
        if decided is not None:
            let_decision_stand(card, decided, self._state.frame.settings, cause.moment)
            cause.decided(decided)
            kind = "proposed" if decided.proposed else "requested"
            self._counters.decide(decided.why.policy, kind, decided.quantity)

    # Reviews ------------------------------------------------------------------------------------------------------

    def _review(self, card: Card, cause: Cause) -> None:
        """Learn from the closed period, decide, set the levels anew, and publish what was found."""
        item, now = card.item, cause.moment
        review = self._reviewer.review(card)
        choice = self._decider.choose(learning_state_of(card), review.terms, review.situation)
        may_act, decided = self._decider.may_act(item, now), None
        if item.held and self._state.catalogue.renewed_since(review.terms.supplier, item.refused_at):
            holds.lift(item)
        if review.may_order:
            holds.reviewed(item, now)
        held = item.held > 0 or not daily_bound.may_decide(item, now, "review")
        if cause.entries is not None:
            self.replay(card, cause.entries, now)
        elif may_act and not held:
            decided = self._decider.at_review(card, review, choice, cause)
            self._stand_and_publish(card, decided, cause)
            if decided is not None:
                self._stand_and_publish(card, self._decider.beyond_facts(card, review, choice, cause), cause)
        self._set_levels(card, review, choice)
        if cause.entries is not None:
            return
        conditions = self._reviewer.conditions(card, now)
        still_wanted = choice.guarded.unexplained > 0 or not (review.may_order or review.corrected)
        conditions["unusual_order"] = still_wanted and unusual.find(item) is not None
        if may_act:
            overdue = self._is_overdue(item, now)
            self._alert(card, cause, alerts.edges(item, overdue=overdue, reviewed=conditions), at_review=True)
        decision: Decision = "replenish" if decided else "enough"
        if held and choice.guarded.quantity > 0:
            decision = "held"
        if not may_act:
            decision = "not_yet" if is_known(item, now) else "stock_unknown"
        self._publish_review(card, cause, review, decision, decided, conditions)

    def _set_levels(self, card: Card, review: Review, choice: Choice) -> None:
        """Let the levels of this review hold until the next."""
        item, advice, terms, record = card.item, choice.advice, review.terms, learning_state_of(card).record
        item.reorder_point = advice.reorder_point
        item.order_up_to = advice.order_up_to
        item.safety_stock = advice.safety_stock
        item.low_stock = terms.low_stock if terms.low_stock is not None else advice.safety_stock
        forecast = record.forecast
        days = len(forecast.path) * self._state.frame.settings.period_ms / DAY_MS if forecast else 0.0
        item.daily = forecast.mean / days if forecast and days else 0.0
        item.below = _at_reorder_point(item) and (review.may_order or item.below)
        record.policy = choice.policy
        fallen_in = item.abc if choice.role == "baseline" else None
        if fallen_in != record.fallen_in:
            self._counters.fall(record.fallen_in, fallen_in)
            record.fallen_in = fallen_in

    def _publish_review(
        self,
        card: Card,
        cause: Cause,
        review: Review,
        decision: Decision,
        decided: Decided | None,
        conditions: Mapping[AlertKind, bool],
    ) -> None:
        learning_state, settings = learning_state_of(card), self._state.frame.settings
        cost = cost_ledger(review.costs, learning_state.record.cost, settings.currency)
        drift = conditions["demand_shift"]
        cause.reviewed(review_event(card, learning_state, review, decision, decided, cost, settings, drift=drift))

    # Alerts -------------------------------------------------------------------------------------------------------

    def _is_overdue(self, item: Item, now: Milliseconds) -> bool:
        return replenishments.is_overdue(item, now, self._state.frame.settings)

    def _alert(
        self, card: Card, cause: Cause, edges: Sequence[tuple[AlertKind, bool]], *, at_review: bool = False
    ) -> None:
        """Begin and end alerts, and publish that; what is beyond the daily bound waits for a later review."""
        for kind, raised in edges:
            if not daily_bound.may_alert(card.item, cause.moment, kind, at_review=at_review):
                continue
            open_one = next((episode.id for episode in card.item.alerts if episode.kind == kind), None)
            alerted = Alerted(cause.at, card.name, kind, raised, open_one or cause.name("eps"), cause.moment)
            let_alert_stand(card, alerted, self._counters)
            self._counters.drifts += kind == "demand_shift" and raised
            cause.alerted(card, kind, alerted)


def _at_reorder_point(item: Item) -> bool:
    return item.reorder_point is not None and position(item) <= item.reorder_point
