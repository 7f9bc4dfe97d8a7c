"""Why an item was ordered, and why not: each thing that holds an order back is named, with what would change it."""

import json
import re
from pathlib import Path
from typing import get_args

import pytest

from agents.inspection.explanation import Explanation, as_json, explain, sentences
from agents.inspection.item import CheckpointedItem
from agents.inspection.loaded_item import load_item
from agents.inspection.obstacles import ObstacleKind
from schemas.ledger import (
    Acknowledged,
    Adjusted,
    Configured,
    Declined,
    FoldSettings,
    Placed,
    Received,
    SupplierChange,
    Terms,
)
from tests.fakes.folded_ledger import DAY, T0, TEA, FoldedLedger, orders

PAGE = (Path(__file__).parents[3] / "docs" / "how-to" / "why-was-nothing-ordered.md").read_text().replace("\n", " ")
BY_HAND = Terms(reorder_point=32, order_up_to=35, lead_time_days=3.0, unit_cost=2.0)


def explained(ledger: FoldedLedger) -> Explanation:
    stored = CheckpointedItem(TEA, 4, len(ledger.folded), ledger.settings, ledger.core.dump())
    loaded = load_item(stored)
    assert loaded is not None
    return explain(loaded)


def kinds_of(explanation: Explanation) -> set[str]:
    return {obstacle.kind for obstacle in explanation.obstacles}


def text(explanation: Explanation) -> str:
    return "\n".join(sentences(explanation))


def shop(stock: int, terms: Terms = BY_HAND, days: int = 3) -> FoldedLedger:
    """An item that sells four a day."""
    ledger = FoldedLedger()
    ledger.happens(Configured(terms))
    ledger.counts(stock)
    for _ in range(days):
        ledger.happens(Placed(4))
        ledger.passes(1)
    return ledger


def test_a_crossing_is_an_edge_and_the_answer_says_so() -> None:
    ledger = shop(60, Terms(reorder_point=32, order_up_to=35, supplier="acme"))
    ledger.is_said(SupplierChange("acme", 3.0, order_days=("mon",)))
    ledger.passes(1)  # Friday
    ledger.happens(Adjusted(-33))
    assert orders(ledger.happens(Placed(1))) == []
    why = explained(ledger)
    assert kinds_of(why) == {"no_edge", "order_day"}
    assert as_json(why)["outcome"] == "enough"
    assert "Nothing was ordered at the review of 2026-03-06, nor since." in text(why)
    assert "The position is 14: 14 on hand, 0 on order." in text(why)
    assert "it orders at 32 or below, up to 35" in text(why)
    assert "only the movement that brings it there orders, not one that takes it further down" in text(why)
    assert "acme takes orders on mon only: the next review that may order is on 2026-03-09." in text(why)
    assert "The review of 2026-03-09 orders 21 if nothing changes." in text(why)
    for sentence in sentences(why):
        assert sentence in PAGE or "safety stock" in sentence
    assert orders(ledger.passes(3)) == ["request 21"]


def test_the_page_has_every_obstacle() -> None:
    assert re.findall(r"\| `(\w+)` \|", PAGE) == list(get_args(ObstacleKind))


def test_what_would_order_is_what_then_orders() -> None:
    ledger = shop(60)
    why = explained(ledger)
    assert kinds_of(why) == {"wants_nothing", "above_reorder_point"}
    assert as_json(why)["to_order"]["at_reorder_point"] == {"fewer": 16, "position": 32, "quantity": 3}
    assert "When the position falls by 16, to its reorder point, the policy is asked at once" in text(why)
    assert orders(ledger.happens(Placed(15))) == []
    assert orders(ledger.happens(Placed(1))) == ["request 3"]
    ordered = explained(ledger)
    assert as_json(ordered)["outcome"] == "replenish"
    assert "3 were ordered on 2026-03-05, when the position fell to the reorder point: see `restock" in text(ordered)


@pytest.mark.parametrize("policy", ["base-stock", "pil", "pil-q", "s-S", "one-point-two"])
def test_an_order_comes_at_the_position_that_was_named_and_not_above(policy: str) -> None:
    def ordered(gone: int) -> int:
        """At once, where that brings the position to its reorder point, or by a review as things stand."""
        ledger = shop(300, Terms(policy=policy, lead_time_days=3.0, unit_cost=2.0), days=10)
        ledger.happens(Adjusted(-gone))
        prospect = explained(ledger).prospect
        assert prospect is not None
        return ledger.item().on_order or prospect.now

    prospect = explained(shop(300, Terms(policy=policy, lead_time_days=3.0, unit_cost=2.0), days=10)).prospect
    assert prospect is not None
    way = prospect.at_review
    assert way is not None
    assert way.fewer > 100
    assert (ordered(way.fewer - 1), ordered(way.fewer)) == (0, way.quantity)


def test_stock_that_is_not_known_is_named_and_nothing_else() -> None:
    ledger = FoldedLedger()
    ledger.happens(Placed(3))
    assert kinds_of(explained(ledger)) == {"stock_unknown", "not_reviewed"}
    ledger.passes(1)
    why = explained(ledger)
    assert (kinds_of(why), as_json(why)["outcome"]) == ({"stock_unknown"}, "stock_unknown")
    assert "publish stock.counted" in text(why)
    assert "The review of" not in text(why)


def test_what_is_on_order_holds_back_what_would_be_ordered_without_it() -> None:
    ledger = shop(40)
    why, on_order = explained(ledger), ledger.item().on_order
    assert on_order > 0
    assert "on_order" in kinds_of(why)
    assert f"{on_order} are on order already, of which the first is due on 2026-03-0" in text(why)
    assert "without them" in text(why)


def test_a_proposal_waits_for_approval() -> None:
    ledger = shop(40, Terms(reorder_point=32, order_up_to=35, mode="approve"))
    why = explained(ledger)
    (open_one, *_) = ledger.item().orders
    assert "approval" in kinds_of(why)
    assert f"{open_one.id}, {open_one.outstanding} units, waits for approval and counts as on order" in text(why)
    assert "as a proposal (mode is approve)" in text(why)


def test_a_hold_is_named_with_its_end() -> None:
    ledger = shop(40)
    for order in list(ledger.item().orders):
        ledger.happens(Acknowledged(order.id, "rejected", 0))
    refused = ledger.item().refusals
    (hold,) = [obstacle for obstacle in explained(ledger).obstacles if obstacle.kind == "held"]
    assert refused > 1
    assert f"{refused} orders in a row came to nothing" in hold.sentence
    assert hold.until is not None
    while ledger.now < hold.until - DAY:
        assert orders(ledger.passes(1)) == []
        assert as_json(explained(ledger))["outcome"] == "held"
    assert len(orders(ledger.passes(1))) == 1


def test_before_deciding_begins_nothing_is_ordered() -> None:
    ledger = FoldedLedger(FoldSettings(lateness_ms=0, decide_from=T0 + 5 * DAY))
    ledger.happens(Configured(BY_HAND))
    ledger.counts(10)
    ledger.passes(1)
    why = explained(ledger)
    assert (as_json(why)["outcome"], "not_yet" in kinds_of(why)) == ("not_yet", True)
    assert "Deciding begins on 2026-03-07 (RESTOCK_DECIDE_FROM)" in text(why)
    assert "The review of 2026-03-07 orders 25 if nothing changes." in text(why)
    assert [orders(ledger.passes(1)) for _ in range(4)] == [[], [], [], ["request 25"]]


def test_phase_out_forbids() -> None:
    why = explained(shop(10, Terms(lifecycle="phase_out")))
    assert kinds_of(why) == {"phase_out"}
    assert "The review of" not in text(why)


def test_more_open_proposals_than_may_be_are_named() -> None:
    ledger = shop(100, Terms(reorder_point=90, order_up_to=95, mode="approve"), days=12)
    assert "4 proposals are open, which is as many as there may be" in text(explained(ledger))


def test_two_orders_between_reviews_are_enough_for_a_day() -> None:
    ledger = shop(60)
    for _ in range(2):
        assert len(orders(ledger.happens(Placed(ledger.item().net - 30)))) == 1
        open_one = ledger.item().orders[-1]
        ledger.happens(Received(open_one.quantity + 20, 0, open_one.id, final=True))
    assert "It was ordered between reviews 2 times today: until 2026-03-06 only reviews order." in text(
        explained(ledger)
    )


def test_guardrails_say_what_they_leave() -> None:
    why = explained(shop(10, Terms(order_up_to=35, reorder_point=32, capacity=20)))
    assert "guardrails" in kinds_of(why)
    assert "its location has room for no more" in text(why)


def test_terms_under_which_never_ordering_is_cheapest_are_named() -> None:
    terms = Terms(policy="pil", unit_cost=4.0, order_cost=400.0, shortage_cost=0.05)
    why = explained(shop(30, terms, days=10))
    assert "never_ordering" in kinds_of(why)
    assert "By its terms never ordering is cheapest, since a lost sale costs 0.05" in text(why)
    assert "state a higher shortage_cost, or a lower order_cost" in text(why)


def test_a_limit_above_which_a_person_is_asked_is_said_with_the_order() -> None:
    ledger = shop(60, Terms(reorder_point=32, order_up_to=90, ask_above_units=50))
    assert "as a proposal (it is above ask_above_units)" in text(explained(ledger))


def test_an_order_that_came_to_its_end_is_said_to_be_closed() -> None:
    ledger = shop(60, Terms(reorder_point=32, order_up_to=35, mode="approve"))
    assert orders(ledger.happens(Placed(16))) == ["proposal 3"]
    ledger.happens(Declined(ledger.item().orders[0].id))
    why = explained(ledger)
    assert (
        "3 were proposed on 2026-03-05, when the position fell to the reorder point, and that order is closed"
        in text(why)
    )
    assert "held" in kinds_of(why)


def test_levels_that_rose_above_the_position_on_a_day_without_orders_wait_for_a_movement() -> None:
    ledger = shop(60, Terms(supplier="acme", lead_time_days=3.0))
    ledger.is_said(SupplierChange("acme", order_days=("mon",)))
    ledger.happens(Configured(Terms(reorder_point=70, order_up_to=80)))
    ledger.passes(1)
    assert "its next movement may order" in text(explained(ledger))


def test_json_is_all_of_plain_values_and_holds_the_sentences() -> None:
    shown = as_json(explained(shop(60)))
    assert json.loads(json.dumps(shown)) == shown
    assert {"item", "at", "outcome", "stock", "levels", "obstacles", "to_order", "reviews", "sentences"} <= shown.keys()
    assert shown["reviews"]["next"] == "2026-03-06T00:00:00+00:00"
