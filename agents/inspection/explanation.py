"""Why an item was ordered, or was not, as things stood at a moment, and what would change it: for people and programs.

What was decided is found in the item's state. What would be decided is asked of the same code that decides.
"""

from collections.abc import Iterator
from typing import Any, Literal, TypeAlias

import msgspec

from agents.core.cause import broken_down
from agents.core.decide import Choice
from agents.inspection.item import levels, open_orders, order_as_json, stock
from agents.inspection.loaded_item import LoadedItem
from agents.inspection.obstacles import Obstacle, obstacles
from agents.inspection.prospect import Prospect, Reviews, WayToOrder, prospect_of, reviews_of
from agents.inspection.wording import on, parts
from agents.inventory.ask_limits import asks
from schemas.journal import Decided
from schemas.quantities import instant

NO_EDGE_ORDERS = frozenset({"held", "not_yet", "day_bound"})
"""While one of these obstacles is in force, no movement orders, wherever it brings the position."""
Outcome: TypeAlias = Literal["replenish", "enough", "stock_unknown", "not_yet", "held"]


class Explanation(msgspec.Struct, frozen=True):
    """An item at a moment, with what was decided and what holds an order back."""

    loaded: LoadedItem
    decided: Decided | None
    """The decision that was made at the last review or since."""
    choice: Choice | None
    """What a review would order as things stand, if nothing forbade it."""
    prospect: Prospect | None
    reviews: Reviews
    obstacles: tuple[Obstacle, ...]


def explain(loaded: LoadedItem) -> Explanation:
    """Find everything that there is to say."""
    prospect, reviews = prospect_of(loaded), reviews_of(loaded)
    newest = max(loaded.learning_state.record.decisions, key=lambda decided: decided.decided_at, default=None)
    recent = newest is not None and newest.decided_at >= (reviews.last or 0)
    found = tuple(obstacles(loaded, prospect, reviews))
    return Explanation(loaded, newest if recent else None, loaded.choice(), prospect, reviews, found)


def as_json(explanation: Explanation) -> dict[str, Any]:
    """The explanation for programs."""
    loaded, prospect, reviews = explanation.loaded, explanation.prospect, explanation.reviews
    item, choice, decided = loaded.item, explanation.choice, explanation.decided
    return {
        "item": loaded.card.name,
        "at": instant(loaded.moment),
        "outcome": outcome(explanation),
        "stock": stock(item),
        "open_replenishments": [order_as_json(order) for order in open_orders(item)],
        "levels": levels(item),
        "policy": choice and choice.policy,
        "role": choice and choice.role,
        "replenishment_id": decided and decided.replenishment,
        "quantity": decided and decided.quantity,
        "obstacles": [
            {"kind": each.kind, "until": each.until and instant(each.until), "sentence": each.sentence}
            for each in explanation.obstacles
        ],
        "to_order": {
            "at_reorder_point": _way_as_json(prospect.at_reorder_point if prospect else None),
            "at_review": _way_as_json(prospect.at_review if prospect else None),
        },
        "reviews": {name: time and instant(time) for name, time in msgspec.structs.asdict(reviews).items()},
        "sentences": list(sentences(explanation)),
    }


def outcome(explanation: Explanation) -> Outcome:
    """What was decided at the last review or since, in the words of `item.reviewed`."""
    loaded = explanation.loaded
    if explanation.decided is not None:
        return "replenish"
    if not loaded.item.known:
        return "stock_unknown"
    if not loaded.may_act or loaded.situation is None:
        return "not_yet"
    return "held" if any(each.kind in {"held", "day_bound"} for each in explanation.obstacles) else "enough"


def sentences(explanation: Explanation) -> Iterator[str]:
    """The explanation for a buyer."""
    loaded, choice, last = explanation.loaded, explanation.choice, explanation.reviews.last
    item = loaded.item
    yield _decision(explanation)
    yield f"The position is {parts(broken_down(item))}."
    if choice is not None and last is not None and item.reorder_point is not None:
        acts = f"The policy {choice.policy} decides" if choice.role == "champion" else "The baseline decides"
        yield (
            f"{acts}: it orders at {item.reorder_point} or below, up to {item.order_up_to}, with a safety stock of "
            f"{item.safety_stock}, as set on {on(last)}."
        )
    yield from (obstacle.sentence for obstacle in explanation.obstacles)
    if explanation.prospect is not None and not any(each.lasting for each in explanation.obstacles):
        yield from _change(explanation, explanation.prospect)


def _decision(explanation: Explanation) -> str:
    decided, last = explanation.decided, explanation.reviews.last
    if decided is None:
        return f"Nothing was ordered at the review of {on(last)}, nor since." if last else "Nothing was ordered yet."
    verb = "proposed" if decided.proposed else "ordered"
    how = "at its review" if decided.why.trigger == "review" else "when the position fell to the reorder point"
    closed = all(order.id != decided.replenishment for order in explanation.loaded.item.orders)
    return (
        f"{decided.quantity} were {verb} on {on(decided.decided_at)}, {how}"
        f"{', and that order is closed' if closed else ''}: see `restock explain {decided.replenishment}`."
    )


def _change(explanation: Explanation, prospect: Prospect) -> Iterator[str]:
    """What would bring an order."""
    at_point, at_review, reviews = prospect.at_reorder_point, prospect.at_review, explanation.reviews
    if at_point is not None and not any(each.kind in NO_EDGE_ORDERS for each in explanation.obstacles):
        then = f"orders {at_point.quantity}{_asked(explanation, at_point)}" if at_point.quantity else "orders nothing"
        when = (
            "at once, on a day on which its supplier takes orders" if explanation.loaded.terms.order_days else "at once"
        )
        yield (
            f"When the position falls by {at_point.fewer}, to its reorder point, the policy is asked {when}: as things "
            f"stand it then {then}."
        )
    if reviews.orders is None:
        return
    review = f"The review of {on(reviews.orders)}"
    if at_review is None:
        yield f"{review} orders nothing, even if nothing is left by then."
    elif at_review.fewer == 0:
        yield f"{review} orders {at_review.quantity} if nothing changes{_asked(explanation, at_review)}."
    else:
        yield (
            f"{review} orders if the position has fallen by {at_review.fewer} till then, to {at_review.position} or "
            f"below: there {at_review.quantity}{_asked(explanation, at_review)}, and sooner with a higher forecast."
        )


def _asked(explanation: Explanation, way: WayToOrder) -> str:
    """Whether somebody has to approve it first."""
    loaded = explanation.loaded
    over = asks(way.quantity, loaded.terms.unit_cost, loaded.limits)
    if loaded.terms.mode == "approve":
        return ", as a proposal (mode is approve)"
    return f", as a proposal (it is above {over[0]})" if over else ""


def _way_as_json(way: WayToOrder | None) -> dict[str, int] | None:
    return None if way is None else msgspec.structs.asdict(way)
