"""How much is published about one item in a day, whatever others answer: replenishments, proposals and alerts.

Others may answer at once, wrongly or twice, and each answer may call for another output. So a day has limits: some
decisions for certain, more while there is room; a few of them between reviews; few proposals open at once, since each
may be approved and then is a request; and alerts in what room is left. An alert that flaps is one episode: after a few
beginnings in a day its edges wait for the next review. Everything is counted from journal entries, so replay agrees.

A day begins with the item's first output that is dated in it. While feeds disagree about the day, what is dated
earlier than that counts to the later day.

>>> item = Item()
>>> [count_decision(item, hour * 3_600_000, "reorder_point") for hour in range(2)]
[None, None]
>>> may_decide(item, 7_200_000, "reorder_point"), may_decide(item, 7_200_000, "review")
(False, True)
>>> may_decide(item, DAY_MS, "reorder_point")
True
"""

from agents.inventory.position import Item, OutputsOfDay
from schemas.ledger import Milliseconds
from schemas.outbound import Trigger
from schemas.quantities import DAY_MS

MOST_OUTPUTS = 20
"""Of an item and day."""
SURE_DECISIONS = 4
"""For so many decisions a day, and for the approval of each, there is always room."""
MOST_BETWEEN = 2
"""Decisions a day that no review makes."""
MOST_PROPOSALS = 4
"""Open at once."""
KEPT_FOR_ALERTS = 4
"""Further decisions leave so much room."""
MOST_RAISED = 3
"""Beginnings of an alert a day, after which its edges wait for the next review."""


def may_decide(item: Item, moment: Milliseconds, trigger: Trigger) -> bool:
    """Whether another replenishment may be requested or proposed."""
    today, proposals = _today(item, moment), _open_proposals(item)
    if proposals >= MOST_PROPOSALS or (trigger == "reorder_point" and today.between >= MOST_BETWEEN):
        return False
    # A decision takes room for itself and for an approval of it.
    return today.decisions < SURE_DECISIONS or today.outputs + proposals + 2 + KEPT_FOR_ALERTS <= MOST_OUTPUTS


def may_alert(item: Item, moment: Milliseconds, kind: str, *, at_review: bool) -> bool:
    """Whether an alert of that kind may begin or end."""
    today = _today(item, moment)
    if not at_review and today.raised.get(kind, 0) >= MOST_RAISED:
        return False
    kept = _open_proposals(item) + 2 * max(0, SURE_DECISIONS - today.decisions)
    return today.outputs + 1 + kept <= MOST_OUTPUTS


def count_decision(item: Item, moment: Milliseconds, trigger: Trigger) -> None:
    """Count a replenishment that was requested or proposed."""
    today = item.today = _today(item, moment)
    today.outputs += 1
    today.decisions += 1
    today.between += trigger == "reorder_point"


def count_approval(item: Item, moment: Milliseconds) -> None:
    """Count a proposal that became a request."""
    item.today = _today(item, moment)
    item.today.outputs += 1


def count_alert(item: Item, moment: Milliseconds, kind: str, *, raised: bool) -> None:
    """Count an alert that began or ended."""
    today = item.today = _today(item, moment)
    today.outputs += 1
    if raised:
        today.raised[kind] = today.raised.get(kind, 0) + 1


def _today(item: Item, moment: Milliseconds) -> OutputsOfDay:
    """The day's numbers so far."""
    day = moment // DAY_MS
    return item.today if day <= item.today.day else OutputsOfDay(day)


def _open_proposals(item: Item) -> int:
    return sum(order.status == "proposed" for order in item.orders)
