"""What each event does to the stock."""

import pytest

from agents.inventory.position import allocated, available, backorders, on_hand, position
from schemas.ledger import (
    Adjusted,
    Arrived,
    Cancelled,
    Configured,
    Counted,
    Fulfilled,
    Placed,
    Received,
    Rejected,
    Returned,
    Sent,
    Terms,
    TransferUnderway,
)
from tests.fakes.folded_ledger import DAY, HOUR, MINUTE, MUG, TEA, FoldedLedger, alerts


@pytest.fixture
def world() -> FoldedLedger:
    """40 units of tea, counted at midnight."""
    world = FoldedLedger()
    world.happens(Counted(40, world.now))
    world.now += HOUR
    return world


def stock(world: FoldedLedger, item: str = TEA) -> tuple[int, int, int, int]:
    """On hand, allocated, backorders, available."""
    held = world.item(item)
    return on_hand(held), allocated(held), backorders(held), available(held)


def test_an_order_takes_stock_at_once(world: FoldedLedger) -> None:
    world.happens(Placed(3, order=1))
    assert stock(world) == (37, 0, 0, 37)
    world.happens(Fulfilled(3))
    assert stock(world) == (37, 0, 0, 37), "its shipment took nothing more"
    world.happens(Cancelled(1, order=1))
    assert stock(world) == (38, 0, 0, 38)


def test_with_reserve_an_order_holds_stock_until_it_is_shipped(world: FoldedLedger) -> None:
    world.happens(Configured(Terms(fulfilment="reserve")))
    world.happens(Placed(5, order=1))
    assert stock(world) == (40, 5, 0, 35)
    world.happens(Fulfilled(3))
    assert stock(world) == (37, 2, 0, 35)
    world.happens(Cancelled(2, order=1))
    assert stock(world) == (37, 0, 0, 37)


def test_a_shipment_published_before_its_order_comes_to_the_same(world: FoldedLedger) -> None:
    world.happens(Configured(Terms(fulfilment="reserve")))
    world.happens(Fulfilled(3))
    assert stock(world) == (37, 0, 0, 37)
    world.happens(Placed(3))
    assert stock(world) == (37, 0, 0, 37)


def test_more_sold_than_there_was_shows_as_negative_stock_and_raises_alerts(world: FoldedLedger) -> None:
    outputs = world.happens(Placed(45))
    assert stock(world) == (-5, 0, 0, -5)
    assert alerts(outputs) == ["stock_out raised", "negative_stock raised"]


def test_with_backorders_customers_wait(world: FoldedLedger) -> None:
    world.happens(Configured(Terms(stock_out="backorder")))
    outputs = world.happens(Placed(45))
    assert stock(world) == (0, 0, 5, -5)
    assert alerts(outputs) == ["stock_out raised"]


def test_a_return_is_stock_only_when_it_is_restocked(world: FoldedLedger) -> None:
    demand = world.item().open.demand
    world.happens(Returned(2, restock=False))
    assert stock(world) == (40, 0, 0, 40)
    world.happens(Returned(2, restock=True))
    assert stock(world) == (42, 0, 0, 42)
    assert world.item().open.demand == demand


def test_a_refused_order_is_demand_and_no_stock(world: FoldedLedger) -> None:
    world.happens(Rejected(5))
    assert stock(world) == (40, 0, 0, 40)
    assert (world.item().open.demand, world.item().open.lost) == (5, 5)


def test_a_correction_is_signed(world: FoldedLedger) -> None:
    world.happens(Adjusted(-4))
    world.happens(Adjusted(1))
    assert stock(world)[0] == 37


def test_only_what_was_accepted_of_a_receipt_is_stock(world: FoldedLedger) -> None:
    world.happens(Received(10, rejected=3))
    assert stock(world)[0] == 50
    assert world.item().on_order == 0


def test_a_transfer_leaves_is_underway_and_arrives(world: FoldedLedger) -> None:
    world.happens(Sent("t1", 10))
    world.happens(TransferUnderway("t1", 10), "TEA-01@MUC1")
    assert stock(world)[0] == 30
    there = world.item("TEA-01@MUC1")
    assert (there.on_order, position(there), there.known) == (10, 10, False)
    world.happens(Arrived("t1", 8), "TEA-01@MUC1")
    assert (on_hand(there), there.on_order, there.known) == (8, 2, True)
    world.happens(Arrived("t1", 2), "TEA-01@MUC1")
    assert (on_hand(there), there.on_order, there.orders) == (10, 0, [])


def test_a_transfer_may_arrive_before_it_is_known_to_be_underway(world: FoldedLedger) -> None:
    world.happens(Arrived("t1", 10), "TEA-01@MUC1")
    there = world.item("TEA-01@MUC1")
    assert (on_hand(there), there.on_order) == (10, 0)
    world.happens(TransferUnderway("t1", 15), "TEA-01@MUC1")
    assert there.on_order == 5
    world.happens(Arrived("t1", 5), "TEA-01@MUC1")
    assert (on_hand(there), there.on_order, there.orders) == (15, 0, [])


def test_a_count_is_the_stock_of_its_moment(world: FoldedLedger) -> None:
    world.happens(Placed(3), at=world.now + 1 * MINUTE)
    world.happens(Placed(4), at=world.now + 3 * MINUTE)
    world.happens(Counted(30, as_of=world.now + 2 * MINUTE), at=world.now + 10 * MINUTE)
    assert stock(world)[0] == 30 - 4
    world.happens(Placed(9), at=world.now + 2 * MINUTE)
    assert stock(world)[0] == 30 - 4, "the minute of a count is in it"


def test_an_older_count_changes_nothing(world: FoldedLedger) -> None:
    world.happens(Counted(30, as_of=world.now), at=world.now)
    world.happens(Counted(99, as_of=world.now - 10 * MINUTE), at=world.now + HOUR)
    assert stock(world)[0] == 30


@pytest.mark.parametrize("first, second", [(30, 31), (31, 30)])
def test_of_two_counts_of_one_minute_the_same_stands_whichever_comes_first(first: int, second: int) -> None:
    stocks = set()
    for order in ((first, second), (second, first)):
        world = FoldedLedger()
        for counted in order:
            world.happens(Counted(counted, as_of=world.now), id=f"count {counted}")
        stocks.add(stock(world)[0])
    assert len(stocks) == 1


def test_a_count_too_old_is_refused_and_changes_nothing(world: FoldedLedger) -> None:
    world.passes(days=5)
    before = world.item()
    outputs = world.happens(Counted(7, as_of=world.now - 2 * DAY - MINUTE))
    assert [output.entry.reason for output in outputs if output.entry is not None] == ["count_too_old"]  # type: ignore[union-attr]
    assert stock(world)[0] == 40
    assert world.item() == before
    world.happens(Counted(7, as_of=world.now - 2 * DAY))
    assert stock(world)[0] == 7


def test_stock_is_unknown_until_somebody_has_seen_it() -> None:
    world = FoldedLedger()
    for change in (Placed(3), Rejected(1), Returned(1, restock=True), TransferUnderway("t1", 4)):
        world.happens(change)
        assert not world.item().known
    for number, seen in enumerate((Counted(9, world.now), Received(1), Adjusted(-1), Arrived("t2", 1))):
        world.happens(seen, f"NEW-{number}@BER1")
        assert world.item(f"NEW-{number}@BER1").known


def test_items_do_not_touch_each_other(world: FoldedLedger) -> None:
    world.happens(Placed(3), MUG)
    assert stock(world)[0] == 40
    assert stock(world, MUG)[0] == -3
