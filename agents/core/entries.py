"""Applies journal entries to the state: the only way in which a decision or an alert gets there.

The live run and replay both come through here, and an entry holds all that it changes in the state. So replay ends
where the live run did, whatever today's rules would decide.
"""

from agents.core.counters import Counters
from agents.core.learning_state import REMEMBERED, learning_state_of
from agents.inventory import alerts, daily_bound, replenishments, unusual
from agents.inventory.card import Card
from agents.inventory.position import Episode, Order, Status
from agents.policies.guardrails import BEYOND_FACTS
from schemas.journal import Alerted, Decided
from schemas.ledger import FoldSettings, Milliseconds


def let_decision_stand(card: Card, decided: Decided, settings: FoldSettings, moment: Milliseconds) -> None:
    """Count on what was ordered; a proposal that is open under the same id becomes a request at that moment."""
    item, record = card.item, learning_state_of(card).record
    card.learning_state_changed = True
    order = replenishments.find(item, decided.replenishment)
    if order is not None:
        order.status = "requested"
        if order.outstanding == 0:
            unusual.count_on(item, order, decided.quantity)
            record.ordered += decided.quantity
        daily_bound.count_approval(item, moment)
    else:
        patience = replenishments.patience(decided.need_by - decided.decided_at, settings)
        status: Status = "proposed" if decided.proposed else "requested"
        counted = 0 if BEYOND_FACTS in decided.why.asks else decided.quantity
        order = Order(
            decided.replenishment, status, decided.quantity, counted, 0,
            decided.decided_at, decided.need_by, patience, supplier=decided.supplier,
            asked=decided.quantity,
        )  # fmt: skip
        replenishments.place(item, order)
        record.ordered += counted
        daily_bound.count_decision(item, moment, decided.why.trigger)
    proposed = {order.id for order in item.orders if order.status == "proposed"}
    kept = [*(d for d in record.decisions if d.replenishment != decided.replenishment), decided]
    record.decisions = [d for d in kept[:-REMEMBERED] if d.replenishment in proposed] + kept[-REMEMBERED:]


def let_alert_stand(card: Card, alerted: Alerted, counters: Counters) -> None:
    """Begin or end an alert of the item; with the alert ends the question that it was about."""
    item, before = card.item, alerts.at_risk(card.item)
    item.alerts = [episode for episode in item.alerts if episode.kind != alerted.kind]
    if alerted.raised:
        item.alerts.append(Episode(alerted.kind, alerted.episode, alerted.since))
    elif alerted.kind == "unusual_order":
        replenishments.lapse(card)
    daily_bound.count_alert(item, alerted.since, alerted.kind, raised=alerted.raised)
    counters.alert(alerted.kind, item.abc, raised=alerted.raised)
    counters.risk(item.abc, alerts.at_risk(item) - before)
