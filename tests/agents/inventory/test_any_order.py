"""A shop that moves to this system: configuration, history, counts and the worker's start in any order end alike."""

from collections.abc import Sequence
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from agents.core.core import Core
from agents.core.learning_state import learning_state_of
from schemas.ledger import (
    CalendarChange,
    Cancelled,
    Change,
    Configured,
    Counted,
    FoldSettings,
    Milliseconds,
    Placed,
    Rejected,
    Terms,
)
from tests.fakes.folded_ledger import DAY, HOUR, T0, TEA, FoldedLedger, alerts, orders, replay_of, reviews

DAYS = 20
TODAY = T0 + DAYS * DAY
END = TODAY + 5 * DAY
NOTHING_IS_ORDERED = FoldSettings(lateness_ms=0, decide_from=END + DAY)
Event = tuple[str, Change, Milliseconds]


def shop(forecaster: str | None = "ewma", policy: str | None = "base-stock") -> list[Event]:
    """Terms and a count of today, and what was sold and refused in the weeks before and since."""
    terms = Terms(lead_time_days=2.0, unit_cost=1.0, price=2.0, forecaster=forecaster, policy=policy)
    history: list[Event] = [
        (f"sold {number}", Placed(1 + number % 4, number), T0 + number * DAY // 3 + HOUR) for number in range(3 * DAYS)
    ]
    history[7:7] = [("refused", Rejected(2), T0 + 2 * DAY + 3 * HOUR)]
    return [
        ("terms", Configured(terms), TODAY + 9 * HOUR),
        ("count", Counted(500, TODAY + 9 * HOUR), TODAY + 9 * HOUR),
        *history,
    ]


def live(events: Sequence[Event], ticks: dict[int, Milliseconds], chosen: FoldSettings) -> FoldedLedger:
    """Take the events in this order; ticks come before some of them, by place, and say what time it is by then."""
    world = FoldedLedger(chosen)
    world.is_said(CalendarChange("BER1", ("sun",)))
    world.now = TODAY + 9 * HOUR
    for place, (name, change, time) in enumerate(events):
        if place in ticks:
            world.now = max(world.now, ticks[place])
            world.ticks()
        world.happens(change, at=time, id=name, feed=f"{name}-id/0")
    world.now = END
    for _ in range(2):  # the first one of a history that came since the last waits for more of it
        world.ticks()
    world.passes(days=1)
    return world


def state(world: FoldedLedger) -> dict[str, Any]:
    """What an item's events determine, whenever they came."""
    card = world.core._shelf.find(TEA)
    assert card is not None
    item, record = card.item, learning_state_of(card).record
    return {
        "stock": (item.net, item.known, item.known_since, item.counted_at),
        "periods": (item.starts, item.ends, item.closed_periods),
        "demand": list(card.remembered.written_out()),
        "facts": record.past,
        "forecast": record.forecast,
        "levels": (item.reorder_point, item.order_up_to, item.safety_stock, item.low_stock),
        "total": sum(review.demand for review in reviews(world.outputs)),
    }


hours = st.integers(9, 9 + 47).map(lambda hour: TODAY + hour * HOUR)
"""Later than that the count would be too old."""


@settings(max_examples=150, deadline=None)
@given(st.permutations(range(len(shop()))), st.dictionaries(st.integers(0, len(shop()) - 1), hours, max_size=8))
def test_in_any_order_and_with_reviews_between_the_state_is_the_same(
    order: Sequence[int], ticks: dict[int, Milliseconds]
) -> None:
    events = shop()
    usual = live(events, {}, NOTHING_IS_ORDERED)
    assert state(live([events[number] for number in order], ticks, NOTHING_IS_ORDERED)) == state(usual)
    assert state(usual)["total"] == sum(
        change.quantity for _, change, _ in events if isinstance(change, Placed | Rejected)
    )


@pytest.mark.parametrize(
    "parts", [("count", "terms", "history"), ("terms", "history", "count"), ("history", "count", "terms")]
)
@pytest.mark.parametrize("paused", [False, True], ids=["at once", "with pauses"])
def test_a_blend_learns_an_import_as_if_it_had_been_there_before(parts: Sequence[str], *, paused: bool) -> None:
    """Without pauses of whole ticks the reviews of the past wait for all of it, and are the same to the last bit."""
    events = shop(None, None)
    usual = live(events, {}, NOTHING_IS_ORDERED)
    named = {"terms": events[:1], "count": events[1:2], "history": events[2:]}
    ordered = [event for part in parts for event in named[part]]
    ticks = {place: TODAY + 10 * HOUR + place for place in range(0, len(ordered), 5)}
    if paused:
        ticks |= {place + 1: TODAY + 10 * HOUR + place for place in ticks}
        ordered.insert(20, ("pause", Configured(Terms()), TODAY + 9 * HOUR))
    found = live(ordered, ticks, NOTHING_IS_ORDERED)
    if paused:
        assert state(found)["demand"] == state(usual)["demand"]
        assert state(found)["facts"] == state(usual)["facts"]
        assert state(found)["forecast"].mean == pytest.approx(state(usual)["forecast"].mean, rel=0.5)
    else:
        assert state(found) == state(usual)
        assert reviews(found.outputs) == reviews(usual.outputs)


def test_a_year_imported_after_days_of_reviews_is_no_demand_of_today() -> None:
    world = FoldedLedger()
    world.now = TODAY
    world.happens(Configured(Terms(policy="base-stock", lead_time_days=2.0)))
    world.counts(100)
    world.passes(days=3)
    now = world.now
    for day in range(365):
        world.happens(Placed(3), at=now - day * DAY - 12 * HOUR)
    world.now += HOUR
    assert world.ticks() == []
    told = world.passes(days=1)
    (review,) = reviews(told)
    assert (review.demand, review.late_demand, orders(told), alerts(told)) == (3 * 365, 3 * 365, [], [])
    level = world.item().order_up_to
    assert level is not None
    assert 6 <= level <= 20
    assert world.item().closed_periods == 366


def test_reviews_of_a_time_before_the_stock_was_known_order_nothing() -> None:
    world = FoldedLedger()
    world.now = TODAY + HOUR
    world.ticks()
    world.happens(Configured(Terms(policy="base-stock", lead_time_days=2.0, order_up_to=50)))
    world.counts(0)
    for day in range(100):
        world.happens(Placed(3), at=TODAY - day * DAY - HOUR)
    world.ticks()
    told = world.ticks()
    assert {review.decision for review in reviews(told)} == {"stock_unknown"}
    assert orders(told) == []
    assert orders(world.passes(days=1)) == ["request 50"]


def test_an_item_waits_for_its_history_for_an_hour_of_ticks_at_most() -> None:
    world = FoldedLedger()
    world.now = TODAY
    world.ticks()
    seen = 0
    for number in range(200):
        world.happens(Placed(1), at=T0 + number * HOUR // 10, feed="history-id/0")
        seen += bool(reviews(world.ticks()))
        if seen:
            break
    assert number == 120


def test_a_late_order_is_demand_of_its_own_day_and_a_cancellation_takes_it_out_there() -> None:
    world = FoldedLedger()
    for day in range(5):
        world.happens(Placed(2, day), at=T0 + day * DAY + HOUR)
    world.passes(days=5)
    world.happens(Placed(4, 99), at=T0 + 3 * DAY + 2 * HOUR)
    card = world.core._shelf.find(TEA)
    assert card is not None
    assert card.remembered.demand(T0 + 3 * DAY) == 6
    world.happens(Cancelled(4, 99))
    assert card.remembered.demand(T0 + 3 * DAY) == 2
    assert card.item.open.demand == 0


def test_replay_and_restored_shards_wait_for_the_same() -> None:
    events = shop(None, None)
    ticks = {place: TODAY + (9 + place) * HOUR for place in range(3, len(events), 9)}
    world = live(events[::-1], ticks, FoldSettings(lateness_ms=0))
    replayed, restored = Core(4), Core(4)
    for folded in world.folded:
        entries = [output.entry for output in folded.outputs if output.entry is not None]
        again = replayed.fold(folded.record, folded.offset, folded.appended, replay_of(entries))
        assert not [output for output in again if output is not None]
        tables, restored = restored.dump(), Core(4)
        restored.load(tables)
        list(restored.fold(folded.record, folded.offset, folded.appended, None))
    assert replayed.dump() == restored.dump() == world.core.dump()
