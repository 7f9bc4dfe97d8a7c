"""Counts and movements to the millisecond, and days judged by their own stock, in whatever order events arrive."""

from collections.abc import Sequence

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from agents.inventory.movement_log import MOST_MOMENTS, MovementLog
from schemas.ledger import Adjusted, Change, Configured, Counted, Milliseconds, Placed, Received, Rejected, Terms
from tests.fakes.folded_ledger import DAY, HOUR, MINUTE, T0, TEA, FoldedLedger, reviews

SECOND = 1_000
COUNTED_AT = T0 + 11 * HOUR + 41 * MINUTE + 28 * SECOND


@pytest.mark.parametrize("late", [False, True], ids=["count first", "order first"])
@pytest.mark.parametrize("after_ms, left", [(28 * SECOND, 7), (1, 7), (0, 10), (-1, 10)])
def test_an_order_of_the_minute_of_a_count_is_not_lost(after_ms: int, left: int, *, late: bool) -> None:
    ledger = FoldedLedger()
    ledger.now = T0 + 12 * HOUR
    happens: list[tuple[Change, int]] = [(Counted(10, COUNTED_AT), COUNTED_AT), (Placed(3), COUNTED_AT + after_ms)]
    for change, time in reversed(happens) if late else happens:
        ledger.happens(change, at=time)
    assert ledger.item().net == left


def test_an_hour_of_very_many_moments_is_thinned_to_seconds() -> None:
    log = MovementLog()
    for number in range(2 * MOST_MOMENTS):
        log.add(number * 100, -1)
    ((_, page),) = log.dump()
    assert len(page) <= 8 * (2 * MOST_MOMENTS // 10 + 2), "eight bytes a second, and the mark"
    assert abs(log.after(100 * MOST_MOMENTS - 1) + MOST_MOMENTS) < 10, "off by less than what happened in a second"
    assert log.after(-1) == -2 * MOST_MOMENTS


@pytest.mark.parametrize("again", [False, True], ids=["in one piece", "stored in between"])
def test_a_thinned_hour_is_the_same_in_whatever_order_its_moments_came(*, again: bool) -> None:
    moments = [number * 400 % HOUR + number % 7 for number in range(2 * MOST_MOMENTS)]
    pages = []
    for order in (moments, moments[::-1], moments[5_000:] + moments[:5_000]):
        log = MovementLog()
        for count, time in enumerate(order):
            if again and count == 6_000:
                log = MovementLog(dict(log.dump()))
            log.add(time, -1)
        pages.append(dict(log.dump()))
    assert pages[0] == pages[1] == pages[2]
    assert len(pages[0][0]) < 8 * MOST_MOMENTS, "this hour is thinned"


# A shop that moves to this system ----------------------------------------------------------------------------------

DAYS = 20
Part = Sequence[tuple[Change, Milliseconds]]


def parts_of(units_a_day: int, counted: int) -> dict[str, Part]:
    """Configuration, three weeks of orders and a count of today, as an import brings them."""
    today = T0 + DAYS * DAY + 9 * HOUR
    return {
        "config": [(Configured(Terms(lead_time_days=2.0, unit_cost=1.0, price=2.0)), today)],
        "history": [(Placed(units_a_day), T0 + day * DAY + 10 * HOUR) for day in range(DAYS)],
        "count": [(Counted(counted, today), today)],
    }


def live(order: Sequence[str], parts: dict[str, Part], ticks_between: Sequence[bool]) -> FoldedLedger:
    """Fold the parts in some order, with or without time passing between, and end the day."""
    ledger = FoldedLedger()
    for number, (name, ticks) in enumerate(zip(order, ticks_between, strict=True)):
        for change, time in parts[name]:
            ledger.happens(change, at=time, feed=f"{name}-id/0")
        if ticks and number == len(order) - 1:
            ledger.now = T0 + DAYS * DAY + 10 * HOUR
            ledger.ticks()
    ledger.now = T0 + (DAYS + 1) * DAY
    ledger.ticks()
    return ledger


@pytest.mark.parametrize("order", [("history", "count", "config"), ("count", "history", "config")])
def test_a_history_is_not_censored_by_what_lies_there_today(order: Sequence[str]) -> None:
    ledger = live(order, parts_of(4, counted=0), (False, False, False))
    censored = [review.censored for review in reviews(ledger.outputs)]
    assert len(censored) == DAYS + 1
    assert censored == [False] * DAYS + [True], "only today is known, and nothing was there"


@settings(max_examples=60, deadline=None)
@given(
    order=st.permutations(["config", "history", "count"]),
    ticks=st.tuples(st.booleans(), st.booleans(), st.booleans()),
    units=st.integers(1, 30),
    counted=st.integers(0, 60),
)
def test_an_import_in_any_order_ends_in_the_same_state(
    order: Sequence[str], ticks: tuple[bool, bool, bool], units: int, counted: int
) -> None:
    parts = parts_of(units, counted)
    usual, other = live(("config", "history", "count"), parts, (False,) * 3), live(order, parts, ticks)
    one, two = usual.item(), other.item()
    assert (
        (one.net, one.known, one.known_since)
        == (two.net, two.known, two.known_since)
        == (counted, True, one.known_since)
    )
    seen = [[(r.demand, r.censored, r.forecast.mean) for r in reviews(each.outputs)] for each in (usual, other)]
    assert seen[0] == seen[1]
    levels = [(each.item().reorder_point, each.item().order_up_to, each.item().safety_stock) for each in (usual, other)]
    assert levels[0] == levels[1]


# Days by their own stock --------------------------------------------------------------------------------------------


def test_a_day_is_judged_by_its_own_stock_though_goods_of_tomorrow_are_known_already() -> None:
    ledger = FoldedLedger()
    ledger.happens(Counted(5, T0), at=T0)
    ledger.happens(Received(40), at=T0 + DAY + HOUR)  # tomorrow's receipt overtakes today's orders
    ledger.happens(Placed(5), at=T0 + 10 * HOUR)
    ledger.passes(days=1)
    ledger.passes(days=1)
    ledger.passes(days=1)
    censored = [review.censored for review in reviews(ledger.outputs)]
    assert censored == [True, True, False], "the second day began with nothing"


def test_a_day_is_not_censored_by_orders_of_tomorrow() -> None:
    ledger = FoldedLedger()
    ledger.happens(Counted(5, T0), at=T0)
    ledger.happens(Placed(5), at=T0 + DAY + HOUR)
    ledger.happens(Placed(1), at=T0 + HOUR)
    ledger.happens(Adjusted(1, "found"), at=T0 + 2 * HOUR)
    ledger.passes(days=1)
    assert [review.censored for review in reviews(ledger.outputs)] == [False]


def test_a_stock_out_that_ended_within_the_day_censors_it_unless_the_shop_reports_lost_orders() -> None:
    for lost, censored in ((False, True), (True, False)):
        ledger = FoldedLedger()
        ledger.happens(Counted(5, T0), at=T0)
        ledger.happens(Received(20), at=T0 + 20 * HOUR)
        ledger.happens(Placed(5), at=T0 + 3 * HOUR)
        if lost:
            ledger.happens(Rejected(2), at=T0 + 4 * HOUR)
        ledger.passes(days=1)
        assert [review.censored for review in reviews(ledger.outputs)] == [censored]


def test_the_same_state_comes_of_the_stored_one() -> None:
    ledger = FoldedLedger()
    ledger.happens(Counted(5, T0 + 1), at=T0 + 2)
    ledger.happens(Placed(2), at=T0 + 5)
    tables = ledger.core.dump()
    again = FoldedLedger()
    again.core.load(tables)
    found = again.core._shelf.find(TEA)
    assert found is not None
    assert (found.item.counted_at, found.item.known_since, found.item.net) == (T0 + 1, T0 + 1, 3)
