"""What each inbound type does: to which items, in which order, or as a notice to every shard."""

from typing import Any

import msgspec
import pytest
import xxhash
from msgspec import UNSET

from agents.intake.movements import movements_of, notice_of
from schemas.codec import Event, decode
from schemas.contract.examples import example
from schemas.inbound import INBOUND
from schemas.ledger import (
    Acknowledged,
    Adjusted,
    Approved,
    Arrived,
    CalendarChange,
    Cancelled,
    ClassChange,
    Configured,
    Corrected,
    Counted,
    Declined,
    Fulfilled,
    ItemChange,
    Placed,
    Priced,
    PromotionDropped,
    PromotionPlanned,
    Received,
    Rejected,
    Returned,
    Sent,
    SharedChange,
    Shipped,
    SupplierChange,
    Terms,
    TransferUnderway,
    Withdrawn,
)
from schemas.quantities import instant

ORDER = xxhash.xxh3_64_intdigest(b"ord-1001")
REPLENISHMENT = "rep-k3f9-4-181223-0"
TEA, MUG = "TEA-01@BER1", "MUG-07@BER1"
MARCH_1 = 1_772_323_200_000
DAY, HOUR = 86_400_000, 3_600_000

MOVEMENTS: dict[str, list[tuple[str, ItemChange]]] = {
    "order.placed": [(TEA, Placed(3, ORDER, 4.9)), (MUG, Placed(1, ORDER, 9.0, "spring-3"))],
    "order.rejected": [(TEA, Rejected(5))],
    "order.cancelled": [(MUG, Cancelled(1, ORDER))],
    "demand.corrected": [(TEA, Corrected(99_997, MARCH_1 - 12 * DAY + 16 * HOUR + 4 * 60_000))],
    "order.fulfilled": [(TEA, Fulfilled(3))],
    "return.received": [(TEA, Returned(1, restock=True))],
    "stock.received": [(TEA, Received(40, 2, None, final=True, supplier="acme"))],
    "stock.adjusted": [(TEA, Adjusted(-2, "damaged"))],
    "stock.counted": [(TEA, Counted(120, MARCH_1 + 3 * DAY + 17 * HOUR))],
    "stock.transferred": [
        (TEA, Sent("trf-4", 10)),
        ("TEA-01@MUC1", TransferUnderway("trf-4", 10, MARCH_1 + 5 * DAY + 8 * HOUR)),
    ],
    "replenishment.acknowledged": [
        (TEA, Acknowledged(REPLENISHMENT, "accepted", 60, MARCH_1 + 8 * DAY + 9 * HOUR)),
    ],
    "replenishment.shipped": [(TEA, Shipped(REPLENISHMENT, 60, MARCH_1 + 8 * DAY + 9 * HOUR))],
    "replenishment.cancelled": [(TEA, Withdrawn(REPLENISHMENT, 0))],
    "replenishment.approved": [(TEA, Approved(REPLENISHMENT))],
    "replenishment.declined": [(TEA, Declined(REPLENISHMENT))],
    "item.configured": [
        (
            TEA,
            Configured(
                Terms(
                    unit_cost=2.1,
                    price=4.9,
                    holding_rate=0.25,
                    order_cost=12.0,
                    shortage_cost=2.8,
                    service_level=0.97,
                    lead_time_days=4.0,
                    review_period_days=1.0,
                    supplier="acme",
                    minimum_order=20,
                    order_multiple=20,
                    capacity=2000,
                    stock_out="lost",
                    fulfilment="immediate",
                    lifecycle="active",
                    abc_class="A",
                    mode="act",
                    policy=None,
                )
            ),
        )
    ],
    "price.changed": [(TEA, Priced(4.5, MARCH_1 + 2 * DAY))],
}
NOTICES: dict[str, SharedChange] = {
    "promotion.scheduled": PromotionPlanned(
        "spring-3", "MUG-07", None, MARCH_1 + 5 * DAY, MARCH_1 + 8 * DAY, discount=0.2, expected_uplift=1.8
    ),
    "promotion.cancelled": PromotionDropped("spring-3", "MUG-07", None),
    "supplier.configured": SupplierChange("acme", 4.0, 20, 20, ("mon", "thu")),
    "class.configured": ClassChange("A", 500, 2000.0),
    "calendar.configured": CalendarChange("BER1", ("sun", "2026-12-25")),
}


def event(name: str, **changes: Any) -> Any:
    """The data of a type's example, with some fields changed."""
    given = example(name)
    given["data"] = given["data"] | changes
    decoded = decode(INBOUND[name].topic, msgspec.json.encode(given), None, 0)
    assert isinstance(decoded, Event), decoded
    return decoded.data


def test_a_cancellation_may_say_when_the_order_was_placed() -> None:
    data = event("order.cancelled", ordered_at=instant(MARCH_1))
    assert movements_of(data) == [(MUG, Cancelled(1, ORDER, MARCH_1))]


def test_every_type_is_in_the_table() -> None:
    assert MOVEMENTS.keys() | NOTICES.keys() == INBOUND.keys()
    assert not MOVEMENTS.keys() & NOTICES.keys()


@pytest.mark.parametrize("name", MOVEMENTS)
def test_movements_of_single_items(name: str) -> None:
    data = event(name)
    assert list(movements_of(data)) == MOVEMENTS[name]
    assert notice_of(data) is None


@pytest.mark.parametrize("name", NOTICES)
def test_notices_to_every_shard(name: str) -> None:
    data = event(name)
    assert list(movements_of(data)) == []
    assert notice_of(data) == NOTICES[name]


def test_lines_keep_their_order_also_when_an_item_comes_twice() -> None:
    line = {"line_id": "1", "sku": "A", "location": "B", "quantity": 1}
    lines = [line, line | {"line_id": "2", "sku": "C"}, line | {"line_id": "3", "quantity": 7}]
    found = movements_of(event("return.received", lines=lines, restock=False))
    assert found == [
        ("A@B", Returned(1, restock=False)),
        ("C@B", Returned(1, restock=False)),
        ("A@B", Returned(7, restock=False)),
    ]


def test_only_stock_outs_are_demand_that_found_no_stock() -> None:
    assert movements_of(event("order.rejected", reason="fraud")) == [(TEA, Rejected(5, out_of_stock=False))]


def test_a_transfer_that_arrived_is_about_its_destination_alone() -> None:
    assert movements_of(event("stock.transferred", phase="received")) == [("TEA-01@MUC1", Arrived("trf-4", 10))]
    eta = movements_of(event("stock.transferred", eta=None))[1][1]
    assert eta == TransferUnderway("trf-4", 10, None)


@pytest.mark.parametrize("name", ["promotion.scheduled", "promotion.cancelled"])
def test_a_promotion_of_one_item_is_a_movement_of_it(name: str) -> None:
    data = event(name, sku="TEA-01", location="BER1")
    changed = msgspec.structs.replace(NOTICES[name], sku="TEA-01", location="BER1")
    assert movements_of(data) == [(TEA, changed)]
    assert notice_of(data) is None
    for everywhere in ({"sku": None, "location": "BER1"}, {"sku": None, "location": None}):
        assert movements_of(event(name, **everywhere)) == []
        assert notice_of(event(name, **everywhere)) is not None


def test_terms_are_absent_or_put_back_to_their_default() -> None:
    [(_, change)] = movements_of(event("item.configured", unit_cost=None, price="0.05 EUR", shortage_cost=None))
    assert isinstance(change, Configured)
    assert (change.terms.unit_cost, change.terms.price, change.terms.shortage_cost) == (None, 0.05, None)
    assert (change.terms.forecaster, change.terms.low_stock) == (UNSET, UNSET)


def test_moments_are_exact() -> None:
    [(_, counted)] = movements_of(event("stock.counted", as_of="2026-03-04T18:30:00.123+05:30"))
    assert isinstance(counted, Counted)
    assert instant(counted.as_of) == "2026-03-04T13:00:00.123000+00:00"


def test_a_customer_is_a_keyed_number_or_nobody() -> None:
    def hash_customer(customer: str) -> int:
        return len(customer)

    placed = [change.customer for _, change in movements_of(event("order.placed")) if isinstance(change, Placed)]
    hashed = movements_of(event("order.placed"), hash_customer)
    without = movements_of(event("order.placed", customer=None), hash_customer)
    assert placed == [None, None]
    assert [getattr(change, "customer", None) for _, change in hashed] == [4, 4]
    assert [getattr(change, "customer", None) for _, change in without] == [None, None]
