"""Whoever says no is heard: an item whose order came to nothing is held."""

from typing import Literal

import pytest

from agents.core.core import Core
from schemas.ledger import (
    Acknowledged,
    Change,
    Configured,
    Declined,
    Placed,
    Received,
    SupplierChange,
    Terms,
    Withdrawn,
)
from tests.fakes.folded_ledger import DAY, HOUR, FoldedLedger, alerts, orders, replay_of, reviews


def short(mode: Literal["act", "approve"] = "act", days: float | None = None) -> FoldedLedger:
    """20 units, and an order of 30 at the first review."""
    world = FoldedLedger()
    terms = Terms(
        lead_time_days=2.0, order_up_to=50, reorder_point=30, supplier="acme", mode=mode, review_period_days=days
    )
    world.happens(Configured(terms))
    world.counts(20)
    days_until_ordered(world)
    return world


def refuse(world: FoldedLedger) -> list[str]:
    return alerts(world.happens(Acknowledged(world.ordered()[-1].replenishment, "rejected", 0)))


def days_until_ordered(world: FoldedLedger) -> int:
    ordered = len(world.ordered())
    for day in range(1, 99):
        world.passes(days=1)
        if len(world.ordered()) > ordered:
            return day
    raise AssertionError("nothing was ordered")


@pytest.mark.parametrize(
    "answer",
    [
        lambda name: Acknowledged(name, "rejected", 0),
        lambda name: Acknowledged(name, "accepted", 0),
        lambda name: Withdrawn(name, 0),
        lambda name: Received(0, 30, name),
        lambda name: Received(0, 0, name, final=True),
    ],
)
def test_an_order_that_comes_to_nothing_holds_its_item_until_the_next_review(answer: type[Change]) -> None:
    world = short()
    assert orders(world.happens(answer(world.ordered()[0].replenishment))) == []
    assert orders(world.happens(Placed(1))) == []
    assert world.item().held == 1
    assert orders(world.passes(days=1)) == ["request 31"]


def test_a_proposal_that_is_declined_holds_its_item() -> None:
    world = short("approve")
    assert orders(world.happens(Declined(world.ordered()[0].replenishment))) == []
    assert orders(world.passes(days=1)) == ["proposal 30"]


def test_the_hold_doubles_up_to_a_month() -> None:
    world, waited = short(), []
    for _ in range(7):
        refuse(world)
        waited.append(days_until_ordered(world))
    assert waited == [1, 2, 4, 8, 16, 30, 30]


def test_a_hold_counts_reviews_that_may_order() -> None:
    world, waited = short(days=7.0), []
    for _ in range(4):
        refuse(world)
        waited.append(days_until_ordered(world))
    assert waited == [7, 14, 28, 35], "the month is over, and the next order day comes"


def test_reviews_say_that_the_item_is_held() -> None:
    world = short()
    refuse(world)
    world.passes(days=1)
    refuse(world)
    assert [reviews(world.passes(days=1))[0].decision for _ in range(2)] == ["held", "replenish"]


def test_the_second_refusal_in_a_row_is_worth_an_alert_until_an_order_is_accepted() -> None:
    world = short()
    assert refuse(world) == []
    world.passes(days=1)
    assert refuse(world) == ["order_refused raised"]
    world.passes(days=2)
    outputs = world.happens(Acknowledged(world.ordered()[-1].replenishment, "accepted", 30))
    assert alerts(outputs) == ["order_refused cleared"]
    assert (world.item().held, world.item().refusals) == (0, 0)


def test_another_supplier_ends_the_hold_at_once() -> None:
    world = short()
    for _ in range(3):
        refuse(world)
        days_until_ordered(world)
    refuse(world)
    outputs = world.happens(Configured(Terms(supplier="other")))
    assert (orders(outputs), alerts(outputs)) == (["request 30"], ["order_refused cleared"])
    assert world.ordered()[-1].supplier == "other"


def test_other_terms_of_the_supplier_end_the_hold_at_the_next_review() -> None:
    world = short()
    world.is_said(SupplierChange("acme", minimum_order=10))
    for _ in range(4):
        refuse(world)
        days_until_ordered(world)
    refuse(world)
    world.now += HOUR
    world.is_said(SupplierChange("acme", minimum_order=10))
    world.is_said(SupplierChange("other", minimum_order=5))
    assert orders(world.passes(days=1)) == [], "nothing is new of this supplier"
    assert world.item().held == 15
    restored = Core(4)
    restored.load(world.core.dump())
    assert orders(world.is_said(SupplierChange("acme", minimum_order=5))) == []
    told = world.passes(days=1)
    assert (orders(told), alerts(told)) == (["request 30"], ["order_refused cleared"])
    for folded in world.folded[-2:]:
        list(restored.fold(folded.record, folded.offset, folded.appended, None))
    assert restored.dump() == world.core.dump()


def test_other_terms_do_not_end_the_hold() -> None:
    world = short()
    refuse(world)
    assert world.happens(Configured(Terms(supplier="acme", unit_cost=2.0))) == []


def test_a_program_that_refuses_everything_at_once_is_asked_once_a_review() -> None:
    world = short()
    for _ in range(1_000):
        world.now += DAY // 1_100
        refuse(world)
    assert len(world.ordered()) == 1


def test_replay_holds_the_same_items() -> None:
    world, core = short(), Core(4)
    for _ in range(4):
        refuse(world)
        days_until_ordered(world)
    refuse(world)
    for folded in world.folded:
        entries = [output.entry for output in folded.outputs if output.entry is not None]
        assert not list(core.fold(folded.record, folded.offset, folded.appended, replay_of(entries)))
    assert core.dump() == world.core.dump()
