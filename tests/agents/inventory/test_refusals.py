"""What the state refuses, and what a refusal leaves as it was."""

import pytest

from agents.core.core import Core
from schemas.journal import Point, Refused
from schemas.ledger import Acknowledged, Configured, Counted, FoldSettings, Placed, Priced, Received, Terms
from schemas.refused import RefusedRecord
from stream.ports import Replay
from tests.fakes.folded_ledger import DAY, MUG, T0, TEA, FoldedLedger, kinds


def test_in_quarantine_an_item_becomes_known_by_its_configuration() -> None:
    world = FoldedLedger(FoldSettings(unknown_items="quarantine"))
    for change in (Placed(1), Received(4), Priced(4.9, world.now), Acknowledged("rep-1", "accepted", 1)):
        assert kinds(world.happens(change)) == ["refused unknown_item"]
    assert len(world.core._shelf) == 0
    assert world.happens(Configured(Terms())) == []
    assert world.happens(Placed(1)) == []
    assert world.core.counters.refused == {"unknown_item": 4}


@pytest.mark.parametrize("name", ["tea-01@BER1", "TEA-01 @BER1", "TEA-01@ber1", "\uff34EA-01@BER1"])
@pytest.mark.parametrize("restored", [False, True])
def test_another_spelling_of_a_known_item_is_asked_about_and_the_nearest_is_named(name: str, *, restored: bool) -> None:
    world = FoldedLedger(FoldSettings(unknown_items="ask"))
    assert world.happens(Placed(1)) == [], "nothing is like it"
    assert world.happens(Placed(1), MUG) == []
    if restored:
        tables = world.core.dump()
        world.core = Core(4)
        world.core.load(tables)
    for change in (Placed(1), Counted(4, T0)):
        (refused,) = world.happens(change, name)
        assert kinds([refused]) == ["refused unknown_item"]
        assert f"spelt almost like {TEA}, which is known" in refused.event.refusal.message
        assert TEA in refused.event.refusal.cure
    assert len(world.core._shelf) == 2
    assert world.happens(Configured(Terms()), name) == [], "a planner may say that it is another item"
    assert world.happens(Placed(1), name) == []
    assert world.happens(Placed(1)) == []


def test_where_nobody_asks_every_spelling_is_an_item() -> None:
    world = FoldedLedger()
    assert [world.happens(Placed(1), name) for name in (TEA, "tea-01@BER1")] == [[], []]


def test_a_flood_of_invented_names_is_bounded() -> None:
    world = FoldedLedger(FoldSettings(max_items=2))
    refused = [kinds(world.happens(Placed(1), f"SKU-{number}@BER1")) for number in range(4)]
    assert refused == [[], [], ["refused too_many_items"], ["refused too_many_items"]]
    assert world.happens(Placed(1), "SKU-1@BER1") == []


def test_a_dead_letter_carries_the_movement_its_origin_and_the_reason() -> None:
    world = FoldedLedger(FoldSettings(max_items=0))
    (refused,) = world.happens(Placed(1), id="ord-1")
    letter = refused.event
    assert isinstance(letter, RefusedRecord)
    assert (refused.topic, refused.item, refused.at.step) == ("dead-letters", TEA, 0)
    assert (letter.record.id, letter.record.feed, letter.appended) == ("ord-1", "orders-id/0", world.now)
    assert (letter.refusal.reason.value, bool(letter.refusal.cure)) == ("too_many_items", True)
    assert isinstance(refused.entry, Refused)


def test_a_refused_movement_leaves_only_its_mark() -> None:
    world = FoldedLedger()
    world.counts(9)
    world.passes(days=5)
    before = world.core.dump()
    world.happens(Counted(4, world.now - 3 * DAY))
    after = world.core.dump()
    assert {table for table in before if before[table] != after[table]} == {"shared"}
    assert {field for field, data in after["shared"].items() if before["shared"].get(field) != data} == {
        "feed orders-id/0"
    }


def test_replay_refuses_what_was_refused_and_nothing_else() -> None:
    world = FoldedLedger()
    world.happens(Placed(1))
    placed = world.folded[-1]
    strict, lenient = FoldedLedger(FoldSettings(max_items=0)), FoldedLedger()
    list(strict.core.fold(placed.record, 1, world.now, Replay((), whole=True)))
    assert len(strict.core._shelf) == 1, "it was taken then, whatever today's rules say"
    refused = Refused(Point(1), TEA, "unknown_item")
    list(lenient.core.fold(placed.record, 1, world.now, Replay((refused,), whole=True)))
    assert len(lenient.core._shelf) == 0, "it was refused then, whatever today's rules say"
