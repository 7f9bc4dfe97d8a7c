"""The life of an order, from the decision to its end."""

import pytest

from agents.inventory.position import Order
from schemas.journal import Decided
from schemas.ledger import (
    Acknowledged,
    Approved,
    Configured,
    Declined,
    Placed,
    Received,
    Shipped,
    Terms,
    Withdrawn,
)
from tests.fakes.folded_ledger import DAY, HOUR, FoldedLedger, alerts, kinds, orders


@pytest.fixture
def world() -> FoldedLedger:
    """20 units, filled up to 50 at the first review; two days of lead time."""
    world = FoldedLedger()
    world.happens(Configured(Terms(lead_time_days=2.0, order_up_to=50, reorder_point=30, supplier="acme")))
    world.counts(21)
    world.happens(Placed(1))
    world.passes(days=1)
    return world


def the(world: FoldedLedger) -> Decided:
    return world.ordered()[0]


def only(world: FoldedLedger) -> Order:
    (order,) = world.item().orders
    return order


def test_a_decision_counts_at_once(world: FoldedLedger) -> None:
    assert (the(world).quantity, world.item().on_order, only(world).status) == (30, 30, "requested")
    request = next(output.event.body for output in world.outputs if output.topic == "replenishments")
    assert (request.quantity, request.kind, request.supplier) == (30, "purchase", "acme")
    assert request.need_by == "2026-03-05T00:00:00+00:00"
    assert request.replenishment_id == "rep-k3f9-4-4-0"


@pytest.mark.parametrize("status, confirmed, left", [("accepted", 30, 30), ("partial", 12, 12)])
def test_on_order_becomes_what_was_confirmed(world: FoldedLedger, status: str, confirmed: int, left: int) -> None:
    world.happens(Acknowledged(the(world).replenishment, status, confirmed, world.now + DAY))  # type: ignore[arg-type]
    assert (world.item().on_order, only(world).status) == (left, "acknowledged")


def test_a_rejected_order_is_over(world: FoldedLedger) -> None:
    outputs = world.happens(Acknowledged(the(world).replenishment, "rejected", 0))
    assert (world.item().orders, world.item().on_order) == ([], 0)
    assert orders(outputs) == [], "who said no is not asked again at once"


def test_more_than_was_ordered_cannot_be_confirmed(world: FoldedLedger) -> None:
    name = the(world).replenishment
    assert kinds(world.happens(Acknowledged(name, "accepted", 1_000))) == ["refused out_of_range"]
    assert (world.item().on_order, only(world).status) == (30, "requested")
    world.happens(Acknowledged(name, "partial", 12))
    world.happens(Acknowledged(name, "accepted", 30))
    assert (world.item().on_order, only(world).status) == (30, "acknowledged"), "what was asked for, not less"


def test_a_receipt_for_another_items_order_is_stock_and_closes_no_order(world: FoldedLedger) -> None:
    world.happens(Received(7, 0, the(world).replenishment, final=True), "MUG-07@BER1")
    assert (world.item("MUG-07@BER1").net, world.item("MUG-07@BER1").on_order) == (7, 0)
    assert (world.item().net, world.item().on_order, world.core.counters.unordered) == (20, 30, 1)


def test_a_shipment_changes_only_when_it_is_expected(world: FoldedLedger) -> None:
    world.happens(Shipped(the(world).replenishment, 30, world.now + 3 * DAY))
    assert (world.item().on_order, only(world).eta, only(world).status) == (30, world.now + 3 * DAY, "shipped")


def test_a_receipt_lowers_on_order_by_what_came_damaged_or_not(world: FoldedLedger) -> None:
    world.happens(Received(10, 2, the(world).replenishment))
    assert (world.item().net, world.item().on_order) == (30, 18)
    world.happens(Received(5, 0, the(world).replenishment, final=True))
    assert (world.item().net, world.item().on_order, world.item().orders) == (35, 0, [])
    assert world.item().totals.closed_short == 13


def test_more_than_was_ordered_is_stock_and_no_debt(world: FoldedLedger) -> None:
    world.happens(Received(45, 0, the(world).replenishment))
    assert (world.item().net, world.item().on_order, world.item().orders) == (65, 0, [])
    assert world.item().totals.over_received == 15


def test_a_receipt_nobody_ordered_is_stock_and_counted(world: FoldedLedger) -> None:
    world.happens(Received(5, 0, "rep-of-somebody-else"))
    assert (world.item().net, world.item().on_order) == (25, 30)
    assert world.core.counters.unordered == 1
    world.happens(Received(5))
    assert (world.item().net, world.item().on_order, world.core.counters.unordered) == (30, 30, 1)


def test_a_withdrawal_leaves_what_remains(world: FoldedLedger) -> None:
    world.happens(Withdrawn(the(world).replenishment, 12))
    assert world.item().on_order == 12
    outputs = world.happens(Withdrawn(the(world).replenishment, 0))
    assert orders(outputs) == [], "it waits for the next review"
    assert world.item().totals.withdrawn == 30


def test_an_order_that_came_to_its_end_never_opens_again(world: FoldedLedger) -> None:
    name = the(world).replenishment
    world.happens(Received(30, 0, name))
    for change in (Acknowledged(name, "accepted", 30), Shipped(name, 30), Withdrawn(name, 5), Approved(name)):
        assert world.happens(change) == []
        assert world.item().on_order == 0
    world.happens(Received(4, 0, name))
    assert (world.item().net, world.item().on_order) == (54, 0), "what still arrives is stock"


def test_what_nobody_requested_is_refused(world: FoldedLedger) -> None:
    for change in (
        Acknowledged("rep-1", "accepted", 3),
        Approved("rep-1"),
        Declined("rep-1"),
        Shipped("rep-1", 1),
        Withdrawn("rep-1", 1),
    ):
        assert kinds(world.happens(change)) == ["refused unknown_replenishment"]
    assert kinds(world.happens(Approved(the(world).replenishment), "MUG-07@BER1")) == ["refused unknown_replenishment"]
    assert len(world.core._shelf) == 1, "a refused event makes no item"


def test_an_order_is_overdue_a_period_after_it_was_needed(world: FoldedLedger) -> None:
    world.happens(Placed(1))
    assert alerts(world.passes(days=2.9)) == []
    assert "overdue_replenishment raised" in alerts(world.passes(hours=3))


def test_an_order_that_is_confirmed_anew_is_no_longer_overdue(world: FoldedLedger) -> None:
    world.passes(days=3.1)
    outputs = world.happens(Acknowledged(the(world).replenishment, "accepted", 30, world.now + DAY))
    assert "overdue_replenishment cleared" in alerts(outputs)


def test_an_order_silent_for_three_lead_times_leaves_the_position(world: FoldedLedger) -> None:
    name = the(world).replenishment
    world.passes(days=7.9)
    assert world.item().on_order == 30
    outputs = world.passes(hours=3)
    assert only_of(world, name).status == "silent"
    assert orders(outputs) == ["request 30"], "another is ordered in its place"
    assert world.item().on_order == 30
    assert "overdue_replenishment" in [episode.kind for episode in world.item().alerts]
    world.happens(Received(30, 0, name))
    assert (world.item().net, world.item().on_order) == (50, 30), "a late receipt still counts"


def test_an_answer_starts_the_wait_anew(world: FoldedLedger) -> None:
    name = the(world).replenishment
    world.passes(days=7.9)
    world.happens(Acknowledged(name, "accepted", 30, world.now + 2 * DAY))
    world.passes(days=7.9)
    assert only_of(world, name).status == "acknowledged"
    world.passes(hours=5)
    assert only_of(world, name).status == "silent"
    world.happens(Shipped(name, 30, world.now + HOUR))
    assert only_of(world, name).outstanding == 30


def test_an_answer_without_a_date_starts_the_wait_anew_as_well(world: FoldedLedger) -> None:
    name = the(world).replenishment
    world.passes(days=7.9)
    world.happens(Acknowledged(name, "accepted", 30))
    world.passes(days=5.9)
    assert only_of(world, name).status == "acknowledged"
    world.passes(hours=5)
    assert only_of(world, name).status == "silent"


def only_of(world: FoldedLedger, name: str) -> Order:
    return next(order for order in world.item().orders if order.id == name)


def test_in_approval_mode_a_proposal_waits_for_its_approval() -> None:
    world = proposing()
    proposal = the(world)
    assert (proposal.proposed, world.item().on_order, only(world).status) == (True, 30, "proposed")
    outputs = world.happens(Approved(proposal.replenishment))
    assert kinds(outputs) == ["request 30"]
    body = outputs[0].event.body
    assert (body.replenishment_id, body.why) == (proposal.replenishment, proposal.why)
    assert (world.item().on_order, only(world).status) == (30, "requested")
    assert world.happens(Approved(proposal.replenishment)) == [], "once"
    assert len({output.event.id for output in world.outputs}) == len(world.outputs)


def test_a_declined_proposal_is_dropped() -> None:
    world = proposing()
    outputs = world.happens(Declined(the(world).replenishment))
    assert world.item().totals.withdrawn == 30
    assert orders(outputs) == [], "a buyer who declines is not asked again at once"
    assert world.happens(Approved(the(world).replenishment)) == []


def test_what_was_requested_cannot_be_declined(world: FoldedLedger) -> None:
    world.happens(Declined(the(world).replenishment))
    assert (world.item().on_order, only(world).status) == (30, "requested")


def proposing() -> FoldedLedger:
    """As `world`, in approval mode."""
    world = FoldedLedger()
    world.happens(Configured(Terms(lead_time_days=2.0, order_up_to=50, reorder_point=30, mode="approve")))
    world.counts(21)
    world.happens(Placed(1))
    world.passes(days=1)
    return world
