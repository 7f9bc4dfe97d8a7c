"""An item at a past moment: the ledger folded to there is the state that was, decisions included."""

import pytest

from agents.core.core import Core
from agents.inspection.past import PastEnd, as_of
from schemas.journal import JournalRecord, Point, Published
from schemas.ledger import Adjusted, Configured, FoldSettings, Placed, Terms
from stream.ports import Tables
from stream.shard.refold import Refold
from tests.fakes.folded_ledger import DAY, HOUR, MINUTE, MUG, T0, TEA, FoldedLedger

SETTINGS = FoldSettings(lateness_ms=5 * MINUTE)


def journal_of(ledger: FoldedLedger) -> list[JournalRecord]:
    return [
        Published(Point(offset), Point(offset + 1), None, "l", "1", "t", tuple(entries))
        for offset, entries in sorted(ledger.entries().items())
    ]


def at(ledger: FoldedLedger, moment: int, item: str = TEA) -> tuple[PastEnd, Tables]:
    past = PastEnd(item, moment, 4)
    for each in ledger.folded:
        past.see(each.record, each.offset, each.appended)
        if past.passed:
            break
    refold = Refold(Core(4), journal_of(ledger))
    for each in ledger.folded[: past.end]:
        refold.fold(as_of(each.record, moment, past.settings), each.offset, each.appended, until=moment)
    return past, refold.core.dump()


def of(tables: Tables, item: str = TEA) -> tuple[bytes | None, bytes | None]:
    return tables["items"].get(item), tables["minds"].get(item)


def begun(settings: FoldSettings = SETTINGS) -> FoldedLedger:
    ledger = FoldedLedger(settings)
    ledger.happens(Configured(Terms(lead_time_days=2.0, reorder_point=20, order_up_to=40)))
    ledger.counts(60)
    return ledger


@pytest.mark.parametrize("spread_ms", [0, 5 * HOUR])
def test_every_moment_has_the_state_that_was(spread_ms: int) -> None:
    ledger = begun(FoldSettings(lateness_ms=5 * MINUTE, spread_ms=spread_ms))
    states = []
    for hour in range(6 * 24):
        if hour % 5 == 0:
            ledger.happens(Placed(2 + hour % 7))
        ledger.happens(Placed(1), MUG)
        states.append((ledger.now, of(ledger.core.dump())))
        ledger.passes(hours=1)
    assert len(ledger.ordered()) > 1
    for moment, state in states[1::9]:
        # Half an hour later nothing else has happened to the item, and the watermark has passed.
        past, tables = at(ledger, moment + 30 * MINUTE)
        assert past.passed
        assert of(tables) == state, (moment - T0) / HOUR


def test_a_tick_that_goes_over_many_days_is_stopped_in_between() -> None:
    leaping, walking = begun(), begun()
    for ledger in (leaping, walking):
        for day in range(8):
            ledger.happens(Placed(5), at=T0 + day * DAY + HOUR)
    leaping.passes(12)
    walking.passes(4, hours=7)
    assert walking.ordered()
    assert leaping.ordered() != walking.ordered()
    past, tables = at(leaping, walking.now - SETTINGS.lateness_ms)
    assert past.passed
    assert of(tables) == of(walking.core.dump())


def test_the_review_of_a_moment_is_in_its_state() -> None:
    ledger = begun()
    ledger.passes(hours=23)
    ledger.happens(Adjusted(-45))
    ledger.passes(hours=2)
    (decided,) = ledger.ordered()
    assert decided.decided_at == T0 + DAY
    _, before = at(ledger, T0 + DAY - 1)
    _, then = at(ledger, T0 + DAY)
    assert (of(before) == of(then), of(then) == of(ledger.core.dump())) == (False, True)


def test_an_item_that_nobody_had_heard_of_has_no_past() -> None:
    ledger = FoldedLedger(SETTINGS)
    ledger.passes(2)
    ledger.happens(Placed(1))
    ledger.passes(1)
    assert at(ledger, T0 + DAY)[0].end == 0
    assert at(ledger, T0 + 3 * DAY)[0].end > 0


def test_a_moment_beyond_what_time_has_reached_is_the_watermark() -> None:
    ledger = begun()
    ledger.passes(1)
    past, tables = at(ledger, T0 + 9 * DAY)
    assert (past.passed, past.moment) == (False, T0 + DAY - SETTINGS.lateness_ms)
    assert of(tables) == of(ledger.core.dump())
