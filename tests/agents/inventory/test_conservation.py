"""I1 and I2 against a naive model: stock is what the set of events says, and every event counts exactly once."""

from collections import defaultdict
from typing import Any, NamedTuple

from hypothesis import given, settings
from hypothesis import strategies as st

from agents.inventory.conservation import conserved
from agents.inventory.position import Item
from schemas.journal import Refused
from schemas.ledger import (
    Adjusted,
    Arrived,
    Cancelled,
    Configured,
    Corrected,
    Counted,
    FoldSettings,
    Fulfilled,
    Movement,
    Notice,
    Placed,
    Received,
    Rejected,
    Returned,
    Sent,
    Terms,
)
from tests.agents.inventory.histories import histories, live, settings_choices
from tests.fakes.folded_ledger import DAY, HOUR, MINUTE, T0, FoldedLedger, reviews


class NaiveStock(NamedTuple):
    """An item as plain sums over plain lists have it."""

    net: int
    reserved: int
    asked: int


def naive(movements: list[Movement]) -> NaiveStock:  # noqa: C901, PLR0912 - a line a kind
    """Fold an item's accepted movements in the plainest way; `reserve` holds from its configuration on."""
    reserve, reserved, asked = False, 0, 0
    changes: list[tuple[int, int]] = []
    counts: list[tuple[int, int, int, int]] = []
    for movement in movements:
        minute = movement.time // MINUTE
        match movement.change:
            case Configured(terms=terms):
                if terms.fulfilment is None or isinstance(terms.fulfilment, str):
                    reserve = terms.fulfilment == "reserve"
            case Placed(quantity=n) if reserve:
                reserved, asked = reserved + n, asked + n
            case Placed(quantity=n):
                changes.append((minute, -n))
                asked += n
            case Rejected(quantity=n):
                asked += n
            case Cancelled(quantity=n) if reserve:
                reserved -= n
            case Fulfilled(quantity=n) if reserve:
                reserved -= n
                changes.append((minute, -n))
            case Sent(quantity=n):
                changes.append((minute, -n))
            case Cancelled(quantity=n) | Arrived(quantity=n) | Received(accepted=n) | Adjusted(delta=n):
                changes.append((minute, n))
            case Returned(quantity=n, restock=True):
                changes.append((minute, n))
            case Counted(counted=n, as_of=as_of):
                counts.append((as_of // MINUTE, movement.time, movement.event, n))
            case _:
                pass
    at, _, _, start = max(counts, default=(-1, 0, 0, 0))
    return NaiveStock(start + sum(delta for minute, delta in changes if minute > at), reserved, asked)


def accepted(world: FoldedLedger) -> dict[str, list[Movement]]:
    """Every event once, without what was refused, what was an orphan, and what came again."""
    seen: dict[tuple[str, int], tuple[int, int]] = {}
    marks: dict[str, tuple[int, int]] = {}
    found = defaultdict(list)
    for folded in world.folded:
        record = folded.record
        if not isinstance(record, Movement | Notice):
            continue
        mark = marks.get(record.feed, (-1, -1))
        origin = (record.offset, record.ordinal)
        if origin <= mark or (record.prev is not None and record.prev > mark):
            continue
        marks[record.feed] = origin
        if not isinstance(record, Movement) or any(isinstance(output.entry, Refused) for output in folded.outputs):
            continue
        body, highest = seen.get((record.item, record.event), (record.body, -1))
        if body == record.body and record.ordinal > highest:
            seen[record.item, record.event] = (body, record.ordinal)
            found[record.item].append(record)
    return found


def total_demand(world: FoldedLedger, name: str) -> int:
    """All demand of an item: reviewed, open, and ahead."""
    item = world.item(name)
    of_item = [review for review in reviews(world.outputs) if f"{review.sku}@{review.location}" == name]
    waiting: int = item.open.demand + item.open.late + sum(bucket.demand for bucket in item.ahead.values())
    return waiting + sum(int(review.demand) for review in of_item)


@settings(max_examples=100, deadline=None)
@given(histories, settings_choices)
def test_stock_is_what_the_set_of_events_says(history: list[Any], chosen: FoldSettings) -> None:
    world = FoldedLedger(wide(chosen))
    live(world, history)
    for name, movements in accepted(world).items():
        item, expected = world.item(name), naive(movements)
        assert (item.net, item.reserved) == (expected.net, expected.reserved)
        assert total_demand(world, name) <= expected.asked
        if not any(isinstance(movement.change, Cancelled | Corrected) for movement in movements):
            assert total_demand(world, name) == expected.asked
        assert conserved(item), item
    assert world.core.counters.violations == {}


def wide(chosen: FoldSettings) -> FoldSettings:
    """The same settings, with a duplicate window that forgets nothing."""
    import msgspec

    return msgspec.structs.replace(chosen, duplicate_window_ids=4096, duplicate_window_ms=1000 * DAY)


minutes = st.integers(0, 30 * 60)
quantities = st.integers(1, 40)
flows = st.one_of(
    st.builds(Placed, quantities),
    st.builds(Cancelled, quantities),
    st.builds(Fulfilled, quantities),
    st.builds(Returned, quantities, st.booleans()),
    st.builds(Received, quantities),
    st.builds(Adjusted, st.integers(-20, 20)),
    st.builds(Sent, st.just("t1"), quantities),
    st.builds(Arrived, st.just("t2"), quantities),
    st.builds(Counted, st.integers(0, 90), st.builds(lambda minute: T0 + minute * MINUTE, minutes)),
)


@settings(max_examples=200, deadline=None)
@given(st.data(), st.lists(st.tuples(flows, minutes), min_size=2, max_size=25), st.booleans())
def test_any_order_of_arrival_gives_the_same_stock(data: Any, events: list[Any], reserve: bool) -> None:  # noqa: FBT001
    numbered = [(f"e{number}", *event) for number, event in enumerate(events)]
    ends = []
    for order in (numbered, data.draw(st.permutations(numbered))):
        world = FoldedLedger()
        world.happens(Configured(Terms(fulfilment="reserve" if reserve else "immediate")))
        for number, (name, change, minute) in enumerate(order):
            world.happens(change, at=T0 + minute * MINUTE, id=name, feed=f"feed-{name}")
            if number % 7 == 6:
                world.passes(hours=5)
        item = world.item()
        ends.append((item.net, item.reserved, item.known, item.on_order))
        assert conserved(item)
    assert ends[0] == ends[1]


def test_a_difference_is_booked_as_such() -> None:
    world = FoldedLedger()
    world.happens(Received(40))
    world.now += HOUR
    world.happens(Placed(10))
    world.happens(Counted(35, as_of=world.now + MINUTE))
    assert world.item().totals.opening == 5
    world.happens(Placed(2), at=world.now)
    assert (world.item().net, world.item().totals.differences) == (35, 2)
    world.now += HOUR
    world.happens(Counted(30, as_of=world.now))
    assert (world.item().net, world.item().totals.differences) == (30, -3)
    assert conserved(world.item())


def test_a_unit_that_appears_is_a_violation() -> None:
    world = FoldedLedger()
    world.happens(Received(40))
    world.item().net += 1
    world.passes(days=1)
    assert world.core.counters.violations == {"I1": 1}
    assert not conserved(Item(net=1))
