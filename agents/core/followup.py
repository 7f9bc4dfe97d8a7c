"""What becomes of one card after something moved it, or its moment came: orders, alerts, and the next moment.

Live, the clerk decides and tells; in replay it lets stand what was told, and nothing else.
"""

from collections.abc import Sequence

import msgspec

from agents.core.cause import Cause
from agents.core.counters import Counters
from agents.core.review import Reviewer
from agents.inventory import alerts, replenishments
from agents.inventory.card import Card
from agents.inventory.conservation import conserved
from agents.inventory.fold import COUNTABLE, Frame
from agents.inventory.periods import Schedule, due
from agents.inventory.position import Episode, Item, available, position
from schemas.journal import Alerted, JournalEntry
from schemas.ledger import Approved, Milliseconds, Movement
from schemas.outbound import AlertKind
from schemas.quantities import MINUTE_MS


class Followup:
    """Sees to the cards of one shard."""

    def __init__(self, frame: Frame, planner: Reviewer, schedule: Schedule, counters: Counters) -> None:
        self._frame = frame
        self._planner = planner
        self._schedule = schedule
        self._counters = counters

    def settle(self, card: Card, cause: Cause, told: Sequence[JournalEntry] | None, now: Milliseconds) -> None:
        """Do what a movement, or a deadline, calls for."""
        item, planner, record = card.item, self._planner, cause.record
        may_act = told is None and planner.may_act(item, cause.moment)
        if told is not None:
            self.retell(card, told)
        elif isinstance(record, Movement) and isinstance(record.change, Approved):
            planner.approve(card, record.change.replenishment, cause)
        elif may_act and not item.below and _at_reorder_point(item):
            planner.cross(card, cause)
        item.below = _at_reorder_point(item)
        if may_act:
            self._tell_alerts(card, cause, alerts.edges(item, overdue=self._is_overdue(item, now)))
        self.rest(card, now)

    def attend(self, card: Card, cause: Cause, told: Sequence[JournalEntry] | None) -> None:
        """Review an item whose period is over, and see to orders that are overdue or lost."""
        item, now = card.item, cause.moment
        replenishments.give_up(card, now)
        if now < due(item, card.name, self._frame.settings):
            self.settle(card, cause, told, now)
            return
        review = self._planner.review(card, cause, told)
        if review is None:
            self._retell_alerts(card, told or ())
        else:
            standing = self._planner.standing(card, now)
            if self._planner.may_act(item, now):
                overdue = self._is_overdue(item, now)
                self._tell_alerts(card, cause, alerts.edges(item, overdue=overdue, reviewed=standing))
            cause.reviewed(msgspec.structs.replace(review, drift=standing["demand_shift"]))
        card.history.forget((now - COUNTABLE) // MINUTE_MS)
        if not conserved(item):
            self._counters.violations["I1"] += 1
        self.rest(card, now)

    def retell(self, card: Card, told: Sequence[JournalEntry]) -> None:
        """Let what was decided, begun and ended then do so again."""
        self._planner.retell(card, told)
        self._retell_alerts(card, told)

    def rest(self, card: Card, now: Milliseconds) -> None:
        """Note what the next movements are checked against, and when the item wants attention whatever moves."""
        item, settings = card.item, self._frame.settings
        if item.known and available(item) <= 0:
            item.open.ran_out = True
        alerts.quieten(card)
        wake = min(due(item, card.name, settings), replenishments.next_deadline(item, now, settings))
        if wake != card.wake:
            card.wake = wake
            self._schedule.add(wake, card.name)

    def _is_overdue(self, item: Item, now: Milliseconds) -> bool:
        return replenishments.is_overdue(item, now, self._frame.settings)

    def _tell_alerts(self, card: Card, cause: Cause, edges: Sequence[tuple[AlertKind, bool]]) -> None:
        """Begin and end alerts, and tell of it."""
        for kind, raised in edges:
            open_one = next((episode.id for episode in card.item.alerts if episode.kind == kind), None)
            entry = Alerted(cause.at, card.name, kind, raised, open_one or cause.name("eps"), cause.moment)
            self._set_alert(card, entry)
            self._counters.drifts += kind == "demand_shift" and raised
            cause.alerted(card, kind, entry)

    def _retell_alerts(self, card: Card, told: Sequence[JournalEntry]) -> None:
        for entry in told:
            if isinstance(entry, Alerted):
                self._set_alert(card, entry)

    def _set_alert(self, card: Card, entry: Alerted) -> None:
        """Let an alert begin or end in the state."""
        item, before = card.item, alerts.at_risk(card.item)
        item.alerts = [episode for episode in item.alerts if episode.kind != entry.kind]
        if entry.raised:
            item.alerts.append(Episode(entry.kind, entry.episode, entry.since))
        self._counters.alert(entry.kind, item.abc, raised=entry.raised)
        self._counters.risk(item.abc, alerts.at_risk(item) - before)


def _at_reorder_point(item: Item) -> bool:
    return item.reorder_point is not None and position(item) <= item.reorder_point
