"""What holds an order back: each obstacle that is in force at a moment, as a sentence with what ends it."""

from collections.abc import Iterator
from typing import Literal, TypeAlias

import msgspec

from agents.inspection.loaded_item import LoadedItem
from agents.inspection.never_ordered import daily_demand, never_ordered
from agents.inspection.prospect import Prospect, Reviews
from agents.inspection.wording import amount, listed, on
from agents.inventory import daily_bound, unusual
from agents.inventory.position import Item, position
from agents.inventory.replenishments import due_at
from schemas.ledger import Milliseconds
from schemas.quantities import DAY_MS

_RAILS = {
    "not_finite": "the policy's answer is no number",
    "demand_cap": "its forecast explains no more",
    "beyond_facts": "nothing that happened so far explains more",
    "minimum_order": "the supplier delivers no fewer",
    "order_multiple": "the supplier delivers whole multiples",
    "capacity": "its location has room for no more",
}
"""The guardrails in words."""

ObstacleKind: TypeAlias = Literal[
    "stock_unknown",
    "not_yet",
    "not_reviewed",
    "phase_out",
    "held",
    "day_bound",
    "approval",
    "on_order",
    "guardrails",
    "above_reorder_point",
    "no_edge",
    "edge_awaited",
    "order_day",
    "wants_nothing",
    "never_ordering",
]


class Obstacle(msgspec.Struct, frozen=True):
    """One thing that holds an order back."""

    kind: ObstacleKind
    sentence: str
    until: Milliseconds | None = None
    """When it ends by itself, where that is known."""

    @property
    def lasting(self) -> bool:
        """Whether nothing at all is ordered until somebody does something about it."""
        return self.kind in {"stock_unknown", "phase_out"} or (self.kind == "day_bound" and self.until is None)


def obstacles(loaded: LoadedItem, prospect: Prospect | None, reviews: Reviews) -> list[Obstacle]:
    """All that are in force, those first that no fall of the position overcomes."""
    found = [*_forbidden(loaded, reviews), *_ordered_already(loaded, prospect)]
    if prospect is not None and loaded.item.known and loaded.terms.lifecycle != "phase_out":
        found += [*_policy(loaded), *_edge(loaded.item, reviews), *_order_day(loaded, reviews)]
    return found


def _forbidden(loaded: LoadedItem, reviews: Reviews) -> Iterator[Obstacle]:
    """What forbids any order for now."""
    item, begins = loaded.item, loaded.settings.decide_from
    if not item.known:
        yield Obstacle(
            "stock_unknown",
            "Its stock was never counted, received or adjusted, and nothing is ordered before it is known: publish "
            "stock.counted.",
        )
    if begins is not None and loaded.moment < begins:
        sentence = f"Deciding begins on {on(begins)} (RESTOCK_DECIDE_FROM): until then it is learned from, not ordered."
        yield Obstacle("not_yet", sentence, begins)
    if loaded.situation is None:
        sentence = f"It was not reviewed yet: its first review comes when its period is over, on {on(reviews.next)}."
        yield Obstacle("not_reviewed", sentence, reviews.next)
    if loaded.terms.lifecycle == "phase_out":
        yield Obstacle("phase_out", "Its lifecycle is phase_out: nothing is ordered any more.")
    if item.held:
        orders = "The last order" if item.refusals < 2 else f"{item.refusals} orders in a row"
        until = f" and may be ordered again on {on(reviews.orders)}" if reviews.orders is not None else ""
        sentence = (
            f"{orders} came to nothing, on {on(item.refused_at)}: the item is held for {item.held} "
            f"more review{'s' if item.held > 1 else ''} that may order,{until or ' and not ordered till then'}; "
            "another supplier, or other terms of this one, end the hold."
        )
        yield Obstacle("held", sentence, reviews.orders)
    yield from _day_bound(item, loaded.moment)


def _day_bound(item: Item, moment: Milliseconds) -> Iterator[Obstacle]:
    open_proposals = sum(order.status == "proposed" for order in item.orders)
    tomorrow = (max(moment // DAY_MS, item.today.day) + 1) * DAY_MS
    if open_proposals >= daily_bound.MOST_PROPOSALS:
        yield Obstacle(
            "day_bound", f"{open_proposals} proposals are open, which is as many as there may be: answer one of them."
        )
    elif not daily_bound.may_decide(item, moment, "review"):
        sentence = "The day has had as many replenishments, proposals and alerts of it as it may: the next begins on "
        yield Obstacle("day_bound", f"{sentence}{on(tomorrow)}.", tomorrow)
    elif not daily_bound.may_decide(item, moment, "reorder_point"):
        sentence = f"It was ordered between reviews {item.today.between} times today: until {on(tomorrow)} only reviews"
        yield Obstacle("day_bound", f"{sentence} order.", tomorrow)


def _ordered_already(loaded: LoadedItem, prospect: Prospect | None) -> Iterator[Obstacle]:
    """What is on order, or waits for an answer."""
    item, question = loaded.item, unusual.find(loaded.item)
    counted = [order for order in item.orders if order.outstanding > 0]
    if counted and prospect is not None and prospect.if_nothing_on_order > prospect.now:
        first = min(due_at(order) for order in counted)
        overdue = "was due" if first < loaded.moment else "is due"
        sentence = (
            f"{item.on_order} are on order already, of which the first {overdue} on {on(first)}: without them "
            f"{prospect.if_nothing_on_order} would be ordered."
        )
        yield Obstacle("on_order", sentence)
    for order in counted:
        if order.status == "proposed":
            sentence = f"{order.id}, {order.outstanding} units, waits for approval and counts as on order: answer it."
            yield Obstacle("approval", sentence)
    if question is not None:
        sentence = (
            f"A person is asked about {question.quantity} units that no facts explain ({question.id}): they are "
            "ordered once that is approved."
        )
        yield Obstacle("approval", sentence)


def _policy(loaded: LoadedItem) -> Iterator[Obstacle]:
    """What the policy wants as things stand, and what the guardrails leave of it."""
    choice = loaded.choice()
    if choice is None:
        return
    wanted, guarded = int(max(choice.advice.quantity, 0.0) + 0.5), choice.guarded
    if wanted > guarded.quantity:
        rails = listed([_RAILS.get(rail, rail) for rail in guarded.clamped_by])
        left = guarded.quantity or "none"
        yield Obstacle("guardrails", f"The policy wants {wanted}, of which the guardrails leave {left}: {rails}.")
    elif not wanted:
        yield Obstacle("wants_nothing", f"As things stand the policy {choice.policy} wants nothing.")
    never = never_ordered(loaded.terms, loaded.settings, daily_demand(loaded.item))
    if never is not None:
        yield Obstacle("never_ordering", f"By its terms {never}.")


def _edge(item: Item, reviews: Reviews) -> Iterator[Obstacle]:
    """Where the position stands to the reorder point, whose crossing orders between reviews."""
    point, here = item.reorder_point, position(item)
    if point is None:
        return
    if here > point:
        yield Obstacle("above_reorder_point", f"The position of {here} is above the reorder point of {point}.")
    elif item.below:
        sentence = (
            f"The position of {here} is at or below the reorder point of {point} already: between reviews only the "
            f"movement that brings it there orders, not one that takes it further down. The review of "
            f"{on(reviews.next)} looks at it again."
        )
        yield Obstacle("no_edge", sentence, reviews.next)
    else:
        sentence = f"The position of {here} is at or below the reorder point of {point}: its next movement may order."
        yield Obstacle("edge_awaited", sentence)


def _order_day(loaded: LoadedItem, reviews: Reviews) -> Iterator[Obstacle]:
    terms = loaded.terms
    if reviews.may_order is None or not (terms.order_days or reviews.may_order > reviews.next):
        return
    if terms.order_days:
        who = f"{terms.supplier} takes orders on {listed(terms.order_days)} only"
    else:
        who = f"It is ordered every {amount(terms.review_period_days or 0.0)} days"
    sentence = f"{who}: the next review that may order is on {on(reviews.may_order)}."
    yield Obstacle("order_day", sentence, reviews.may_order)
