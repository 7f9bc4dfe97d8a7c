"""What is dropped: what came before, what builds on something that never came, what was published twice."""

import msgspec
import pytest

from agents.core.core import Core
from schemas.ledger import Counted, FoldSettings, Movement, Placed, Progress, SupplierChange
from schemas.refused import RefusedRecord
from tests.fakes.folded_ledger import DAY, FEED, HOUR, SETTINGS, T0, TEA, FoldedLedger, kinds, number_of


@pytest.fixture
def world() -> FoldedLedger:
    world = FoldedLedger()
    world.happens(Counted(100, world.now))
    world.now += HOUR
    return world


def movement(offset: int, ordinal: int = 0, prev: tuple[int, int] | None = None, feed: str = FEED) -> Movement:
    name = f"{feed} {offset}"
    return Movement(
        TEA, feed, offset, ordinal, prev, "shop", name, number_of(name), number_of("b", name), T0 + HOUR, Placed(1)
    )


def test_an_origin_not_beyond_the_mark_is_dropped(world: FoldedLedger) -> None:
    for offset, ordinal in ((50, 0), (50, 1), (51, 0), (50, 1), (51, 0), (49, 5)):
        world.append(movement(offset, ordinal))
    assert world.item().net == 97
    assert world.core.counters.duplicates["technical"] == 3


def test_what_builds_on_something_unseen_is_dropped_until_it_comes_again(world: FoldedLedger) -> None:
    world.append(movement(50))
    world.append(movement(53, prev=(52, 0)))
    assert (world.item().net, world.core.counters.orphans) == (99, 1)
    for record in (movement(52, prev=(50, 0)), movement(53, prev=(52, 0))):
        world.append(record)
    assert world.item().net == 97


def test_the_first_of_a_feed_builds_on_nothing(world: FoldedLedger) -> None:
    world.append(movement(7, prev=(6, 0), feed="new-id/0"))
    assert world.core.counters.orphans == 1
    world.append(movement(6, feed="new-id/0"))
    assert world.item().net == 99


def test_feeds_have_marks_of_their_own(world: FoldedLedger) -> None:
    world.append(movement(50))
    world.append(movement(50, feed="orders-id/1"))
    assert world.item().net == 98


def test_the_same_event_counts_once_whatever_the_feed(world: FoldedLedger) -> None:
    for feed in (FEED, "orders-id/1", FEED):
        outputs = world.happens(Placed(3), id="ord-1", feed=feed)
        assert outputs == []
    assert world.item().net == 97
    assert world.core.counters.duplicates["business"] == 2


def test_lines_of_one_event_about_one_item_all_count_once(world: FoldedLedger) -> None:
    for feed in (FEED, "orders-id/1"):
        for ordinal in (0, 2, 5):
            world.happens(Placed(1), id="ord-1", body=7, ordinal=ordinal, feed=feed)
            world.starts_anew(feed)
    assert world.item().net == 97


def test_the_same_id_with_other_data_is_refused_and_the_first_stands(world: FoldedLedger) -> None:
    world.happens(Placed(3), id="ord-1", feed="orders-id/1")
    outputs = world.happens(Placed(4), id="ord-1", feed="orders-id/2")
    assert kinds(outputs) == ["refused conflicting_duplicate"]
    letter = outputs[0].event
    assert isinstance(letter, RefusedRecord)
    assert (letter.record.feed, letter.refusal.reason.value) == ("orders-id/2", "conflicting_duplicate")
    assert world.item().net == 97


def test_a_refused_event_may_come_again(world: FoldedLedger) -> None:
    world.settings_change(unknown_items="quarantine")
    assert kinds(world.happens(Placed(3), "NEW-1@BER1", id="ord-1")) == ["refused unknown_item"]
    world.settings_change(unknown_items="accept")
    assert world.happens(Placed(3), "NEW-1@BER1", id="ord-1", feed="orders-id/1") == []
    assert world.item("NEW-1@BER1").net == -3


def test_the_window_holds_so_many_ids_and_no_more() -> None:
    world = FoldedLedger(FoldSettings(duplicate_window_ids=100))
    for number in range(101):
        world.happens(Placed(1), id=f"ord-{number}")
    world.happens(Placed(1), id="ord-1")
    assert world.item().net == -101, "the hundredth newest is held"
    world.happens(Placed(1), id="ord-0")
    assert world.item().net == -102, "the one before is not"


def test_the_window_holds_ids_so_long_and_no_longer() -> None:
    world = FoldedLedger(FoldSettings(duplicate_window_ms=7 * DAY))
    world.happens(Placed(1), id="ord-1")
    world.now += 3 * DAY
    world.happens(Placed(1), id="ord-2")
    world.now += 4 * DAY
    world.happens(Placed(1), id="ord-1")
    assert world.item().net == -2
    world.now += 1
    world.happens(Placed(1), id="ord-1")
    assert world.item().net == -3, "its time is over, so it is news"
    world.happens(Placed(1), id="ord-1")
    world.happens(Placed(1), id="ord-2")
    assert world.item().net == -3


def test_old_pages_are_let_go_of() -> None:
    world = FoldedLedger(FoldSettings(duplicate_window_ids=100))
    for number in range(1000):
        world.happens(Placed(1), id=f"ord-{number}")
    window = world.core._shelf.cards[TEA].window
    assert len(window.pages) <= 3
    assert len(window.seen) <= 192


def test_a_notice_counts_once(world: FoldedLedger) -> None:
    world.is_said(SupplierChange("acme", 4.0), id="sup-1", body=1 << 20)
    world.is_said(SupplierChange("acme", 6.0), id="sup-2", body=2 << 20)
    world.is_said(SupplierChange("acme", 4.0), id="sup-1", body=1 << 20)
    assert world.core._state.catalogue.suppliers["acme"].lead_time_days == 6.0


@pytest.mark.parametrize("partition, letters", [(0, 1), (4, 0)])
def test_a_notice_of_two_contents_is_one_dead_letter_for_all_shards(partition: int, letters: int) -> None:
    world = FoldedLedger(SETTINGS, partition)
    world.is_said(SupplierChange("acme", 4.0), id="sup-1", body=1 << 20)
    outputs = world.is_said(SupplierChange("acme", 6.0), id="sup-1", body=2 << 20)
    assert kinds(outputs) == ["refused conflicting_duplicate"] * letters
    assert world.core._state.catalogue.suppliers["acme"].lead_time_days == 4.0


def test_progress_does_not_count_before_its_last_record_has_arrived(world: FoldedLedger) -> None:
    world.ticks(Progress(FEED, 90, T0 + 5 * HOUR, drained=False, prev=(80, 0)))
    assert world.core.counters.watermark is None
    world.append(movement(80))
    world.ticks(Progress(FEED, 90, T0 + 5 * HOUR, drained=False, prev=(80, 0)))
    assert world.core.counters.watermark == T0 + HOUR, "no tick knows more than the ledger's own time"


def test_a_mark_is_part_of_the_state(world: FoldedLedger) -> None:
    world.append(movement(50))
    again = Core(4)
    again.load(msgspec.json.decode(msgspec.json.encode({}), type=dict))
    again.load(world.core.dump())
    list(again.fold(movement(50), 99, T0, None))
    assert again.counters.duplicates["technical"] == 1
