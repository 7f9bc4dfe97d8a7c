"""The watermark: the least time that all feeds have reached, never ahead of a feed that may still deliver."""

import pytest

from schemas.ledger import FoldSettings, Placed, Progress
from tests.fakes.folded_ledger import DAY, FEED, HOUR, MINUTE, T0, FoldedLedger, reviews

A, B = "orders-id/0", "stock-id/0"
BOTH = (A, B)


def at(feed: str, time: int | None, *, drained: bool = True, position: int = 1) -> Progress:
    return Progress(feed, position, time, drained, None)


@pytest.fixture
def world() -> FoldedLedger:
    world = FoldedLedger(FoldSettings(lateness_ms=0))
    world.now = T0 + 10 * DAY
    return world


def watermark(world: FoldedLedger) -> int | None:
    return world.core.counters.watermark


def test_with_a_wall_clock_a_drained_feed_is_where_the_clock_is(world: FoldedLedger) -> None:
    world.ticks(at(A, T0), at(B, None), feeds=BOTH)
    assert watermark(world) == world.now


def test_a_backlog_holds_time_back(world: FoldedLedger) -> None:
    world.ticks(at(A, T0, drained=False), at(B, None), feeds=BOTH)
    assert watermark(world) == T0


def test_lateness_is_waited_for() -> None:
    world = FoldedLedger(FoldSettings(lateness_ms=5 * MINUTE))
    world.ticks()
    assert watermark(world) == T0 - 5 * MINUTE


def test_the_watermark_waits_for_feeds_that_no_tick_has_reported(world: FoldedLedger) -> None:
    world.ticks(at(A, T0), feeds=BOTH)
    assert watermark(world) is None
    world.ticks(at(B, T0), feeds=BOTH)
    assert watermark(world) == world.now


def test_a_feed_that_is_gone_is_not_waited_for(world: FoldedLedger) -> None:
    world.ticks(at(A, T0, drained=False), at(B, None), feeds=BOTH)
    world.ticks(at(B, None), feeds=(B,))
    assert watermark(world) == world.now


def test_the_watermark_never_falls(world: FoldedLedger) -> None:
    world.ticks(at(A, None), feeds=(A,))
    before = watermark(world)
    world.ticks(at(A, T0, drained=False), at(B, T0, drained=False), feeds=BOTH)
    assert watermark(world) == before


def test_the_watermark_never_passes_the_ledgers_own_time(world: FoldedLedger) -> None:
    world.ticks(at(A, world.now + 20 * HOUR, drained=False), feeds=(A,))
    assert watermark(world) == world.now


def test_without_a_wall_clock_time_comes_only_from_events(world: FoldedLedger) -> None:
    world.ticks(at(A, T0 + HOUR), feeds=(A,), wall=False)
    world.now += DAY
    world.ticks(at(A, T0 + HOUR), feeds=(A,), wall=False)
    assert watermark(world) == T0 + HOUR


def test_without_a_wall_clock_a_drained_feed_follows_the_others_one_tick_later(world: FoldedLedger) -> None:
    world.ticks(at(A, T0 + 5 * HOUR, drained=False), at(B, T0 + HOUR), feeds=BOTH, wall=False)
    assert watermark(world) == T0 + HOUR
    world.ticks(at(A, T0 + 9 * HOUR, drained=False), at(B, T0 + HOUR), feeds=BOTH, wall=False)
    assert watermark(world) == T0 + 5 * HOUR
    world.ticks(at(B, T0 + HOUR), feeds=BOTH, wall=False)
    assert watermark(world) == T0 + 9 * HOUR


def test_the_watermark_waits_only_so_long_for_a_feed_that_does_not_move(world: FoldedLedger) -> None:
    stuck = at(A, T0, drained=False)
    for _ in range(15):
        world.ticks(stuck, at(B, None), feeds=BOTH)
        assert watermark(world) == T0
        world.now += MINUTE
    for _ in range(3):
        world.ticks(stuck, at(B, None), feeds=BOTH)
        world.now += MINUTE
    assert watermark(world) is not None
    assert watermark(world) > T0  # type: ignore[operator]
    assert world.core.counters.silent_feeds == 1
    world.ticks(at(A, T0 + HOUR, drained=False, position=2), at(B, None), feeds=BOTH)
    assert world.core.counters.silent_feeds == 0


def test_an_outage_of_everybody_is_not_the_silence_of_one(world: FoldedLedger) -> None:
    stuck = at(A, T0, drained=False)
    world.ticks(stuck, at(B, None), feeds=BOTH)
    world.now += 3 * DAY
    world.ticks(stuck, at(B, None), feeds=BOTH)
    assert (watermark(world), world.core.counters.silent_feeds) == (T0, 0)


def test_periods_close_one_by_one_however_far_time_jumps() -> None:
    world = FoldedLedger()
    world.happens(Placed(3), at=T0 + HOUR)
    world.happens(Placed(4), at=T0 + 2 * DAY)
    found = reviews(world.passes(days=3.5))
    assert [(review.period.starts[:10], review.demand) for review in found] == [
        ("2026-03-02", 3),
        ("2026-03-03", 0),
        ("2026-03-04", 4),
    ]


def test_reviews_of_several_items_come_in_the_order_of_time_then_name() -> None:
    world = FoldedLedger()
    for item in ("B@X", "A@X", "C@X"):
        world.happens(Placed(1), item)
    outputs = world.passes(days=2.5)
    assert [output.review for output in outputs] == sorted(output.review for output in outputs)  # type: ignore[type-var]
    assert [output.item for output in outputs] == ["A@X", "B@X", "C@X"] * 2


def test_reviews_are_spread() -> None:
    world = FoldedLedger(FoldSettings(lateness_ms=0, spread_ms=6 * HOUR))
    for number in range(50):
        world.happens(Placed(1), f"SKU-{number}@BER1")
    early = len(world.passes(days=1, hours=1))
    late = len(world.passes(hours=5))
    assert 0 < early < 25
    assert early + late == 50


def test_weeks_begin_on_monday_and_days_where_the_settings_say() -> None:
    world = FoldedLedger(FoldSettings(lateness_ms=0, period_ms=7 * DAY, day_starts_ms=6 * HOUR))
    world.happens(Placed(1), at=T0 + 3 * DAY)
    (review,) = reviews(world.passes(days=7.5))
    assert review.period.starts == "2026-03-02T06:00:00+00:00"
    assert review.period.ends == "2026-03-09T06:00:00+00:00"


def test_what_comes_late_is_stock_at_once_and_demand_of_the_open_period() -> None:
    world = FoldedLedger()
    world.happens(Placed(3))
    world.passes(days=1.2)
    world.happens(Placed(5), at=T0 + HOUR)
    assert world.item().net == -8
    assert world.core.counters.late == 1
    (review,) = reviews(world.passes(days=1))
    assert (review.demand, review.late_demand) == (5, 5)


def test_what_is_ahead_of_its_time_waits_in_its_own_period() -> None:
    world = FoldedLedger()
    world.happens(Placed(3))
    world.happens(Placed(5), at=T0 + 26 * HOUR)
    assert [review.demand for review in reviews(world.passes(days=1.01))] == [3]
    assert [review.demand for review in reviews(world.passes(days=1))] == [5]


def test_the_first_event_to_arrive_need_not_be_the_first_that_happened() -> None:
    world = FoldedLedger()
    world.happens(Placed(3), at=T0 + 2 * DAY)
    world.happens(Placed(5), at=T0)
    assert [review.demand for review in reviews(world.passes(days=3.5))] == [5, 0, 3]
    assert world.core.counters.late == 0


def test_a_name_with_an_ancient_time_costs_no_thousand_reviews() -> None:
    world = FoldedLedger()
    world.passes(days=1)
    world.happens(Placed(3), at=T0 - 9000 * DAY)
    assert len(reviews(world.passes(days=1))) <= 402


def test_settings_that_change_the_period_leave_the_open_one_its_end() -> None:
    world = FoldedLedger()
    world.happens(Placed(3))
    world.settings_change(period_ms=7 * DAY)
    found = reviews(world.passes(days=14))
    assert [(review.period.starts[:10], review.period.ends[:10]) for review in found] == [
        ("2026-03-02", "2026-03-03"),
        ("2026-03-03", "2026-03-09"),
        ("2026-03-09", "2026-03-16"),
    ]


def test_only_ticks_move_time() -> None:
    world = FoldedLedger()
    world.happens(Placed(3))
    assert world.happens(Placed(3), at=T0 + 20 * DAY) == []
    assert watermark(world) is None
    assert FEED in world.core._timeline.feeds
