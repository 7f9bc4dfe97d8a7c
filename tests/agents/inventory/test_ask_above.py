"""Orders above a planner's limit are proposed, whatever the mode."""

import pytest

from schemas.ledger import Approved, ClassChange, Configured, SupplierChange, Terms
from tests.fakes.folded_ledger import FoldedLedger, alerts, orders

CASES = {
    "no limit": (Terms(), None, None, ()),
    "units of the item": (Terms(ask_above_units=29), None, None, ("ask_above_units",)),
    "exactly as many": (Terms(ask_above_units=30), None, None, ()),
    "value of the item": (Terms(ask_above_value=59.99), None, None, ("ask_above_value",)),
    "exactly the value": (Terms(ask_above_value=60.0), None, None, ()),
    "both": (Terms(ask_above_units=10, ask_above_value=1.0), None, None, ("ask_above_units", "ask_above_value")),
    "the supplier's": (Terms(), SupplierChange("acme", ask_above_units=20), None, ("ask_above_units",)),
    "the class's": (Terms(), None, ClassChange("A", ask_above_value=50.0), ("ask_above_value",)),
    "another class's": (Terms(), None, ClassChange("B", 1, 1.0), ()),
    "another supplier's": (Terms(), SupplierChange("other", ask_above_units=1), None, ()),
    "the item's own goes before": (
        Terms(ask_above_units=100),
        SupplierChange("acme", ask_above_units=20),
        ClassChange("A", 10),
        (),
    ),
    "the supplier's goes before the class's": (
        Terms(),
        SupplierChange("acme", ask_above_units=50),
        ClassChange("A", 10),
        (),
    ),
    "null is the supplier's again": (
        Terms(ask_above_units=None),
        SupplierChange("acme", ask_above_units=20),
        None,
        ("ask_above_units",),
    ),
}


def world_of(terms: Terms, supplier: SupplierChange | None, abc: ClassChange | None) -> FoldedLedger:
    """20 units at 2 each, filled up to 50 at the first review."""
    world = FoldedLedger()
    world.happens(Configured(Terms(order_up_to=50, reorder_point=30, supplier="acme", abc_class="A", unit_cost=2.0)))
    world.happens(Configured(terms))
    for said in (supplier, abc):
        if said is not None:
            world.is_said(said)
    world.counts(20)
    world.passes(days=1)
    return world


@pytest.mark.parametrize("terms, supplier, abc, asks", CASES.values(), ids=CASES)
def test_an_order_above_a_limit_is_proposed(
    terms: Terms, supplier: SupplierChange | None, abc: ClassChange | None, asks: tuple[str, ...]
) -> None:
    (decided,) = world_of(terms, supplier, abc).ordered()
    assert (decided.quantity, decided.proposed, decided.why.asks) == (30, asks != (), asks)


def test_it_counts_as_on_order_and_becomes_a_request_when_it_is_approved() -> None:
    world = world_of(Terms(ask_above_units=10), None, None)
    assert (orders(world.outputs), world.item().on_order) == (["proposal 30"], 30)
    assert "unusual_order raised" not in alerts(world.outputs), "the limit is the planner's own"
    assert orders(world.happens(Approved(world.ordered()[0].replenishment))) == ["request 30"]
